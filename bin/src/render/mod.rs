//! Reports as people and other programs read them.

mod blob;
mod cosign;
mod matrix;
mod refusal;
mod report;
mod signer;
mod text;
mod tree;

pub(crate) use blob::blob;
pub(crate) use cosign::cosign;
pub(crate) use report::report;
pub(crate) use signer::signed_by;
pub(crate) use tree::{tree, tree_document};
