//! What a layout holds: its images, its tags, and what refers to what.
//!
//! Everything is read once, from the manifests that `index.json` leads to;
//! a layout has no server that would keep lists.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::files::Files;
use super::names::{INDEX, MARKER, blob_name};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageDocument, Index, media};
use crate::json;
use crate::limits::Limits;
use crate::registry::{Problem, RegistryError};

/// The annotation that names an entry of `index.json` (OCI image specification, annotations).
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The annotation by which `cosign save` tells images from their evidence.
pub(super) const KIND: &str = "kind";
const COSIGN_KIND: &str = "dev.cosignproject.cosign/";
/// Indexes inside indexes inside `index.json` are read, deeper ones are a limit (scenario H-13).
const DEPTH: usize = 2;
/// Bytes of all manifests looked through, as a multiple of the limit for one:
/// each may be that long, and what is kept of them must still fit the memory.
const TOTAL: u64 = 16;

/// An image of a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutImage {
    /// The manifest or index.
    pub descriptor: Descriptor,
    /// The tags by which the image can be asked for; empty if it has none.
    pub tags: Vec<String>,
}

/// What was found in a layout.
#[derive(Debug)]
pub(super) struct Catalog {
    /// The entries of `index.json`.
    entries: Vec<Descriptor>,
    /// `index.json` itself, where it is the image.
    pub(super) whole: Option<VerifiedBlob>,
    pub(super) images: Vec<LayoutImage>,
    referrers: BTreeMap<Digest, Vec<Descriptor>>,
    /// Why not everything was looked through, if so.
    unread: Option<RegistryError>,
    /// What was read of manifests, by digest, so that it is read once.
    pub(super) known: BTreeMap<Digest, Summary>,
}

/// What matters of one manifest or index.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    /// What it refers to, and how a listing of referrers shows it.
    refers: Option<(Digest, Descriptor)>,
    children: Vec<Descriptor>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Catalog {
    /// Looks through a layout; `known` is what earlier readings left.
    pub(super) fn read(
        files: &Files,
        limits: &Limits,
        known: BTreeMap<Digest, Summary>,
    ) -> Result<Self, RegistryError> {
        check_marker(files, limits)?;
        let index = read_index(files, limits)?;
        let entries = index.manifests().to_vec();
        let mut scan = Scan { files, limits, known, seen: BTreeSet::new(), bytes: 0, unread: None };
        scan.run(&entries);
        let Scan { known, seen, unread, .. } = scan;

        let mut referrers: BTreeMap<Digest, Vec<Descriptor>> = BTreeMap::new();
        for summary in seen.iter().filter_map(|digest| known.get(digest)) {
            if let Some((subject, descriptor)) = &summary.refers {
                referrers.entry(subject.clone()).or_default().push(descriptor.clone());
            }
        }
        for (subject, listed) in fallback_lists(&entries, &known) {
            let found = referrers.entry(subject).or_default();
            // The manifest's own word on itself is kept over the list's.
            let mut have: BTreeSet<Digest> = found.iter().map(|descriptor| descriptor.digest.clone()).collect();
            found.extend(listed.iter().filter(|descriptor| have.insert(descriptor.digest.clone())).cloned());
        }

        let few = entries.len() <= limits.platforms;
        let whole = (few && is_image(&index, &known)).then(|| index.blob().clone());
        let images = match &whole {
            Some(blob) => {
                vec![LayoutImage { descriptor: Descriptor::of(media::INDEX, blob), tags: Vec::new() }]
            }
            None => images(&entries, &known),
        };
        Ok(Self { entries, whole, images, referrers, unread, known })
    }

    /// The entry that `tag` names: by its whole name, else by the part after the last colon.
    pub(super) fn tagged(&self, tag: &str) -> Result<Option<&Descriptor>, Ambiguous> {
        one(named(&self.entries, tag).or_else(|| self.saved_by_cosign(tag)).unwrap_or_default())
    }

    /// The entry of `index.json` with this digest, if it has one.
    pub(super) fn entry(&self, digest: &Digest) -> Option<&Descriptor> {
        self.entries.iter().find(|entry| entry.digest == *digest)
    }

    /// Whether the manifest with this digest refers to another.
    pub(super) fn refers(&self, digest: Option<&Digest>) -> bool {
        digest.and_then(|digest| self.known.get(digest)).is_some_and(|summary| summary.refers.is_some())
    }

    /// What refers to `digest`.
    pub(super) fn referrers(&self, digest: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
        match &self.unread {
            Some(error) => Err(error.clone()),
            None => Ok(self.referrers.get(digest).cloned().unwrap_or_default()),
        }
    }

    /// `cosign save` writes one image and its evidence without tags: the
    /// evidence is the image's.
    fn saved_by_cosign(&self, tag: &str) -> Option<Vec<&Descriptor>> {
        let (subject, suffix) = digest_tag(tag)?;
        let wanted = match suffix {
            ".sig" => "sigs",
            ".att" => "atts",
            _ => return None,
        };
        let of_kind = |kinds: &'static [&str]| {
            self.entries.iter().filter(move |entry| cosign_kind(entry).is_some_and(|kind| kinds.contains(&kind)))
        };
        let images: BTreeSet<&Digest> = of_kind(&["image", "imageIndex"]).map(|entry| &entry.digest).collect();
        (images.len() == 1 && images.contains(&subject))
            .then(|| self.entries.iter().filter(|entry| cosign_kind(entry) == Some(wanted)).collect())
    }
}

