//! The files of an image, where they are asked for.

use sha1::{Digest as _, Sha1};

use super::Element;
use crate::digest::hex;
use crate::sbom::ids::Ids;
use crate::scan::FileFacts;

/// A regular file, in the package that owns it, or else in the image.
#[derive(Debug)]
pub(in crate::sbom) struct File<'a> {
    /// Its identifier, once in a document: `SPDXRef-File-…`.
    pub(in crate::sbom) id: String,
    /// The number of the element that contains it.
    pub(in crate::sbom) holder: usize,
    pub(in crate::sbom) facts: &'a FileFacts,
}

impl File<'_> {
    /// The name, from the root of what it is in (SPDX 2.3, 8.1).
    pub(in crate::sbom) fn name(&self) -> String {
        format!("./{}", self.facts.path)
    }
}

/// The files as elements, those of packages in the element after `first` with their number. The image is element 0.
///
/// What holds files was analysed: it gets the code that stands for all of them. That
/// of the image is over every file, whoever owns it.
pub(super) fn files<'a>(
    facts: &'a [FileFacts],
    first: usize,
    elements: &mut [Element<'_>],
    ids: &mut Ids,
) -> Vec<File<'a>> {
    let mut sums: Vec<Vec<[u8; 20]>> = vec![Vec::new(); elements.len()];
    let mut files = Vec::with_capacity(facts.len());
    for facts in facts {
        let holder = facts.package.map_or(0, |number| first + number);
        files.push(File { id: ids.give("File", &facts.path, &facts.path), holder, facts });
        sums[0].push(facts.sha1);
        if holder > 0 {
            sums[holder].push(facts.sha1);
        }
    }
    for (element, sums) in elements.iter_mut().zip(sums).filter(|(_, sums)| !sums.is_empty()) {
        element.verification_code = Some(verification_code(sums));
    }
    files
}

/// SPDX 2.3, 7.9: the SHA-1 of the sorted SHA-1s in hex.
fn verification_code(mut sums: Vec<[u8; 20]>) -> String {
    sums.sort_unstable();
    let mut all = Sha1::new();
    sums.iter().for_each(|sum| all.update(hex(sum)));
    hex(&all.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stands_for_files_in_any_order() {
        let (a, b): ([u8; 20], [u8; 20]) = (Sha1::digest(b"a").into(), Sha1::digest(b"b").into());
        // printf %s%s $(printf a | sha1sum) $(printf b | sha1sum), sorted, into sha1sum.
        let both =
            hex(&Sha1::digest(b"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98"));
        assert_eq!(verification_code(vec![a, b]), both);
        assert_eq!(verification_code(vec![b, a]), both);
        assert_ne!(verification_code(vec![a]), both);
    }
}
