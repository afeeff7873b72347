//! The configuration that apko leaves in the images that it makes, `/etc/apko.json`.
//!
//! It names no package that the database does not name, so whatever is wrong
//! with it makes no list incomplete: it is kept as it stands, or why not, for
//! whoever compares it (`sbom::check`). One that is over the bound of every file
//! that is read (`Limits::whole_file`) is a problem of the image, as for any reader.

use super::{Fact, Facts, File, Reader, Unreadable};

/// Where apko writes it.
const PLACE: &str = "etc/apko.json";

/// Bytes of a file that is still a configuration; real ones have a few thousand.
const LONGEST: usize = 1 << 20;

/// Reads apko's configuration.
pub(super) struct Configuration;

impl Reader for Configuration {
    fn name(&self) -> &'static str {
        "apko configuration"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.path == PLACE
    }

    fn read(&self, _file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        facts.push(Fact::Apko(match std::str::from_utf8(content) {
            _ if content.len() > LONGEST => Err(format!("it has more than {LONGEST} bytes")),
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(error.to_string()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::inflate::Total;

    fn read(content: &[u8]) -> Result<String, String> {
        let total = Total::default();
        let mut facts = Facts::new(&total, 1);
        let file = File { path: PLACE, size: content.len() as u64, mode: 0o644, head: &[] };
        assert!(Configuration.wants(&file));
        Configuration.read(&file, content, &mut facts).expect("room for one");
        match facts.into_list().pop() {
            Some(Fact::Apko(found)) => found,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_that_is_there_is_kept_or_it_is_said_why_not() {
        assert_eq!(read(b"{}"), Ok("{}".to_owned()));
        assert!(read(b"{\xff}").is_err_and(|why| why.contains("utf-8")));
        let mut long = vec![b' '; LONGEST];
        assert!(read(&long).is_ok());
        long.push(b' ');
        assert_eq!(read(&long), Err("it has more than 1048576 bytes".to_owned()));
    }
}
