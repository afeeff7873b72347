//! The command line.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum as _};

use crate::commands::{
    attach, attest, check, completions, diff, explain, get, inspect, provenance, sandbox, sbom, sign, sign_blob, tree,
    trust, verify, verify_blob,
};
use crate::habits;
use crate::printer::ColorChoice;

/// May I run this image? Verifies signatures, SBOMs and provenance of container images, per platform.
#[derive(Debug, Parser)]
#[command(name = "cg-attest", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit: 0 accepted · 1 refused · 2 usage or policy · 3 undecided · 4 a bug")]
pub(crate) struct Cli {
    /// When to colour text
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, display_order = 900)]
    pub(crate) color: ColorChoice,
    /// Log every request and answer to stderr
    #[arg(short, long, global = true, display_order = 901)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// The command line of this process.
    pub(crate) fn of_command_line() -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        // What is wrong with a command line is said in colour before the rest of it is understood.
        let color = match color_in(&arguments) {
            Some(ColorChoice::Always) => clap::ColorChoice::Always,
            Some(ColorChoice::Never) => clap::ColorChoice::Never,
            _ => clap::ColorChoice::Auto,
        };
        let words = arguments.iter().skip(1).filter_map(|word| word.to_str());
        let command = words.into_iter().find(|word| !word.starts_with('-')).unwrap_or_default().to_owned();
        let parsed = Self::command().color(color).try_get_matches_from(arguments);
        parsed.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| habits::advised(error, &command))
    }
}

