//! The parts of an executable, by name.

use object::{Object as _, ObjectSection as _};

/// The content of the section with one of these names.
pub(super) fn section<'a>(object: &object::File<'a>, names: &[&str]) -> Option<&'a [u8]> {
    object.sections().find(|section| section.name().is_ok_and(|name| names.contains(&name)))?.data().ok()
}
