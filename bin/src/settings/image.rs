//! What an image argument means: a name in a registry, or an OCI layout.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover::ImageRequest;
use cg_attest::image::{Platform, PlatformError, Reference, Repository};
use cg_attest::registry::{Layout, Mirrors, Pull, Push, Remote};
use clap::Args;

use super::RegistryArgs;
use crate::error::CliError;

/// Prefixes of an image argument that name an OCI layout, folder or tar.
const LAYOUT_PREFIXES: &[&str] = &["oci:", "oci-dir:", "oci-archive:"];

/// Prefixes of what `sbom` and `diff` read and that can have no evidence.
const LOCAL_PREFIXES: &[&str] = &["docker-archive:", "dir:"];

/// `--platform` of commands that take one platform, or all that an image has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    One(Platform),
}

impl FromStr for Wanted {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// Which platforms of an image, of commands that take every one without a word.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlatformArgs {
    /// This platform only; repeatable. `all` is the same as to leave it out
    #[arg(long, value_name = "PLATFORM|all", value_delimiter = ',')]
    platform: Vec<Wanted>,
}

impl PlatformArgs {
    /// The platforms that were named; none means all.
    pub(crate) fn named(&self) -> Vec<Platform> {
        let named = self.platform.iter().map(|wanted| match wanted {
            Wanted::All => None,
            Wanted::One(platform) => Some(platform.clone()),
        });
        named.collect::<Option<_>>().unwrap_or_default()
    }
}

/// One image and where it is read from.
pub(crate) struct Source {
    pub(crate) pull: Arc<dyn Pull>,
    /// The same place, for the commands that write.
    pub(crate) push: Arc<dyn Push>,
    pub(crate) image: ImageRequest,
    /// The name that a policy goes by; a layout has none.
    pub(crate) policy_name: Option<Repository>,
    /// What stands before `@` when a digest of the image is printed.
    pub(crate) pinned_name: String,
}

impl Source {
    /// The image at a digest, as other commands take it.
    pub(crate) fn pinned(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.pinned_name)
    }
}

/// Opens image arguments; those in registries share one client.
pub(crate) struct Sources {
    remote: Option<Remote>,
    mirrors: Mirrors,
    layouts: BTreeMap<String, Layout>,
}

/// An image argument, parsed before anything is asked.
enum Argument<'a> {
    Layout { path: &'a str, rest: Option<String> },
    Registry(Reference),
}

impl Sources {
    /// Prepares to open these arguments: all of them are checked before the first request.
    pub(crate) fn prepare(arguments: &[String], registry: &RegistryArgs, offline: bool) -> Result<Self, CliError> {
        let mirrors = registry.mirrors()?;
        let mut registries = Vec::new();
        for argument in arguments {
            if let Ok(Argument::Registry(reference)) = parse(argument) {
                if offline {
                    let message = format!("--offline makes no request, and {reference} is in a registry");
                    return Err(CliError::usage(Code::Offline, message));
                }
                let fetched = rewrite(&mirrors, reference.repository())?;
                registries.push(fetched.registry().to_owned());
            }
        }
        registries.sort();
        registries.dedup();
        let remote = if registries.is_empty() { None } else { Some(registry.remote(&registries)?) };
        Ok(Self { remote, mirrors, layouts: BTreeMap::new() })
    }

    /// Opens one argument.
    pub(crate) fn open(&mut self, argument: &str) -> Result<Source, CliError> {
        match parse(argument)? {
            Argument::Registry(written) => {
                // A name under a mirror is the image of the place that it mirrors.
                let reference = written.within(self.mirrors.original(written.repository()));
                let fetched = rewrite(&self.mirrors, reference.repository())?;
                let source = (fetched != *reference.repository()).then(|| reference.within(fetched).to_string());
                let remote = self.remote.clone().ok_or_else(|| CliError::internal("no client for a registry"))?;
                Ok(Source {
                    pull: Arc::new(remote.clone()),
                    push: Arc::new(remote),
                    policy_name: Some(reference.repository().clone()),
                    pinned_name: written.repository().to_string(),
                    image: ImageRequest::new(reference).source(source),
                })
            }
            Argument::Layout { path, rest } => self.open_layout(argument, path, rest),
        }
    }

