//! The Update Framework: from the first root of a repository to its
//! `trusted_root.json` of today. Signatures, thresholds, versions, expiry and
//! hashes are checked by `sigstore-tuf`; this says where bytes come from, which
//! of them are kept, and what an error means.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, MetadataStore, Repository, StoreRepository, TrustedMetadataSet, Updater, UpdaterConfig};
use sigstore_verify::crypto::try_default_provider;
use sigstore_verify::trust_root::SigstoreInstance;

use crate::limits::Limits;
use crate::time::Timestamp;

/// The file that Sigstore's repositories are asked for.
const TARGET: &str = "trusted_root.json";
/// The services of the instance, for whoever signs. Not every repository has them.
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";
/// Files of one refresh. A current repository takes five; each root since the first one adds one (scenario M-10).
const MAX_FILES: u32 = 48;

/// Verified files by name: what a later run begins with.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A file of a repository, or nothing if the repository says that it has none.
pub(crate) type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, TufError>> + Send + 'a>>;

/// Where a repository's files are read from.
pub(crate) trait Fetch: Send + Sync + 'static {
    /// The file at `path`, below the repository's address, of at most `limit` bytes.
    fn fetch<'a>(&'a self, path: &'a str, limit: u64) -> Fetching<'a>;
}

/// Why there is no trusted root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TufError {
    /// The repository could not be read.
    #[error("{0}")]
    Unavailable(String),
    /// A file is longer, or there are more of them, than the limits allow.
    #[error("{0}")]
    Limit(String),
    /// What there is was genuine, and is too old.
    #[error("its {role} metadata expired at {expires}")]
    Expired { role: String, expires: Timestamp },
    /// What there is breaks the rules: a signature, a version, a hash.
    #[error("{0}")]
    Invalid(String),
    #[error("no cryptography is compiled in or installed")]
    NoCrypto,
}

/// What is to be had of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Root,
    /// For whoever signs.
    RootAndServices,
}

/// A verified `trusted_root.json`, with the files that prove it.
pub(crate) struct Proved {
    pub(crate) target: Vec<u8>,
    /// The signing config; none if it was not wanted or the repository lists
    /// none, and an error if one is listed and cannot be had.
    pub(crate) signing_config: Result<Option<Vec<u8>>, TufError>,
    pub(crate) files: Files,
}

/// The first TUF root of the embedded instances: public good, staging, GitHub.
pub(crate) fn first_roots() -> [&'static [u8]; 3] {
    [SigstoreInstance::PublicGood, SigstoreInstance::Staging, SigstoreInstance::GitHub].map(SigstoreInstance::tuf_root)
}

/// Checks that `root` can be a beginning: it is signed by a threshold of its own keys.
pub(crate) fn check_first_root(root: &[u8]) -> Result<(), TufError> {
    need_crypto()?;
    TrustedMetadataSet::from_root(root).map(drop).map_err(TufError::from)
}

/// Brings `kept` up to date. Versions in it are a floor: the repository cannot go back behind them (scenario M-01).
pub(crate) async fn refresh(
    first_root: &[u8],
    kept: Files,
    repository: impl Fetch,
    wanted: Wanted,
    now: Timestamp,
    limits: &Limits,
) -> Result<Proved, TufError> {
    let bounded = Bounded { inner: repository, asked: AtomicU32::new(0), target_bytes: limits.trusted_root_bytes };
    prove(first_root, bounded, Arc::new(Store::new(kept)), wanted, now).await
}

