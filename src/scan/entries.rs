//! The files of one layer, until they are laid over the layers below.

/// What a layer does at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change<'a> {
    File {
        size: u64,
        executable: bool,
    },
    Folder,
    /// A symbolic link, with what it leads to as it is written.
    Link(&'a [u8]),
    /// Another name of a file, which is at this path of the image.
    SameAs(&'a [u8]),
    /// A device or a pipe.
    Other,
    /// What lower layers have at this path is gone.
    Gone,
    /// What lower layers have in this folder is gone.
    Emptied,
}

/// The files of a layer in their order. A path is kept as what differs from the
/// one before it, which is a dozen bytes instead of sixty.
#[derive(Debug, Default)]
pub(super) struct Entries {
    entries: Vec<Packed>,
    text: Vec<u8>,
    last: Vec<u8>,
}

#[derive(Debug)]
struct Packed {
    /// The size of a file, the length of a link.
    size: u64,
    /// Bytes at the front that the path has from the one before it.
    shared: u16,
    /// Bytes after them.
    own: u16,
    kind: Tag,
}

#[derive(Debug, Clone, Copy)]
enum Tag {
    File,
    Executable,
    Folder,
    Link,
    SameAs,
    Other,
    Gone,
    Emptied,
}

impl Entries {
    /// Adds a change at a path of at most 65,535 bytes, which every normal path is.
    pub(super) fn push(&mut self, path: &[u8], change: Change<'_>) {
        let shared = self.last.iter().zip(path).take_while(|(a, b)| a == b).count();
        let (kind, size, link) = match change {
            Change::File { size, executable: false } => (Tag::File, size, &b""[..]),
            Change::File { size, executable: true } => (Tag::Executable, size, &b""[..]),
            Change::Folder => (Tag::Folder, 0, &b""[..]),
            Change::Link(to) => (Tag::Link, to.len() as u64, to),
            Change::SameAs(to) => (Tag::SameAs, to.len() as u64, to),
            Change::Other => (Tag::Other, 0, &b""[..]),
            Change::Gone => (Tag::Gone, 0, &b""[..]),
            Change::Emptied => (Tag::Emptied, 0, &b""[..]),
        };
        let length = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        self.entries.push(Packed { size, shared: length(shared), own: length(path.len() - shared), kind });
        self.text.extend_from_slice(&path[shared..]);
        self.text.extend_from_slice(link);
        self.last.clear();
        self.last.extend_from_slice(path);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Calls `each` with the number, path and change of every entry, in order, until it fails.
    pub(super) fn try_for_each<E>(
        &self,
        mut each: impl FnMut(usize, &[u8], Change<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut path: Vec<u8> = Vec::new();
        let mut text = self.text.as_slice();
        let mut take = |count: usize| {
            let (front, rest) = text.split_at(count);
            text = rest;
            front
        };
        for (number, entry) in self.entries.iter().enumerate() {
            path.truncate(usize::from(entry.shared));
            path.extend_from_slice(take(usize::from(entry.own)));
            let mut link = || take(usize::try_from(entry.size).unwrap_or(0));
            let change = match entry.kind {
                Tag::File => Change::File { size: entry.size, executable: false },
                Tag::Executable => Change::File { size: entry.size, executable: true },
                Tag::Folder => Change::Folder,
                Tag::Link => Change::Link(link()),
                Tag::SameAs => Change::SameAs(link()),
                Tag::Other => Change::Other,
                Tag::Gone => Change::Gone,
                Tag::Emptied => Change::Emptied,
            };
            each(number, &path, change)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let changes = [
            (&b"usr"[..], Change::Folder),
            (b"usr/bin/ls", Change::File { size: 1 << 40, executable: true }),
            (b"usr/bin/lsof", Change::Link(b"/opt/lsof")),
            (b"a", Change::SameAs(b"usr/bin/ls")),
            (b"", Change::Emptied),
            (b"usr/bin/ls", Change::Gone),
        ];
        let mut entries = Entries::default();
        changes.iter().for_each(|(path, change)| entries.push(path, *change));
        let mut next = 0;
        let all = entries.try_for_each(|number, path, change| {
            assert_eq!((number, path, change), (next, changes[next].0, changes[next].1));
            next += 1;
            Ok::<(), ()>(())
        });
        assert_eq!((all, next, entries.len()), (Ok(()), changes.len(), changes.len()));
    }
}
