//! Referrers: every page of the API, or the fallback tag where there is no API
//! (distribution specification 1.1, listing referrers).

use std::collections::HashSet;

use reqwest::header::{ACCEPT, LINK};
use serde::{Deserialize, Deserializer};
use url::Url;

use super::Remote;
use super::answer;
use super::call::Call;
use super::client::{Whole, accept, media_type};
use super::exchange::check_link;
use super::link;
use super::target::Target;
use crate::digest::Digest;
use crate::image::{Descriptor, ImageDocument, media};
use crate::json;
use crate::registry::{Context, Problem, Referrers, ReferrersSource, RegistryError, fallback_tag};

/// What registries without the API answer. 401, 403, 429 and 5xx are not among
/// them: who cannot ask does not know that there is nothing (scenario I-06).
/// GHCR answers 303 to a web page.
const ABSENT: [u16; 6] = [303, 400, 404, 405, 406, 501];

/// One page, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    media_type: Option<String>,
    /// `None` without the member, an empty list for `null`, as Go writes it.
    #[serde(default, deserialize_with = "present")]
    manifests: Option<Option<Vec<Descriptor>>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Vec<Descriptor>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What an answer with status 200 turns out to be.
enum Listing {
    Page(Vec<Descriptor>),
    /// Something else than an index: the API is not there.
    Other,
}

impl Remote {
    /// Everything that refers to `digest`. The API's answer is the answer; the
    /// fallback tag is asked only where the API is absent.
    pub(super) async fn list_referrers(
        &self,
        context: &Context,
        target: &Target,
        digest: &Digest,
    ) -> Result<Referrers, RegistryError> {
        match self.list_pages(context, target, digest).await? {
            Some(descriptors) => Ok(Referrers::new(descriptors, ReferrersSource::Api)),
            None => {
                let descriptors = self.list_fallback(context, target, digest).await?;
                Ok(Referrers::new(descriptors, ReferrersSource::FallbackTag))
            }
        }
    }

    /// All pages of the API, `None` if there is no API.
    async fn list_pages(
        &self,
        context: &Context,
        target: &Target,
        digest: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        let limits = context.limits();
        let mut found = Collected::default();
        let mut visited = HashSet::new();
        let mut url = target.url(&format!("referrers/{digest}"));
        loop {
            let mut call = Call::get(context, target, url.clone());
            call.headers.insert(ACCEPT, accept(&[media::INDEX]));
            call.stay_on_303 = true;
            let limit = |detail: String| RegistryError::new(Problem::Limit, &call.operation, detail);
            // A page seen before, and endless new ones, are the same attack (scenario I-01).
            if visited.len() >= limits.referrer_pages || !visited.insert(url.to_string()) {
                return Err(limit(format!("more than {} pages, or the same one again", limits.referrer_pages)));
            }
            let first = visited.len() == 1;
            let absent: &[u16] = if first { &ABSENT } else { &[] };
            let whole = self.fetch(&call, limits.manifest_bytes, absent).await?;
            let Some(Whole { headers, url: served, bytes }) = whole else { return Ok(None) };
            let descriptors = match listing(&call.operation, media_type(&headers).as_deref(), &bytes)? {
                Listing::Page(descriptors) => descriptors,
                Listing::Other if first => return Ok(None),
                Listing::Other => {
                    let detail = "a page of referrers that is not an index";
                    return Err(RegistryError::new(Problem::Protocol, &call.operation, detail));
                }
            };
            found.add(descriptors, limits.referrers).map_err(limit)?;
            match link::next(answer::values(&headers, &LINK)) {
                Some(next) => url = next_page(&call.operation, &served, next)?,
                None => return Ok(Some(found.descriptors)),
            }
        }
    }

