//! The files of an image: layers laid over each other, kept in little memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::LayerError;
use super::entries::{Change, Entries};
use super::path::{DEEPEST, LONGEST_PATH, names};
use crate::registry::Context;

/// Symbolic links followed on the way to one file, as in Linux.
const LINKS: usize = 40;

/// Names looked at on the way to one file.
const STEPS: usize = 4 * LONGEST_PATH;

/// Files laid over between two looks at the clock.
const BETWEEN: usize = 1024;

/// The package that owns no file.
const NOBODY: u32 = u32::MAX;

/// A file, folder or link.
#[derive(Debug, Clone)]
pub(super) enum Node {
    File(File),
    /// What it leads to, as it is written.
    Link(Box<[u8]>),
    /// A device or a pipe.
    Other,
    Folder(Folder),
}

/// What a folder holds, by name.
pub(super) type Folder = BTreeMap<Box<[u8]>, Node>;

/// A regular file.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub(super) content: Content,
    pub(super) size: u64,
    pub(super) executable: bool,
    /// Whether another path has the same content.
    pub(super) linked: bool,
    owner: u32,
}

/// Where the content of a file is: a layer and the number of the file in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Content {
    pub(super) layer: u16,
    pub(super) entry: u32,
}

impl File {
    /// The number of the package that owns it.
    pub(super) fn owner(&self) -> Option<usize> {
        (self.owner != NOBODY).then_some(self.owner as usize)
    }
}

/// A path leads in circles, or through too many links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endless;

/// All files that the finished image shows.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: Folder,
    /// Files of which it is noted when they go.
    watched: BTreeSet<Content>,
    /// The layer that took a watched file away, or put something else in its place.
    gone: BTreeMap<Content, u16>,
}

impl Tree {
    /// Lays a layer over what is there (OCI image specification, layer, applying
    /// changesets): first what it hides of the layers below, whatever the order
    /// in the archive, then what it brings.
    pub(super) fn apply(&mut self, layer: usize, entries: &Entries, context: &Context) -> Result<(), LayerError> {
        let layer = u16::try_from(layer).map_err(|_| LayerError::Limit { what: "layers", limit: u16::MAX.into() })?;
        entries.try_for_each(|_, path, change| {
            match change {
                Change::Gone => {
                    let gone = self.take(path)?;
                    self.note(gone.as_ref(), layer);
                }
                Change::Emptied => {
                    let gone = self.empty(path)?;
                    gone.values().for_each(|node| self.note(Some(node), layer));
                }
                _ => {}
            }
            Ok::<(), LayerError>(())
        })?;
        entries.try_for_each(|number, path, change| {
            // Links in every path make this slow, and an attacker may try that.
            if number % BETWEEN == 0 && context.remaining().is_none() {
                return Err(LayerError::Time);
            }
            let content = Content { layer, entry: u32::try_from(number).unwrap_or(u32::MAX) };
            let replaced = self.lay(path, change, content)?;
            self.note(replaced.as_ref(), layer);
            Ok(())
        })
    }

    /// From now on it is noted when this file goes.
    pub(super) fn watch(&mut self, content: Content) {
        self.watched.insert(content);
    }

    /// The layer that took a watched file away; its other names may be there still.
    pub(super) fn gone_in(&self, content: Content) -> Option<usize> {
        self.gone.get(&content).copied().map(usize::from)
    }

    fn note(&mut self, gone: Option<&Node>, layer: u16) {
        match gone {
            Some(Node::File(file)) if self.watched.contains(&file.content) => {
                self.gone.insert(file.content, layer);
            }
            Some(Node::Folder(folder)) => folder.values().for_each(|node| self.note(Some(node), layer)),
            _ => {}
        }
    }

    /// The node at a path, links followed on the way to it and not at its end.
    pub(super) fn get(&self, path: &[u8]) -> Result<Option<&Node>, Endless> {
        Ok(self.at(&self.real(path, false)?))
    }

    /// The real path of the file that a path leads to, links followed to the
    /// end; nothing in it is a link, and it need not be there.
    pub(super) fn follow(&self, path: &[u8]) -> Result<Vec<u8>, Endless> {
        self.real(path, true).map(Cow::into_owned)
    }

    /// Gives the file at a path to a package, unless another has it already.
    pub(super) fn own(&mut self, path: &[u8], owner: usize) {
        let Ok(real) = self.real(path, false) else { return };
        let real = real.into_owned();
        let (Some(Node::File(file)), Ok(owner)) = (at_mut(&mut self.root, &real), u32::try_from(owner)) else { return };
        if file.owner == NOBODY {
            file.owner = owner;
        }
    }

    /// Calls `each` with the path and the node of everything but folders, in the order of their paths' names.
    pub(super) fn for_each<'a>(&'a self, mut each: impl FnMut(&[u8], &'a Node)) {
        let mut path = Vec::new();
        walk(&self.root, &mut path, &mut each);
    }

