//! Java archives, with those inside of them.

use super::super::{Facts, File, Reader, Unreadable};
use super::identity::Evidence;
use super::manifest::Manifest;
use super::pom;
use super::zip::{Entry, Zip};
use crate::digest::Digest;

/// The endings of archives, of Java itself and of servers and tools that are made of them.
const ENDINGS: &[&str] =
    &[".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi", ".kar", ".far", ".lpkg", ".rar", ".zap"];

/// Those that are used for nothing else.
const JAVA: &[&str] = &[".jar", ".war", ".ear", ".jpi", ".hpi"];

/// Archives inside each other: an application, a module, a library, its parts.
const DEPTH: usize = 8;
/// Archives inside one file, and what of Maven is in one archive; the largest applications have some thousand.
pub(super) const ARCHIVES: usize = 65_536;
/// Bytes of a manifest or a file of Maven.
const METADATA: u64 = 4 << 20;
/// Bytes of the archives inside of each other that are held at a time.
const HELD: u64 = 256 << 20;
/// Bytes that are inflated in all, for each byte of the file and at the start. Archives of
/// archives inflate to a few times their size; a bomb inflates to a thousand (scenario K-08).
const RATIO: u64 = 50;
const START: u64 = 16 << 20;

/// Reads Java archives.
pub(in super::super) struct Archive;

impl Reader for Archive {
    fn name(&self) -> &'static str {
        "Java archive"
    }

    fn wants(&self, file: &File<'_>) -> bool {
        file.size > 0 && has_ending(file.name(), ENDINGS)
    }

    fn read(&self, file: &File<'_>, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        if !content.starts_with(b"PK") && !has_ending(file.name(), JAVA) {
            return Ok(());
        }
        let mut walk = Walk {
            inflatable: (content.len() as u64).saturating_mul(RATIO).saturating_add(START),
            archives: ARCHIVES,
            facts,
            error: None,
        };
        walk.archive(file.name(), content, DEPTH, HELD)?;
        walk.error.map_or(Ok(()), Err)
    }
}

fn has_ending(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| {
        let start = name.len().checked_sub(ending.len()).and_then(|at| name.get(at..));
        start.is_some_and(|end| end.eq_ignore_ascii_case(ending))
    })
}

fn too_many() -> Unreadable {
    Unreadable::new(format!("there are more than {ARCHIVES} archives and files of Maven in it"))
}

/// The way through an archive and those in it, with what may still be spent.
struct Walk<'a, 'f> {
    inflatable: u64,
    archives: usize,
    facts: &'a mut Facts<'f>,
    /// The first thing inside that could not be read; the rest was.
    error: Option<Unreadable>,
}

impl Walk<'_, '_> {
    /// Adds what the archive `content` is and holds.
    fn archive(&mut self, name: &str, content: &[u8], depth: usize, held: u64) -> Result<(), Unreadable> {
        let zip = Zip::open(content)?;
        let mut evidence = Evidence::default();
        let mut inside = Vec::new();
        for entry in zip.entries() {
            let entry = entry?;
            // An entry of the directory has fifty bytes, what is remembered of it has more.
            if inside.len() + evidence.properties.len() + evidence.projects.len() >= self.archives {
                self.error.get_or_insert_with(too_many);
                break;
            }
            // A name in another encoding is one that Java finds all the same.
            let path = String::from_utf8_lossy(entry.name);
            let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
            if path.eq_ignore_ascii_case("META-INF/MANIFEST.MF") {
                // Java goes by the first.
                if evidence.manifest.is_none() {
                    evidence.manifest = self.inflate(&zip, &entry, METADATA).map(|content| Manifest::parse(&content));
                }
            } else if file.ends_with("pom.properties") {
                if let Some(content) = self.inflate(&zip, &entry, METADATA) {
                    evidence.properties.push((folder.to_owned(), pom::properties(&content)));
                }
            } else if file == "pom.xml" {
                if let Some(content) = self.inflate(&zip, &entry, METADATA) {
                    evidence.projects.push((folder.to_owned(), pom::project(&content)));
                }
            } else if has_ending(file, ENDINGS) {
                inside.push((file.to_owned(), entry));
            }
        }
        // The order of the directory is the builder's; that of the result is not.
        evidence.properties.sort_by(|(left, _), (right, _)| left.cmp(right));
        evidence.projects.sort_by(|(left, _), (right, _)| left.cmp(right));

        let (main, merged) = evidence.packages(name);
        if let Some(mut main) = main.filter(|main| !main.name.is_empty()) {
            main.sha256 = Some(Digest::sha256(content).hex().to_owned());
            self.facts.push(main)?;
        }
        merged.into_iter().try_for_each(|package| self.facts.push(package))?;

        for (file, entry) in inside {
            if depth == 0 {
                return Err(Unreadable::new(format!("archives are inside each other more than {DEPTH} times")));
            }
            self.archives = self.archives.checked_sub(1).ok_or_else(too_many)?;
            let Some(content) = self.inflate(&zip, &entry, held) else { continue };
            let left = held - content.len() as u64;
            let java = content.starts_with(b"PK") || has_ending(&file, JAVA);
            if let Err(error) = if java { self.archive(&file, &content, depth - 1, left) } else { Ok(()) } {
                self.error.get_or_insert(Unreadable::new(format!("{file:?} in it: {}", error.0)));
            }
        }
        Ok(())
    }

    /// The content of `entry`; what cannot be had is noted.
    fn inflate<'z>(&mut self, zip: &Zip<'z>, entry: &Entry<'z>, limit: u64) -> Option<std::borrow::Cow<'z, [u8]>> {
        match zip.content(entry, limit.min(self.inflatable)) {
            Ok(content) => {
                self.inflatable = self.inflatable.saturating_sub(content.len() as u64);
                Some(content)
            }
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }
}
