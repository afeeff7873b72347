//! `diff`: what tells two images apart, platform by platform.

use std::path::PathBuf;

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::sbom::diff::{self, VulnerabilityReport};
use clap::Args as ClapArgs;

use super::diff_sides::{Image, Part, Reading};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::local::Local;
use crate::printer::{Printer, escape};
use crate::render::{self, Compared};
use crate::settings::{self, EvidenceArgs, Sources, Wanted};

#[derive(Debug, ClapArgs)]
// What is required of a side is its SBOM.
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(
    after_help = "Exit: 0 compared (--exit-code: 0 no difference, 1 differences) · 1 refused · 2 usage or policy · 3 undecided or incomplete"
)]
#[command(after_long_help = "Examples:
  cg-attest diff cgr.dev/chainguard/nginx:latest cgr.dev/chainguard/nginx:latest-dev --platform linux/amd64
  cg-attest diff nginx cgr.dev/chainguard/nginx --platform all -o markdown
  cg-attest diff registry.example/app:1 registry.example/app:2 --vulnerabilities 1.grype.json 2.grype.json

A side with a policy (a preset by its name, or flags, which are for both) is what its attached
and verified SBOM says. A side without one is read from its layers and marked unverified,
and so is an archive of docker save or a folder, to which nothing can be attached.
Indexes are never compared, only the images of a platform that both have.
The JSON has the keys of `chainctl images diff`; a package of another version is in `changed`,
not in `removed` and `added`. Several platforms are one line of JSON each.
Exit: 0 compared (--exit-code: 0 no difference, 1 differences) · 1 refused · 2 usage or policy · 3 undecided or incomplete")]
pub(crate) struct Args {
    /// The image that it was: NAME[:TAG|@DIGEST] in a registry, oci:FOLDER[:TAG|@DIGEST], docker-archive:FILE[:TAG] or dir:FOLDER
    #[arg(value_name = "A")]
    from: String,
    /// The image that it is
    #[arg(value_name = "B")]
    to: String,
    /// The platform, or all that both have; needed where both have several
    #[arg(long, value_name = "PLATFORM|all")]
    platform: Option<Wanted>,
    /// What to print: text, markdown or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Compare packages of these types of purls only: apk, deb, npm, …
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = TYPES)]
    types: Vec<String>,
    /// Refuse a side that no policy is for, instead of reading its layers
    #[arg(long)]
    require_verified: bool,
    /// Exit with 1 if anything differs
    #[arg(long)]
    exit_code: bool,
    /// JSON reports of Grype or Trivy on A and on B: what came and what went
    #[arg(long, value_names = ["A.json", "B.json"], num_args = 2)]
    vulnerabilities: Option<Vec<PathBuf>>,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

/// Types of purls of packages that are compared; a type that is none would compare nothing.
const TYPES: [&str; 11] = ["apk", "deb", "rpm", "cargo", "composer", "gem", "golang", "maven", "npm", "nuget", "pypi"];

