//! `cg-attest attest`: SBOMs, provenance and other predicates, each for its own platform.

use std::path::PathBuf;

use cg_attest::attach::{Drafted, Subject, Subjects};
use cg_attest::code::Code;
use cg_attest::evidence::TargetName;
use cg_attest::image::Platform;
use cg_attest::limits::Limits;
use cg_attest::sbom::Format;
use cg_attest::sign::Predicate;
use cg_attest::statement::PredicateType;

use super::produce::{self, ProduceArgs, predicate_failed};
use super::provenance_generate::WORTH;
use super::sbom;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::settings::{BuildArgs, BuildFacts, Source, read_input};

#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:
  cg-attest attest --sbom --provenance registry.example/app:1.2       (made from the layers, and from the CI job)
  cg-attest attest --sbom=linux/amd64=amd64.spdx.json --sbom=linux/arm64=arm64.spdx.json registry.example/app:1.2
  cg-attest attest --platform linux/amd64 --provenance=slsa.json registry.example/app:1.2
  cg-attest attest --predicate vex.json --type openvex --no-recursive registry.example/app:1.2

A document that names another digest or platform than the one that it would be
attached to is refused before anything is signed.")]
pub(crate) struct Args {
    /// The image: NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE")]
    image: String,
    /// A predicate of the type --type, or a whole statement; repeatable; - is stdin
    #[arg(long, value_name = "[PLATFORM=]FILE", requires = "type")]
    predicate: Vec<String>,
    /// The type of --predicate: spdx, slsa, openvex, ..., or a URI
    #[arg(long = "type", value_name = "TYPE", id = "type", visible_alias = "predicate-type", requires = "predicate")]
    kind: Option<PredicateType>,
    /// An SBOM (SPDX), from this file or, without one, made from the layers of each platform; repeatable
    #[arg(long, value_name = "[PLATFORM=]FILE", num_args = 0..=1, require_equals = true, default_missing_value = MADE)]
    sbom: Vec<String>,
    /// Provenance (SLSA), from this file or, without one, made from the CI job that this runs in; repeatable
    #[arg(long, value_name = "[PLATFORM=]FILE", num_args = 0..=1, require_equals = true, default_missing_value = MADE)]
    provenance: Vec<String>,
    /// What an SBOM that is made here is: spdx-json (SPDX 2.3) or spdx3-json (SPDX 3.0.1)
    #[arg(long, value_name = "FORMAT", default_value = "spdx-json", requires = "sbom")]
    sbom_format: Format,
    #[command(flatten)]
    produce: ProduceArgs,
    #[command(flatten)]
    build: BuildArgs,
}

/// Stands for a file that was not named. No argument can have this in it, an
/// empty one included, which a variable that is not set makes.
const MADE: &str = "\0";

/// One predicate, or how it is made, and the platform that it is for.
struct Input {
    name: String,
    platform: Option<Platform>,
    content: Content,
}

enum Content {
    Given(Predicate),
    /// The SBOM of what is in the layers.
    Sbom(Format),
    /// Provenance of the build that this runs in.
    Provenance(Box<BuildFacts>),
}

/// Attests every predicate for the platforms that it is for.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let family = |name: &str| name.parse::<PredicateType>().map_err(CliError::internal);
    let mut inputs = Vec::new();
    for (files, kind) in [
        (&args.predicate, args.kind.clone()),
        (&args.sbom, Some(family("spdx")?)),
        (&args.provenance, Some(family("slsa")?)),
    ] {
        for file in files.iter().filter(|file| *file != MADE) {
            let Some(kind) = &kind else { continue };
            inputs.push(read(file, kind)?);
        }
    }
    inputs.extend(made(&args)?);
    if inputs.is_empty() {
        let message = "there is nothing to attest: pass --sbom, --provenance or --predicate";
        return Err(CliError::usage(Code::Usage, message));
    }
    for input in &inputs {
        match &input.content {
            Content::Given(predicate) => {
                predicate.note().into_iter().for_each(|note| printer.note(&format!("{}: {note}", escape(&input.name))))
            }
            Content::Provenance(_) => printer.note(WORTH),
            Content::Sbom(_) => {}
        }
    }
    let draft = async |source: &Source, subjects: &Subjects| {
        let name = source.image.reference.repository().to_string();
        let mut drafts = Vec::new();
        for input in &inputs {
            for (number, subject) in targets(&args.produce, subjects, input)?.into_iter().enumerate() {
                let predicate = input.predicate(&args.produce, source, subject, printer).await?;
                // Of what is made here, nothing is known before; all of it is of one kind.
                if let (Content::Sbom(_), 0, Some(note)) = (&input.content, number, predicate.note()) {
                    printer.note(&format!("{}: {note}", input.name));
                }
                drafts.push(drafted(subjects, subject, &name, input, predicate)?);
            }
        }
        Ok(drafts)
    };
    produce::run(&args.produce, &args.image, printer, draft).await
}

