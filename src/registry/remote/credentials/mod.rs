//! Whose name we act in: logins given by the caller, docker and Podman files, helpers.

mod files;
mod helper;
mod login;
mod lookup;

pub use files::CredentialFiles;
#[cfg(all(test, unix, feature = "testing"))]
pub(super) use helper::PROGRAMS;
pub(super) use login::Kind;
pub use login::Login;
pub(super) use lookup::{Credentials, Found};
