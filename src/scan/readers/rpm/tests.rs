//! Databases in the making, right and wrong.

use super::super::testing;
use super::Database;
use crate::scan::Package;

/// The value of a tag.
enum Value {
    Text(&'static str),
    Texts(Vec<String>),
    Numbers(Vec<u32>),
}

use Value::{Numbers, Text, Texts};

fn header(tags: &[(u32, Value)]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, value) in tags {
        let at = data.len();
        let (kind, count) = match value {
            Text(text) => {
                data.extend([text.as_bytes(), b"\0"].concat());
                (6, 1)
            }
            Texts(texts) => {
                texts.iter().for_each(|text| data.extend([text.as_bytes(), b"\0"].concat()));
                (8, texts.len())
            }
            Numbers(numbers) => {
                numbers.iter().for_each(|number| data.extend(number.to_be_bytes()));
                (4, numbers.len())
            }
        };
        index.extend([*tag, kind, at as u32, count as u32].map(u32::to_be_bytes).concat());
    }
    [(tags.len() as u32).to_be_bytes().to_vec(), (data.len() as u32).to_be_bytes().to_vec(), index, data].concat()
}

fn texts<const N: usize>(texts: [&str; N]) -> Value {
    Texts(texts.map(str::to_owned).to_vec())
}

fn tags() -> Vec<(u32, Value)> {
    vec![
        (1000, Text("zlib")),
        (1001, Text("1.3.1")),
        (1002, Text("4.el9")),
        (1003, Numbers(vec![1])),
        (1014, Text("Zlib")),
        (1022, Text("x86_64")),
        (1044, Text("zlib-src-1.3.1-4.el9.src.rpm")),
        (1047, texts(["zlib", "libz.so.1"])),
        (1049, texts(["libc.so.6"])),
        (1030, Numbers(vec![0o100_755, 0o040_755, 0o120_777])),
        (1117, texts(["libz.so.1.3.1", "lib", "libz.so.1"])),
        (1118, texts(["/usr/lib/", "/usr/"])),
        (1116, Numbers(vec![0, 1, 0])),
    ]
}

/// The same, with one tag of another value.
fn with(tag: u32, value: Value) -> Vec<(u32, Value)> {
    let mut tags = tags();
    tags.retain(|(number, _)| *number != tag);
    tags.push((tag, value));
    tags
}

fn key() -> Vec<u8> {
    header(&[(1000, Text("gpg-pubkey")), (1001, Text("1")), (1002, Text("2"))])
}

fn varint(number: usize) -> Vec<u8> {
    assert!(number < 1 << 14);
    if number < 0x80 { vec![number as u8] } else { vec![0x80 | (number >> 7) as u8, (number & 0x7f) as u8] }
}

fn record(kinds: &[usize], data: &[u8]) -> Vec<u8> {
    let kinds: Vec<u8> = kinds.iter().flat_map(|kind| varint(*kind)).collect();
    [varint(kinds.len() + 1), kinds, data.to_vec()].concat()
}

const PAGE: usize = 512;

/// A leaf of a table; `start` bytes are before it in its page.
fn leaf(start: usize, cells: &[Vec<u8>]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    page[start] = 0x0d;
    page[start + 4] = cells.len() as u8;
    let mut end = PAGE;
    for (number, cell) in cells.iter().enumerate() {
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(cell);
        page[start + 8 + 2 * number..][..2].copy_from_slice(&(end as u16).to_be_bytes());
    }
    page
}

/// A database in which each package has a leaf of its own, below one page, and overflow pages.
fn sqlite(headers: &[Vec<u8>]) -> Vec<u8> {
    let name = b"Packages";
    let schema = [b"table".as_slice(), name, name, &[2], b"CREATE"].concat();
    let schema = record(&[23, 29, 29, 1, 25], &schema);
    let mut first = leaf(100, &[[varint(schema.len()), varint(1), schema].concat()]);
    let (mut pages, mut children) = (Vec::new(), Vec::new());
    for (row, header) in headers.iter().enumerate() {
        let payload = record(&[0, 12 + 2 * header.len()], header);
        let number = 3 + pages.len();
        children.push(number as u32);
        let (most, least) = (PAGE - 35, (PAGE - 12) * 32 / 255 - 23);
        let fitting = least + payload.len().saturating_sub(least) % (PAGE - 4);
        let local = match payload.len() {
            length if length <= most => length,
            _ if fitting <= most => fitting,
            _ => least,
        };
        let mut cell = [varint(payload.len()), varint(row + 1), payload[..local].to_vec()].concat();
        let rest: Vec<&[u8]> = payload[local..].chunks(PAGE - 4).collect();
        if !rest.is_empty() {
            cell.extend((number as u32 + 1).to_be_bytes());
        }
        pages.push(leaf(0, &[cell]));
        for (place, part) in rest.iter().enumerate() {
            let next = if place + 1 < rest.len() { number + place + 2 } else { 0 };
            let mut page = [(next as u32).to_be_bytes().as_slice(), part].concat();
            page.resize(PAGE, 0);
            pages.push(page);
        }
    }
    let mut root = vec![0; PAGE];
    let (last, others) = children.split_last().expect("a package");
    root[0] = 0x05;
    root[4] = others.len() as u8;
    root[8..12].copy_from_slice(&last.to_be_bytes());
    for (number, child) in others.iter().enumerate() {
        let at = PAGE - 5 * (number + 1);
        root[at..at + 4].copy_from_slice(&child.to_be_bytes());
        root[12 + 2 * number..][..2].copy_from_slice(&(at as u16).to_be_bytes());
    }
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&(PAGE as u16).to_be_bytes());
    first[19] = 1;
    first[28..32].copy_from_slice(&(2 + pages.len() as u32).to_be_bytes());
    first[59] = 1;
    [vec![first, root], pages].concat().concat()
}

fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let word = |number: usize| (number as u32).to_le_bytes();
    let mut slots = [b"RpmP".as_slice(), &word(0), &word(1), &word(1), &[0; 16]].concat();
    let mut blobs = Vec::new();
    for (number, header) in headers.iter().enumerate() {
        let mut blob = [b"BlbS".as_slice(), &word(number + 1), &word(7), &word(header.len()), header].concat();
        blob.resize((blob.len() + 12).next_multiple_of(16) - 12, 0);
        let (low, high) = blob.iter().fold((1, 0), |(low, high), byte| {
            let low = (low + u32::from(*byte)) % 65521;
            (low, (high + low) % 65521)
        });
        blob.extend(((high << 16) | low).to_le_bytes());
        blob.extend([word(header.len()).as_slice(), b"BlbE"].concat());
        slots.extend(
            [b"Slot".as_slice(), &word(number + 1), &word((4096 + blobs.len()) / 16), &word(blob.len() / 16)].concat(),
        );
        blobs.extend(blob);
    }
    while slots.len() < 4096 {
        slots.extend([b"Slot".as_slice(), &[0; 12]].concat());
    }
    [slots, blobs].concat()
}

fn read(path: &str, bytes: &[u8]) -> Result<Vec<Package>, String> {
    testing::read(&Database, path, bytes)
}

fn read_sqlite(bytes: &[u8]) -> Result<Vec<Package>, String> {
    read("var/lib/rpm/rpmdb.sqlite", bytes)
}

fn read_ndb(bytes: &[u8]) -> Result<Vec<Package>, String> {
    read("usr/lib/sysimage/rpm/Packages.db", bytes)
}

/// The message of a refusal.
fn why(read: Result<Vec<Package>, String>) -> String {
    read.expect_err("it is refused")
}

