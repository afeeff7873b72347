//! Images that are in no registry and in no layout: an archive of `docker save`, or a folder.

use std::path::Path;

use cg_attest::image::Configuration;
use cg_attest::registry::Context;
use cg_attest::scan::{self, Contents, DockerArchive};

use crate::error::CliError;
use crate::printer::Printer;
use crate::settings::{RegistryArgs, threads};

/// An image whose content is all that there is: nothing can be attached to it.
pub(crate) enum Local<'a> {
    Archive(&'a str),
    Folder(&'a str),
}

impl<'a> Local<'a> {
    /// What an image argument means, if it is one of these.
    pub(crate) fn of(image: &'a str) -> Option<Self> {
        let archive = image.strip_prefix("docker-archive:").map(Self::Archive);
        archive.or_else(|| image.strip_prefix("dir:").map(Self::Folder))
    }

    /// How it is run, which a folder does not say.
    pub(crate) fn configuration(&self, registry: &RegistryArgs) -> Result<Option<Configuration>, CliError> {
        let Self::Archive(name) = self else { return Ok(None) };
        let limits = registry.limits()?;
        let (path, tag) = split(name);
        let read = DockerArchive::open(path.as_ref(), &limits).and_then(|archive| archive.configuration(tag, &limits));
        let blob = read.map_err(|error| CliError::usage(error.code(), error))?;
        let parsed = Configuration::parse(&blob);
        parsed.map(Some).map_err(|error| CliError::undecided(error.code(), error))
    }

    /// What is in it, with `files` also every file.
    pub(crate) async fn contents(
        &self,
        registry: &RegistryArgs,
        files: bool,
        printer: &Printer,
    ) -> Result<Contents, CliError> {
        let context = Context::new(registry.content_limits()?);
        let bars = printer.bars();
        let options = scan::Options::new().threads(threads()).progress(&bars).files(files);
        let contents = match self {
            Self::Folder(path) => {
                // A name that is wrong is no doubt about an image.
                if !Path::new(path).is_dir() {
                    return Err(CliError::file(path.as_ref(), "there is no such folder"));
                }
                scan::folder(&context, path.as_ref(), &options).await
            }
            Self::Archive(name) => {
                let (path, tag) = split(name);
                let archive = DockerArchive::open(path.as_ref(), context.limits());
                let archive = archive.map_err(|error| CliError::usage(error.code(), error))?;
                archive.scan(&context, tag, &options).await
            }
        };
        contents.map_err(|error| CliError::undecided(error.code(), error))
    }
}

/// A path and a tag. A tag has a colon of its own: the path is what there is a file of.
fn split(name: &str) -> (&str, Option<&str>) {
    let colons = name.match_indices(':').map(|(at, _)| (&name[..at], Some(&name[at + 1..])));
    let mut readings = std::iter::once((name, None)).chain(colons);
    readings.find(|(path, _)| Path::new(path).is_file()).unwrap_or((name, None))
}
