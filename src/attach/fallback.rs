//! The index at the fallback tag (distribution specification 1.1, referrers
//! tag schema): where clients list referrers for a registry that does not.

use serde_json::value::RawValue;

use super::AttachError;
use super::raw::{RawObject, raw};
use super::tag::{Edit, Edited};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, media};
use crate::json;
use crate::registry::Fetched;

/// What has to be listed for a subject, and what no longer.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    subject: Digest,
    present: Vec<Descriptor>,
    absent: Vec<Digest>,
}

impl Listing {
    /// These have to be listed, each with its artifact type and annotations.
    pub(super) fn of(subject: Digest, present: Vec<Descriptor>) -> Self {
        Self { subject, present, absent: Vec::new() }
    }

    /// The same, and these must not be listed any more.
    pub(super) fn without(self, absent: Vec<Digest>) -> Self {
        Self { absent, ..self }
    }

    /// The entries as they are. Only an absent tag is an empty list: what
    /// cannot be read is not overwritten with less.
    fn read(&self, current: Option<&Fetched>) -> Result<(RawObject, Vec<Box<RawValue>>), String> {
        // GHCR answers with the image itself where there is no such tag.
        let itself =
            |fetched: &&Fetched| Digest::compute(self.subject.algorithm(), fetched.blob.bytes()) == self.subject;
        let Some(fetched) = current.filter(|fetched| !itself(fetched)) else {
            let mut index = RawObject::default();
            index.set("schemaVersion", raw(&2));
            index.set("mediaType", raw(&media::INDEX));
            return Ok((index, Vec::new()));
        };
        json::reject_ambiguity(fetched.blob.bytes(), &[]).map_err(|error| error.to_string())?;
        let index: RawObject = serde_json::from_slice(fetched.blob.bytes()).map_err(|error| error.to_string())?;
        let inside: Option<String> = index.get("mediaType").and_then(|value| serde_json::from_str(value.get()).ok());
        let kind = inside.or_else(|| fetched.media_type.clone());
        if kind.as_deref().is_some_and(|kind| kind != media::INDEX) {
            return Err(format!("it is a {}, not an index", kind.unwrap_or_default()));
        }
        let entries = match index.get("manifests") {
            Some(list) if list.get() == "null" => Vec::new(),
            Some(list) => serde_json::from_str(list.get()).map_err(|error| error.to_string())?,
            None => return Err("it has no list of manifests".to_owned()),
        };
        Ok((index, entries))
    }
}

impl Edit for Listing {
    fn edit(&self, current: Option<&Fetched>) -> Result<Option<Edited>, AttachError> {
        let (mut index, mut entries) =
            self.read(current).map_err(|detail| AttachError::TagTaken { subject: self.subject.clone(), detail })?;
        let before = entries.len();
        entries.retain(|entry| digest_of(entry).is_none_or(|digest| !self.absent.contains(&digest)));
        let mut changed = entries.len() != before;
        for wanted in &self.present {
            // An entry of another client without annotations says less than
            // ours; whoever selects by them would not see it (scenario P-13).
            let known = entries.iter().position(|entry| digest_of(entry).as_ref() == Some(&wanted.digest));
            match known {
                Some(known) if says(&entries[known], wanted) => continue,
                Some(known) => entries[known] = raw(wanted),
                None => entries.push(raw(wanted)),
            }
            changed = true;
        }
        if !changed {
            return Ok(None);
        }
        index.set("manifests", raw(&entries));
        let manifest = VerifiedBlob::of(raw(&index).get().as_bytes().to_vec());
        Ok(Some(Edited { media_type: media::INDEX, manifest, blobs: Vec::new() }))
    }
}

fn digest_of(entry: &RawValue) -> Option<Digest> {
    #[derive(serde::Deserialize)]
    struct Named {
        digest: Digest,
    }
    serde_json::from_str(entry.get()).ok().map(|named: Named| named.digest)
}

