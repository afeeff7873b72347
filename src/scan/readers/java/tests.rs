//! Archives in the making, right and wrong.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::super::testing;
use super::Archive;
use crate::scan::readers::{File, Reader as _};

/// An archive of these files; those whose name ends with `!` are stored, without it.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut local, mut central) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let (name, stored) = name.strip_suffix('!').map_or((*name, false), |name| (name, true));
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content).expect("into memory");
        let deflated = encoder.finish().expect("into memory");
        let (method, body) = if stored { (0_u16, *content) } else { (8, deflated.as_slice()) };
        let mut crc = Crc::new();
        crc.update(content);
        let sizes = [crc.sum(), body.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat();
        let names = [(name.len() as u16).to_le_bytes(), [0; 2]].concat();
        let at = (local.len() as u32).to_le_bytes();
        let method = method.to_le_bytes();
        local.extend(
            [b"PK\x03\x04".as_slice(), &[20, 0, 0, 0], &method, &[0; 4], &sizes, &names, name.as_bytes(), body]
                .concat(),
        );
        let more = [0; 10];
        central.extend(
            [
                b"PK\x01\x02".as_slice(),
                &[20, 0, 20, 0, 0, 0],
                &method,
                &[0; 4],
                &sizes,
                &names,
                &more,
                &at,
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = (files.len() as u16).to_le_bytes();
    let sizes = [central.len() as u32, local.len() as u32].map(u32::to_le_bytes).concat();
    [local, central, b"PK\x05\x06\0\0\0\0".to_vec(), count.to_vec(), count.to_vec(), sizes, vec![0; 2]].concat()
}

fn read(name: &str, bytes: &[u8]) -> Result<Vec<String>, String> {
    let (found, error) = partly(name, bytes);
    error.map_or(Ok(found), Err)
}

fn partly(name: &str, bytes: &[u8]) -> (Vec<String>, Option<String>) {
    let file = File { path: name, size: bytes.len() as u64, mode: 0o644, head: &[] };
    assert!(Archive.wants(&file));
    let (found, error) = testing::partly(|facts| Archive.read(&file, bytes, facts));
    let named = |package: &crate::scan::Package| {
        format!("{}:{}:{}", package.namespace.as_deref().unwrap_or("-"), package.name, package.version)
    };
    (found.iter().map(named).collect(), error)
}

const MANIFEST: &str = "META-INF/MANIFEST.MF";
const PROPERTIES: &str = "META-INF/maven/org.example/core/pom.properties";
const CORE: &[u8] = b"groupId=org.example\nartifactId=core\nversion=1.2\n";
const OTHER: &[u8] = b"groupId=org.other\nartifactId=other\nversion=3\n";

#[test]
fn an_archive_is_named_by_maven_by_its_file_and_by_its_manifest() {
    let manifest: &[u8] = b"Implementation-Version: 9\nAutomatic-Module-Name: org.example.mod\n";
    let all = zip(&[(MANIFEST, manifest), (PROPERTIES, CORE), ("META-INF/maven/o/o/pom.properties", OTHER)]);
    assert_eq!(read("lib/core-1.0.jar", &all).expect("it is read"), ["org.example:core:1.2", "org.other:other:3"]);
    // Named for neither: the archive is a package of its own, with both inside.
    let alone = ["org.example.mod:app:1.0", "org.other:other:3", "org.example:core:1.2"];
    assert_eq!(read("app-1.0.jar", &all).expect("it is read"), alone);
    let bare = zip(&[(MANIFEST, manifest)]);
    assert_eq!(read("app.jar", &bare).expect("it is read"), ["org.example.mod:app:9"]);
    assert_eq!(read("org.example.app-2.jar", &bare).expect("it is read"), ["org.example.mod:app:2"]);
    let pom = b"<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version></project>";
    assert_eq!(
        read("x.jar", &zip(&[(MANIFEST, b"A: b\n"), ("META-INF/maven/g/a/pom.xml", pom)])).expect("it is read"),
        ["g:a:1"]
    );
    assert_eq!(read("x.jar", &zip(&[("a.class", b"")])).expect("it is read"), [""; 0]);
}

#[test]
fn a_bundle_is_named_by_the_plug_in_that_made_it() {
    let text = "Created-By: Apache Maven Bundle Plugin\nBundle-SymbolicName: org.example.thing;singleton:=true\n";
    let named = zip(&[(MANIFEST, text.as_bytes())]);
    assert_eq!(read("whatever-1.jar", &named).expect("it is read"), ["org.example.thing:thing:1"]);
    let text = format!("{text}Implementation-Vendor-Id: org.example.thing;singleton:=true\n");
    assert_eq!(
        read("whatever-1.jar", &zip(&[(MANIFEST, text.as_bytes())])).expect("it is read"),
        ["org.example.thing:whatever:1"]
    );
}

#[test]
fn archives_inside_are_read_and_scripts_before_are_passed_over() {
    let library = zip(&[(MANIFEST, b"A: b\n"), (PROPERTIES, CORE)]);
    let module = zip(&[(MANIFEST, b"A: b\n"), ("WEB-INF/lib/core-1.2.jar!", &library)]);
    let whole = [b"#!/bin/sh\nexec java\n".to_vec(), zip(&[(MANIFEST, b"A: b\n"), ("web-7.war", &module)])].concat();
    assert_eq!(read("app-8.jar", &whole).expect("it is read"), ["-:app:8", "-:web:7", "org.example:core:1.2"]);
}

#[test]
fn what_cannot_be_read_says_so_and_the_rest_is_kept() {
    let library = zip(&[(MANIFEST, b"A: b\n"), (PROPERTIES, CORE)]);
    let broken = &library[..library.len() - 30];
    let files: [(&str, &[u8]); 3] = [(MANIFEST, b"A: b\n"), ("broken.jar", broken), ("core-1.2.jar", &library)];
    let (found, error) = partly("app-1.jar", &zip(&files));
    assert_eq!(found, ["-:app:1", "org.example:core:1.2"]);
    assert_eq!(error.as_deref(), Some("\"broken.jar\" in it: it is no zip archive, or cut off"));

    let good = zip(&[(MANIFEST, b"A: b\n")]);
    let directory = good.windows(4).position(|part| part == b"PK\x01\x02").expect("a directory");
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        read("app-1.jar", &bytes)
    };
    assert_eq!(changed(directory + 5, 20).expect("it is read"), ["-:app:1"]);
    let in_it = |why: &str| Err(format!("{MANIFEST:?} in it {why}"));
    assert_eq!(changed(directory + 8, 1), in_it("is encrypted"));
    assert_eq!(changed(directory + 10, 12), in_it("is compressed in another way than Java's"));
    assert_eq!(changed(directory + 16, 0), in_it("is damaged"));
    assert_eq!(changed(directory + 24, 9), in_it("is damaged"));
    assert_eq!(changed(directory + 27, 9), in_it("is larger than the 4194304 bytes that may be inflated"));
    assert_eq!(changed(directory + 44, 9), in_it("is cut off"));
    assert_eq!(changed(directory + 28, 200), Err("its directory is damaged".to_owned()));
    assert_eq!(read("app.jar", b"text").expect_err("it is refused"), "it is no zip archive, or cut off");
    // A name that others use for other things.
    assert_eq!(read("app.rar", b"Rar!").expect("it is read"), [""; 0]);
}

/// An archive that says of its last file `more` times that it is there.
fn repeated(archive: &[u8], more: usize) -> Vec<u8> {
    let end = archive.len() - 22;
    let last = (0..end).rev().find(|at| archive[*at..].starts_with(b"PK\x01\x02")).expect("an entry");
    let entry = &archive[last..end];
    let mut out = [&archive[..end], &entry.repeat(more)].concat();
    let length = u32::from_le_bytes(archive[end + 12..end + 16].try_into().expect("four bytes"));
    let length = length + (entry.len() * more) as u32;
    out.extend([&archive[end..end + 12], &length.to_le_bytes(), &archive[end + 16..]].concat());
    out
}

#[test]
fn a_directory_of_many_entries_ends() {
    let library = zip(&[(MANIFEST, b"A: b\n"), (PROPERTIES, CORE)]);
    for (name, content) in [("a.zap", &b""[..]), ("core.jar!", &library), ("x/pom.properties", b"")] {
        let archive = zip(&[(MANIFEST, b"A: b\n"), (name, content)]);
        let (found, error) = partly("app-1.jar", &repeated(&archive, 2));
        assert_eq!((found[0].as_str(), error), ("-:app:1", None), "{name}");
        let (found, error) = partly("app-1.jar", &repeated(&archive, super::archive::ARCHIVES));
        assert_eq!(found[0], "-:app:1", "{name}");
        assert_eq!(error.as_deref(), Some("there are more than 65536 archives and files of Maven in it"), "{name}");
    }
}

#[test]
fn names_in_another_encoding_are_names() {
    let library = zip(&[(MANIFEST, b"A: b\n"), (PROPERTIES, CORE)]);
    let mut whole = zip(&[(MANIFEST, b"A: b\n"), ("lib/core-1.2-?.jar!", &library)]);
    assert_eq!(read("app-8.jar", &whole).map(|found| found.len()), Ok(2));
    whole.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xe9);
    assert_eq!(read("app-8.jar", &whole).map(|found| found.len()), Ok(2));
}

#[test]
fn archives_in_archives_have_bounds() {
    let nested = |times: usize| {
        let innermost = zip(&[(MANIFEST, b"A: b\n"), (PROPERTIES, CORE)]);
        (0..times).fold(innermost, |inner, _| zip(&[("core-1.jar", &inner)]))
    };
    assert_eq!(read("a.jar", &nested(8)).expect("it is read"), ["org.example:core:1.2"]);
    assert!(
        read("a.jar", &nested(9))
            .expect_err("it is refused")
            .ends_with("archives are inside each other more than 8 times")
    );
    // Small archives that inflate to more than their file may.
    let zeros = vec![0; 9 << 20];
    let one = [("a.jar", zeros.as_slice())];
    assert!(read("x.jar", &zip(&one)).expect_err("it is refused").contains("it is no zip archive"));
    let two = zip(&[("a.zap", &zeros), ("b.zap", &zeros)]);
    assert!(read("x.jar", &two).expect_err("it is refused").contains("bytes that may be inflated"));
    assert_eq!(read("x.jar", &zip(&[("a.zap", &zeros)])).expect("it is read"), [""; 0]);
}
