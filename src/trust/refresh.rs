//! Which trust root a run uses, and what is said about it.
//!
//! In this order:
//!
//! 1. **The cache**, if the repository confirmed it within the last day and its
//!    metadata holds: no request at all.
//! 2. **The TUF repository.** What it says is kept for later runs.
//! 3. **The cache**, however old, with a warning. Metadata that has expired
//!    since then is judged as of the time when it was confirmed; a cache that is
//!    older than the embedded root yields to it.
//! 4. **The embedded root**, with a warning; a private repository has none, and
//!    the run ends.
//!
//! From 2 to 3 it goes only if the repository *cannot be read*, or if what it
//! has is genuine but *expired*. Whoever can serve an old repository can also
//! stop the traffic, so refusing the one and not the other would stop nobody
//! (freeze, scenario M-02); the warning names the date. Everything else (a
//! signature, a version that goes back, a hash, a size) is an answer that no
//! honest repository gives, and an error (M-01, M-03 to M-05, M-10): going on
//! with an older root would hide the attack.

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::cache::{Cache, Kept};
use super::mirror::{self, Mirror};
use super::{Instance, TrustError, TrustRoot};
use crate::code::Code;
use crate::limits::Limits;
use crate::net::Backoff;
use crate::sigstore::{self, Files, Proved, TufError, Wanted};
use crate::time::{Timestamp, human};

/// How long the answer of a repository is taken for current.
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// Time for a whole refresh, at most: a dead repository must not eat the time for the image.
const REFRESH_TIME: Duration = Duration::from_secs(30);

/// The trust root of an instance, kept up to date by The Update Framework (TUF 1.0).
///
/// It reads neither the environment nor the clock; proxies are found as by
/// [`RemoteOptions`](crate::registry::RemoteOptions).
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use cg_attest::trust::{Instance, Refresh};
///
/// let now = std::time::SystemTime::now().try_into()?;
/// let root = Refresh::of(Instance::PublicGood).cache_folder("/var/cache/cg-attest").load(now).await?;
/// for warning in root.warnings() {
///     eprintln!("{warning}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Refresh {
    repository: Url,
    first_root: Cow<'static, [u8]>,
    embedded: Option<Instance>,
    cache_folder: Option<PathBuf>,
    fresh_for: Duration,
    offline: bool,
    wanted: Wanted,
    limits: Limits,
    backoff: Backoff,
}

impl Refresh {
    /// The root of an instance, from its own repository, without a cache.
    #[must_use]
    pub fn of(instance: Instance) -> Self {
        let [public_good, staging, github] = sigstore::first_roots();
        let (url, first_root) = match instance {
            Instance::PublicGood => ("https://tuf-repo-cdn.sigstore.dev/", public_good),
            Instance::Staging => ("https://tuf-repo-cdn.sigstage.dev/", staging),
            Instance::GitHub => ("https://tuf-repo.github.com/", github),
        };
        Self {
            repository: mirror::address(url).expect("the addresses above are URLs; a test reads them"),
            first_root: Cow::Borrowed(first_root),
            embedded: Some(instance),
            cache_folder: None,
            fresh_for: FRESH,
            offline: false,
            wanted: Wanted::Root,
            limits: Limits::default(),
            backoff: Backoff::default(),
        }
    }

    /// Reads the repository at another address, an `https` or `http` URL.
    ///
    /// # Errors
    /// When it is no such URL, or has a user name, a query or a fragment.
    pub fn mirror(self, url: &str) -> Result<Self, TrustError> {
        let wrong = |detail| TrustError::new(Code::TrustRoot, "of this TUF repository's address", detail);
        Ok(Self { repository: mirror::address(url).map_err(wrong)?, ..self })
    }