    /// Puts a file into its place, and answers what was there.
    fn lay(&mut self, path: &[u8], change: Change<'_>, content: Content) -> Result<Option<Node>, LayerError> {
        let node = match change {
            Change::Gone | Change::Emptied => return Ok(None),
            // The root has no name.
            _ if path.is_empty() => return Ok(None),
            Change::Folder => return self.lay_folder(path),
            Change::File { size, executable } => {
                Node::File(File { content, size, executable, linked: false, owner: NOBODY })
            }
            Change::Link(to) => Node::Link(to.into()),
            Change::Other => Node::Other,
            Change::SameAs(to) => self.linked(path, to)?,
        };
        let (folder, name) = self.folder_of(path)?;
        Ok(folder.insert(name.into(), node))
    }

    /// A folder stays what it is; anything else at its place goes.
    fn lay_folder(&mut self, path: &[u8]) -> Result<Option<Node>, LayerError> {
        let (folder, name) = self.folder_of(path)?;
        match folder.get(name) {
            Some(Node::Folder(_)) => Ok(None),
            _ => Ok(folder.insert(name.into(), Node::Folder(Folder::new()))),
        }
    }

    /// What a hard link at `path` to `to` is: the same file, link or device.
    fn linked(&mut self, path: &[u8], to: &[u8]) -> Result<Node, LayerError> {
        let real = self.real(to, false).map_err(|Endless| endless(to))?.into_owned();
        let node = match at_mut(&mut self.root, &real) {
            Some(Node::File(file)) => {
                file.linked = true;
                Node::File(file.clone())
            }
            Some(Node::Link(to)) => Node::Link(to.clone()),
            Some(Node::Other) => Node::Other,
            // A runtime could not unpack it (scenario N-02).
            Some(Node::Folder(_)) | None => {
                let (path, to) = (shown(path), shown(to));
                return Err(LayerError::Malformed(format!("{path:?} is a hard link to {to:?}, which is no file")));
            }
        };
        Ok(node)
    }

    /// The folder that a path is in, made if it is absent, and the name in it.
    fn folder_of<'p>(&mut self, path: &'p [u8]) -> Result<(&mut Folder, &'p [u8]), LayerError> {
        let slash = path.iter().rposition(|byte| *byte == b'/');
        let (above, name) = slash.map_or((&path[..0], path), |slash| (&path[..slash], &path[slash + 1..]));
        let real = self.real(above, true).map_err(|Endless| endless(path))?.into_owned();
        if names(&real).count() >= DEEPEST {
            return Err(LayerError::Malformed(format!("{:?} is deeper than {DEEPEST} folders", shown(path))));
        }
        let mut folder = &mut self.root;
        for name in names(&real) {
            let node = folder.entry(name.into()).or_insert_with(|| Node::Folder(Folder::new()));
            // No link is left in a real path: what is in the way is a file, and gives way.
            if !matches!(node, Node::Folder(_)) {
                *node = Node::Folder(Folder::new());
            }
            let Node::Folder(inner) = node else { return Err(endless(path)) };
            folder = inner;
        }
        Ok((folder, name))
    }

    /// Takes away what is at a path.
    fn take(&mut self, path: &[u8]) -> Result<Option<Node>, LayerError> {
        let real = self.real(path, false).map_err(|Endless| endless(path))?.into_owned();
        let slash = real.iter().rposition(|byte| *byte == b'/');
        let (above, name) = slash.map_or((&real[..0], &real[..]), |slash| (&real[..slash], &real[slash + 1..]));
        Ok(folder_mut(&mut self.root, above).and_then(|folder| folder.remove(name)))
    }

    /// Takes away what is in the folder at a path.
    fn empty(&mut self, path: &[u8]) -> Result<Folder, LayerError> {
        let real = self.real(path, true).map_err(|Endless| endless(path))?.into_owned();
        Ok(folder_mut(&mut self.root, &real).map(std::mem::take).unwrap_or_default())
    }

    fn at(&self, real: &[u8]) -> Option<&Node> {
        let mut folder = &self.root;
        let mut found = None;
        let mut names = names(real).peekable();
        while let Some(name) = names.next() {
            found = folder.get(name);
            match found {
                Some(Node::Folder(inner)) => folder = inner,
                _ if names.peek().is_some() => return None,
                _ => {}
            }
        }
        found
    }

    /// A path with every link on the way followed inside the image, and with
    /// `end` also the last. Nothing leads out: above the root is the root.
    fn real<'p>(&self, path: &'p [u8], end: bool) -> Result<Cow<'p, [u8]>, Endless> {
        if !self.has_link(path, end) {
            return Ok(Cow::Borrowed(path));
        }
        let mut waiting: Vec<Vec<u8>> = names(path).rev().map(<[u8]>::to_vec).collect();
        let mut real: Vec<Vec<u8>> = Vec::new();
        // The folders that `real` leads through, as far as they are there.
        let mut folders: Vec<Option<&Folder>> = vec![Some(&self.root)];
        let (mut links, mut steps) = (0, 0);
        while let Some(name) = waiting.pop() {
            steps += 1;
            if steps > STEPS {
                return Err(Endless);
            }
            if name == b".." {
                if real.pop().is_some() {
                    folders.pop();
                }
                continue;
            }
            let folder = folders.last().copied().flatten();
            match folder.and_then(|folder| folder.get(name.as_slice())) {
                Some(Node::Link(to)) if end || !waiting.is_empty() => {
                    links += 1;
                    if links > LINKS {
                        return Err(Endless);
                    }
                    if to.starts_with(b"/") {
                        real.clear();
                        folders.truncate(1);
                    }
                    waiting.extend(names(to).rev().map(<[u8]>::to_vec));
                }
                found => {
                    folders.push(if let Some(Node::Folder(inner)) = found { Some(inner) } else { None });
                    real.push(name);
                }
            }
        }
        Ok(Cow::Owned(real.join(&b'/')))
    }

    /// Whether a link is on the way of a path; the usual answer is no, and quick.
    fn has_link(&self, path: &[u8], end: bool) -> bool {
        let mut folder = &self.root;
        let mut names = names(path).peekable();
        while let Some(name) = names.next() {
            match folder.get(name) {
                Some(Node::Link(_)) => return end || names.peek().is_some(),
                Some(Node::Folder(inner)) => folder = inner,
                // `..` is taken as text only where no link is before it.
                _ => return name == b".." || names.any(|name| name == b".."),
            }
        }
        false
    }
}

