//! Which findings count: those of files that the finished image shows.

use std::collections::{BTreeMap, BTreeSet};

use super::contents::Problem;
use super::layer::{Chosen, Finding};
use super::readers::{self, File, Reader};
use super::tree::{Content, Endless, Node, Tree};

/// A finding of a file that is visible, and where.
#[derive(Debug)]
pub(super) struct Visible {
    pub(super) layer: usize,
    pub(super) path: String,
    pub(super) finding: Finding,
}

/// What was read, sorted by whether it counts.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) visible: Vec<Visible>,
    /// What is hidden: earlier versions of databases, with their layers.
    pub(super) hidden: Vec<(usize, Finding)>,
    /// What has to be read a second time, by layer and number of the file.
    pub(super) again: BTreeMap<usize, BTreeMap<usize, Vec<Chosen>>>,
    pub(super) problems: Vec<Problem>,
}

/// A file of a layer and the reader that read it.
type Key = (Content, usize);

impl Selection {
    /// Sorts the findings of all layers.
    ///
    /// A reader chose its files by the paths in the layers. Where links of other
    /// layers lead elsewhere, a file may turn up at a path that nobody asked about,
    /// or a place of a reader may show a file that was called something else: such
    /// files are read again, as what they are (scenario N-02).
    pub(super) fn of(tree: &Tree, layers: Vec<Vec<Finding>>) -> Self {
        let mut found: BTreeMap<Key, (usize, Finding)> = BTreeMap::new();
        for (layer, findings) in layers.into_iter().enumerate() {
            for finding in findings {
                found.insert((content(layer, finding.entry), finding.reader), (layer, finding));
            }
        }
        let mut selection = Self::default();
        let mut asked = BTreeSet::new();
        let shown = selection.shown(tree, &found, &mut asked);
        selection.places(tree, &shown, &mut asked);
        for (key, (layer, finding)) in found {
            match shown.get(&key) {
                Some(path) => selection.visible.push(Visible { layer, path: path.clone(), finding }),
                None => selection.hidden.push((layer, finding)),
            }
        }
        selection
    }

    /// Adds what a second reading found.
    pub(super) fn add(&mut self, layer: usize, findings: Vec<Finding>) {
        self.visible.extend(findings.into_iter().map(|finding| Visible { layer, path: finding.path.clone(), finding }));
    }

    /// Puts what is visible into the order of paths, whatever was read when.
    pub(super) fn sort(&mut self) {
        self.visible.sort_by(|a, b| (&a.path, a.finding.reader).cmp(&(&b.path, b.finding.reader)));
        self.problems.sort();
    }

    /// The findings that stand for a visible file, each with its path.
    fn shown(
        &mut self,
        tree: &Tree,
        found: &BTreeMap<Key, (usize, Finding)>,
        asked: &mut BTreeSet<(Content, usize, String)>,
    ) -> BTreeMap<Key, String> {
        let mut shown: BTreeMap<Key, String> = BTreeMap::new();
        tree.for_each(|path, node| {
            let Node::File(file) = node else { return };
            let path = String::from_utf8_lossy(path);
            for (number, reader) in readers::all().iter().enumerate() {
                let key = (file.content, number);
                let by_path = wants_path(*reader, &path, file.size);
                match found.get(&key) {
                    Some((_, finding)) if finding.path == path => drop(shown.insert(key, path.clone().into_owned())),
                    // Chosen by its content, so that one of its paths is as good as another.
                    Some((_, finding)) if !wants_path(*reader, &finding.path, file.size) => {
                        shown.entry(key).or_insert_with(|| path.clone().into_owned());
                    }
                    _ if by_path => self.ask_again(file.content, number, path.clone().into_owned(), asked),
                    _ => {}
                }
            }
        });
        shown
    }

    /// Follows the places of every reader.
    fn places(&mut self, tree: &Tree, shown: &BTreeMap<Key, String>, asked: &mut BTreeSet<(Content, usize, String)>) {
        for (number, reader) in readers::all().iter().enumerate() {
            for place in reader.places() {
                let mut problem = |detail: &str| {
                    let (path, detail) = ((*place).to_owned(), detail.to_owned());
                    self.problems.push(Problem { path, reader: reader.name(), detail });
                };
                let node = tree.get(place.as_bytes());
                let real = tree.follow(place.as_bytes());
                let (Ok(node), Ok(real)) = (node, real) else {
                    problem("it leads through links without an end");
                    continue;
                };
                match (node, tree.get(&real)) {
                    (None, _) => {}
                    (Some(Node::Link(_)), Ok(None)) => problem("it is a link that leads nowhere"),
                    (_, Err(Endless)) => problem("it leads through links without an end"),
                    (_, Ok(Some(Node::File(file)))) => {
                        let is_read = shown.contains_key(&(file.content, number));
                        let is_asked = asked.iter().any(|(content, n, _)| *content == file.content && *n == number);
                        if !is_read && !is_asked {
                            self.ask_again(file.content, number, (*place).to_owned(), asked);
                        }
                    }
                    _ => problem("it is no regular file"),
                }
            }
        }
    }

    fn ask_again(
        &mut self,
        content: Content,
        reader: usize,
        path: String,
        asked: &mut BTreeSet<(Content, usize, String)>,
    ) {
        if asked.insert((content, reader, path.clone())) {
            let layer = self.again.entry(usize::from(content.layer)).or_default();
            layer.entry(content.entry as usize).or_default().push((reader, path));
        }
    }
}

/// Where a file is, by the numbers of its layer and in it.
pub(super) fn content(layer: usize, entry: usize) -> Content {
    Content { layer: u16::try_from(layer).unwrap_or(u16::MAX), entry: u32::try_from(entry).unwrap_or(u32::MAX) }
}

/// Whether a reader wants a file for its path alone.
fn wants_path(reader: &dyn Reader, path: &str, size: u64) -> bool {
    reader.wants(&File { path, size, mode: 0, head: &[] })
}