/// Runs every check again over what was kept, as of `now`, and asks nobody: what is on a disk is not trusted (scenario M-08).
pub(crate) async fn prove_kept(
    first_root: &[u8],
    kept: Files,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Proved, TufError> {
    let store = Arc::new(Store::new(kept));
    prove(first_root, StoreRepository::new(Arc::clone(&store)), store, wanted, now).await
}

async fn prove(
    first_root: &[u8],
    repository: impl Repository + 'static,
    store: Arc<Store>,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Proved, TufError> {
    need_crypto()?;
    let mut config = UpdaterConfig::default();
    // `Bounded` is stricter than these two, and says that it is a limit. What is kept was bounded when it was read.
    config.max_root_rotations = MAX_FILES + 1;
    config.target_max_length = u64::MAX;
    let mut updater = Updater::new(repository, first_root)?.with_config(config).with_store(Arc::clone(&store));
    updater.refresh(now.to_jiff()).await?;
    let target = updater.get_target(TARGET, now.to_jiff()).await?;
    let listed =
        wanted == Wanted::RootAndServices && updater.get_target_info(SIGNING_CONFIG, now.to_jiff()).await?.is_some();
    let signing_config = match listed {
        true => updater.get_target(SIGNING_CONFIG, now.to_jiff()).await.map(Some).map_err(TufError::from),
        false => Ok(None),
    };
    let files = store.lock().clone();
    Ok(Proved { target, signing_config, files })
}

fn need_crypto() -> Result<(), TufError> {
    // The crates' getter panics when there is no provider: ask first.
    try_default_provider().map(drop).ok_or(TufError::NoCrypto)
}

/// A repository that is asked for a bounded number of files of bounded size.
struct Bounded<F> {
    inner: F,
    asked: AtomicU32,
    target_bytes: u64,
}

impl<F: Fetch> Bounded<F> {
    async fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TufError> {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= MAX_FILES {
            return Err(TufError::Limit(format!("more than {MAX_FILES} files lead to the trusted root")));
        }
        self.inner.fetch(path, limit).await
    }

    async fn target(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, TufError> {
        if length > self.target_bytes {
            return Err(TufError::Limit(format!("{path} has more than {} bytes", self.target_bytes)));
        }
        self.get(&format!("targets/{path}"), length).await
    }
}

/// Our error, inside one of the crate's until it comes back.
fn carried(error: TufError) -> Error {
    Error::transport_with_source(error.to_string(), error)
}

impl<F: Fetch> Repository for Bounded<F> {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.get(name, max_length).await.map_err(carried) })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(async move { self.target(path, max_length).await.map_err(carried) })
    }
}

/// The kept files while they are brought up to date. They go to the disk afterwards, all at once.
struct Store(Mutex<Files>);

impl Store {
    fn new(files: Files) -> Self {
        Self(Mutex::new(files))
    }

    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for Store {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        Ok(self.lock().get(name).cloned())
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        // Both are there under another name: in the history, and without the version.
        let is_copy = name == "root.json" || name.ends_with(".snapshot.json");
        if !is_copy {
            self.lock().insert(name.to_owned(), bytes.to_vec());
        }
        Ok(())
    }
}

impl From<Error> for TufError {
    fn from(error: Error) -> Self {
        match error {
            Error::Expired { role, expires } => Self::Expired { role, expires: Timestamp::from_jiff(expires) },
            Error::Transport { message, source } => match source.and_then(|source| source.downcast().ok()) {
                Some(ours) => *ours,
                // What a file that has to be there is not.
                None => Self::Unavailable(message),
            },
            other => Self::Invalid(told(&other)),
        }
    }
}

/// An error with its causes, without what a server may have written over many lines.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text.chars().take(300).collect()
}

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;

    #[test]
    fn the_first_roots_are_signed_by_their_own_keys_and_one_changed_byte_is_noticed() {
        for root in first_roots() {
            assert_eq!(check_first_root(root), Ok(()));
            let text = String::from_utf8(root.to_vec()).expect("UTF-8");
            let changed = text.replacen("\"consistent_snapshot\": true", "\"consistent_snapshot\": false", 1);
            assert_ne!(text, changed);
            assert!(matches!(check_first_root(changed.as_bytes()), Err(TufError::Invalid(_))));
        }
        assert!(matches!(check_first_root(b"<html>"), Err(TufError::Invalid(_))));
    }
}
