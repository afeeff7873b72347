//! How a [`Tree`] grows: level by level, each level in one flight.

use std::collections::HashSet;

use futures_util::future::{join, join_all};

use super::failure::unread;
use super::manifest::{NoManifest, at_legacy_tag, legacy_tag, listed, refers_to};
use super::resolve::fetch;
use super::tree::{Below, FailedListing, Node, NodeKind, Tree};
use super::{ImageRequest, ResolveError, within};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{ListingKind, Unread};
use crate::image::{Descriptor, ImageDocument, Index, Manifest, Platform, Repository};
use crate::registry::{Context, Pull};

/// Looks at an image: the index, its platforms, what refers to them, and so on
/// for `depth` levels of referrers. What cannot be read is in the tree, as such.
/// `evidence` is the repository in which referrers and legacy tags are looked for.
///
/// # Errors
/// When the reference is absent, cannot be read or is not an image.
pub async fn tree(
    pull: &dyn Pull,
    context: &Context,
    evidence: &Repository,
    request: &ImageRequest,
    depth: usize,
) -> Result<Tree, ResolveError> {
    let document = within(context, "resolving", fetch(pull, context, &request.reference)).await??;
    let mut growing = Growing::new(pull, context, request.reference.repository(), evidence);
    let absent = growing.plant(&document, &request.platforms)?;
    growing.grow(depth).await;
    let (reference, source) = (request.name(), request.source.clone());
    Ok(Tree { reference, source, absent, root: growing.finish() })
}

/// A tree on its way, as a list in which parents stand before their children.
struct Growing<'a> {
    pull: &'a dyn Pull,
    context: &'a Context,
    /// Where the index's entries are.
    image: &'a Repository,
    /// Where what is attached is.
    evidence: &'a Repository,
    slots: Vec<Slot>,
}

struct Slot {
    node: Node,
    descriptor: Descriptor,
    parent: usize,
    /// Referrers between the image and this.
    level: usize,
    /// Whether its manifest has to be read to see what is in it.
    look_inside: bool,
}

/// What one request round found about a slot.
struct Found {
    document: Option<Result<ImageDocument, NoManifest>>,
    tags: Vec<(ListingKind, Result<Option<Manifest>, Unread>)>,
    referrers: Option<Result<Vec<Descriptor>, Unread>>,
}

impl<'a> Growing<'a> {
    fn new(pull: &'a dyn Pull, context: &'a Context, image: &'a Repository, evidence: &'a Repository) -> Self {
        Self { pull, context, image, evidence, slots: Vec::new() }
    }

    /// The image and what its index lists. Answers the platforms that it does not list.
    fn plant(&mut self, document: &ImageDocument, wanted: &[Platform]) -> Result<Vec<Platform>, ResolveError> {
        let descriptor = document.referrer_descriptor();
        let index = match document {
            ImageDocument::Index(index) => index,
            ImageDocument::Manifest(_) => {
                self.push(Node::new(NodeKind::Image, &descriptor), descriptor, 0, 0, false);
                return Ok(wanted.to_vec());
            }
        };
        self.push(Node::new(NodeKind::Index, &descriptor), descriptor, 0, 0, false);
        let platforms = entries(index, wanted);
        let limit = self.context.limits().platforms;
        if platforms.len() > limit {
            return Err(ResolveError::TooManyPlatforms(platforms.len(), limit));
        }
        for descriptor in &platforms {
            self.push(Node::new(NodeKind::Platform, descriptor), (*descriptor).clone(), 0, 0, false);
        }
        let others = index.manifests().iter().filter(|d| platform(d).is_none()).map(|d| (Node::entry(d), d));
        // Where platforms were picked, only what is said to be about them.
        let kept = |node: &Node| {
            wanted.is_empty() || platforms.iter().any(|platform| Some(&platform.digest) == node.about.as_ref())
        };
        let others: Vec<_> = others.filter(|(node, _)| kept(node)).take(self.room()).collect();
        for (node, descriptor) in others {
            self.push(node, descriptor.clone(), 0, 1, true);
        }
        let listed = |wanted: &&Platform| !platforms.iter().filter_map(|d| platform(d)).any(|p| p.matches(wanted));
        Ok(wanted.iter().filter(listed).cloned().collect())
    }

    fn push(&mut self, node: Node, descriptor: Descriptor, parent: usize, level: usize, look_inside: bool) {
        self.slots.push(Slot { node, descriptor, parent, level, look_inside });
    }

    /// How many more nodes there may be: looking at one costs a request.
    fn room(&self) -> usize {
        let limit = usize::try_from(self.context.limits().requests).unwrap_or(usize::MAX);
        limit.saturating_sub(self.slots.len())
    }

    async fn grow(&mut self, depth: usize) {
        // A digest is looked at once: what refers to itself in a circle ends here.
        let mut seen: HashSet<Digest> = HashSet::new();
        let mut from = 0;
        while from < self.slots.len() {
            let until = self.slots.len();
            let mut work = Vec::new();
            for n in from..until {
                let slot = &mut self.slots[n];
                if !seen.insert(slot.node.digest.clone()) {
                    slot.node.below = Below::Elsewhere;
                } else if slot.look_inside || slot.level < depth {
                    work.push(n);
                }
            }
            let looking = work.iter().map(|n| self.look(&self.slots[*n], depth));
            let found = join_all(looking).await;
            for (n, found) in work.into_iter().zip(found) {
                self.add(n, found);
            }
            from = until;
        }
    }