/// Two different entries have the same name.
#[derive(Debug)]
pub(super) struct Ambiguous;

fn one(found: Vec<&Descriptor>) -> Result<Option<&Descriptor>, Ambiguous> {
    match found.as_slice() {
        [] => Ok(None),
        [first, rest @ ..] if rest.iter().all(|entry| entry.digest == first.digest) => Ok(Some(first)),
        _ => Err(Ambiguous),
    }
}

fn named<'a>(entries: &'a [Descriptor], tag: &str) -> Option<Vec<&'a Descriptor>> {
    let by = |matches: &dyn Fn(&str) -> bool| -> Option<Vec<&'a Descriptor>> {
        let found: Vec<_> = entries.iter().filter(|entry| entry.annotation(REF_NAME).is_some_and(matches)).collect();
        (!found.is_empty()).then_some(found)
    };
    by(&|name| name == tag).or_else(|| by(&|name| short(name) == tag))
}

/// The tag in a name: names are tags, or whole references (`docker.io/library/nginx:1`).
fn short(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => tag,
        _ => name,
    }
}

/// The digest in a tag such as `sha256-<hex>.sig`, and what follows it.
fn digest_tag(tag: &str) -> Option<(Digest, &str)> {
    let (algorithm, rest) = tag.split_once('-')?;
    let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
    let (hex, suffix) = rest.split_at(end);
    Some((format!("{algorithm}:{hex}").parse().ok()?, suffix))
}

fn cosign_kind(entry: &Descriptor) -> Option<&str> {
    entry.annotation(KIND)?.strip_prefix(COSIGN_KIND)
}

fn is_document(entry: &Descriptor) -> bool {
    media::is_index(&entry.media_type) || media::is_manifest(&entry.media_type)
}

fn check_marker(files: &Files, limits: &Limits) -> Result<(), RegistryError> {
    let error = |problem, detail: String| files.error(problem, "reading", MARKER, detail);
    let Some(bytes) = files.read(MARKER, limits.manifest_bytes)? else {
        return Err(error(Problem::File, format!("there is none, so {} is no OCI layout", files.path().display())));
    };
    let marker: Marker = json::object(&bytes).map_err(|found| error(Problem::Protocol, found.to_string()))?;
    if !marker.image_layout_version.starts_with("1.") {
        let detail = format!("version {:?}, only version 1 is read", marker.image_layout_version);
        return Err(error(Problem::Protocol, detail));
    }
    Ok(())
}

fn read_index(files: &Files, limits: &Limits) -> Result<Index, RegistryError> {
    let error = |problem, detail: String| files.error(problem, "reading", INDEX, detail);
    let bytes = files.read(INDEX, limits.manifest_bytes)?;
    let bytes = bytes.ok_or_else(|| error(Problem::File, "there is none".to_owned()))?;
    match ImageDocument::parse(VerifiedBlob::of(bytes), Some(media::INDEX)) {
        Ok(ImageDocument::Index(index)) => Ok(index),
        Ok(ImageDocument::Manifest(_)) => Err(error(Problem::Protocol, "it is no index".to_owned())),
        Err(found) => Err(error(Problem::Protocol, found.to_string())),
    }
}

/// Whether `index.json` is itself the image, as apko writes it: several
/// platforms without a name. Its digest is then the image's.
fn is_image(index: &Index, known: &BTreeMap<Digest, Summary>) -> bool {
    let platform = |entry: &Descriptor| {
        let refers = known.get(&entry.digest).is_some_and(|summary| summary.refers.is_some());
        entry.platform.is_some() && entry.annotation(REF_NAME).is_none() && cosign_kind(entry).is_none() && !refers
    };
    let entries = index.manifests();
    entries.iter().all(platform) && index.platforms().is_ok_and(|platforms| platforms.len() > 1)
}