/// What `--color` says, before anything else is looked at.
fn color_in(arguments: &[OsString]) -> Option<ColorChoice> {
    let mut words = arguments.iter().map_while(|word| word.to_str()).take_while(|word| *word != "--");
    let value = words.find_map(|word| match word.strip_prefix("--color") {
        Some("") => Some(None),
        rest => rest.and_then(|rest| rest.strip_prefix('=')).map(Some),
    })?;
    ColorChoice::from_str(value.or_else(|| words.next())?, false).ok()
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    // First what reads, then what writes, then what helps.
    /// Verify images: one matrix of every platform × every requirement, and a verdict
    Verify(Box<verify::Args>),
    /// Verify a file: a signature, or an attestation with --type, in a Sigstore bundle
    VerifyBlob(Box<verify_blob::Args>),
    /// Print a verified attestation: its predicate, statement, envelope or bundle
    Get(Box<get::Args>),
    /// Print the SBOM of one platform: the attached and verified one, or one made from what is in the layers
    Sbom(Box<sbom::Args>),
    /// Show where an image comes from: verified provenance beside the certificate that signed it
    Provenance(Box<provenance::Args>),
    /// Compare what is signed about an image with what is in it: packages, platform, layers, annotations
    Check(Box<check::Args>),
    /// Show what tells two images apart, per platform: packages, licences, configuration, provenance
    Diff(Box<diff::Args>),
    /// Show everything that is attached to an image and its platforms, unverified
    Tree(Box<tree::Args>),
    /// Decode what is attached: who claims to have signed what, and when, unverified
    Inspect(Box<inspect::Args>),
    /// Sign an image: the index and every platform
    Sign(Box<sign::Args>),
    /// Sign SBOMs, provenance and other statements about an image, each for its own platform
    Attest(Box<attest::Args>),
    /// Attach bundles that were signed elsewhere to the image that they are about
    Attach(Box<attach::Args>),
    /// Sign a file: a Sigstore bundle that cosign, sigstore-go and sigstore-python verify
    SignBlob(Box<sign_blob::Args>),
    /// Show what is trusted and which services sign, with expiry and what to do
    Trust(Box<trust::Args>),
    /// Say what a reason code means and what to do about it
    Explain(explain::Args),
    /// Show a verification and three refusals, on an image made for it: no network, no account
    Demo,
    /// Run a virtual Sigstore and a registry on this machine, to test signing without an account
    Sandbox(sandbox::Args),
    /// Print completions for a shell
    #[command(alias = "completion")]
    Completions(completions::Args),
    /// Print the manual pages, or the one of a command
    Man(completions::ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::Command;
    use clap::error::ErrorKind;

    use super::*;

    /// The command lines in shell blocks of a document and in `code` of its sentences and tables.
    fn command_lines(document: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for (n, part) in document.split("```").enumerate() {
            if n % 2 == 0 {
                lines.extend(part.split('`').skip(1).step_by(2).map(str::to_owned));
            } else {
                lines.extend(part.replace("\\\n", " ").lines().map(str::to_owned));
            }
        }
        lines
    }

    /// The words of our command in a line, as a shell reads them. `None` if it is another program's.
    fn words(line: &str) -> Option<Vec<String>> {
        let line = line.trim().strip_prefix("cg-attest ")?;
        let (mut words, mut word, mut quoted, mut depth) = (vec!["cg-attest".to_owned()], String::new(), false, 0);
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                '#' | '>' | '|' | '&' | ';' | '(' if !quoted && word.is_empty() => break,
                c if c.is_whitespace() && !quoted && depth == 0 => {
                    words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()));
                }
                c => {
                    // What another program prints, $(…), is one word.
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    word.push(c);
                }
            }
        }
        words.extend(Some(word).filter(|word| !word.is_empty()));
        // Dots stand for what the reader fills in.
        let filled = words.into_iter().filter(|word| word != "…").map(|word| match word.as_str() {
            "TYPE" => "spdx".to_owned(),
            "URI" => "https://example.com/type".to_owned(),
            "SHELL" => "bash".to_owned(),
            "COMMAND" => "verify".to_owned(),
            "N" => "3".to_owned(),
            _ => word.replace("sha256:…", &format!("sha256:{}", "0".repeat(64))),
        });
        Some(filled.collect())
    }

    fn examples(command: &Command) -> String {
        let own = command.get_after_long_help().map(|help| format!("```{help}```")).unwrap_or_default();
        own + &command.get_subcommands().map(examples).collect::<String>()
    }

    #[test]
    fn every_command_line_in_the_documents_is_one() {
        let remedies: String = cg_attest::code::Code::ALL.iter().map(|code| format!("{}\n", code.remedy())).collect();
        let documents = [
            ("README", include_str!("../../README.md")),
            ("CHANGELOG", include_str!("../../CHANGELOG.md")),
            ("attaching", include_str!("../../docs/attaching.md")),
            ("build-type", include_str!("../../docs/build-type.md")),
            ("from-other-tools", include_str!("../../docs/from-other-tools.md")),
            ("interop", include_str!("../../docs/interop.md")),
            ("json", include_str!("../../docs/json.md")),
            ("slsa-levels", include_str!("../../docs/slsa-levels.md")),
            ("--help", &examples(&Cli::command())),
            ("explain", &remedies),
        ];
        let mut found = 0;
        for (name, text) in documents {
            for line in command_lines(text) {
                let Some(words) = words(&line) else { continue };
                found += 1;
                let kind = Cli::command().try_get_matches_from(words).err().map(|error| error.kind());
                let is_whole = match kind {
                    // A sentence may name a command without what it needs.
                    None | Some(ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand) => true,
                    Some(ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => true,
                    Some(kind) => kind == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
                };
                assert!(is_whole, "{name}: {line}: {kind:?}");
            }
        }
        assert!(found > 100, "{found}");
    }

    #[test]
    fn color_is_known_before_the_rest_is_understood() {
        let of = |words: &[&str]| color_in(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of(&["cg-attest", "verify", "--color", "never", "x"]), Some(ColorChoice::Never));
        assert_eq!(of(&["cg-attest", "--color=always", "x"]), Some(ColorChoice::Always));
        assert_eq!(of(&["cg-attest", "verify", "--", "--color", "never"]), None);
        assert_eq!(of(&["cg-attest", "--colors", "never"]), None);
        assert_eq!(of(&["cg-attest", "--color"]), None);
    }
}