    /// Every request about one node, in one flight.
    async fn look(&self, slot: &Slot, depth: usize) -> Found {
        let Self { pull, context, evidence, .. } = self;
        let deeper = slot.level < depth;
        let repository = if slot.node.kind == NodeKind::Entry { self.image } else { evidence };
        let document = async {
            let reading = listed(*pull, context, repository, &slot.descriptor);
            let read = within(context, "reading a manifest", reading).await;
            read.unwrap_or_else(|error| Err(NoManifest::Unread(unread(&error))))
        };
        let document = async { if slot.look_inside { Some(document.await) } else { None } };
        let referrers = async {
            if !deeper {
                return None;
            }
            let listing = pull.referrers(context, evidence, &slot.node.digest);
            let listing = within(context, "listing referrers", listing).await.and_then(|listed| listed);
            Some(listing.map(|listed| listed.descriptors).map_err(|error| unread(&error)))
        };
        // cosign signs images, not signatures: deeper down there are no such tags.
        let kinds = [ListingKind::SignatureTag, ListingKind::AttestationTag];
        let tags = kinds.into_iter().filter(|_| deeper && slot.level == 0).map(async |kind| {
            let tag = legacy_tag(&slot.node.digest, kind).unwrap_or_default();
            let reading = at_legacy_tag(*pull, context, evidence, &tag);
            let read = within(context, "reading a tag", reading).await;
            (kind, read.unwrap_or_else(|error| Err(unread(&error))))
        });
        let (document, (referrers, tags)) = join(document, join(referrers, join_all(tags))).await;
        Found { document, tags, referrers }
    }

    fn add(&mut self, n: usize, found: Found) {
        let (level, parent) = (self.slots[n].level, self.slots[n].parent);
        let subject = self.slots[parent].node.digest.clone();
        let node = &mut self.slots[n].node;
        match found.document {
            Some(Ok(document)) => {
                if node.kind == NodeKind::Referrer {
                    node.rejected = refers_to(document.subject(), document.blob().digest(), &subject).err();
                }
                if let ImageDocument::Manifest(manifest) = &document {
                    node.with_manifest(manifest);
                }
            }
            Some(Err(NoManifest::Unread(why))) => node.unread = Some(why),
            Some(Err(NoManifest::Rejected(why))) => node.rejected = Some(why),
            None => {}
        }
        let digest = node.digest.clone();
        let failed = |kind, failure| FailedListing { kind, failure };
        for (kind, read) in found.tags {
            match read {
                Ok(None) => {}
                Ok(Some(manifest)) => {
                    let tagged = of_tag(kind, &digest, &manifest);
                    // What is at the tag is known already; its own referrers are not asked for.
                    self.push(tagged.0, tagged.1, n, usize::MAX, false);
                }
                Err(why) => self.slots[n].node.failed_listings.push(failed(kind, why)),
            }
        }
        match found.referrers {
            None => {}
            Some(Err(why)) => self.slots[n].node.failed_listings.push(failed(ListingKind::Referrers, why)),
            Some(Ok(mut descriptors)) => {
                self.slots[n].node.below = Below::Listed;
                let (count, room) = (descriptors.len(), self.room());
                if count > room {
                    let detail = format!("{count} more manifests are attached, {room} are left of the limit");
                    let failure = failed(ListingKind::Referrers, Unread::new(Code::Limit, detail));
                    self.slots[n].node.failed_listings.push(failure);
                    descriptors.truncate(room);
                }
                for descriptor in descriptors {
                    self.push(Node::new(NodeKind::Referrer, &descriptor), descriptor, n, level + 1, true);
                }
            }
        }
    }

    /// Puts every node under its parent, last first, so that each is complete when it goes.
    fn finish(mut self) -> Node {
        loop {
            let last = self.slots.pop().expect("the image itself was planted first, and ends this loop");
            let Slot { mut node, parent, .. } = last;
            node.children.reverse();
            // Registries list in any order. Other entries of an index keep theirs.
            node.children.sort_by(|a, b| (a.kind, &a.platform, content(a)).cmp(&(b.kind, &b.platform, content(b))));
            match self.slots.get_mut(parent) {
                Some(above) => above.node.children.push(node),
                None => return node,
            }
        }
    }
}

/// What referrers are sorted by.
fn content(node: &Node) -> Option<(&Option<String>, &Option<String>, &Digest)> {
    (node.kind == NodeKind::Referrer).then_some((&node.artifact_type, &node.predicate_type, &node.digest))
}

/// The platform of an index's entry, if it is the image of one.
fn platform(descriptor: &Descriptor) -> Option<&Platform> {
    descriptor.platform.as_ref().filter(|platform| !platform.is_unknown())
}

/// The entries of an index that are images of the platforms wanted.
fn entries<'a>(index: &'a Index, wanted: &[Platform]) -> Vec<&'a Descriptor> {
    let asked = |platform: &Platform| wanted.is_empty() || wanted.iter().any(|wanted| platform.matches(wanted));
    index.manifests().iter().filter(|descriptor| platform(descriptor).is_some_and(asked)).collect()
}

fn of_tag(kind: ListingKind, subject: &Digest, manifest: &Manifest) -> (Node, Descriptor) {
    let document = ImageDocument::Manifest(manifest.clone());
    let kind_of_node =
        if kind == ListingKind::SignatureTag { NodeKind::SignatureTag } else { NodeKind::AttestationTag };
    let descriptor = document.referrer_descriptor();
    let mut node = Node { tag: legacy_tag(subject, kind), ..Node::new(kind_of_node, &descriptor) };
    node.with_manifest(manifest);
    (node, descriptor)
}
