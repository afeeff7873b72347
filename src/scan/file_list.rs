//! Many paths in little memory.

/// A list of paths, kept in one text: a package may own a hundred thousand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileList {
    /// Paths without a leading slash, each ended by NUL: no path contains it.
    text: String,
}

impl FileList {
    /// Adds a path, without the slash or the `./` that it begins with.
    pub fn push(&mut self, path: &str) {
        let path = path.strip_prefix("./").unwrap_or(path).trim_start_matches('/');
        if !path.is_empty() && !path.contains('\0') {
            self.text.push_str(path);
            self.text.push('\0');
        }
    }

    /// The paths in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.split_terminator('\0')
    }

    /// The bytes of all paths.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

impl<'a> FromIterator<&'a str> for FileList {
    fn from_iter<I: IntoIterator<Item = &'a str>>(paths: I) -> Self {
        let mut list = Self::default();
        paths.into_iter().for_each(|path| list.push(path));
        list.text.shrink_to_fit();
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_without_their_first_slash() {
        let list: FileList = ["/usr/bin/ls", "./etc/passwd", "lib", "/", "", "a\0b"].into_iter().collect();
        assert_eq!(list.iter().collect::<Vec<_>>(), ["usr/bin/ls", "etc/passwd", "lib"]);
        assert!(!list.is_empty() && FileList::default().is_empty());
    }
}