/// Prints what tells two images apart.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let reports = args.reports()?;
    let names = [args.from.clone(), args.to.clone()];
    let remote: Vec<String> = names.iter().filter(|name| Local::of(name).is_none()).cloned().collect();
    let mut sources = Sources::prepare(&remote, &args.evidence.registry, args.evidence.trust.offline)?;
    let platform = if let Some(Wanted::One(platform)) = &args.platform { Some(platform) } else { None };
    let mut opened = Vec::new();
    for name in &names {
        opened.push(Image::open(name, &mut sources, &args.evidence)?);
    }
    if let Some(image) = opened.iter().find(|image| args.require_verified && !image.has_policy) {
        let message = match &image.source {
            Some(_) => format!("{}: no policy says who is trusted to sign it", image.name),
            None => format!("{}: nothing can be attached to it that would vouch for it", image.name),
        };
        return Err(CliError::refused(Code::Unverified, message));
    }
    let Ok([mut from, mut to]) = <[Image<'_>; 2]>::try_from(opened) else {
        return Err(CliError::internal("two images were named"));
    };
    from.resolve(platform, &args.evidence).await?;
    to.resolve(platform, &args.evidence).await?;
    let pairs = args.pairs(&from, &to, printer)?;
    if pairs.len() > 1 && reports.is_some() {
        return Err(CliError::usage(Code::Usage, "a report is of one platform: name it with --platform"));
    }
    if from.has_policy != to.has_policy {
        let text =
            "one side is by its SBOM and one by its layers; an SBOM may name fewer kinds of packages (see --type)";
        printer.note(&format!("note: {text}"));
    }
    let reading = Reading {
        evidence: &args.evidence,
        // Provenance is compared where it is verified on both sides.
        with_provenance: from.has_policy && to.has_policy,
        types: &args.types,
        printer,
    };
    let (mut compared, mut status) = (Vec::new(), ExitStatus::Accepted);
    for (a, b) in pairs {
        let mut sides = [None, None];
        for (side, (image, part)) in sides.iter_mut().zip([(&from, a), (&to, b)]) {
            match reading.side(image, part).await? {
                Ok(read) => {
                    status = status.worst(read.status);
                    *side = Some(read);
                }
                Err(status) => return Ok(status),
            }
        }
        let [Some(from), Some(to)] = sides else { return Err(CliError::internal("two images have not two sides")) };
        let difference = diff::diff(&from.side, &to.side);
        let vulnerabilities = reports.as_ref().map(|(from, to)| from.joined(to, &difference));
        let platform = a.platform.as_ref().or(b.platform.as_ref());
        let platform = platform.map_or_else(|| "image".to_owned(), ToString::to_string);
        compared.push(Compared { platform, from: from.read, to: to.read, difference, vulnerabilities });
    }
    let text = match args.output {
        Format::Text => render::difference_text(&compared, printer.is_colored()),
        Format::Markdown => render::difference_markdown(&compared),
        Format::Json => render::difference_json(&compared)?,
    };
    printer.data(text.as_bytes())?;
    let differs = compared.iter().any(|one| !one.difference.is_empty());
    Ok(if args.exit_code && differs { status.worst(ExitStatus::Refused) } else { status })
}

impl Args {
    fn reports(&self) -> Result<Option<(VulnerabilityReport, VulnerabilityReport)>, CliError> {
        let Some([from, to]) = self.vulnerabilities.as_deref() else { return Ok(None) };
        let read = |path: &PathBuf| {
            let bytes = settings::read_file(path, Limits::default().attestation_bytes)?;
            VulnerabilityReport::parse(&bytes).map_err(|error| CliError::file(path, error))
        };
        Ok(Some((read(from)?, read(to)?)))
    }

    /// The images that are compared: of the same platform, never two indexes.
    fn pairs<'a, 'i>(
        &self,
        from: &'a Image<'i>,
        to: &'a Image<'i>,
        printer: &Printer,
    ) -> Result<Vec<(&'a Part, &'a Part)>, CliError> {
        let single = match (&self.platform, from.parts.as_slice(), to.parts.as_slice()) {
            (Some(Wanted::One(platform)), ..) => Some(platform),
            (Some(Wanted::All), ..) => None,
            (None, [a], [b]) if a.platform.is_none() || b.platform.is_none() => return Ok(vec![(a, b)]),
            (None, [one], _) | (None, _, [one]) if one.platform.is_some() => one.platform.as_ref(),
            (None, ..) => {
                let message = format!("which platform? A has {}, and B has {}", from.platforms(), to.platforms());
                let error = CliError::usage(Code::Usage, message);
                return Err(error.hint("name one with --platform, or --platform all"));
            }
        };
        if let Some(platform) = single {
            return Ok(vec![(from.part(platform)?, to.part(platform)?)]);
        }
        let mut pairs = Vec::new();
        for (these, those, is_from) in [(from, to, true), (to, from, false)] {
            for part in &these.parts {
                let Some(platform) = &part.platform else { continue };
                match those.parts.iter().find(|other| other.is_for(platform)) {
                    Some(other) if is_from => pairs.push((part, other)),
                    Some(_) => {}
                    None => printer.note(&format!("note: only {} has {platform}", escape(these.name))),
                }
            }
        }
        if pairs.is_empty() {
            let message = format!("no platform is in both: {} and {}", from.platforms(), to.platforms());
            return Err(CliError::refused(Code::PlatformAbsent, message));
        }
        Ok(pairs)
    }
}