    /// The index at the fallback tag; no such tag is an empty list.
    async fn list_fallback(
        &self,
        context: &Context,
        target: &Target,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>, RegistryError> {
        let tag = fallback_tag(digest);
        let Some(fetched) = self.get_manifest(context, target, &tag).await? else { return Ok(Vec::new()) };
        let operation = || format!("reading the fallback tag {tag} of {}", target.repository);
        // GHCR answers with the image itself where there is no such tag.
        if Digest::compute(digest.algorithm(), fetched.blob.bytes()) == *digest {
            return Ok(Vec::new());
        }
        let wrong = |detail: String| RegistryError::new(Problem::Protocol, operation(), detail);
        let document = ImageDocument::parse(fetched.blob, fetched.media_type.as_deref());
        let index = match document.map_err(|error| wrong(error.to_string()))? {
            ImageDocument::Index(index) => index,
            ImageDocument::Manifest(_) => return Err(wrong("a manifest where a list of referrers belongs".to_owned())),
        };
        let mut found = Collected::default();
        let plausible = index.manifests().iter().filter(|descriptor| may_refer(descriptor)).cloned();
        let added = found.add(plausible.collect(), context.limits().referrers);
        added.map_err(|detail| RegistryError::new(Problem::Limit, operation(), detail))?;
        Ok(found.descriptors)
    }
}

/// Descriptors without repetition, up to a bound.
#[derive(Default)]
struct Collected {
    descriptors: Vec<Descriptor>,
    listed: usize,
    seen: HashSet<Digest>,
}

impl Collected {
    fn add(&mut self, page: Vec<Descriptor>, limit: usize) -> Result<(), String> {
        // Repetitions count: they cost the same to read.
        self.listed += page.len();
        if self.listed > limit {
            return Err(format!("more than {limit} referrers are listed"));
        }
        self.descriptors.extend(page.into_iter().filter(|descriptor| self.seen.insert(descriptor.digest.clone())));
        Ok(())
    }
}

/// Reads an answer with status 200: an index by its media type or by its shape.
fn listing(operation: &str, declared: Option<&str>, bytes: &[u8]) -> Result<Listing, RegistryError> {
    let page: Result<Page, _> = json::object(bytes);
    let by_type = declared == Some(media::INDEX);
    let wrong = |detail: String| RegistryError::new(Problem::Protocol, operation, detail);
    match page {
        Ok(Page { manifests: Some(manifests), media_type }) => match media_type {
            Some(inside) if inside != media::INDEX && by_type => {
                let detail = format!("a list of referrers that calls itself {inside:?}");
                Err(RegistryError::new(Problem::Protocol, operation, detail))
            }
            Some(inside) if inside != media::INDEX => Ok(Listing::Other),
            _ => Ok(Listing::Page(manifests.unwrap_or_default())),
        },
        // An error with the status of a success, or JSON cut short, is a read that failed and not an absent API.
        Ok(_) if has_key(bytes, "errors") => Err(wrong("an error with the status 200".to_owned())),
        Err(error) if declared.is_some_and(|d| d.contains("json")) => {
            Err(wrong(format!("a list of referrers that cannot be read: {error}")))
        }
        // A page of another kind, also one of valid JSON, is what a login wall or another API answers.
        Ok(_) if !by_type => Ok(Listing::Other),
        Err(_) if !by_type && !has_key(bytes, "manifests") => Ok(Listing::Other),
        Ok(_) => Err(RegistryError::new(Problem::Protocol, operation, "an index without `manifests`")),
        Err(error) => {
            let detail = format!("a list of referrers that cannot be read: {error}");
            Err(RegistryError::new(Problem::Protocol, operation, detail))
        }
    }
}

/// Whether `bytes` are an object with this key, readable as a list or not: a
/// list that is broken must not pass for no list.
fn has_key(bytes: &[u8], key: &str) -> bool {
    let parsed: Result<serde_json::Map<String, serde_json::Value>, _> = serde_json::from_slice(bytes);
    parsed.is_ok_and(|object| object.contains_key(key))
}

/// The next page: on the origin that served this one, and nowhere else (scenario I-02).
fn next_page(operation: &str, served: &Url, next: &str) -> Result<Url, RegistryError> {
    let wrong = |detail: String| RegistryError::new(Problem::Protocol, operation, detail);
    let url = served.join(next).map_err(|_| wrong("a link to the next page that is no URL".to_owned()))?;
    check_link(operation, served, &url)?;
    if url.origin() != served.origin() {
        return Err(wrong("the next page is on another host".to_owned()));
    }
    Ok(url)
}

/// Whether an entry at the fallback tag can be a referrer. Some registries
/// answer there with an image index, whose entries are images for platforms:
/// they have a platform and no artifact type, or a configuration's.
fn may_refer(descriptor: &Descriptor) -> bool {
    match descriptor.artifact_type.as_deref() {
        Some(kind) if kind != media::CONFIG => true,
        _ => descriptor.platform.is_none() && media::is_manifest(&descriptor.media_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(declared: Option<&str>, text: &str) -> Result<Option<usize>, Problem> {
        match listing("GET x", declared, text.as_bytes()) {
            Ok(Listing::Page(descriptors)) => Ok(Some(descriptors.len())),
            Ok(Listing::Other) => Ok(None),
            Err(error) => Err(error.problem()),
        }
    }

    #[test]
    fn an_index_is_known_by_its_type_or_shape() {
        let index = Some(media::INDEX);
        let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
        assert_eq!(kind(index, empty), Ok(Some(0)));
        assert_eq!(kind(Some("application/json"), empty), Ok(Some(0)));
        assert_eq!(kind(index, r#"{"manifests":null}"#), Ok(Some(0)));
        let list = format!(r#"{{"mediaType":"{}","manifests":[]}}"#, media::DOCKER_INDEX);
        for other in [&list, "<html></html>", "{}", "", "[]"] {
            assert_eq!(kind(Some("text/html"), other), Ok(None), "{other}");
            assert_eq!(kind(index, other), Err(Problem::Protocol), "{other}");
        }
        assert_eq!(kind(Some("application/json"), "{}"), Ok(None));
        for failed in [r#"{"errors":[]}"#, r#"{"schemaVersion":2,"mani"#] {
            assert_eq!(kind(Some("application/json"), failed), Err(Problem::Protocol), "{failed}");
        }
    }

    #[test]
    fn a_broken_list_is_not_taken_for_no_list() {
        let good = format!(r#"{{"mediaType":"m","size":1,"digest":"sha256:{}"}}"#, "0".repeat(64));
        assert_eq!(kind(None, &format!(r#"{{"manifests":[{good}]}}"#)), Ok(Some(1)));
        for digest in ["sha256:../../x", ":abc", "sha512:00", "sha256:%2f", &format!("sha256:{}", "A".repeat(64))] {
            let bad = format!(r#"{{"manifests":[{{"mediaType":"m","size":1,"digest":"{digest}"}}]}}"#);
            assert_eq!(kind(None, &bad), Err(Problem::Protocol), "{digest}");
        }
        assert_eq!(kind(None, r#"{"manifests":[],"manifests":[]}"#), Err(Problem::Protocol));
        assert_eq!(kind(None, r#"{"manifests":{}}"#), Err(Problem::Protocol));
    }

    #[test]
    fn images_for_platforms_are_no_referrers() {
        let read = |more: &str| -> bool {
            let digest = "0".repeat(64);
            let text = format!(r#"{{"mediaType":"{}","size":1,"digest":"sha256:{digest}"{more}}}"#, media::MANIFEST);
            may_refer(&serde_json::from_str(&text).expect("a descriptor"))
        };
        let platform = r#","platform":{"os":"linux","architecture":"amd64"}"#;
        let config = r#","artifactType":"application/vnd.oci.image.config.v1+json""#;
        assert!(read(""));
        assert!(read(r#","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json""#));
        assert!(!read(platform));
        assert!(!read(&format!("{platform}{config}")));
        assert!(read(config));
    }
}
