//! What is attached where, as a drawing and as JSON.

use cg_attest::discover::{Below, Layer, Node, NodeKind, Tree};
use cg_attest::image::media;
use cg_attest::statement::COSIGN_SIGN;
use cg_attest::time::Timestamp;
use serde::Serialize;

use super::document::Document;
use super::matrix;
use super::text::size;
use super::unverified::Unverified;
use crate::error::CliError;
use crate::printer::{Tone, escape, paint};

/// The widest name that the columns after it are lined up behind.
const NAMES: usize = 36;

/// One line of the drawing.
struct Line {
    /// The branches that lead to it.
    branches: String,
    name: String,
    /// The first digits of the digest.
    digest: String,
    size: String,
    note: String,
    tone: Tone,
}

/// The drawing of a tree.
pub(crate) fn tree(tree: &Tree, colored: bool) -> String {
    let mut lines = Vec::new();
    below(&tree.root, "", &tree.root, &mut lines);
    let name = tree.reference.split_once('@').map_or(tree.reference.as_str(), |(name, _)| name);
    let mut out = format!("{} @sha256:{}…", escape(name), tree.root.digest.short());
    let notes = notes(&tree.root, &tree.root);
    if !notes.is_empty() {
        out.push_str(&format!("   {notes}"));
    }
    out.push('\n');
    if let Some(source) = &tree.source {
        out.push_str(&format!("read from {}\n", escape(source)));
    }
    let width = |line: &Line| line.branches.chars().count() + line.name.chars().count();
    let first = lines.iter().map(width).filter(|width| *width <= NAMES).max().unwrap_or(0);
    let sizes = lines.iter().map(|line| line.size.len()).max().unwrap_or(0);
    for line in &lines {
        let pad = " ".repeat(first.saturating_sub(width(line)));
        let Line { branches, name, digest, size, note, tone } = line;
        // Without a size, the note moves up to where it would be.
        let size = if size.is_empty() { String::new() } else { format!("{size:>sizes$}  ") };
        let text = format!("{name}{pad}  {digest:12}  {size}{note}");
        out.push_str(&format!("{branches}{}\n", paint(colored, *tone, text.trim_end())));
    }
    out
}

/// The tree as JSON, with everything that the drawing has no room for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TreeDocument<'a> {
    #[serde(flatten)]
    head: Unverified<'a>,
    absent_platforms: Vec<String>,
    root: &'a Node,
}

/// The JSON document of a tree.
pub(crate) fn tree_document(tree: &Tree) -> Result<String, CliError> {
    let content = TreeDocument {
        head: Unverified::new(tree.is_complete(), &tree.reference, tree.source.as_deref()),
        absent_platforms: tree.absent.iter().map(ToString::to_string).collect(),
        root: &tree.root,
    };
    Document::new("Tree", content).pretty()
}

/// The lines under a node.
fn below(node: &Node, branches: &str, root: &Node, lines: &mut Vec<Line>) {
    // The one layer of a referrer is what the referrer is about; its line says so.
    let own = if node.kind == NodeKind::Referrer && node.layers.len() == 1 { &[] } else { node.layers.as_slice() };
    let count = own.len() + node.failed_listings.len() + node.children.len();
    let draw = |n: usize| if n + 1 == count { ("└─ ", "   ") } else { ("├─ ", "│  ") };
    let mut n = 0;
    let mut next = || {
        n += 1;
        draw(n - 1)
    };
    for layer in own {
        lines.push(of_layer(layer, format!("{branches}{}", next().0)));
    }
    for failed in &node.failed_listings {
        lines.push(Line {
            branches: format!("{branches}{}", next().0),
            name: format!("! {} could not be listed ({})", failed.kind, failed.failure.code),
            digest: String::new(),
            size: String::new(),
            note: String::new(),
            tone: Tone::Doubt,
        });
    }
    for child in &node.children {
        let (branch, under) = next();
        let mut line = of_node(child, format!("{branches}{branch}"), root);
        if is_older(child, &node.children) {
            let separator = if line.note.is_empty() { "" } else { ", " };
            line.note.push_str(&format!("{separator}superseded, if one signer made both"));
        }
        lines.push(line);
        below(child, &format!("{branches}{under}"), root, lines);
    }
}

