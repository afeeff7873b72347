//! Reports as people and other programs read them.

mod attaching;
mod attestation;
mod blob;
mod checked;
mod claimed;
mod contents;
mod cosign;
mod difference;
mod document;
mod inspection;
mod inspection_json;
mod intent;
mod matrix;
mod origin;
mod refusal;
mod report;
mod signer;
mod text;
mod tree;
mod unverified;

pub(crate) use attaching::{attached, kind, plan};
pub(crate) use attestation::{Attestation, Form, json_line};
pub(crate) use blob::blob;
pub(crate) use checked::{checked, checked_document, unchecked_document};
pub(crate) use contents::{contents, history};
pub(crate) use cosign::cosign;
pub(crate) use difference::{Compared, Read, difference_json, difference_markdown, difference_text};
pub(crate) use document::Document;
pub(crate) use inspection::{Inspection, inspection};
pub(crate) use inspection_json::inspection_document;
pub(crate) use intent::Intent;
pub(crate) use origin::{Origin, origins, origins_json};
pub(crate) use report::report;
pub(crate) use signer::{signed_by, signer};
pub(crate) use tree::{tree, tree_document};
