//! What a registry refused, as evidence that could not be read.

use crate::evidence::Unread;
use crate::registry::RegistryError;

pub(super) fn unread(error: &RegistryError) -> Unread {
    Unread::new(error.code(), error.to_string())
}
