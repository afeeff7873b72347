//! `sbom --platform all`: a document for each platform, and one of the index.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover;
use cg_attest::image::{Index, Platform};
use cg_attest::registry::Context;
use cg_attest::sbom;
use cg_attest::verify::ImageFacts;

use super::args::{Args, Format};
use super::made::{contents_of, incomplete, known_as, rendered};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::Attestation;
use crate::settings::{self, Source, write_atomically};

/// Writes what is in the layers of every platform, and the index beside them.
pub(super) async fn made(
    args: &Args,
    folder: &Path,
    source: &Source,
    printer: &Printer,
) -> Result<ExitStatus, CliError> {
    let (facts, index) = resolve(args, source).await?;
    let repository = known_as(source);
    let mut files = Files::new(folder, args.output.format)?;
    let (mut status, mut newest) = (ExitStatus::Accepted, None);
    for image in facts.images() {
        let contents = contents_of(&args.evidence.registry, source, &image.digest, args.files, printer).await?;
        newest = newest.max(contents.created);
        let name =
            image.platform().or(contents.platform.as_ref()).map_or_else(|| "image".to_owned(), ToString::to_string);
        let document = rendered(args, &contents, repository.clone(), false)?;
        files.put(&name, &image.digest, &document, printer)?;
        status = status.worst(incomplete(&contents, printer));
    }
    if let (Some(index), Format::Spdx(format)) = (index, args.output.format) {
        // An index has no time of its own; it is as old as its newest image.
        let created = settings::source_date_epoch()?.or(newest);
        let options = sbom::Options::new().created(created).repository(repository);
        let mut document = Vec::new();
        sbom::write_index(format, &index, &options, &mut document).map_err(CliError::internal)?;
        files.put("index", index.blob().digest(), &document, printer)?;
    }
    Ok(status)
}

/// Writes what somebody signed, a file for each platform. What they say of the
/// index is another document, and none is made here beside theirs.
pub(super) fn signed(folder: &Path, attestations: &[Attestation], printer: &Printer) -> Result<(), CliError> {
    let mut files = Files::new(folder, Format::Spdx(sbom::Format::Spdx23))?;
    for attestation in attestations {
        let digest: Digest = attestation.digest.parse().map_err(CliError::internal)?;
        files.put(&attestation.target, &digest, &attestation.bytes, printer)?;
    }
    Ok(())
}

/// The platforms that the image lists.
pub(super) async fn platforms(args: &Args, source: &Source) -> Result<Vec<Platform>, CliError> {
    let (facts, _) = resolve(args, source).await?;
    Ok(facts.images().filter_map(|image| image.platform().cloned()).collect())
}

async fn resolve(args: &Args, source: &Source) -> Result<(ImageFacts, Option<Index>), CliError> {
    let context = Context::new(args.evidence.registry.limits()?);
    let resolved = discover::resolve(&*source.pull, &context, &source.image).await;
    let (facts, index) = resolved.map_err(|error| CliError::unresolved(&error))?;
    if facts.images().next().is_none() {
        let message = format!("{}: the index lists no platform", source.image.name());
        return Err(CliError::undecided(Code::ManifestInvalid, message));
    }
    Ok((facts, index))
}

/// Files in a folder, none twice.
struct Files<'a> {
    folder: &'a Path,
    extension: &'static str,
    taken: BTreeSet<PathBuf>,
}

impl<'a> Files<'a> {
    fn new(folder: &'a Path, format: Format) -> Result<Self, CliError> {
        std::fs::create_dir_all(folder).map_err(|error| CliError::file(folder, error))?;
        let extension = match format {
            Format::Spdx(format) => format.extension(),
            Format::Table => "txt",
        };
        Ok(Self { folder, extension, taken: BTreeSet::new() })
    }

    /// Writes `sbom-linux-arm64.spdx.json`, with the digest in the name where an index lists a platform twice.
    fn put(&mut self, name: &str, digest: &Digest, bytes: &[u8], printer: &Printer) -> Result<(), CliError> {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        let mut path = self.folder.join(format!("sbom-{plain}.{}", self.extension));
        if !self.taken.insert(path.clone()) {
            path = self.folder.join(format!("sbom-{plain}-{}.{}", digest.short(), self.extension));
            self.taken.insert(path.clone());
        }
        write_atomically(&path, bytes)?;
        printer.note(&format!("{}: {}", escape(name), path.display()));
        Ok(())
    }
}
