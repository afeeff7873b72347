//! `sbom`: where the document comes from, and what it says.

use std::collections::{BTreeMap, BTreeSet};

use cg_attest::testing::{ImageBuilder, LayerBuilder, Statement};
use serde_json::Value;

use crate::support::command::{cg_attest, cg_attest_in, cg_attest_with};
use crate::support::corpus;
use crate::support::folder::Folder;
use crate::support::scene::{IDENTITY, Scene};

const DATABASE: &str = "P:app\nV:1-r0\nA:x86_64\nL:MIT AND custom\no:app-src\nD:so:libz.so.1\nm:Wolfi\nF:usr/bin\nR:app\n\n\
    P:zlib\nV:1.3-r4\nA:x86_64\nL:Zlib\nm:A Person <a@example.org>\np:so:libz.so.1=1.3\n\n";

fn image() -> ImageBuilder {
    let base = LayerBuilder::new().file("etc/os-release", "ID=wolfi\nVERSION_ID=\"20230201\"\n").gzip();
    let top = LayerBuilder::new().file("usr/lib/apk/db/installed", DATABASE).executable("usr/bin/app", "#!").gzip();
    ImageBuilder::new().layers([base, top])
}

fn only_amd64(image: ImageBuilder) -> ImageBuilder {
    image.platforms(["linux/amd64".parse().expect("a platform")])
}

