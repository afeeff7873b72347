//! The manifest of an archive, `META-INF/MANIFEST.MF`.
//!
//! <https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#jar-manifest>

/// A manifest: the attributes of its main section, then those of the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Manifest {
    attributes: Vec<(String, String)>,
    /// How many of these are in the main section.
    main: usize,
}

impl Manifest {
    /// Reads `content`; lines that are no attributes are passed over, as Java's
    /// tools are lenient and nothing depends on them.
    pub(super) fn parse(content: &[u8]) -> Self {
        let mut manifest = Self::default();
        let mut ended = false;
        for line in String::from_utf8_lossy(content).lines() {
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                if !manifest.attributes.is_empty() {
                    ended = true;
                }
            } else if let Some(more) = line.strip_prefix(' ') {
                // Lines have at most 72 bytes; a longer value goes on here.
                if let Some((_, value)) = manifest.attributes.last_mut() {
                    value.push_str(more);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                manifest.attributes.push((name.trim().to_owned(), value.trim().to_owned()));
                if !ended {
                    manifest.main = manifest.attributes.len();
                }
            }
        }
        manifest
    }

    /// The attribute of the main section with this name, if it is not empty.
    pub(super) fn main(&self, name: &str) -> Option<&str> {
        find(&self.attributes[..self.main], name)
    }

    /// The same, else that of the first section that has it.
    pub(super) fn any(&self, name: &str) -> Option<&str> {
        find(&self.attributes, name)
    }
}

fn find<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_go_on_and_sections_are_apart() {
        let text =
            "Manifest-Version: 1.0\r\nBundle-Name: a long\r\n  name\r\n\r\nName: x/\r\nImplementation-Version: 2\r\n";
        let manifest = Manifest::parse(text.as_bytes());
        assert_eq!(manifest.main("bundle-name"), Some("a long name"));
        assert_eq!(manifest.main("Implementation-Version"), None);
        assert_eq!(manifest.any("Implementation-Version"), Some("2"));
        assert_eq!(Manifest::parse(b"\n\n continuation\nno attribute\n\xff:\n"), Manifest::parse(b"\xff:\n"));
    }
}