    /// Begins with this TUF root (`root.json`) instead of the instance's: the
    /// repository of a private instance. There is no embedded root then.
    ///
    /// # Errors
    /// When it is no root that is signed by a threshold of its own keys, and
    /// when no cryptography is available.
    pub fn first_root(self, json: &[u8]) -> Result<Self, TrustError> {
        sigstore::check_first_root(json)
            .map_err(|error| TrustError::new(code(&error), "of this first TUF root", error.to_string()))?;
        Ok(Self { first_root: Cow::Owned(json.to_vec()), embedded: None, ..self })
    }

    /// Keeps what was read in this folder, which is made when it is needed. If
    /// that fails, a warning says so and nothing else happens.
    #[must_use]
    pub fn cache_folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { cache_folder: Some(folder.into()), ..self }
    }

    /// For how long the cache is used without asking; 24 hours by default. When
    /// its metadata expires earlier, that ends it.
    #[must_use]
    pub fn fresh_for(self, time: Duration) -> Self {
        Self { fresh_for: time, ..self }
    }

    /// Makes no request: the cache, or else the embedded root, whatever their age.
    #[must_use]
    pub fn offline(self, offline: bool) -> Self {
        Self { offline, ..self }
    }

    /// Asks for the services that sign as well, where the repository has them
    /// ([`TrustRoot::signing_config`]).
    #[must_use]
    pub fn with_signing_config(self) -> Self {
        Self { wanted: Wanted::RootAndServices, ..self }
    }

    /// Other bounds than the default ones: `trusted_root_bytes`, `attempts`,
    /// and `total_time` if it is less than half a minute.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The bounds of the pauses between attempts, as
    /// [`RemoteOptions::backoff`](crate::registry::RemoteOptions::backoff) has them.
    #[must_use]
    pub fn backoff(self, first: Duration, longest: Duration) -> Self {
        Self { backoff: Backoff { first, longest }, ..self }
    }

    /// The trust root as of `now`. Its [`source`](TrustRoot::source) says where
    /// it came from, its [`warnings`](TrustRoot::warnings) why it was not the repository.
    ///
    /// # Errors
    /// `trust-root` or `limit` when the repository gives an answer that breaks
    /// the rules of TUF, when its trusted root cannot be used, or when there is
    /// none at all; `no-crypto-provider` without cryptography.
    pub async fn load(&self, now: Timestamp) -> Result<TrustRoot, TrustError> {
        let cache = self.cache_folder.as_deref().map(|folder| Cache::new(folder, self.repository.as_str()));
        // Room for the metadata besides the root itself.
        let read = cache.as_ref().map(|cache| cache.read(self.limits.trusted_root_bytes.saturating_mul(4)));
        let (kept, unreadable) = match read {
            None => (None, "there is no cache".to_owned()),
            Some(Ok(None)) => (None, "nothing is in the cache".to_owned()),
            Some(Ok(Some(kept))) => (Some(kept), String::new()),
            Some(Err(problem)) => (None, format!("the cache cannot be read: {problem}")),
        };
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_fresh(kept, now)) {
            match self.proved(kept, now).await {
                // Kept by somebody who did not sign: the services are asked for now.
                Ok(Proved { signing_config: Err(_), .. }) => {}
                Ok(proved) => return Ok(self.parse(proved, "cache")?.confirmed(kept.checked)),
                Err(problem) => tracing::debug!(%problem, "the cache is recent and cannot be used"),
            }
        }
        let why = if self.offline {
            "no request is made".to_owned()
        } else {
            let known = kept.as_ref().map(|kept| kept.files.clone()).unwrap_or_default();
            match self.ask(known, now).await {
                Ok(mut proved) => {
                    let files = std::mem::take(&mut proved.files);
                    // A root that cannot be used is not kept either.
                    let root = self.parse(proved, "tuf")?.confirmed(now);
                    let note = cache.and_then(|cache| keep(&cache, Kept { checked: now, files }));
                    return Ok(root.noted(note));
                }
                Err(error @ (TufError::Unavailable(_) | TufError::Expired { .. })) => {
                    format!("{} cannot be used: {error}", self.repository)
                }
                Err(error) => return Err(self.error(&error)),
            }
        };
        let unusable = match kept {
            Some(kept) => match self.proved_once(&kept, now).await {
                Ok((proved, expired)) => {
                    let age = human(now.since(kept.checked));
                    let note = format!("the trust root is from the cache, confirmed {age} ago{expired}: {why}");
                    return Ok(self.parse(proved, "cache")?.confirmed(kept.checked).noted([note]));
                }
                Err(problem) => format!("the cache cannot be used: {problem}"),
            },
            None => unreadable,
        };
        let Some(instance) = self.embedded else {
            return Err(TrustError::new(Code::TrustRoot, self.named("tuf"), format!("{why}; {unusable}")));
        };
        let note = format!("the trust root is the embedded one of {}: {why}; {unusable}", sigstore::EMBEDDED_DATE);
        Ok(TrustRoot::embedded(instance)?.noted([note]))
    }

    /// Whether nothing needs to be asked. A time in the future is nobody's answer.
    fn is_fresh(&self, kept: &Kept, now: Timestamp) -> bool {
        kept.checked <= now && now.since(kept.checked) < self.fresh_for
    }

    async fn ask(&self, known: Files, now: Timestamp) -> Result<Proved, TufError> {
        let time = REFRESH_TIME.min(self.limits.total_time);
        let mirror = Mirror::new(self.repository.clone(), self.limits.attempts, self.backoff, time)?;
        let work = sigstore::refresh(&self.first_root, known, mirror, self.wanted, now, &self.limits);
        let late = |_| TufError::Unavailable(format!("not finished after {}", human(time)));
        let proved = tokio::time::timeout(time, work).await.map_err(late)??;
        // What is listed has to be there.
        match proved.signing_config {
            Err(error) => Err(error),
            Ok(_) => Ok(proved),
        }
    }

    /// The trusted root in the cache, if all of it holds as of `time`.
    async fn proved(&self, kept: &Kept, time: Timestamp) -> Result<Proved, TufError> {
        sigstore::prove_kept(&self.first_root, kept.files.clone(), self.wanted, time).await
    }

    /// The trusted root in a cache that is not fresh, with a remark if it has
    /// expired since it was confirmed; or why it cannot be used.
    async fn proved_once(&self, kept: &Kept, now: Timestamp) -> Result<(Proved, String), String> {
        // A key that was retired in between would be trusted again.
        if self.embedded.is_some() && kept.checked.to_string().as_str() < sigstore::EMBEDDED_DATE {
            return Err(format!("it is of {}, older than the embedded trust root", kept.checked));
        }
        match self.proved(kept, now).await {
            Ok(proved) => Ok((proved, String::new())),
            Err(error @ TufError::Expired { .. }) if kept.checked < now => {
                let proved = self.proved(kept, kept.checked).await.map_err(|error| error.to_string())?;
                Ok((proved, format!(" ({error})")))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn parse(&self, proved: Proved, origin: &str) -> Result<TrustRoot, TrustError> {
        let root = TrustRoot::parse(&proved.target, &self.named(origin))?;
        Ok(root.beside(proved.signing_config.ok().flatten()))
    }

    /// What a report calls a root from this repository.
    fn named(&self, origin: &str) -> String {
        format!("{origin} {}", self.repository.as_str().trim_end_matches('/'))
    }

    fn error(&self, error: &TufError) -> TrustError {
        TrustError::new(code(error), self.named("tuf"), error.to_string())
    }
}

fn code(error: &TufError) -> Code {
    match error {
        TufError::Limit(_) => Code::Limit,
        TufError::NoCrypto => Code::NoCryptoProvider,
        TufError::Unavailable(_) | TufError::Expired { .. } | TufError::Invalid(_) => Code::TrustRoot,
    }
}

/// Keeps the files for later runs. If that fails, they will ask again: a warning, nothing more (scenario M-17).
fn keep(cache: &Cache, kept: Kept) -> Option<String> {
    let error = cache.write(kept).err()?;
    Some(format!("the trust root cannot be kept in {}, so the next run asks again: {error}", cache.folder()))
}