/// What has no file and is made here, each once.
fn made(args: &Args) -> Result<Vec<Input>, CliError> {
    let wanted = |files: &[String]| files.iter().any(|file| file == MADE);
    let input = |name: &str, content| Input { name: name.to_owned(), platform: None, content };
    let mut inputs = Vec::new();
    if wanted(&args.sbom) {
        inputs.push(input("the SBOM", Content::Sbom(args.sbom_format)));
    }
    if wanted(&args.provenance) {
        let facts = args.build.facts(&Limits::default())?;
        inputs.push(input("the provenance", Content::Provenance(Box::new(facts))));
    } else if args.build.is_given() {
        let message = "what is said of the build is for provenance that is made here: pass --provenance without a file";
        return Err(CliError::usage(Code::Usage, message));
    }
    Ok(inputs)
}

impl Input {
    /// The predicate for a subject: the same for all of them if it was given, and else its own.
    async fn predicate(
        &self,
        args: &ProduceArgs,
        source: &Source,
        subject: &Subject,
        printer: &Printer,
    ) -> Result<Predicate, CliError> {
        let (kind, bytes) = match &self.content {
            Content::Given(predicate) => return Ok(predicate.clone()),
            Content::Sbom(format) => ("spdx", sbom_of(*format, args, source, subject, printer).await?),
            Content::Provenance(facts) => ("slsa", facts.predicate(platform(subject))?.into_bytes()),
        };
        let kind: PredicateType = kind.parse().map_err(CliError::internal)?;
        Predicate::parse(&bytes, &kind, &Limits::default()).map_err(|error| predicate_failed(&self.name, &error))
    }
}

/// The SBOM of what is in the layers of a subject.
async fn sbom_of(
    format: Format,
    args: &ProduceArgs,
    source: &Source,
    subject: &Subject,
    printer: &Printer,
) -> Result<Vec<u8>, CliError> {
    if subject.name == TargetName::Index {
        let message = "an SBOM is of one platform, and --no-recursive asks for one of the index";
        return Err(CliError::usage(Code::Usage, message).hint("leave it out, or name a --platform"));
    }
    let contents = sbom::contents_of(&args.registry, source, &subject.descriptor.digest, false, printer).await?;
    if sbom::incomplete(&contents, printer) != ExitStatus::Accepted {
        // Whoever reads a signed list takes it for the whole list.
        let message = format!("{}: not everything in the layers could be read, and nothing is signed", subject.name);
        let hint = "`cg-attest sbom` writes what there is, and `--sbom=FILE` attests it as it is";
        return Err(CliError::undecided(Code::SbomIncomplete, message).hint(hint));
    }
    sbom::spdx(format, &contents, sbom::known_as(source))
}

fn platform(subject: &Subject) -> Option<&Platform> {
    match &subject.name {
        TargetName::Platform(platform) => Some(platform),
        _ => None,
    }
}

/// `linux/amd64=FILE`, or a file for every platform that is chosen.
fn read(text: &str, kind: &PredicateType) -> Result<Input, CliError> {
    let platform = |text: &str| text.parse::<Platform>().ok().filter(|_| text.contains('/'));
    let split = text.split_once('=').and_then(|(left, right)| Some((platform(left)?, right)));
    let (platform, path) = match split {
        Some((platform, path)) => (Some(platform), PathBuf::from(path)),
        None => (None, PathBuf::from(text)),
    };
    let limits = Limits::default();
    let bytes = read_input(&path, limits.attestation_bytes)?;
    let name = path.display().to_string();
    let predicate = Predicate::parse(&bytes, kind, &limits).map_err(|error| predicate_failed(&name, &error))?;
    Ok(Input { name, platform, content: Content::Given(predicate) })
}

/// The subjects of a predicate: its platform, else the chosen ones, else every
/// platform of an index, or the one image.
fn targets<'a>(args: &ProduceArgs, subjects: &'a Subjects, input: &Input) -> Result<Vec<&'a Subject>, CliError> {
    let Some(wanted) = &input.platform else {
        let chosen = args.subjects(subjects)?;
        let every = args.platforms.named().is_empty() && !args.no_recursive && chosen.len() > 1;
        return Ok(chosen.into_iter().filter(|subject| !every || subject.name != TargetName::Index).collect());
    };
    let found: Vec<&Subject> =
        subjects.platforms().filter(|(own, _)| own.matches(wanted)).map(|(_, subject)| subject).collect();
    if found.is_empty() {
        let message = format!("{}: the image has no platform {wanted}", input.name);
        return Err(CliError::refused(Code::PlatformAbsent, message));
    }
    Ok(found)
}

fn drafted(
    subjects: &Subjects,
    subject: &Subject,
    name: &str,
    input: &Input,
    predicate: Predicate,
) -> Result<Drafted, CliError> {
    let (digest, index) = (&subject.descriptor.digest, Some(&subjects.image().descriptor.digest));
    predicate.check(digest, platform(subject), index).map_err(|error| predicate_failed(&input.name, &error))?;
    Ok(Drafted::attestation(subject, name, predicate))
}