/// What every SPDX 2.3 reader asks of a document.
fn check(document: &Value) {
    assert_eq!((&document["spdxVersion"], &document["dataLicense"]), (&"SPDX-2.3".into(), &"CC0-1.0".into()));
    let packages = document["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let ids: BTreeSet<String> = packages.iter().map(|package| text(&package["SPDXID"])).collect();
    assert_eq!(ids.len(), packages.len(), "an identifier stands twice");
    let mut below: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for relationship in document["relationships"].as_array().expect("relationships") {
        let (from, to) = (text(&relationship["spdxElementId"]), text(&relationship["relatedSpdxElement"]));
        assert!(ids.contains(&to) && (from == "SPDXRef-DOCUMENT" || ids.contains(&from)), "{relationship}");
        below.entry(from).or_default().push(to);
    }
    // Everything hangs together.
    let mut reached = BTreeSet::new();
    let mut waiting = vec!["SPDXRef-DOCUMENT".to_owned()];
    while let Some(id) = waiting.pop() {
        if reached.insert(id.clone()) {
            waiting.extend(below.get(&id).cloned().unwrap_or_default());
        }
    }
    assert_eq!(reached.len(), ids.len() + 1, "{:?}", ids.difference(&reached).collect::<Vec<_>>());
    let extracted = document["hasExtractedLicensingInfos"].as_array().map(Vec::as_slice).unwrap_or_default();
    let known: BTreeSet<String> = extracted.iter().map(|license| text(&license["licenseId"])).collect();
    for package in packages {
        let license = text(&package["licenseDeclared"]);
        for word in license.split([' ', '(', ')']).filter(|word| word.starts_with("LicenseRef-")) {
            assert!(known.contains(word), "{license}");
        }
    }
}

fn package<'a>(document: &'a Value, name: &str) -> &'a Value {
    let packages = document["packages"].as_array().expect("packages");
    packages.iter().find(|package| package["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn the_layout_in_this_folder_has_a_document() {
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let path = folder.name().trim_start_matches("oci:").to_owned();
    let ran = cg_attest_in(&path, ["sbom"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("reading the OCI layout in {path}")), "{}", ran.stderr);
    let document = ran.json();
    check(&document);
    assert_eq!(document["creationInfo"]["created"], "2026-03-02T11:00:00Z");
    let app = package(&document, "app");
    assert_eq!(app["licenseDeclared"], "MIT AND LicenseRef-custom");
    assert_eq!(app["supplier"], "Organization: Wolfi");
    let purl = "pkg:apk/wolfi/app@1-r0?arch=x86_64&distro=wolfi-20230201&upstream=app-src";
    assert_eq!(app["externalRefs"][0]["referenceLocator"], purl);
    assert_eq!(package(&document, "zlib")["supplier"], "Person: A Person (a@example.org)");
    for wanted in [
        ("SPDXRef-Package-apk-app-1-r0", "DEPENDS_ON", "SPDXRef-Package-apk-zlib-1.3-r4"),
        ("SPDXRef-Package-apk-app-1-r0", "GENERATED_FROM", "SPDXRef-Package-Source-app-src-1-r0"),
        ("SPDXRef-OperatingSystem-wolfi", "CONTAINS", "SPDXRef-Package-apk-app-1-r0"),
    ] {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let has = |r: &Value| {
            (text(&r["spdxElementId"]), text(&r["relationshipType"]), text(&r["relatedSpdxElement"]))
                == (wanted.0.to_owned(), wanted.1.to_owned(), wanted.2.to_owned())
        };
        assert!(document["relationships"].as_array().expect("a list").iter().any(has), "{wanted:?}");
    }
    // Bars are for terminals: what is talk here are lines.
    assert!(!ran.stderr.contains(['\u{1b}', '\r']) && !ran.stderr.contains("packages found"), "{}", ran.stderr);
    // The same bytes from elsewhere, by another name, in another locale; another time only if it is asked for.
    let again = cg_attest_with(["sbom", &folder.name()], &[("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Asia/Tokyo")], "");
    assert_eq!(again.stdout, ran.stdout);
    let dated = cg_attest_with(["sbom", &folder.name()], &[("SOURCE_DATE_EPOCH", "1700000000")], "").json();
    assert_eq!(dated["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    assert_ne!(dated["documentNamespace"], document["documentNamespace"]);
    assert_eq!(cg_attest_with(["sbom", &folder.name()], &[("SOURCE_DATE_EPOCH", "soon")], "").code, 2);
}

#[tokio::test]
async fn a_folder_without_a_layout_and_a_choice_without_an_answer_are_usage() {
    let empty = tempfile::tempdir().expect("a folder");
    let ran = cg_attest_in(empty.path(), ["sbom"], &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    // A root folder, named as if it was a layout.
    let root = empty.path().display().to_string();
    let ran = cg_attest(["sbom", &root]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(&format!("`cg-attest sbom dir:{root}`")), "{}", ran.stderr);
    assert_eq!(cg_attest(["sbom", &format!("dir:{root}")]).code, 0);
    let folder = Folder::with(&[&image().build().upload]).await;
    let ran = cg_attest(["sbom", &folder.name()]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("linux/amd64, linux/arm64"), "{}", ran.stderr);
    assert_eq!(cg_attest(["sbom", &folder.name(), "--platform", "linux/arm64"]).code, 0);
    let absent = cg_attest(["sbom", &folder.name(), "--platform", "linux/s390x"]);
    assert_eq!(absent.code, 1);
    assert!(absent.stderr.contains("platform-absent"), "{}", absent.stderr);
}

#[tokio::test]
async fn a_damaged_database_is_exit_3_and_the_document_is_there() {
    let damaged = LayerBuilder::new().file("lib/apk/db/installed", "P:a\nV:1\n\nP:b\n\n");
    let folder = Folder::with(&[&only_amd64(ImageBuilder::new().layers([damaged])).build().upload]).await;
    let ran = cg_attest(["sbom", &folder.name()]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("warning[sbom-incomplete]: apk database lib/apk/db/installed"), "{}", ran.stderr);
    check(&ran.json());
    let file = folder.file("out.json", "");
    let file = file.to_str().expect("UTF-8");
    let written = cg_attest(["sbom", &folder.name(), "--output-file", file]);
    assert_eq!((written.code, written.stdout.as_str()), (3, ""));
    assert_eq!(std::fs::read_to_string(file).expect("the file"), ran.stdout);
}

#[tokio::test]
async fn under_a_policy_it_is_the_signed_document_and_without_one_it_is_named() {
    let scene = Scene::bare().await;
    let amd64 = scene.platform("linux/amd64").clone();
    let name = scene.name();
    let platform = ["--platform", "linux/amd64"];
    let trusting = scene.trusting();
    let trusting: Vec<&str> = trusting.iter().map(String::as_str).collect();
    let sbom = |more: &[&str]| cg_attest([&["sbom", &name], &platform[..], more].concat());

    let absent = sbom(&trusting);
    assert_eq!((absent.code, absent.stdout.as_str()), (1, ""), "{}", absent.stderr);
    assert!(absent.stderr.contains("--source content"), "{}", absent.stderr);

    scene.attach(&amd64, Statement::spdx).await;
    let attached = sbom(&trusting);
    assert_eq!(attached.code, 0, "{}", attached.stderr);
    let get = cg_attest([&["get", &name, "--type", "spdx"], &platform[..], &trusting].concat());
    assert_eq!(attached.stdout, get.stdout);
    assert_eq!(sbom(&[&trusting[..], &["-o", "table"]].concat()).code, 2);

    // Nobody is trusted: ours is printed, theirs is named.
    let ours = sbom(&[]);
    assert_eq!(ours.code, 0, "{}", ours.stderr);
    assert!(ours.stderr.contains(&format!("attached and not used: spdx, which {IDENTITY} claims")), "{}", ours.stderr);
    let document = ours.json();
    check(&document);
    let image = package(&document, &format!("{name}@{}", amd64.digest));
    let purl = image["externalRefs"][0]["referenceLocator"].as_str().expect("a purl");
    assert!(purl.starts_with(&format!("pkg:oci/app@{}?", amd64.digest)), "{purl}");
    // Content is content, whatever the policy.
    assert_eq!(sbom(&[&trusting[..], &["--source", "content"]].concat()).stdout, ours.stdout);
    assert_eq!(sbom(&["--source", "attached"]).code, 2);
}

#[tokio::test]
async fn spdx_3_is_written_where_it_is_asked_for() {
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let ran = cg_attest(["sbom", &folder.name(), "-o", "spdx3-json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = ran.json();
    assert_eq!(document["@context"], "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
    let objects = document["@graph"].as_array().expect("a graph");
    let app = objects.iter().find(|object| object["name"] == "app").expect("the package");
    let purl = "pkg:apk/wolfi/app@1-r0?arch=x86_64&distro=wolfi-20230201&upstream=app-src";
    assert_eq!((&app["type"], &app["software_packageUrl"]), (&"software_Package".into(), &purl.into()));
    // The same bytes elsewhere, and into the file that is named.
    let again = cg_attest_with(["sbom", &folder.name(), "-o", "spdx3-json"], &[("LC_ALL", "tr_TR.UTF-8")], "");
    assert_eq!(again.stdout, ran.stdout);
    let file = folder.file("out.json", "");
    let output = format!("spdx3-json={}", file.display());
    let written = cg_attest(["sbom", &folder.name(), "-o", &output]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), ran.stdout);
    for wrong in ["cyclonedx", "spdx-json=", "=x"] {
        let ran = cg_attest(["sbom", &folder.name(), "-o", wrong]);
        assert_eq!(ran.code, 2, "{wrong}");
        assert!(ran.stderr.contains("wanted"), "{}", ran.stderr);
    }
    assert_eq!(cg_attest(["sbom", &folder.name(), "-o", &output, "--output-file", "x"]).code, 2);
}

#[tokio::test]
async fn all_platforms_have_a_document_each_and_the_index_one() {
    let folder = Folder::with(&[&image().build().upload]).await;
    let out = tempfile::tempdir().expect("a folder");
    let read = |name: &str| -> Value {
        let bytes =
            std::fs::read(out.path().join("sboms").join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice(&bytes).expect("JSON")
    };
    for format in ["spdx-json", "spdx3-json"] {
        let output = format!("{format}={}", out.path().join("sboms").display());
        let ran = cg_attest(["sbom", &folder.name(), "--platform", "all", "-o", &output]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    }
    let index = read("sbom-index.spdx.json");
    check_index(&index);
    for (platform, file) in [("linux/amd64", "sbom-linux-amd64.spdx"), ("linux/arm64", "sbom-linux-arm64.spdx")] {
        let document = read(&format!("{file}.json"));
        check(&document);
        let alone = cg_attest(["sbom", &folder.name(), "--platform", platform]);
        assert_eq!(alone.json(), document);
        // The index calls it what it calls itself.
        let image = &document["relationships"][0]["relatedSpdxElement"];
        let listed = index["packages"].as_array().expect("packages");
        assert!(listed.iter().any(|package| package["SPDXID"] == *image), "{image}");
        assert!(read(&format!("{file}3.json"))["@graph"].is_array());
    }
    assert!(read("sbom-index.spdx3.json").to_string().contains("hasVariant"));
    let files = std::fs::read_dir(out.path().join("sboms")).expect("the folder").count();
    assert_eq!(files, 6);
    // Several documents need a place; one image has no index.
    let nowhere = cg_attest(["sbom", &folder.name(), "--platform", "all"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("--platform all -o spdx-json=FOLDER"), "{}", nowhere.stderr);
}

/// Images are variants of the index, which the document is about.
fn check_index(document: &Value) {
    let relations = document["relationships"].as_array().expect("relationships");
    let described = &relations[0];
    assert_eq!(
        (&described["spdxElementId"], &described["relationshipType"]),
        (&"SPDXRef-DOCUMENT".into(), &"DESCRIBES".into())
    );
    assert_eq!(relations.len(), 3);
    for relation in &relations[1..] {
        assert_eq!(relation["relationshipType"], "VARIANT_OF");
        assert_eq!(relation["relatedSpdxElement"], described["relatedSpdxElement"]);
    }
    // It is as old as the images, not as the clock.
    assert_eq!(document["creationInfo"]["created"], "2026-03-02T11:00:00Z");
}

#[tokio::test]
async fn signed_documents_of_all_platforms_are_written_as_they_are() {
    let scene = Scene::bare().await;
    for platform in ["linux/amd64", "linux/arm64"] {
        let platform = scene.platform(platform).clone();
        scene.attach(&platform, Statement::spdx).await;
    }
    let out = tempfile::tempdir().expect("a folder");
    let output = format!("spdx-json={}", out.path().display());
    let (name, trusting) = (scene.name(), scene.trusting());
    let trusting: Vec<&str> = trusting.iter().map(String::as_str).collect();
    let ran = cg_attest([&["sbom", &name, "--platform", "all", "-o", &output], &trusting[..]].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    for platform in ["linux/amd64", "linux/arm64"] {
        let alone = cg_attest([&["sbom", &name, "--platform", platform], &trusting[..]].concat());
        let file = out.path().join(format!("sbom-{}.spdx.json", platform.replace('/', "-")));
        assert_eq!(std::fs::read_to_string(file).expect("the file"), alone.stdout.trim_end());
    }
    assert_eq!(std::fs::read_dir(out.path()).expect("the folder").count(), 2, "nothing that nobody signed");
}

#[tokio::test]
async fn a_table_is_for_people() {
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let ran = cg_attest(["sbom", &folder.name(), "-o", "table"]);
    assert_eq!(ran.code, 0);
    let wanted = "PACKAGE  VERSION  TYPE  LICENSE         LAYER\napp      1-r0     apk   MIT AND custom  2\n\
        zlib     1.3-r4   apk   Zlib            2\n\n2 packages · wolfi · 2 layers\n\
        1 of 3 files and 2 B of 201 B belong to a package\n0 of 1 executables belong to no package\n";
    assert_eq!(ran.stdout, wanted);
}

#[tokio::test]
async fn files_are_listed_where_they_are_asked_for() {
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let plain = cg_attest(["sbom", &folder.name()]);
    assert!(
        !plain.stdout.contains("\"files\"") && !plain.stdout.contains("packageVerificationCode"),
        "{}",
        plain.stdout
    );
    let ran = cg_attest(["sbom", &folder.name(), "--files"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = ran.json();
    let files = document["files"].as_array().expect("files");
    let names: Vec<&str> = files.iter().map(|file| file["fileName"].as_str().expect("a name")).collect();
    assert_eq!(names, ["./etc/os-release", "./usr/bin/app", "./usr/lib/apk/db/installed"]);
    // printf '#!' | sha1sum, and of that text again: the code of the one file that the package has.
    assert_eq!(files[1]["checksums"][0]["checksumValue"], "2d46bc445fe5eef1125228cce271ca63a02b246d");
    let app = package(&document, "app");
    assert_eq!(app["filesAnalyzed"], true);
    assert_eq!(
        app["packageVerificationCode"]["packageVerificationCodeValue"],
        "beb6b4e305298fb7c9ce94903bb2ed6f2eedb937"
    );
    assert_eq!(package(&document, "zlib")["filesAnalyzed"], false);
    let image = package(&document, document["name"].as_str().expect("a name"));
    let holds = |holder: &Value| -> Vec<&str> {
        let relations = document["relationships"].as_array().expect("relationships").iter();
        let held =
            relations.filter(|one| one["spdxElementId"] == holder["SPDXID"] && one["relationshipType"] == "CONTAINS");
        let file = |id: &Value| files.iter().position(|file| file["SPDXID"] == *id).map(|at| names[at]);
        held.filter_map(|one| file(&one["relatedSpdxElement"])).collect()
    };
    assert_eq!(holds(app), ["./usr/bin/app"]);
    assert_eq!(holds(image), ["./etc/os-release", "./usr/lib/apk/db/installed"]);
    assert!(app["packageVerificationCode"] != image["packageVerificationCode"], "{app} {image}");
    // Whatever the version, folder and locale, it is the same list, and the same packages without it.
    let newer = cg_attest(["sbom", &folder.name(), "--files", "-o", "spdx3-json"]);
    assert_eq!(newer.stdout.matches("\"software_File\"").count(), 3, "{}", newer.stdout);
    for (text, args) in [(&ran.stdout, &["--files"][..]), (&newer.stdout, &["--files", "-o", "spdx3-json"])] {
        let valid = cg_attest_with(["sbom", "validate", "-"], &[], text);
        assert_eq!((valid.code, valid.stdout.as_str()), (0, ""), "{}", valid.stderr);
        let again = cg_attest_with([&["sbom", &folder.name()], args].concat(), &[("LC_ALL", "tr_TR.UTF-8")], "");
        assert_eq!(again.stdout, *text);
        let document = folder.file("listed.spdx.json", text);
        let checked = cg_attest(["check", &folder.name(), "--sbom", document.to_str().expect("UTF-8")]);
        assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    }
    for wrong in
        [&["--files", "-o", "table"][..], &["--files", "--source", "attached"], &["--files", "--allow-unsigned"]]
    {
        let ran = cg_attest([&["sbom", &folder.name()], wrong].concat());
        assert!(ran.code == 2 && ran.stderr.contains("--source content --files"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn where_nothing_names_a_licence_its_text_is_given() {
    let debs = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n\
        Package: b\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";
    let layer = LayerBuilder::new().file("var/lib/dpkg/status", debs);
    let layer = layer.file("usr/share/doc/a/copyright", "Made by A.\n\nDo with it\n  what you like.\n");
    let layer = layer.symlink("usr/share/doc/b", "a");
    let folder = Folder::with(&[&only_amd64(ImageBuilder::new().layers([layer])).build().upload]).await;
    let document = cg_attest(["sbom", &folder.name()]).json();
    check(&document);
    let license = &package(&document, "a")["licenseDeclared"];
    assert!(license.as_str().expect("a text").starts_with("LicenseRef-text-"), "{license}");
    assert_eq!(package(&document, "b")["licenseDeclared"], *license);
    let text = &document["hasExtractedLicensingInfos"][0]["extractedText"];
    assert_eq!(text, "Made by A.\n\nDo with it\n  what you like.");
    let table = cg_attest(["sbom", &folder.name(), "-o", "table"]).stdout;
    assert!(table.contains("a        1        deb   (text)   1\n"), "{table}");
    let same = cg_attest(["diff", &folder.name(), &folder.name(), "--exit-code"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
}

#[tokio::test]
async fn history_is_what_later_layers_hid() {
    let newer = LayerBuilder::new().file("usr/lib/apk/db/installed", "P:zlib\nV:1.3.1-r0\nA:x86_64\nL:Zlib\n\n");
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let none = cg_attest(["sbom", &folder.name(), "-o", "table", "--history"]);
    assert!(none.stdout.ends_with("\n\nno layer hides a package of another\n"), "{}", none.stdout);
    let base = LayerBuilder::new().file("usr/lib/apk/db/installed", DATABASE);
    let folder = Folder::with(&[&only_amd64(ImageBuilder::new().layers([base, newer])).build().upload]).await;
    let ran = cg_attest(["sbom", &folder.name(), "-o", "table", "--history"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let wanted = "\n\nHIDDEN  VERSION  TYPE  LAYER  WHAT BECAME OF IT\napp     1-r0     apk   1      removed in layer 2\n\
        zlib    1.3-r4   apk   1      1.3.1-r0 in layer 2\n";
    assert!(ran.stdout.ends_with(wanted), "{}", ran.stdout);
    assert!(!cg_attest(["sbom", &folder.name(), "-o", "table"]).stdout.contains("HIDDEN"));
    assert_eq!(cg_attest(["sbom", &folder.name(), "--history"]).code, 2);
}

#[test]
fn a_folder_is_read_as_the_root_of_an_image() {
    let root = tempfile::tempdir().expect("a folder");
    let at = |path: &str| root.path().join(path);
    std::fs::create_dir_all(at("usr/lib/apk/db")).expect("a folder");
    std::fs::write(at("usr/lib/apk/db/installed"), DATABASE).expect("a file");
    std::os::unix::fs::symlink("usr/lib", at("lib")).expect("a link");
    let name = format!("dir:{}", root.path().display());
    let ran = cg_attest(["sbom", &name]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = ran.json();
    check(&document);
    assert!(!ran.stdout.contains(root.path().to_str().expect("UTF-8")), "the path is nobody's business");
    package(&document, "zlib");
    // A database that is a link out of the folder is not the machine's own.
    std::fs::remove_file(at("usr/lib/apk/db/installed")).expect("it is there");
    let outside = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(outside.path(), DATABASE).expect("a file");
    std::os::unix::fs::symlink(outside.path(), at("usr/lib/apk/db/installed")).expect("a link");
    let ran = cg_attest(["sbom", &name]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("it is a link that leads nowhere") && !ran.stdout.contains("zlib"), "{}", ran.stderr);
}

#[test]
fn archives_of_docker_save_are_read() {
    let Some(corpus) = corpus::folder() else { return };
    for archive in [
        "osv-scalibr/image-tars/basic.tar",
        "osv-scalibr/image-tars/overwrite-file.tar",
        "go-containerregistry/tarball/test_image_1.tar",
    ] {
        let name = format!("docker-archive:{}", corpus.join(archive).display());
        let ran = cg_attest(["sbom", &name]);
        assert_eq!(ran.code, 0, "{archive}: {}", ran.stderr);
        check(&ran.json());
    }
}

#[test]
fn recorded_databases_have_the_packages_of_their_goldens() {
    let Some(corpus) = corpus::folder() else { return };
    let names = |document: &Value, kind: &str| -> BTreeSet<String> {
        let packages = document["packages"].as_array().expect("packages").iter();
        let purls = packages.filter_map(|package| package["externalRefs"][0]["referenceLocator"].as_str());
        let short = |purl: &str| purl.split('?').next().and_then(|purl| purl.rsplit('/').next()).map(str::to_owned);
        purls.filter(|purl| purl.starts_with(kind)).filter_map(short).collect()
    };
    for (layout, golden) in
        [("apko/golden", "sboms/sbom-x86_64.spdx.json"), ("apko/base_image", "sboms/sbom-x86_64.spdx.json")]
    {
        let layout = corpus.join(layout);
        let ran = cg_attest(["sbom", &format!("oci:{}", layout.display()), "--platform", "linux/amd64"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let document = ran.json();
        check(&document);
        let golden = std::fs::read_to_string(layout.join(golden)).expect("the golden document");
        // One is recorded with a comma too many at its end.
        let golden = golden.replace("},\n  ]\n}", "}\n  ]\n}");
        let golden: Value = serde_json::from_str(&golden).expect("JSON");
        assert_eq!(names(&document, "pkg:apk/"), names(&golden, "pkg:apk/"));
    }
}

#[tokio::test]
async fn what_is_made_here_is_valid_and_what_is_broken_is_not() {
    let folder = Folder::with(&[&only_amd64(image()).build().upload]).await;
    let document = cg_attest(["sbom", &folder.name()]).stdout;
    let validate = |text: &str| cg_attest_with(["sbom", "validate", "-"], &[], text);
    let good = validate(&document);
    assert_eq!((good.code, good.stdout.as_str()), (0, ""), "{}", good.stderr);
    let bad = validate(&document.replace("\"MIT AND LicenseRef-custom\"", "\"MIT or custom\""));
    assert_eq!(bad.code, 1);
    assert!(bad.stdout.contains("licenseDeclared: \"MIT or custom\" is no licence expression"), "{}", bad.stdout);
    assert!(bad.stderr.contains("error[sbom-invalid]"), "{}", bad.stderr);
}
