//! What BuildKit says of an image in its index: statements that nobody signed.
//!
//! They are read only for showing them. No verdict knows this module: to
//! [`decide`](crate::verify::decide) an unsigned statement stays unread (promise 7).

use super::failure::unread;
use super::image_manifest;
use super::within;
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::{Unread, unsigned_predicate};
use crate::image::{Index, Repository};
use crate::registry::{Context, Pull};
use crate::statement::Statement;

/// A statement that nobody signed. Whoever can write to the repository can have written it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UnsignedStatement {
    /// What it says.
    pub statement: Statement,
    /// The manifest that carries it, which the index lists.
    pub manifest: Digest,
}

/// Reads the statements about `image` that BuildKit put into the index, of the types
/// that are `wanted`; none if there are none (BuildKit, attestation storage).
///
/// # Errors
/// When the index lists one that cannot be read, is damaged, is over a limit, or is
/// about another image than the index says.
pub async fn unsigned(
    pull: &dyn Pull,
    context: &Context,
    repository: &Repository,
    index: &Index,
    image: &Digest,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<UnsignedStatement>, Unread> {
    let entries: Vec<&Digest> = super::list::unsigned_entries(index)
        .filter(|(_, subject)| *subject == image.to_string())
        .map(|(descriptor, _)| &descriptor.digest)
        .collect();
    let limit = context.limits().candidates;
    if entries.len() > limit {
        let detail =
            format!("the index lists {} unsigned attestations of {image}, the limit is {limit}", entries.len());
        return Err(Unread::new(Code::Limit, detail));
    }
    let mut found = Vec::new();
    for digest in entries {
        let manifest = image_manifest(pull, context, repository, digest).await?;
        let limit = context.limits().legacy_layers;
        if manifest.layers().len() > limit {
            let detail = format!("{digest} has {} layers, the limit is {limit}", manifest.layers().len());
            return Err(Unread::new(Code::Limit, detail));
        }
        for layer in manifest.layers().iter().filter(|layer| unsigned_predicate(layer).is_some_and(&wanted)) {
            let reading = pull.blob_bytes(context, repository, layer, context.limits().attestation_bytes);
            let read = within(context, "reading an unsigned attestation", reading).await.and_then(|read| read);
            let blob = read.map_err(|error| unread(&error))?.ok_or_else(|| {
                Unread::new(Code::EvidenceAbsent, format!("{} is listed at {digest} and not there", layer.digest))
            })?;
            let statement = Statement::parse(blob.bytes(), context.limits())
                .map_err(|error| Unread::new(error.code(), format!("{}: {error}", layer.digest)))?;
            // The annotations are hints; what it is and whom it is about, it says itself.
            if !wanted(statement.predicate_type()) {
                continue;
            }
            if !statement.is_about(image) {
                let found = statement.first_digest().map_or_else(|| "no digest".to_owned(), |found| found.to_string());
                let detail = format!("the unsigned attestation {} is about {found}, not {image}", layer.digest);
                return Err(Unread::new(Code::SubjectMismatch, detail));
            }
            found.push(UnsignedStatement { statement, manifest: digest.clone() });
        }
    }
    Ok(found)
}
