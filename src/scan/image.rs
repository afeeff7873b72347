//! A whole image: layers in parallel, laid over each other in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::assemble::{AllSums, assemble};
use super::contents::{Contents, LayerFacts};
use super::feed::{self, Source};
use super::layer::{self, Finding, Layer, Shared, Wanted};
use super::options::Options;
use super::readers::Fact;
use super::select::{Selection, content};
use super::tree::Tree;
use super::{LayerError, ScanError};
use crate::digest::Digest;
use crate::image::{Configuration, Descriptor, Manifest, Repository};
use crate::registry::{BlobStream, BoxFuture, Context, Pull, RegistryError};

/// Reads every layer of an image once and says what is in it.
///
/// Nothing is written anywhere, and of a layer no more is in memory than its
/// list of files and the files that a package reader wants, one large one at a
/// time. Layers are read in parallel; the answer does not depend on it. A layer is
/// read a second time only where links of other layers make one of its files a
/// package database.
///
/// # Errors
/// When the configuration or a layer cannot be read whole, is not what its
/// digests say, or is over a limit of the context. What cannot be read *in* a
/// layer is in [`Contents::problems`].
pub async fn image(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    manifest: &Manifest,
    options: &Options<'_>,
) -> Result<Contents, ScanError> {
    let config = manifest.config();
    let blob = pull.blob_bytes(context, repository, config, context.limits().manifest_bytes).await?;
    let absent = || ScanError::Absent { what: "the configuration", digest: config.digest.clone() };
    let plan = Plan {
        digest: manifest.blob().digest().clone(),
        media_type: manifest.media_type().to_owned(),
        configuration: Configuration::parse(&blob.ok_or_else(absent)?)?,
        layers: manifest.layers().to_vec(),
    };
    Scan { source: &Pulled { pull, context, repository }, context, options }.contents(plan).await
}

/// The layers of an image in a registry, a layout or memory.
struct Pulled<'a> {
    pull: &'a dyn Pull,
    context: &'a Context,
    repository: &'a Repository,
}

impl Source for Pulled<'_> {
    fn open<'a>(&'a self, layer: &'a Descriptor) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        self.pull.blob(self.context, self.repository, layer)
    }
}

/// What an image consists of.
pub(super) struct Plan {
    /// What the image is called by.
    pub(super) digest: Digest,
    pub(super) media_type: String,
    pub(super) configuration: Configuration,
    pub(super) layers: Vec<Descriptor>,
}

pub(super) struct Scan<'a> {
    pub(super) source: &'a dyn Source,
    pub(super) context: &'a Context,
    pub(super) options: &'a Options<'a>,
}

/// A layer, and what its content should be.
type Planned = (Descriptor, Digest);

