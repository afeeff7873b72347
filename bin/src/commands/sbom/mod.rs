//! `sbom`: what is in an image, as a document.

mod all;
mod args;
mod made;
mod run;
mod validate;

pub(crate) use args::Args;
pub(super) use made::{contents_of, incomplete, known_as, spdx};
pub(crate) use run::run;
