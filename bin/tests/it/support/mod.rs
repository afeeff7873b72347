//! What the tests share.

pub(crate) mod bench;
pub(crate) mod command;
pub(crate) mod corpus;
pub(crate) mod folder;
pub(crate) mod form;
pub(crate) mod provenance;
pub(crate) mod recorded;
pub(crate) mod scene;
pub(crate) mod signing;
pub(crate) mod terminal;
