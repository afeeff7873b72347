//! The databases of dpkg: `status` or `status.d`, the lists of files beside
//! them, and what packages say about their licences.

mod control;
mod copyright;
mod lists;
mod status;

pub(super) use copyright::Copyright;
pub(super) use lists::Lists;
pub(in crate::scan) use lists::kept;
pub(super) use status::Status;
