//! What the tests share.

pub(crate) mod bench;
pub(crate) mod corpus;
pub(crate) mod form;