/// Whether an entry has everything that ours has.
fn says(entry: &RawValue, wanted: &Descriptor) -> bool {
    let Ok(entry) = serde_json::from_str::<Descriptor>(entry.get()) else { return false };
    entry.artifact_type == wanted.artifact_type
        && wanted.annotations.iter().all(|(key, value)| entry.annotations.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Descriptor {
        let mut entry = Descriptor::of(media::MANIFEST, &VerifiedBlob::of(name.as_bytes().to_vec()));
        entry.artifact_type = Some(media::BUNDLE.to_owned());
        entry.annotations.insert("name".to_owned(), name.to_owned());
        entry
    }

    fn fetched(text: &str) -> Fetched {
        Fetched::new(VerifiedBlob::of(text.as_bytes().to_vec()), Some(media::INDEX.to_owned()))
    }

    fn listing(present: &[&str]) -> Listing {
        Listing::of(Digest::sha256(b"image"), present.iter().map(|name| entry(name)).collect())
    }

    fn text(listing: &Listing, current: Option<&str>) -> Option<String> {
        let current = current.map(fetched);
        let edited = listing.edit(current.as_ref()).expect("an index")?;
        Some(String::from_utf8(edited.manifest.bytes().to_vec()).expect("text"))
    }

    #[test]
    fn an_absent_tag_becomes_an_index_and_a_right_one_stays() {
        let first = text(&listing(&["a"]), None).expect("written");
        assert!(first.starts_with(r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json""#));
        assert_eq!(text(&listing(&["a"]), Some(&first)), None);
        let second = text(&listing(&["b", "a"]), Some(&first)).expect("written");
        assert_eq!(text(&listing(&["a"]), Some(&second)), None);
        assert_eq!(text(&listing(&["b"]), Some(&second)), None);
    }

    #[test]
    fn what_others_wrote_stays_as_they_wrote_it() {
        let foreign = format!(
            r#"{{"digest":"{}","x-new": [1.0, "\u00e9"] ,"size":7,"mediaType":"m"}}"#,
            Digest::sha256(b"foreign")
        );
        let current = format!(r#"{{"schemaVersion":2,"unknown":{{"b":1,"a": 2}},"manifests":[{foreign},"odd"]}}"#);
        let edited = text(&listing(&["a"]), Some(&current)).expect("written");
        assert!(edited.contains(&foreign) && edited.contains(r#""unknown":{"b":1,"a": 2}"#), "{edited}");
        assert!(edited.contains(r#","odd",{"#), "{edited}");
        let gone = text(&listing(&["a"]).without(vec![entry("a").digest]), Some(&edited));
        assert!(gone.is_some(), "what must be there and must not be there is written again");
        let without = text(&listing(&[]).without(vec![entry("a").digest]), Some(&edited)).expect("written");
        assert_eq!(without, current);
    }

    #[test]
    fn an_entry_that_says_less_is_replaced_by_ours() {
        let bare = Descriptor::of(media::MANIFEST, &VerifiedBlob::of(b"a".to_vec()));
        let current = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, raw(&bare).get());
        let edited = text(&listing(&["a"]), Some(&current)).expect("written");
        assert_eq!(edited.matches("digest").count(), 1);
        assert!(edited.contains(media::BUNDLE) && edited.contains("annotations"), "{edited}");
    }

    #[test]
    fn something_else_at_the_tag_is_not_overwritten() {
        for taken in [
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#,
            r#"{"schemaVersion":2}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
            "{",
            "",
        ] {
            let error = listing(&["a"]).edit(Some(&fetched(taken))).map(drop).expect_err(taken);
            assert!(matches!(error, AttachError::TagTaken { .. }), "{taken}");
        }
        let empty = r#"{"schemaVersion":2,"manifests":null}"#;
        assert!(text(&listing(&["a"]), Some(empty)).is_some());
        // GHCR's habit: the image itself is no list.
        let itself = Listing::of(Digest::sha256(b"{}"), vec![entry("a")]);
        assert!(text(&itself, Some("{}")).is_some());
    }
}
