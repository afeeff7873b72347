//! Reports as people and other programs read them.

mod attestation;
mod blob;
mod claimed;
mod cosign;
mod inspection;
mod inspection_json;
mod matrix;
mod refusal;
mod report;
mod signer;
mod text;
mod tree;

pub(crate) use attestation::{Attestation, Form, json_line};
pub(crate) use blob::blob;
pub(crate) use cosign::cosign;
pub(crate) use inspection::{Inspection, inspection};
pub(crate) use inspection_json::inspection_document;
pub(crate) use report::report;
pub(crate) use signer::{signed_by, signer};
pub(crate) use tree::{tree, tree_document};
