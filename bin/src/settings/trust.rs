//! Which trust root, and where it is kept up to date from.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::time::{Timestamp, parse_duration};
use cg_attest::trust::{Instance, Refresh, TrustError, TrustRoot};
use clap::Args;

use super::read_file;
use crate::error::CliError;

/// What stands in for `--trusted-root`.
const ROOT_FILE: &str = "SIGSTORE_ROOT_FILE";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Trust root")]
pub(crate) struct TrustArgs {
    /// Trust root, instead of the public one kept up to date by TUF: embedded, embedded-staging, embedded-github,
    /// or a file (trusted_root.json, or one per line) [env: SIGSTORE_ROOT_FILE]
    #[arg(long, value_name = "embedded|FILE", alias = "custom-trusted-root")]
    trusted_root: Option<String>,
    /// Trust the public staging instance instead
    #[arg(long, conflicts_with = "trusted_root")]
    staging: bool,
    /// Read the TUF repository at this address
    #[arg(long, value_name = "URL", env = "TUF_MIRROR", hide_env_values = true)]
    tuf_url: Option<String>,
    /// Begin with this TUF root (root.json): the repository is a private instance's
    #[arg(long, value_name = "FILE", env = "TUF_ROOT_JSON", hide_env_values = true)]
    tuf_root: Option<PathBuf>,
    /// Keep what TUF says below this folder, and not in the user's cache
    #[arg(long, value_name = "FOLDER", env = "TUF_ROOT", hide_env_values = true)]
    tuf_cache: Option<PathBuf>,
    /// For how long what TUF said is used without asking again
    #[arg(long, value_name = "TIME", default_value = "24h")]
    tuf_max_age: String,
    /// Make no request at all: the image has to be in an OCI layout, and the trust root is the one in the cache, else
    /// the embedded one
    #[arg(long)]
    pub(crate) offline: bool,
}

/// A trust root, or what it takes to get it.
pub(crate) enum TrustSource {
    Here(TrustRoot),
    Repository(Box<Refresh>),
}

impl TrustArgs {
    /// Where the trust root comes from. Everything that the flags name is checked, and nothing asked.
    pub(crate) fn source(&self) -> Result<TrustSource, CliError> {
        let embedded = |instance| TrustRoot::embedded(instance).map_err(usage).map(TrustSource::Here);
        match self.named().as_deref() {
            None => self.repository().map(|refresh| TrustSource::Repository(Box::new(refresh))),
            Some("embedded") => embedded(Instance::PublicGood),
            Some("embedded-staging") => embedded(Instance::Staging),
            Some("embedded-github") => embedded(Instance::GitHub),
            Some(path) => {
                let bytes = read_file(Path::new(path), Limits::default().trusted_root_bytes)?;
                TrustRoot::parse(&bytes, path).map_err(usage).map(TrustSource::Here)
            }
        }
    }

    /// The same for whoever signs: a TUF repository is asked for the services as well.
    pub(crate) fn source_for_signing(&self) -> Result<TrustSource, CliError> {
        Ok(match self.source()? {
            TrustSource::Repository(refresh) => TrustSource::Repository(Box::new(refresh.with_signing_config())),
            here @ TrustSource::Here(_) => here,
        })
    }

    /// Whether it comes from a TUF repository, which may know the services that sign.
    pub(crate) fn is_by_tuf(&self) -> bool {
        self.named().is_none()
    }

    /// Whether the trust root is not one of the public instances'.
    pub(crate) fn is_private(&self) -> bool {
        let file = |name: &String| !name.starts_with("embedded");
        self.named().as_ref().is_some_and(file) || self.tuf_url.as_ref().is_some_and(|url| !url.is_empty())
    }

    /// Whether it is the public staging instance's.
    pub(crate) fn is_staging(&self) -> bool {
        self.staging || self.named().as_deref() == Some("embedded-staging")
    }

    /// What the flag or the environment names.
    fn named(&self) -> Option<String> {
        let from_environment = || std::env::var(ROOT_FILE).ok().filter(|name| !name.is_empty() && !self.staging);
        self.trusted_root.clone().or_else(from_environment)
    }

    fn repository(&self) -> Result<Refresh, CliError> {
        let max_age = parse_duration(&self.tuf_max_age)
            .map_err(|error| CliError::usage(Code::Usage, format!("--tuf-max-age: {error}")))?;
        let instance = if self.staging { Instance::Staging } else { Instance::PublicGood };
        let mut refresh = Refresh::of(instance).fresh_for(max_age).offline(self.offline);
        if let Some(url) = self.tuf_url.as_deref().filter(|url| !url.is_empty()) {
            refresh = refresh.mirror(url).map_err(usage)?;
        }
        if let Some(path) = self.tuf_root.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            refresh = refresh.first_root(&read_file(path, 1 << 20)?).map_err(usage)?;
        }
        let folder = cache_folder(self.tuf_cache.as_deref(), |name| std::env::var_os(name));
        Ok(match folder {
            Some(folder) => refresh.cache_folder(folder),
            None => refresh,
        })
    }
}

impl TrustSource {
    /// The trust root; this may ask a TUF repository.
    pub(crate) async fn load(self, now: Timestamp) -> Result<TrustRoot, CliError> {
        let refresh = match self {
            Self::Here(root) => return Ok(root),
            Self::Repository(refresh) => refresh,
        };
        refresh.load(now).await.map_err(|error| {
            CliError::undecided(error.code(), error).hint(
                "check the address (--tuf-url) and the first root (--tuf-root) of the TUF repository; `--trusted-root embedded` or `--trusted-root FILE` does without it",
            )
        })
    }
}

fn usage(error: TrustError) -> CliError {
    CliError::usage(error.code(), error)
}

/// The folder for what TUF says. `TUF_ROOT` is cosign's as well (by default
/// `~/.sigstore/root`): in it, ours is one of its own. Without a home there is none.
fn cache_folder(named: Option<&Path>, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(named) = named.filter(|named| !named.as_os_str().is_empty()) {
        return Some(named.join("cg-attest"));
    }
    // A relative folder would be another one in every working directory.
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || {
        let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        absolute("HOME").map(|home| home.join(below))
    };
    let system = if cfg!(windows) { absolute("LOCALAPPDATA") } else { None };
    let caches = absolute("XDG_CACHE_HOME").or(system).or_else(home)?;
    Some(caches.join("cg-attest/tuf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_cache_is_where_it_was_named_or_in_the_users_cache_or_nowhere() {
        let folder = |named: Option<&str>, variables: &[(&str, &str)]| {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
            cache_folder(named.map(Path::new), variable).map(|path| path.display().to_string())
        };
        let (xdg, home) = (("XDG_CACHE_HOME", "/x"), ("HOME", "/home/u"));
        assert_eq!(folder(Some("/t"), &[xdg, home]).as_deref(), Some("/t/cg-attest"));
        assert_eq!(folder(Some(""), &[xdg, home]).as_deref(), Some("/x/cg-attest/tuf"));
        assert_eq!(folder(None, &[home]).as_deref(), Some("/home/u/.cache/cg-attest/tuf"));
        assert_eq!(folder(None, &[("XDG_CACHE_HOME", "rel"), ("HOME", "")]), None);
        assert_eq!(folder(None, &[]), None);
    }
}