/// Whether there is a newer one of the same type beside it, going by what the
/// annotations say. Whoever signed is not known here.
fn is_older(node: &Node, beside: &[Node]) -> bool {
    let created = |node: &Node| {
        let created = node.annotations.get("org.opencontainers.image.created")?;
        created.parse::<Timestamp>().ok().filter(|_| node.kind == NodeKind::Referrer)
    };
    let kind = |node: &Node| node.predicate_type.clone().filter(|kind| kind != COSIGN_SIGN);
    let (Some(own), Some(time)) = (kind(node), created(node)) else { return false };
    beside.iter().any(|other| kind(other).as_ref() == Some(&own) && created(other).is_some_and(|other| other > time))
}

fn of_layer(layer: &Layer, branches: String) -> Line {
    let (name, note) = called(layer.predicate_type.as_deref(), &layer.media_type);
    Line { branches, name, digest: layer.digest.short().to_owned(), size: size(layer.size), note, tone: Tone::Plain }
}

fn of_node(node: &Node, branches: String, root: &Node) -> Line {
    let artifact = node.artifact_type.as_deref().unwrap_or(&node.media_type);
    let (name, form) = match node.kind {
        NodeKind::SignatureTag => (".sig tag".to_owned(), String::new()),
        NodeKind::AttestationTag => (".att tag".to_owned(), String::new()),
        NodeKind::Referrer => {
            let layer = if let [layer] = node.layers.as_slice() { Some(layer) } else { None };
            let hint = node.predicate_type.as_deref().or(layer.and_then(|layer| layer.predicate_type.as_deref()));
            called(hint, artifact)
        }
        _ => (node.platform.as_ref().map_or_else(|| "no platform".to_owned(), ToString::to_string), String::new()),
    };
    let (shown, tone) = match node.kind {
        NodeKind::Platform | NodeKind::Entry | NodeKind::Index | NodeKind::Image => (None, Tone::Strong),
        NodeKind::Referrer => (Some(node.layers.iter().map(|layer| layer.size).sum()), Tone::Plain),
        _ => (None, Tone::Plain),
    };
    let tone = if node.unread.is_some() { Tone::Doubt } else { tone };
    let shown = shown.filter(|_| !node.layers.is_empty());
    let notes = [form, notes(node, root)];
    let notes: Vec<&str> = notes.iter().map(String::as_str).filter(|note| !note.is_empty()).collect();
    Line {
        branches,
        name,
        digest: node.digest.short().to_owned(),
        size: shown.map(size).unwrap_or_default(),
        note: notes.join(", "),
        tone,
    }
}

/// What a person calls a document, and the form that it comes in.
fn called(predicate: Option<&str>, media_type: &str) -> (String, String) {
    let form = match media_type {
        media::COSIGN_SIGNATURE | media::SIMPLE_SIGNING => "cosign signature",
        media::DSSE => "DSSE envelope",
        media::IN_TOTO => "in-toto statement",
        media::BUILDKIT => "BuildKit attestations",
        other if other.starts_with(media::BUNDLE_PREFIX) => "Sigstore bundle",
        _ => "",
    };
    match (predicate, form) {
        (Some(COSIGN_SIGN), form) => ("signature".to_owned(), form.to_owned()),
        (Some(predicate), form) => (matrix::short(predicate), form.to_owned()),
        (None, "") => (escape(media_type), String::new()),
        (None, form) => (form.to_owned(), String::new()),
    }
}

/// What has to be said about a node besides its name.
fn notes(node: &Node, root: &Node) -> String {
    let mut notes = Vec::new();
    if let Some(about) = &node.about {
        let target = root.children.iter().find(|child| child.digest == *about && child.kind == NodeKind::Platform);
        let target = target.and_then(|child| child.platform.as_ref());
        let about = target.map_or_else(|| about.short().to_owned(), ToString::to_string);
        notes.push(format!("unsigned, about {about}"));
    }
    if let Some(why) = &node.unread {
        notes.push(format!("not read ({})", why.code));
    }
    if let Some(why) = &node.rejected {
        notes.push(format!("not what it is listed as ({})", why.code));
    }
    if node.below == Below::Elsewhere {
        notes.push("also elsewhere here".to_owned());
    }
    let is_image = matches!(node.kind, NodeKind::Index | NodeKind::Image | NodeKind::Platform);
    let attached = |child: &Node| !matches!(child.kind, NodeKind::Platform | NodeKind::Entry);
    let none = node.failed_listings.is_empty() && !node.children.iter().any(attached);
    if is_image && node.below == Below::Listed && none {
        notes.push("nothing attached".to_owned());
    }
    notes.join(", ")
}