impl Scan<'_> {
    /// Reads what the plan lists.
    pub(super) async fn contents(&self, plan: Plan) -> Result<Contents, ScanError> {
        let layers = self.layers(&plan)?;
        let shared = Shared::new(self.context, self.options.files);
        let (tree, findings, sums) = self.read(&layers, &shared).await?;
        let mut selection = Selection::of(&tree, findings);
        self.read_again(&layers, &mut selection, &shared.again()).await?;
        let Configuration { platform, created, process, .. } = plan.configuration;
        Ok(Contents {
            digest: Some(plan.digest),
            media_type: plan.media_type,
            platform,
            created,
            user: process.user,
            layers: layers.iter().map(LayerFacts::from).collect(),
            ..assemble(tree, selection, sums)
        })
    }

    /// The layers with their diff_ids, all of kinds that are read (scenarios N-04 and N-09).
    fn layers(&self, plan: &Plan) -> Result<Vec<Planned>, ScanError> {
        let Configuration { digest, diff_ids, .. } = &plan.configuration;
        let diff_ids = diff_ids.as_ref().ok_or_else(|| ScanError::NoLayers { digest: digest.clone() })?;
        let layers = &plan.layers;
        let (wanted, found) = (layers.len(), diff_ids.len());
        if wanted != found {
            return Err(ScanError::LayerCount { digest: digest.clone(), wanted, found });
        }
        for layer in layers {
            let failed = |error| ScanError::Layer { digest: layer.digest.clone(), error };
            let limit = self.context.limits().layers;
            if wanted as u64 > limit {
                return Err(failed(LayerError::Limit { what: "layers", limit }));
            }
            check_type(&layer.media_type).map_err(failed)?;
        }
        Ok(layers.iter().cloned().zip(diff_ids.iter().cloned()).collect())
    }

    /// Reads all layers, and lays each over those below as soon as they are there.
    async fn read(
        &self,
        layers: &[Planned],
        shared: &Shared,
    ) -> Result<(Tree, Vec<Vec<Finding>>, Option<AllSums>), ScanError> {
        // Owned, so that whoever awaits this may do so on any thread.
        let all = stream::iter(layers.to_vec()).map(|layer| self.layer(layer, Wanted::ByReaders, shared));
        let mut all = std::pin::pin!(all.buffered(self.options.threads.get()));
        let (mut tree, mut findings, mut all_sums) = (Tree::default(), Vec::new(), AllSums::new());
        while let Some(Layer { entries, findings: found, sums }) = all.try_next().await? {
            let number = findings.len();
            found.iter().for_each(|finding| tree.watch(content(number, finding.entry)));
            let applied = tree.apply(number, &entries, self.context);
            applied.map_err(|error| ScanError::Layer { digest: layers[number].0.digest.clone(), error })?;
            all_sums.extend(sums.into_iter().map(|(entry, sums)| (content(number, entry), sums)));
            findings.push(found);
        }
        Ok((tree, findings, self.options.files.then_some(all_sums)))
    }

    /// Reads the layers of which a file turned out to be something else.
    async fn read_again(
        &self,
        layers: &[Planned],
        selection: &mut Selection,
        shared: &Shared,
    ) -> Result<(), ScanError> {
        let again = std::mem::take(&mut selection.again);
        let all = stream::iter(again).map(|(number, these): (usize, BTreeMap<_, _>)| {
            let read = self.layer(layers[number].clone(), Wanted::These(these), shared);
            async move { read.await.map(|layer| (number, layer)) }
        });
        let mut all = std::pin::pin!(all.buffered(self.options.threads.get()));
        while let Some((number, layer)) = all.try_next().await? {
            selection.add(number, layer.findings);
        }
        Ok(())
    }

    async fn layer(&self, (blob, diff_id): Planned, wanted: Wanted, shared: &Shared) -> Result<Layer, ScanError> {
        let (shared, wanted) = (shared.clone(), Arc::new(wanted));
        let work = move |feed| layer::read(feed, &diff_id, &wanted, &shared);
        let layer = feed::read(self.source, self.options.progress, &blob, work).await?;
        let facts = layer.findings.iter().flat_map(|finding| &finding.facts);
        self.options.progress.end(&blob.digest, facts.filter(|fact| matches!(fact, Fact::Package(_))).count());
        Ok(layer)
    }
}

/// Whether a layer is of a kind that is read. How it is compressed, its bytes say.
fn check_type(media_type: &str) -> Result<(), LayerError> {
    const KINDS: [&str; 4] = [
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ];
    let unsupported = |why| Err(LayerError::Unsupported { media_type: media_type.to_owned(), why });
    let Some(rest) = KINDS.iter().find_map(|kind| media_type.strip_prefix(kind)) else {
        return unsupported("it is not one of a file system");
    };
    match rest {
        "" | "+gzip" | "+zstd" | ".gzip" | ".zstd" => Ok(()),
        _ if rest.ends_with("+encrypted") => unsupported("it is encrypted"),
        _ => unsupported("its compression is unknown"),
    }
}

impl From<&Planned> for LayerFacts {
    fn from((layer, diff_id): &Planned) -> Self {
        Self {
            digest: layer.digest.clone(),
            diff_id: diff_id.clone(),
            media_type: layer.media_type.clone(),
            size: layer.size,
        }
    }
}