fn changed(bytes: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

#[test]
fn both_databases_hold_the_same_packages() {
    let long: &'static str = "x".repeat(3000).leak();
    let headers = [header(&tags()), key(), header(&with(1000, Text(long)))];
    for found in [read_sqlite(&sqlite(&headers)), read_ndb(&ndb(&headers))] {
        let found = found.expect("it is read");
        let [zlib, other] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((zlib.name.as_str(), zlib.version.as_str()), ("zlib", "1:1.3.1-4.el9"));
        assert_eq!(zlib.files.iter().collect::<Vec<_>>(), ["usr/lib/libz.so.1.3.1", "usr/lib/libz.so.1"]);
        let source = zlib.source.as_ref().map(|source| (source.name.as_str(), source.version.as_str()));
        assert_eq!(source, Some(("zlib-src", "1.3.1-4.el9")));
        assert_eq!((zlib.provides.len(), &zlib.depends), (2, &vec![vec!["libc.so.6".to_owned()]]));
        assert_eq!(other.name, long);
    }
}

#[test]
fn a_damaged_sqlite_file_is_refused() {
    let headers = [header(&tags()), header(&with(1000, Text("y".repeat(3000).leak())))];
    let good = sqlite(&headers);
    assert!(read_sqlite(&good).is_ok());
    let named = good.windows(8).position(|part| part == b"Packages").expect("the schema");
    let last = good.len() - PAGE;
    for (bytes, wanted) in [
        (good[..last].to_vec(), "it is cut off"),
        (good[..50].to_vec(), "it is cut off"),
        (changed(&good, named, b"Parkages"), "it has no table Packages"),
        (changed(&good, 16, &[0, 3]), "a page has an impossible size"),
        (changed(&good, 59, &[2]), "it is of a later SQLite, or not in UTF-8"),
        // The second page names itself, one that is not there, and one of another kind.
        (changed(&good, PAGE + 8, &2_u32.to_be_bytes()), "two places name the same page"),
        (changed(&good, PAGE + 8, &99_u32.to_be_bytes()), "a page is named that it does not have"),
        (changed(&good, PAGE, &[7]), "a page of a table is of another kind"),
        // A chain of overflow pages leads back, and ends early.
        (changed(&good, last - PAGE, &3_u32.to_be_bytes()), "two places name the same page"),
        (changed(&good, last - PAGE, &[0; 4]), "a page is named that it does not have"),
        (changed(&good, 2 * PAGE + 3, &[0xff, 0xff]), "something in a page is outside of it"),
    ] {
        assert_eq!(why(read_sqlite(&bytes)), wanted);
    }
    // Two cells that are one.
    let named = header(&with(1000, Text("n".repeat(60).leak())));
    let payload = record(&[0, 12 + 2 * named.len()], &named);
    let cell = [varint(payload.len()), varint(1), payload].concat();
    let mut page = leaf(0, &[cell]);
    let one = changed(&sqlite(&[key()]), 2 * PAGE, &page);
    assert!(read_sqlite(&one).is_ok());
    page[4] = 2;
    page.copy_within(8..10, 10);
    assert_eq!(why(read_sqlite(&changed(&one, 2 * PAGE, &page))), "cells of a page overlap");
}

#[test]
fn a_damaged_ndb_file_is_refused() {
    let good = ndb(&[header(&tags()), key()]);
    assert!(read_ndb(&good).is_ok());
    let second =
        4096 + usize::try_from(u32::from_le_bytes([good[44], good[45], good[46], good[47]])).expect("small") * 16;
    for (bytes, wanted) in [
        (good[..good.len() - 1].to_vec(), "it is cut off"),
        (good[..4000].to_vec(), "it is cut off"),
        (changed(&good, 4, &[1]), "it is no ndb file of version 0"),
        (changed(&good, 32, b"slot"), "a slot is none"),
        (changed(&good, 36, &[2]), "two slots are of one package"),
        (changed(&good, 40, &[255, 255]), "it is cut off"),
        (changed(&good, 44, &[255, 255]), "its packages take more room than there is"),
        (changed(&good, 4096 + 4, &[9]), "a slot does not lead to its package"),
        (changed(&good, 4096 + 12, &[255, 255]), "a package is longer than its blocks"),
        (changed(&good, 4096 + 40, &[255]), "the checksum of a package is wrong"),
        (changed(&good, second - 4, b"BlbF"), "the tail of a package is another's"),
    ] {
        assert_eq!(why(read_ndb(&bytes)), wanted);
    }
}

#[test]
fn a_damaged_header_is_refused() {
    let of = |tags: &[(u32, Value)]| read_ndb(&ndb(&[header(tags)]));
    assert!(of(&tags()).is_ok());
    for (tags, wanted) in [
        (with(1001, Text("")), "it has no version"),
        (with(1000, Numbers(vec![1])), "tag 1000 is of another kind"),
        (with(1116, Numbers(vec![0, 2, 0])), "a file is in no folder"),
        (with(1116, Numbers(vec![0])), "a file is in no folder"),
        (with(1118, texts([&"x".repeat(5000), "/usr/"])), "a path is longer than 4096 bytes"),
        (with(1117, Texts(vec![String::new(); (1 << 20) + 1])), "it has more than 1048576 files"),
    ] {
        assert_eq!(why(of(&tags)), format!("the header of a package: {wanted}"));
    }
    let good = header(&tags());
    for (bytes, wanted) in [
        (good[..good.len() - 1].to_vec(), "it is cut off"),
        (changed(&good, 0, &[0, 1, 0, 0]), "it is cut off"),
        (changed(&good, 8 + 8, &[0xff; 4]), "tag 1000 points outside of it"),
        (changed(&good, 8 + 13 * 16 - 4, &[0xff; 4]), "tag 1116 reaches outside of it"),
        (changed(&good, 8 + 11 * 16 - 4, &[0, 0, 1, 0]), "the text of tag 1117 has no end"),
    ] {
        assert_eq!(why(read_ndb(&ndb(&[bytes]))), format!("the header of a package: {wanted}"));
    }
}

#[test]
fn what_cannot_be_read_says_so() {
    let berkeley = changed(&[0; 512], 12, &0x0006_1561_u32.to_le_bytes());
    assert!(why(read("var/lib/rpm/Packages", &berkeley)).starts_with("it is a Berkeley DB"));
    assert_eq!(why(read("var/lib/rpm/Packages", &[0; 512])), "it is neither SQLite nor ndb");
    let log = "var/lib/rpm/rpmdb.sqlite-wal";
    assert_eq!(read(log, b""), Ok(Vec::new()));
    assert!(why(read(log, &[0; 32])).starts_with("packages may stand in it"));
}
