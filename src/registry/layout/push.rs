//! Writing to a layout folder.

use serde_json::{Map, Value};

use super::catalog::{Catalog, KIND, REF_NAME};
use super::names::{INDEX, blob_name};
use super::pull::{Layout, Shared, blocking};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageDocument, ImageName, Repository, media};
use crate::json;
use crate::limits::Limits;
use crate::registry::{BoxFuture, Context, Deleted, Problem, Push, Pushed, RegistryError};

/// Writing to a tar fails with [`Problem::File`]. Files are replaced whole, so
/// readers may go on meanwhile. Writers take turns, those of other processes
/// too if they are this library: none loses what another lists. One that waits
/// for its turn until the run's time is over fails with [`Problem::Timeout`].
impl Push for Layout {
    fn push_blob<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        blob: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<(), RegistryError>> {
        Box::pin(async move {
            let blob = blob.clone();
            blocking(context, &self.shared, move |shared| shared.write_blob(&blob)).await
        })
    }

    fn push_manifest<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        name: &'a ImageName,
        media_type: &'a str,
        manifest: &'a VerifiedBlob,
    ) -> BoxFuture<'a, Result<Pushed, RegistryError>> {
        Box::pin(async move {
            let (run, name, manifest) = (context.clone(), name.clone(), manifest.clone());
            let media_type = media_type.to_owned();
            let work = move |shared: &Shared| shared.write_manifest(&run, &name, &media_type, &manifest);
            blocking(context, &self.shared, work).await
        })
    }

    /// Takes a manifest out of `index.json`; its blob stays, as other programs leave it.
    fn delete_manifest<'a>(
        &'a self,
        context: &'a Context,
        _repository: &'a Repository,
        digest: &'a Digest,
    ) -> BoxFuture<'a, Result<Deleted, RegistryError>> {
        Box::pin(async move {
            let (run, digest) = (context.clone(), digest.clone());
            blocking(context, &self.shared, move |shared| shared.unlist(&run, &digest)).await
        })
    }
}

