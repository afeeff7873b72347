//! One file by itself.

use super::Package;
use super::contents::Problem;
use super::inflate::Total;
use super::readers::{self, Fact, Facts, File, HEAD};
use crate::limits::Limits;

/// The packages that one file names, and what of it could not be read: what a scan
/// of an image would say of a regular file of this path and content, before it is
/// joined with what other files say.
///
/// What it is read as is decided by its path (`usr/lib/sysimage/rpm/rpmdb.sqlite`,
/// `app/shop.jar`) and by how it begins (executables).
#[must_use]
pub fn file(path: &str, content: &[u8], limits: &Limits) -> (Vec<Package>, Vec<Problem>) {
    let path = path.trim_start_matches('/');
    let size = content.len() as u64;
    let file = File { path, size, mode: 0o755, head: &content[..content.len().min(HEAD)] };
    let total = Total::default();
    let (mut packages, mut problems) = (Vec::new(), Vec::new());
    for reader in readers::all().iter().filter(|reader| reader.wants(&file)) {
        let mut facts = Facts::new(&total, limits.packages);
        let result = match size > limits.whole_file {
            true => Err(format!("it has {size} bytes, the limit is {}", limits.whole_file)),
            false => reader.read(&file, content, &mut facts).map_err(|error| error.0),
        };
        if let Err(detail) = result {
            problems.push(Problem { path: path.to_owned(), reader: reader.name(), detail });
        }
        packages.extend(facts.into_list().into_iter().filter_map(|fact| match fact {
            Fact::Package(package) => Some(Package { found_in: path.to_owned(), ..*package }),
            _ => None,
        }));
    }
    (packages, problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    #[test]
    fn a_file_is_read_for_what_it_is() {
        let json = br#"{"name":"a","version":"1.0.0"}"#;
        let limits = Limits::default();
        let (packages, problems) = file("/app/package.json", json, &limits);
        assert_eq!((packages.len(), problems.len()), (1, 0));
        assert_eq!(packages[0].found_in, "app/package.json");
        assert_eq!(file("app/other.json", json, &limits), (Vec::new(), Vec::new()));
        let (packages, problems) = file("app/package.json", json, &Limits { whole_file: 10, ..limits });
        assert_eq!((packages.len(), problems[0].code()), (0, Code::SbomIncomplete));
    }
}
