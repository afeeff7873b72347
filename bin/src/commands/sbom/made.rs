//! What is in the layers of an image, and the document that is made of it.

use cg_attest::digest::Digest;
use cg_attest::image::Repository;
use cg_attest::sbom;
use cg_attest::scan::Contents;

use super::args::{Args, Format};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{self, RegistryArgs, Source};

/// What is in the layers of an image of one platform, with `files` also every file.
pub(in crate::commands) async fn contents_of(
    registry: &RegistryArgs,
    source: &Source,
    digest: &Digest,
    files: bool,
    printer: &Printer,
) -> Result<Contents, CliError> {
    let bars = printer.bars();
    let reader = registry.reader(&*source.pull)?.progress(&bars).files(files);
    let repository = source.image.reference.repository();
    let manifest = reader.manifest(repository, digest).await.map_err(|why| CliError::unread(&why))?;
    let contents = reader.contents(repository, &manifest).await;
    contents.map_err(|error| CliError::undecided(error.code(), error))
}

/// The repository that a document names; a folder's name means nothing elsewhere.
pub(in crate::commands) fn known_as(source: &Source) -> Option<Repository> {
    source.policy_name.as_ref().map(|_| source.image.reference.repository().clone())
}

/// The document of what was found, the same whether it is printed or signed.
pub(in crate::commands) fn spdx(
    format: sbom::Format,
    contents: &Contents,
    repository: Option<Repository>,
) -> Result<Vec<u8>, CliError> {
    let options = sbom::Options::new().created(settings::source_date_epoch()?).repository(repository);
    let mut out = Vec::new();
    sbom::write(format, contents, &options, &mut out).map_err(CliError::internal)?;
    Ok(out)
}

/// What was found, in the form that was asked for.
pub(super) fn rendered(
    args: &Args,
    contents: &Contents,
    repository: Option<Repository>,
    colored: bool,
) -> Result<Vec<u8>, CliError> {
    match args.output.format {
        Format::Spdx(format) => spdx(format, contents, repository),
        Format::Table => {
            let mut table = render::contents(contents, colored);
            if args.history {
                table.push('\n');
                table.push_str(&render::history(contents, colored));
            }
            Ok(table.into_bytes())
        }
    }
}

/// Says what could not be read; a shorter list is never a success.
pub(in crate::commands) fn incomplete(contents: &Contents, printer: &Printer) -> ExitStatus {
    for problem in &contents.problems {
        printer.note(&format!("warning[{}]: {}", problem.code(), escape(&problem.to_string())));
    }
    for claim in contents.claims.iter().filter(|claim| !claim.matches) {
        let text = format!("{} is about {} {}, which no database lists", claim.found_in, claim.package, claim.version);
        printer.note(&format!("note: {}", escape(&text)));
    }
    if contents.problems.is_empty() { ExitStatus::Accepted } else { ExitStatus::Undecided }
}