fn at_mut<'a>(root: &'a mut Folder, real: &[u8]) -> Option<&'a mut Node> {
    let mut names = names(real);
    let mut node = root.get_mut(names.next()?)?;
    for name in names {
        let Node::Folder(folder) = node else { return None };
        node = folder.get_mut(name)?;
    }
    Some(node)
}

fn folder_mut<'a>(root: &'a mut Folder, real: &[u8]) -> Option<&'a mut Folder> {
    if real.is_empty() {
        return Some(root);
    }
    if let Some(Node::Folder(folder)) = at_mut(root, real) { Some(folder) } else { None }
}

/// As deep as the tree, which has a limit.
fn walk<'a>(folder: &'a Folder, path: &mut Vec<u8>, each: &mut impl FnMut(&[u8], &'a Node)) {
    for (name, node) in folder {
        let length = path.len();
        if length > 0 {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        match node {
            Node::Folder(inner) => walk(inner, path, each),
            node => each(path, node),
        }
        path.truncate(length);
    }
}

fn endless(path: &[u8]) -> LayerError {
    LayerError::Malformed(format!("{:?} leads through links without an end", shown(path)))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    const FILE: Change<'_> = Change::File { size: 1, executable: false };

    fn apply(tree: &mut Tree, layer: usize, changes: &[(&str, Change<'_>)]) -> Result<(), LayerError> {
        let mut entries = Entries::default();
        changes.iter().for_each(|(path, change)| entries.push(path.as_bytes(), *change));
        tree.apply(layer, &entries, &Context::new(Limits::default()))
    }

    fn image(layers: &[&[(&str, Change<'_>)]]) -> Tree {
        let mut tree = Tree::default();
        for (number, layer) in layers.iter().enumerate() {
            apply(&mut tree, number, layer).expect("a layer");
        }
        tree
    }

    /// Every path with the layer of its file.
    fn paths(tree: &Tree) -> Vec<String> {
        let mut found = Vec::new();
        tree.for_each(|path, node| {
            let path = String::from_utf8_lossy(path);
            found.push(match node {
                Node::File(file) => format!("{path} {}", file.content.layer),
                _ => path.into_owned(),
            });
        });
        found
    }

    #[test]
    fn a_later_layer_wins_and_whiteouts_hide_what_is_below() {
        let below: &[_] = &[("a/x", FILE), ("a/y", FILE), ("b/z", FILE), ("c", FILE)];
        assert_eq!(paths(&image(&[below, &[("c", FILE)]])), ["a/x 0", "a/y 0", "b/z 0", "c 1"]);
        assert_eq!(paths(&image(&[below, &[("a/x", Change::Gone), ("b", Change::Gone)]])), ["a/y 0", "c 0"]);
        assert_eq!(paths(&image(&[below, &[("a", Change::Emptied)]])), ["b/z 0", "c 0"]);
        assert_eq!(paths(&image(&[below, &[("", Change::Emptied)]])), [""; 0]);
    }

    #[test]
    fn a_whiteout_hides_nothing_of_its_own_layer_wherever_it_stands() {
        let below: &[_] = &[("a/x", FILE), ("b", FILE)];
        let whiteouts = [("a", Change::Emptied), ("b", Change::Gone)];
        let files = [("a/y", FILE), ("b", FILE)];
        let before = [whiteouts, files].concat();
        let after = [files, whiteouts].concat();
        assert_eq!(paths(&image(&[below, &before])), ["a/y 1", "b 1"]);
        assert_eq!(paths(&image(&[below, &after])), ["a/y 1", "b 1"]);
    }

    #[test]
    fn files_land_behind_the_links_of_their_folders() {
        let link = Change::Link(b"usr/lib");
        let tree = image(&[&[("usr/lib", Change::Folder), ("lib", link)], &[("lib/apk/db", FILE)]]);
        assert_eq!(paths(&tree), ["lib", "usr/lib/apk/db 1"]);
        assert!(matches!(tree.get(b"lib/apk/db"), Ok(Some(Node::File(_)))));
        // A folder in the place of the link is not behind it.
        let folder: &[_] = &[("lib", Change::Folder), ("lib/apk", FILE)];
        assert_eq!(paths(&image(&[&[("lib", link)], folder])), ["lib/apk 1"]);
        // A whiteout reaches through the link too, and of the link itself takes the link.
        let below: &[_] = &[("usr/lib/x", FILE), ("lib", link)];
        assert_eq!(paths(&image(&[below, &[("lib/x", Change::Gone)]])), ["lib"]);
        assert_eq!(paths(&image(&[below, &[("lib", Change::Gone)]])), ["usr/lib/x 0"]);
    }

    #[test]
    fn links_stay_inside_and_circles_are_noticed() {
        let links: &[_] = &[
            ("etc/passwd", FILE),
            ("out", Change::Link(b"../../../etc")),
            ("abs", Change::Link(b"/etc")),
            ("circle", Change::Link(b"circle2")),
            ("circle2", Change::Link(b"circle")),
            ("nowhere", Change::Link(b"absent/file")),
        ];
        let tree = image(&[links]);
        assert_eq!(tree.follow(b"out/passwd"), Ok(b"etc/passwd".to_vec()));
        assert_eq!(tree.follow(b"abs/passwd"), Ok(b"etc/passwd".to_vec()));
        assert_eq!(tree.follow(b"nowhere"), Ok(b"absent/file".to_vec()));
        assert_eq!(tree.follow(b"circle"), Err(Endless));
        assert!(matches!(tree.get(b"circle"), Ok(Some(Node::Link(_)))));
        let mut tree = image(&[links]);
        assert!(apply(&mut tree, 1, &[("out/shadow", FILE)]).is_ok());
        assert!(matches!(apply(&mut tree, 1, &[("circle/x", FILE)]), Err(LayerError::Malformed(_))));
        assert!(matches!(tree.get(b"etc/shadow"), Ok(Some(Node::File(_)))));
    }

    #[test]
    fn a_hard_link_is_the_same_file() {
        let tree = image(&[&[("a", FILE)], &[("b/c", Change::SameAs(b"a"))]]);
        assert_eq!(paths(&tree), ["a 0", "b/c 0"]);
        let mut tree = image(&[&[("folder", Change::Folder)]]);
        assert!(apply(&mut tree, 1, &[("b", Change::SameAs(b"absent"))]).is_err());
        assert!(apply(&mut tree, 1, &[("b", Change::SameAs(b"folder"))]).is_err());
    }

    #[test]
    fn links_do_not_make_a_tree_deeper_than_a_path() {
        let deep = "d/".repeat(200);
        let to = deep.trim_end_matches('/').as_bytes().to_vec();
        let mut tree = image(&[&[(deep.trim_end_matches('/'), Change::Folder), ("l", Change::Link(&to))]]);
        let shallow = format!("l/{}f", "e/".repeat(50));
        assert!(apply(&mut tree, 1, &[(&shallow, FILE)]).is_ok());
        let deeper = format!("l/{}f", "e/".repeat(60));
        assert!(matches!(apply(&mut tree, 1, &[(&deeper, FILE)]), Err(LayerError::Malformed(_))));
    }

    #[test]
    fn a_file_has_one_owner() {
        let mut tree = image(&[&[("usr/bin/ls", FILE), ("bin", Change::Link(b"usr/bin"))]]);
        tree.own(b"bin/ls", 3);
        tree.own(b"usr/bin/ls", 4);
        tree.own(b"bin", 4);
        let Ok(Some(Node::File(file))) = tree.get(b"usr/bin/ls") else { panic!("it is there") };
        assert_eq!(file.owner(), Some(3));
        assert!(std::mem::size_of::<Node>() <= 40);
    }
}
