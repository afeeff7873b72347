//! Images that are broken or made to deceive, as `sbom` tells it: each with its own
//! code, no document where the layers are not known, and the good twin beside it.

use cg_attest::digest::Digest;
use cg_attest::testing::{ImageBuilder, LayerBuilder};

use crate::support::command::{Ran, cg_attest};
use crate::support::folder::Folder;

const APK: &str = "lib/apk/db/installed";
const DATABASE: &str = "P:app\nV:1-r0\nA:x86_64\nL:MIT\n\n";

fn layer() -> LayerBuilder {
    LayerBuilder::new().file(APK, DATABASE)
}

async fn sbom(layers: impl IntoIterator<Item = LayerBuilder>) -> Ran {
    let image = ImageBuilder::new().layers(layers).platforms(["linux/amd64".parse().expect("a platform")]);
    let folder = Folder::with(&[&image.build().upload]).await;
    cg_attest(["sbom", &folder.name()])
}

#[tokio::test]
async fn a_layer_that_cannot_be_known_has_no_document() {
    let pax = |record: &str| layer().entry(b'x', "pax", "", 0o644, record.as_bytes()).file("a", "x");
    let zeros = |mebibytes: usize| layer().file("zeros", vec![0; mebibytes << 20]);
    let named = |path: &str| layer().file(path, "");
    let long = "n".repeat(255);
    let deep = "d/".repeat(256);
    for (what, bad, good, code) in [
        ("out of the image", named("../b"), named("a/../b"), "layer-invalid"),
        ("absolute and out", named("/../b"), named("/b"), "layer-invalid"),
        ("a hard link out", layer().hard_link("x", "../etc/passwd"), layer().hard_link("x", APK), "layer-invalid"),
        ("a hard link to nothing", layer().hard_link("x", "gone"), layer().symlink("x", "gone"), "layer-invalid"),
        ("a name that is too long", named(&format!("{long}n")), named(&long), "layer-invalid"),
        ("a path that is too deep", named(&format!("{deep}f")), named(&deep[..deep.len() - 2]), "layer-invalid"),
        (
            "a sparse file",
            layer().entry(b'S', "s", "", 0o644, b"x"),
            layer().entry(b'0', "s", "", 0o644, b"x"),
            "layer-invalid",
        ),
        ("sparse by pax", pax("22 GNU.sparse.major=1\n"), pax("19 comment=nothing\n"), "layer-invalid"),
        ("a length that lies", pax("99 comment=nothing\n"), pax("19 comment=nothing\n"), "layer-invalid"),
        (
            "an unknown type",
            layer().entry(b'Q', "q", "", 0o644, b""),
            layer().entry(b'6', "q", "", 0o644, b""),
            "layer-invalid",
        ),
        ("a bomb", zeros(17).zstd(), zeros(15).zstd(), "limit"),
        ("another content", layer().gzip().diff_id(Digest::sha256(b"other")), layer().gzip(), "digest-mismatch"),
        (
            "an encrypted layer",
            layer().media_type("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
            layer().media_type("application/vnd.oci.image.layer.v1.tar"),
            "layer-unsupported",
        ),
        (
            "an unknown kind",
            layer().media_type("application/vnd.example.layer"),
            layer().media_type("application/vnd.docker.image.rootfs.diff.tar"),
            "layer-unsupported",
        ),
    ] {
        let ran = sbom([bad]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{what}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]: layer sha256:")), "{what}: {}", ran.stderr);
        let twin = sbom([good]).await;
        assert!(twin.code == 0 && twin.stdout.contains("pkg:apk/app@1-r0"), "the twin of {what}: {}", twin.stderr);
    }
}

#[tokio::test]
async fn a_layer_that_is_not_there_or_is_another_has_no_document() {
    let image = || ImageBuilder::new().layers([layer().gzip()]).platforms(["linux/amd64".parse().expect("a platform")]);
    let built = image().build();
    let blob = |folder: &Folder| {
        let document = cg_attest(["sbom", &folder.name()]).json();
        document["packages"][1]["name"].as_str().expect("a name").parse::<Digest>().expect("a digest")
    };
    let folder = Folder::with(&[&built.upload]).await;
    let digest = blob(&folder);
    folder.lose(&digest);
    let ran = cg_attest(["sbom", &folder.name()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(&format!("error[evidence-absent]: the layer {digest} of the image is absent")),
        "{}",
        ran.stderr
    );
    // Cut off, and with one bit that is another.
    let whole = built.upload.blobs().find(|blob| *blob.digest() == digest).expect("it was pushed").bytes().to_vec();
    let mut other = whole.clone();
    *other.last_mut().expect("not empty") ^= 1;
    for (bytes, code) in [(&whole[..whole.len() - 1], 3), (&other[..], 3), (&whole[..], 0)] {
        let path = folder.name().trim_start_matches("oci:").to_owned() + "/blobs/sha256/" + digest.hex();
        std::fs::write(path, bytes).expect("a file");
        let ran = cg_attest(["sbom", &folder.name()]);
        assert_eq!((ran.code, ran.stdout.is_empty()), (code, code == 3), "{}", ran.stderr);
        assert!(code == 0 || ran.stderr.contains("error[digest-mismatch]"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_read_whole_makes_the_document_say_so() {
    let good = "P:app\nV:1-r0\n\n";
    let deb = "Package: app\nStatus: install ok installed\nVersion: 1\n\n";
    let (apk, dpkg, node, jar) = (APK, "var/lib/dpkg/status", "node_modules/a/package.json", "app.jar");
    for (path, bad, twin, why) in [
        (apk, &b"P:app\nV:1-r0\n\nP:b\n"[..], good.as_bytes(), "a package without name (P:) or version (V:)"),
        (apk, b"P:app\nV:1-r0\n\nP:\xff\nV:1\n\n", good.as_bytes(), "it is not UTF-8"),
        (apk, b"P:app\nP:other\nV:1\n\n", good.as_bytes(), "a second P: in one package"),
        (dpkg, b"Package: app\nVersion: 1\n\nPackage: b\n\n", deb.as_bytes(), "a package without Package or Version"),
        (dpkg, b"Package: app\nVersion: 1\n\n\xff\n", deb.as_bytes(), "it is not UTF-8"),
        (node, br#"{"name":"app","version":"#, br#"{"name":"app","version":"1"}"#, "it is malformed"),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", b"SQLite format 3\0", b"", ""),
        (jar, b"PK\x03\x04", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", ""),
    ] {
        let ran = sbom([LayerBuilder::new().file(path, bad)]).await;
        assert_eq!(ran.code, 3, "{path}: {}", ran.stderr);
        assert!(
            ran.stderr.contains("warning[sbom-incomplete]: ") && ran.stderr.contains(why),
            "{path}: {}",
            ran.stderr
        );
        let comment = ran.json()["comment"].as_str().expect("a text").to_owned();
        assert!(comment.starts_with("INCOMPLETE: 1 files"), "{comment}");
        assert_eq!(ran.json()["annotations"].as_array().map(Vec::len), Some(1));
        if !twin.is_empty() {
            let ran = sbom([LayerBuilder::new().file(path, twin)]).await;
            assert!(ran.code == 0 && !ran.stdout.contains("INCOMPLETE"), "the twin of {path} {why}: {}", ran.stderr);
        }
    }
}

#[tokio::test]
async fn odd_names_and_licences_are_written_so_that_everybody_can_read_them() {
    let odd = "P:a\u{1b}[31m\"b\\c\nV:1 2\nL:MIT AND (see\u{7} COPYING\n\nP:a\u{1b}[31m\"b-c\nV:1 2\nL:LicenseRef-\n\n";
    let ran = sbom([LayerBuilder::new().file(APK, odd)]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{7}'), "{}", ran.stdout);
    let valid = crate::support::command::cg_attest_with(["sbom", "validate", "-"], &[], &ran.stdout);
    assert_eq!(valid.code, 0, "{}{}", valid.stdout, valid.stderr);
}

/// There is no place for a temporary file, and none is missed.
#[tokio::test]
async fn nothing_is_written_while_an_image_is_read() {
    let layers = [layer().file("large", vec![7; 3 << 20]).gzip(), layer().file("app.jar", vec![b'P'; 2 << 20]).zstd()];
    let image = ImageBuilder::new().layers(layers).platforms(["linux/amd64".parse().expect("a platform")]);
    let folder = Folder::with(&[&image.build().upload]).await;
    let path = folder.name().trim_start_matches("oci:").to_owned();
    let everything = || {
        let mut found = Vec::new();
        let mut waiting = vec![std::path::PathBuf::from(&path)];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                let metadata = entry.metadata().expect("it is there");
                if metadata.is_dir() {
                    waiting.push(entry.path());
                }
                found.push((entry.path(), metadata.len(), metadata.modified().expect("a time")));
            }
        }
        found.sort();
        found
    };
    let before = everything();
    let nowhere = [("TMPDIR", "/dev/null/none"), ("HOME", "/dev/null/none"), ("XDG_CACHE_HOME", "/dev/null/none")];
    for args in [&[][..], &["--files"], &["-o", "table", "--history"]] {
        let ran = crate::support::command::cg_attest_in(&path, [&["sbom"], args].concat(), &nowhere);
        assert_eq!(ran.code, 3, "the archive of Java is none, and the rest was read: {}", ran.stderr);
        assert!(ran.stdout.contains("app") && !ran.stderr.contains("error["), "{}", ran.stderr);
    }
    assert_eq!(everything(), before);
}
