//! The configuration that apko leaves in the images that it makes, `/etc/apko.json`.
//!
//! It names no package that the database does not name, so whatever is wrong
//! with it makes no list incomplete: it is kept as it stands, for whoever
//! compares it (`sbom::check`).

use super::{Fact, Facts, File, Reader, Unreadable};

/// Where apko writes it.
const PLACE: &str = "etc/apko.json";

/// Bytes of a file that is still a configuration; real ones have a few thousand.
const LONGEST: u64 = 1 << 20;

/// Reads apko's configuration.
pub(super) struct Configuration;

impl Reader for Configuration {
    fn name(&self) -> &'static str {
        "apko configuration"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.path == PLACE && file.size <= LONGEST
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        match std::str::from_utf8(content) {
            Ok(text) => facts.push(Fact::Apko(text.to_owned())),
            Err(_) => Ok(()),
        }
    }
}