impl Shared {
    fn write_blob(&self, blob: &VerifiedBlob) -> Result<(), RegistryError> {
        let name = blob_name(blob.digest());
        // A file of that name may be damaged; only its content says that it is there.
        match self.files.read_blob(blob.digest(), Some(blob.size()), blob.size()) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => self.files.write(&name, blob.bytes()),
            Err(error) if matches!(error.problem(), Problem::Digest | Problem::Limit) => {
                self.files.write(&name, blob.bytes())
            }
            Err(error) => Err(error),
        }
    }

    fn write_manifest(
        &self,
        context: &Context,
        name: &ImageName,
        media_type: &str,
        manifest: &VerifiedBlob,
    ) -> Result<Pushed, RegistryError> {
        let error = |problem, detail: String| self.files.error(problem, "adding a manifest to", INDEX, detail);
        if let ImageName::Digest(wanted) = name
            && wanted != manifest.digest()
        {
            return Err(error(Problem::Digest, format!("wanted {wanted}, the manifest has {}", manifest.digest())));
        }
        let document = ImageDocument::parse(manifest.clone(), Some(media_type))
            .map_err(|found| error(Problem::Rejected, found.to_string()))?;
        // The blob comes first: what `index.json` lists is always there.
        self.write_blob(manifest)?;
        self.edit(context, |entries, catalog| self.list(entries, catalog, name, &document))?;
        Ok(Pushed::new(true))
    }

    fn unlist(&self, context: &Context, digest: &Digest) -> Result<Deleted, RegistryError> {
        self.edit(context, |entries, _| {
            let before = entries.len();
            entries.retain(|entry| !is(entry, digest));
            Ok(if entries.len() < before { Deleted::Done } else { Deleted::Absent })
        })
    }

    /// Changes the entries of `index.json`, as it is now on the disk; whoever else wants to, waits.
    fn edit<T>(
        &self,
        context: &Context,
        change: impl FnOnce(&mut Vec<Value>, &Catalog) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        self.files.locked(|| context.remaining(), || self.edit_now(context.limits(), change))
    }

    fn edit_now<T>(
        &self,
        limits: &Limits,
        change: impl FnOnce(&mut Vec<Value>, &Catalog) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let error = |problem, detail: String| self.files.error(problem, "changing", INDEX, detail);
        let bytes = self.files.read(INDEX, limits.manifest_bytes)?;
        let bytes = bytes.ok_or_else(|| error(Problem::File, "there is none".to_owned()))?;
        // As JSON, not as our types: fields of other programs stay.
        let mut index: Map<String, Value> =
            json::object(&bytes).map_err(|found| error(Problem::Protocol, found.to_string()))?;
        let mut entries = match index.remove("manifests") {
            Some(Value::Array(entries)) => entries,
            _ => return Err(error(Problem::Protocol, "it has no list of manifests".to_owned())),
        };
        let catalog = Catalog::read(&self.files, limits, self.catalog().known.clone())?;
        if let Some(whole) = &catalog.whole {
            // The index itself is the image: listing more in it would change the image.
            self.write_blob(whole)?;
            index =
                Map::from_iter([("schemaVersion".to_owned(), 2.into()), ("mediaType".to_owned(), media::INDEX.into())]);
            entries = vec![self.entry(&Descriptor::of(media::INDEX, whole))?];
        }
        let done = change(&mut entries, &catalog)?;
        index.insert("manifests".to_owned(), Value::Array(entries));

        let bytes = serde_json::to_vec(&index).map_err(|found| error(Problem::Protocol, found.to_string()))?;
        if bytes.len() as u64 > limits.manifest_bytes {
            let detail = format!("it would be longer than {} bytes", limits.manifest_bytes);
            return Err(error(Problem::Limit, detail));
        }
        self.files.write(INDEX, &bytes)?;
        self.set_catalog(Catalog::read(&self.files, limits, catalog.known)?);
        Ok(done)
    }

    /// Puts `document` among the entries under its name.
    fn list(
        &self,
        entries: &mut Vec<Value>,
        catalog: &Catalog,
        name: &ImageName,
        document: &ImageDocument,
    ) -> Result<(), RegistryError> {
        let digest = document.blob().digest();
        if let ImageDocument::Index(index) = document {
            // Platforms pushed before their index were listed for themselves; now the index leads to them.
            let child = |entry: &Value| index.manifests().iter().any(|child| is(entry, &child.digest));
            entries
                .retain(|entry| named(entry).is_some() || !child(entry) || catalog.refers(digest_of(entry).as_ref()));
        }
        let tag = match name {
            ImageName::Digest(_) if entries.iter().any(|entry| is(entry, digest)) => return Ok(()),
            ImageName::Digest(_) => None,
            ImageName::Tag(tag) => Some(tag),
        };
        let mut descriptor = match document.subject() {
            Some(_) => document.referrer_descriptor(),
            None => document.descriptor(),
        };
        // In `index.json` these two are the layout's own: a referrer that brings
        // them as annotations must not take the name of another image.
        descriptor.annotations.remove(REF_NAME);
        descriptor.annotations.remove(KIND);
        if let Some(tag) = tag {
            // What had the tag loses it. Its blob stays, for requests by digest;
            // it stays listed only if it is evidence, which nothing else leads to.
            entries.retain_mut(|entry| {
                if named(entry) == Some(tag) {
                    unname(entry);
                    return !is(entry, digest) && catalog.refers(digest_of(entry).as_ref());
                }
                // The same manifest without a name gets one.
                named(entry).is_some() || !is(entry, digest)
            });
            descriptor.annotations.insert(REF_NAME.to_owned(), tag.clone());
        }
        entries.push(self.entry(&descriptor)?);
        Ok(())
    }

    fn entry(&self, descriptor: &Descriptor) -> Result<Value, RegistryError> {
        let failed = |found: serde_json::Error| self.files.error(Problem::File, "writing", INDEX, found.to_string());
        serde_json::to_value(descriptor).map_err(failed)
    }
}

fn named(entry: &Value) -> Option<&str> {
    entry.get("annotations")?.get(REF_NAME)?.as_str()
}

fn digest_of(entry: &Value) -> Option<Digest> {
    entry.get("digest")?.as_str()?.parse().ok()
}

fn is(entry: &Value, digest: &Digest) -> bool {
    digest_of(entry).is_some_and(|found| found == *digest)
}

/// Takes the name from an entry.
fn unname(entry: &mut Value) {
    if let Some(Value::Object(annotations)) = entry.get_mut("annotations") {
        annotations.remove(REF_NAME);
    }
}