/// The entries that are images, not evidence about them.
fn images(entries: &[Descriptor], known: &BTreeMap<Digest, Summary>) -> Vec<LayoutImage> {
    let summaries = || entries.iter().filter_map(|entry| known.get(&entry.digest));
    let children: BTreeSet<&Digest> =
        summaries().flat_map(|summary| &summary.children).map(|child| &child.digest).collect();
    let mut named: BTreeMap<&str, BTreeSet<&Digest>> = BTreeMap::new();
    for entry in entries {
        if let Some(name) = entry.annotation(REF_NAME) {
            named.entry(short(name)).or_default().insert(&entry.digest);
        }
    }
    let mut images: Vec<LayoutImage> = Vec::new();
    let mut places: BTreeMap<&Digest, usize> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| is_document(entry)) {
        let name = entry.annotation(REF_NAME);
        let evidence = name.is_some_and(|name| digest_tag(short(name)).is_some())
            || cosign_kind(entry).is_some_and(|kind| !matches!(kind, "image" | "imageIndex"))
            || known.get(&entry.digest).is_some_and(|summary| summary.refers.is_some());
        // Some writers list the platforms of an index beside it.
        if evidence || (name.is_none() && children.contains(&entry.digest)) {
            continue;
        }
        let place = *places.entry(&entry.digest).or_insert_with(|| {
            images.push(LayoutImage { descriptor: entry.clone(), tags: Vec::new() });
            images.len() - 1
        });
        let Some(name) = name else { continue };
        // The short form, unless another image has it too.
        let alone = named.get(short(name)).is_some_and(|digests| digests.len() == 1);
        let tag = if alone { short(name) } else { name };
        let tags = &mut images[place].tags;
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    images
}

/// The lists at fallback tags, with what they are about.
fn fallback_lists<'a>(
    entries: &'a [Descriptor],
    known: &'a BTreeMap<Digest, Summary>,
) -> impl Iterator<Item = (Digest, &'a [Descriptor])> {
    entries.iter().filter_map(|entry| {
        let (subject, suffix) = digest_tag(short(entry.annotation(REF_NAME)?))?;
        let list = known.get(&entry.digest)?;
        suffix.is_empty().then_some((subject, list.children.as_slice()))
    })
}

/// One walk through the manifests that `index.json` leads to.
struct Scan<'a> {
    files: &'a Files,
    limits: &'a Limits,
    known: BTreeMap<Digest, Summary>,
    seen: BTreeSet<Digest>,
    bytes: u64,
    unread: Option<RegistryError>,
}

impl Scan<'_> {
    fn run(&mut self, entries: &[Descriptor]) {
        let mut queue: VecDeque<(Descriptor, usize)> = entries.iter().map(|entry| (entry.clone(), 0)).collect();
        while let Some((descriptor, depth)) = queue.pop_front() {
            if !is_document(&descriptor) || !self.seen.insert(descriptor.digest.clone()) {
                continue;
            }
            let limit = |detail: String| self.files.error(Problem::Limit, "reading", INDEX, detail);
            let too_many = || limit(format!("it leads to more than {} manifests", self.limits.layout_entries));
            if self.seen.len() > self.limits.layout_entries {
                self.unread.get_or_insert(too_many());
                return;
            }
            if !self.known.contains_key(&descriptor.digest) {
                self.bytes = self.bytes.saturating_add(descriptor.size);
                if self.bytes > self.limits.manifest_bytes.saturating_mul(TOTAL) {
                    self.unread.get_or_insert(limit("it leads to too many bytes of manifests".to_owned()));
                    return;
                }
                self.look_at(&descriptor, depth);
            }
            let Some(summary) = self.known.get(&descriptor.digest) else { continue };
            if depth < DEPTH {
                // Those that wait take more memory than the bytes that name them.
                if queue.len() + summary.children.len() > self.limits.layout_entries {
                    self.unread.get_or_insert(too_many());
                    return;
                }
                queue.extend(summary.children.iter().map(|child| (child.clone(), depth + 1)));
            } else if summary.children.iter().any(|child| !self.seen.contains(&child.digest)) {
                self.unread.get_or_insert(limit(format!("indexes in it are nested deeper than {DEPTH}")));
            }
        }
    }

    fn look_at(&mut self, descriptor: &Descriptor, depth: usize) {
        let read = self.files.read_blob(&descriptor.digest, Some(descriptor.size), self.limits.manifest_bytes);
        let blob = match read {
            Ok(Some(blob)) => blob,
            // Copies of one platform of an index lack the others: those refer to nothing here.
            Ok(None) if depth > 0 => return,
            Ok(None) => {
                let name = blob_name(&descriptor.digest);
                let absent =
                    self.files.error(Problem::Absent, "reading", &name, "index.json lists it, and it is absent");
                self.unread.get_or_insert(absent);
                return;
            }
            Err(error) => {
                self.unread.get_or_insert(error);
                return;
            }
        };
        // What cannot be read as a manifest is evidence of nothing.
        let Ok(document) = ImageDocument::parse(blob, Some(&descriptor.media_type)) else { return };
        let children = match &document {
            ImageDocument::Index(index) => index.manifests().to_vec(),
            ImageDocument::Manifest(_) => Vec::new(),
        };
        let refers = document.subject().map(|subject| (subject.digest.clone(), document.referrer_descriptor()));
        let summary = Summary { refers, children };
        self.known.insert(descriptor.digest.clone(), summary);
    }
}
