//! Documents read back by `spdx-rs`, which knows nothing of how they are written
//! and refuses every member that it does not know.

use std::collections::BTreeSet;

use cg_attest::testing::{ImageBuilder, LayerBuilder};
use serde_json::Value;
use spdx_rs::models::SPDX;

use crate::support::command::cg_attest;
use crate::support::corpus;
use crate::support::folder::Folder;

/// A field that is a list.
fn list<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// `ALGORITHM value` of every checksum, as it is written and as it was read.
fn checksums(object: &Value) -> BTreeSet<String> {
    let one = |sum: &Value| {
        format!("{} {}", sum["algorithm"].as_str().expect("a name"), sum["checksumValue"].as_str().expect("hex"))
    };
    list(object, "checksums").iter().map(one).collect()
}

/// Reads the document back and compares what both say.
fn read_back(document: &Value) {
    let read: SPDX = serde_json::from_value(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"));
    let head = &read.document_creation_information;
    assert_eq!(Some(&head.document_name), text(&document["name"]).as_ref());
    assert_eq!(Some(&head.spdx_document_namespace), text(&document["documentNamespace"]).as_ref());

    let packages = list(document, "packages");
    assert!(!packages.is_empty() && packages.len() == read.package_information.len());
    for (wanted, found) in packages.iter().zip(&read.package_information) {
        assert_eq!(Some(&found.package_name), text(&wanted["name"]).as_ref());
        assert_eq!(Some(&found.package_spdx_identifier), text(&wanted["SPDXID"]).as_ref());
        assert_eq!(found.package_version, text(&wanted["versionInfo"]));
        assert_eq!(found.package_supplier, text(&wanted["supplier"]));
        assert_eq!(found.package_originator, text(&wanted["originator"]));
        assert_eq!(found.package_home_page, text(&wanted["homepage"]));
        assert_eq!(found.source_information, text(&wanted["sourceInfo"]));
        assert_eq!(found.declared_license.as_ref().map(ToString::to_string), text(&wanted["licenseDeclared"]));
        assert_eq!(found.files_analyzed, wanted["filesAnalyzed"].as_bool());
        let code = found.package_verification_code.as_ref().map(|code| code.value.clone());
        assert_eq!(code, text(&wanted["packageVerificationCode"]["packageVerificationCodeValue"]));
        let purls: Vec<_> = found.external_reference.iter().map(|one| one.reference_locator.clone()).collect();
        let written: Vec<_> =
            list(wanted, "externalRefs").iter().filter_map(|one| text(&one["referenceLocator"])).collect();
        assert_eq!(purls, written);
        let sums: BTreeSet<String> =
            found.package_checksum.iter().map(|sum| format!("{:?} {}", sum.algorithm, sum.value)).collect();
        assert_eq!(sums, checksums(wanted));
    }

    let written = list(document, "relationships").iter();
    let written: Vec<_> = written
        .map(|one| {
            ["spdxElementId", "relationshipType", "relatedSpdxElement"].map(|key| text(&one[key]).expect("a text"))
        })
        .collect();
    let found = read.relationships.iter();
    let found: Vec<_> = found
        .map(|one| {
            let kind = serde_json::to_value(&one.relationship_type).expect("a word");
            [one.spdx_element_id.clone(), text(&kind).expect("a word"), one.related_spdx_element.clone()]
        })
        .collect();
    assert_eq!(found, written);

    let files = list(document, "files");
    assert_eq!(files.len(), read.file_information.len());
    for (wanted, found) in files.iter().zip(&read.file_information) {
        assert_eq!(Some(&found.file_name), text(&wanted["fileName"]).as_ref());
        assert_eq!(Some(&found.file_spdx_identifier), text(&wanted["SPDXID"]).as_ref());
        let sums: BTreeSet<String> =
            found.file_checksum.iter().map(|sum| format!("{:?} {}", sum.algorithm, sum.value)).collect();
        assert_eq!(sums, checksums(wanted));
    }

    let extracted = list(document, "hasExtractedLicensingInfos");
    assert_eq!(extracted.len(), read.other_licensing_information_detected.len());
    for (wanted, found) in extracted.iter().zip(&read.other_licensing_information_detected) {
        assert_eq!(Some(&found.license_identifier), text(&wanted["licenseId"]).as_ref());
        assert_eq!(Some(&found.extracted_text), text(&wanted["extractedText"]).as_ref());
    }
}

const APK: &str = "P:app\nV:1-r0\nA:x86_64\nL:MIT AND custom\no:app-src\nD:so:libz.so.1\nm:Wolfi\nF:usr/bin\nR:app\n\n\
    P:zlib\nV:1.3-r4\nA:x86_64\nL:Zlib\nm:A Person <a@example.org>\np:so:libz.so.1=1.3\n\n";
const DPKG: &str = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nArchitecture: amd64\nSource: glibc\n\
    Maintainer: GNU Libc <glibc@example.org>\nDepends: libx\nDescription: C library\n\n\
    Package: libx\nStatus: install ok installed\nVersion: 1:1-1\nArchitecture: all\nHomepage: https://example.org\n\n";

/// One image for each kind of database.
fn images() -> Vec<LayerBuilder> {
    let release = |id: &str| LayerBuilder::new().file("etc/os-release", format!("ID={id}\nVERSION_ID=12\n"));
    vec![
        release("wolfi").file("usr/lib/apk/db/installed", APK).executable("usr/bin/app", "#!").file("x", ""),
        release("debian")
            .file("var/lib/dpkg/status", DPKG)
            .file("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/libc.so.6\n")
            .file("lib/libc.so.6", "\u{7f}ELF")
            .file("usr/share/doc/libc6/copyright", "Format: x\n\nFiles: *\nLicense: LGPL-2.1+ or own\n")
            .file("usr/share/doc/libx/copyright", "Do with it\n\n  what \"you\" like.\n"),
        release("alpine")
            .file("app/node_modules/@s/n/package.json", r#"{"name":"@s/n","version":"1.0.0","license":"(MIT OR ISC)"}"#)
            .file("usr/lib/python3/A.dist-info/METADATA", "Name: A\nVersion: 2\nLicense: BSD like\n")
            .file("vendor/composer/installed.json", r#"[{"name":"v/p","version":"3","license":["MIT"]}]"#)
            .file("specifications/g-1.gemspec", "s.name = \"g\"\ns.version = \"1\"\n"),
        // A database that is cut off.
        release("wolfi").file("usr/lib/apk/db/installed", "P:a\nV:1\n\nP:b\n\n"),
    ]
}

#[tokio::test]
async fn packages_relationships_and_files_are_those_that_were_written() {
    for (number, layer) in images().into_iter().enumerate() {
        let image = ImageBuilder::new().layers([layer.gzip()]).platforms(["linux/amd64".parse().expect("a platform")]);
        let folder = Folder::with(&[&image.build().upload]).await;
        for more in [&[][..], &["--files"]] {
            let ran = cg_attest([&["sbom", &folder.name()], more].concat());
            assert_eq!(ran.code, if number == 3 { 3 } else { 0 }, "{}", ran.stderr);
            read_back(&ran.json());
            let valid = crate::support::command::cg_attest_with(["sbom", "validate", "-"], &[], &ran.stdout);
            assert_eq!((valid.code, valid.stdout.as_str()), (0, ""), "{}", valid.stderr);
        }
    }
}

#[test]
fn recorded_databases_are_read_back_too() {
    let Some(corpus) = corpus::folder() else { return };
    let layout = format!("oci:{}", corpus.join("apko/golden").display());
    let ran = cg_attest(["sbom", &layout, "--platform", "linux/amd64", "--files"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    read_back(&ran.json());
    let root = tempfile::tempdir().expect("a folder");
    let place = root.path().join("usr/lib/sysimage/rpm");
    std::fs::create_dir_all(&place).expect("a folder");
    std::fs::copy(corpus.join("rpmdb/rpmdb.sqlite"), place.join("rpmdb.sqlite")).expect("it is recorded");
    let ran = cg_attest(["sbom", &format!("dir:{}", root.path().display())]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = ran.json();
    assert!(document.to_string().contains("pkg:rpm/"), "{document}");
    read_back(&document);
}