    fn open_layout(&mut self, argument: &str, path: &str, rest: Option<String>) -> Result<Source, CliError> {
        let error = |e: cg_attest::registry::RegistryError| {
            let error = CliError::usage(e.code(), e);
            // A root folder is the other thing that people have in a folder.
            let folder = Path::new(path).is_dir() && !Path::new(path).join("oci-layout").exists();
            if folder {
                error.hint(format!("`cg-attest sbom dir:{path}` reads a folder as the root of an image"))
            } else {
                error
            }
        };
        let layout = match self.layouts.get(path) {
            Some(layout) => layout.clone(),
            None => Layout::open(Path::new(path)).map_err(error)?,
        };
        self.layouts.insert(path.to_owned(), layout.clone());
        let name = match rest {
            Some(rest) => rest,
            None => only_image(argument, &layout)?,
        };
        let reference: Reference = format!("localhost/layout{name}").parse().map_err(|_| {
            CliError::usage(
                Code::ReferenceInvalid,
                format!("{argument}: wanted oci:FOLDER, oci:FOLDER:TAG or oci:FOLDER@DIGEST"),
            )
        })?;
        let shown = format!("oci:{path}{name}");
        Ok(Source {
            pull: Arc::new(layout.clone()),
            push: Arc::new(layout),
            policy_name: None,
            pinned_name: format!("oci:{path}"),
            image: ImageRequest::new(reference).shown(shown),
        })
    }
}

fn rewrite(mirrors: &Mirrors, repository: &Repository) -> Result<Repository, CliError> {
    mirrors.rewrite(repository).map_err(|e| CliError::usage(Code::ReferenceInvalid, format!("--mirror: {e}")))
}

fn parse(argument: &str) -> Result<Argument<'_>, CliError> {
    let wrong = |message: String| CliError::usage(Code::ReferenceInvalid, message);
    if LOCAL_PREFIXES.iter().any(|prefix| argument.starts_with(prefix)) {
        let message = format!("{argument}: nothing can be attached to a folder or to what `docker save` wrote");
        return Err(wrong(message).hint(
            "`cg-attest sbom` and `cg-attest diff` read them; name the image in its registry, or a layout: oci:FOLDER",
        ));
    }
    // How gh and helm write a name in a registry; no layout has such a path.
    if let Some((scheme, name)) = argument.split_once("://").filter(|_| !argument.starts_with(['.', '/'])) {
        let message = format!("{argument:?}: an image in a registry is named without {scheme}://");
        return Err(wrong(message).hint(format!("write {name}, or oci:FOLDER for an OCI layout")));
    }
    // No name in a registry begins like a path.
    let path = Some(argument).filter(|argument| argument.starts_with(['.', '/']));
    let Some(layout) = LAYOUT_PREFIXES.iter().find_map(|prefix| argument.strip_prefix(prefix)).or(path) else {
        let reference = argument.parse().map_err(|e: cg_attest::image::ReferenceError| CliError::usage(e.code(), e))?;
        return Ok(Argument::Registry(reference));
    };
    if let Some((path, digest)) = layout.rsplit_once('@') {
        return Ok(Argument::Layout { path, rest: Some(format!("@{digest}")) });
    }
    // A colon after the last slash begins a tag, unless the whole is a folder's name.
    match layout.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') && !Path::new(layout).exists() => {
            Ok(Argument::Layout { path, rest: Some(format!(":{tag}")) })
        }
        _ => Ok(Argument::Layout { path: layout, rest: None }),
    }
}

/// The digest of the one image of a layout.
fn only_image(argument: &str, layout: &Layout) -> Result<String, CliError> {
    let images = layout.images();
    match images.as_slice() {
        [image] => Ok(format!("@{}", image.descriptor.digest)),
        [] => Err(CliError::usage(Code::ImageNotFound, format!("{argument}: the layout has no image"))),
        many => {
            let names: Vec<String> = many
                .iter()
                .flat_map(|image| match image.tags.as_slice() {
                    [] => vec![format!("{argument}@{}", image.descriptor.digest)],
                    tags => tags.iter().map(|tag| format!("{argument}:{tag}")).collect(),
                })
                .take(20)
                .collect();
            let message = format!("{argument}: the layout has {} images", many.len());
            Err(CliError::usage(Code::ReferenceInvalid, message).hint(format!("name one: {}", names.join(", "))))
        }
    }
}
