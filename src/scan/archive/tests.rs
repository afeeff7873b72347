//! Archives, good ones beside bad ones that differ in one thing.

use std::io;

use super::header::BLOCK;
use super::{Archive, Kind, Source};

impl Source for &[u8] {
    fn fill(&mut self) -> io::Result<&[u8]> {
        // In pieces, so that everything crosses an edge of them somewhere.
        Ok(&self[..self.len().min(300)])
    }

    fn consume(&mut self, count: usize) {
        *self = &self[count..];
    }
}

/// A header and the content after it.
fn file(path: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    sized(path, kind, content, content.len())
}

fn sized(path: &str, kind: u8, content: &[u8], size: usize) -> Vec<u8> {
    let mut block = [0; BLOCK];
    block[..path.len()].copy_from_slice(path.as_bytes());
    block[100..108].copy_from_slice(b"0000755\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = block.to_vec();
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
    out
}

fn end() -> Vec<u8> {
    vec![0; 2 * BLOCK]
}

/// The paths and contents, or why there are none.
fn read(parts: &[Vec<u8>]) -> Result<Vec<(String, Kind, String)>, String> {
    let bytes = parts.concat();
    let mut archive = Archive::new(bytes.as_slice());
    let mut found = Vec::new();
    while let Some(entry) = archive.next().map_err(|error| error.to_string())? {
        let mut content = Vec::new();
        archive.read(&mut content, entry.size).map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        found.push((text(&entry.path), entry.kind, text(&content)));
    }
    Ok(found)
}

fn names(parts: &[Vec<u8>]) -> Result<Vec<String>, String> {
    read(parts).map(|found| found.into_iter().map(|(path, ..)| path).collect())
}

#[test]
fn files_follow_each_other() {
    let found = read(&[file("a/", b'5', b""), file("a/b", b'0', b"hello"), file("c", 0, b""), end()]).expect("files");
    let wanted = [("a/", Kind::Folder, ""), ("a/b", Kind::File, "hello"), ("c", Kind::File, "")];
    assert_eq!(found, wanted.map(|(path, kind, content)| (path.to_owned(), kind, content.to_owned())));
    // No end, or half of one, is an end too.
    assert_eq!(names(&[file("a", b'0', b"x")]), Ok(vec!["a".to_owned()]));
    assert_eq!(names(&[file("a", b'0', b"x"), vec![0; BLOCK]]), Ok(vec!["a".to_owned()]));
    // What follows the end is no file.
    assert_eq!(names(&[end(), file("hidden", b'0', b"x")]), Ok(Vec::new()));
}

#[test]
fn what_is_cut_off_or_damaged_is_refused() {
    let whole = file("a", b'0', b"hello");
    assert!(names(std::slice::from_ref(&whole)).is_ok());
    assert_eq!(names(&[whole[..BLOCK + 3].to_vec()]), Err("it ends inside a file".to_owned()));
    assert_eq!(names(&[whole[..100].to_vec()]), Err("it ends inside a header".to_owned()));
    let mut damaged = whole.clone();
    damaged[0] = b'b';
    assert_eq!(names(&[damaged]), Err("the checksum of a header is wrong".to_owned()));
    let hidden = [file("a", b'0', b""), vec![0; BLOCK], file("hidden", b'0', b"")];
    assert_eq!(names(&hidden), Err("it goes on after a block of zeros".to_owned()));
}

#[test]
fn extended_headers_and_long_names_change_the_next_file_only() {
    let parts = [
        file("pax", b'x', b"15 path=longer\n"),
        file("short", b'0', b"1"),
        file("next", b'0', b"2"),
        file("././@LongLink", b'L', b"very long\0"),
        file("short", b'0', b"3"),
        file("global", b'g', b"15 path=global\n"),
        file("last", b'0', b"4"),
        end(),
    ];
    assert_eq!(names(&parts), Ok(["longer", "next", "very long", "last"].map(str::to_owned).to_vec()));
    assert!(names(&[file("pax", b'x', b"15 path=longer\n"), end()]).is_err());
}

#[test]
fn the_size_of_an_extended_header_is_where_the_next_file_begins() {
    // To a reader of the header alone, the content is a second file (scenario L-13).
    let inner = file("inner", b'0', b"");
    let outer = |content: &[u8]| sized("outer", b'0', content, 0);
    let parts = [file("pax", b'x', b"12 size=512\n"), outer(&inner), end()];
    assert_eq!(names(&parts), Ok(vec!["outer".to_owned()]));
    assert_eq!(names(&parts[1..]), Ok(vec!["outer".to_owned(), "inner".to_owned()]));
}

#[test]
fn links_have_no_content_whatever_their_size_says() {
    let parts = [sized("link", b'1', b"", 512), file("after", b'0', b""), end()];
    assert_eq!(names(&parts), Ok(vec!["link".to_owned(), "after".to_owned()]));
}

#[test]
fn sparse_files_and_unknown_types_are_refused() {
    assert!(names(&[file("a", b'7', b"x")]).is_ok());
    assert_eq!(names(&[file("a", b'S', b"x")]), Err("it has a sparse file".to_owned()));
    assert_eq!(names(&[file("a", b'Z', b"x")]), Err("it has a file of an unknown type".to_owned()));
    let sparse = file("pax", b'x', b"22 GNU.sparse.major=1\n");
    assert_eq!(names(&[sparse, file("a", b'0', b"x")]), Err("it has a sparse file".to_owned()));
}

#[test]
fn a_header_cannot_ask_for_much_memory() {
    let long = |length: usize| names(&[sized("x", b'L', &vec![b'n'; length], length), file("a", b'0', b"")]);
    assert!(long(1 << 20).is_ok());
    assert!(long((1 << 20) + 1).is_err());
}
