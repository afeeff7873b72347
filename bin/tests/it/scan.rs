//! What is in an image: layers laid over each other, and layers that are made to deceive.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::image::{ImageDocument, ImageName, Repository};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Memory, Pull as _};
use cg_attest::sbom::{self, Format, Options};
use cg_attest::scan::{self, Contents, Progress, ScanError};
use cg_attest::testing::{ImageBuilder, LayerBuilder};

const APK: &str = "lib/apk/db/installed";
const STATUS: &str = "var/lib/dpkg/status";

fn layer() -> LayerBuilder {
    LayerBuilder::new()
}

/// A package in the form of apk's database.
fn apk(name: &str, version: &str) -> String {
    format!("P:{name}\nV:{version}\nA:x86_64\nL:MIT\nF:usr/bin\nR:{name}\n\n")
}

fn deb(name: &str, version: &str) -> String {
    format!("Package: {name}\nStatus: install ok installed\nVersion: {version}\nArchitecture: amd64\n\n")
}

async fn scan_within(layers: Vec<LayerBuilder>, limits: Limits, threads: usize) -> Result<Contents, ScanError> {
    scan_watched(layers, limits, threads, &Watch::default()).await
}

async fn scan_watched(
    layers: Vec<LayerBuilder>,
    limits: Limits,
    threads: usize,
    watch: &Watch,
) -> Result<Contents, ScanError> {
    let image = ImageBuilder::new().layers(layers).build();
    let (registry, context) = (Memory::new(), Context::new(limits));
    let repository: Repository = "registry.example/app".parse().expect("a repository");
    image.upload.push(&registry, &context, &repository).await.expect("memory takes everything");
    let name = ImageName::Digest(image.platforms[0].1.digest.clone());
    let fetched = registry.manifest(&context, &repository, &name).await.expect("memory").expect("it is there");
    let Ok(ImageDocument::Manifest(manifest)) = ImageDocument::parse(fetched.blob, None) else { panic!("no manifest") };
    let threads = NonZeroUsize::new(threads).expect("one or more");
    let options = scan::Options::new().threads(threads).progress(watch);
    scan::image(&registry, &context, &repository, &manifest, &options).await
}

/// Bytes said beforehand, bytes that arrived, and packages; none while a layer is on its way.
type Told = (u64, u64, Option<usize>);

/// What was told of each layer.
#[derive(Default)]
struct Watch(Mutex<BTreeMap<Digest, Told>>);

impl Progress for Watch {
    fn begin(&self, layer: &Digest, bytes: u64) {
        self.0.lock().expect("ours").insert(layer.clone(), (bytes, 0, None));
    }

    fn arrived(&self, layer: &Digest, bytes: u64) {
        self.0.lock().expect("ours").get_mut(layer).expect("it began").1 += bytes;
    }

    fn end(&self, layer: &Digest, packages: usize) {
        self.0.lock().expect("ours").get_mut(layer).expect("it began").2 = Some(packages);
    }
}

async fn scan(layers: impl IntoIterator<Item = LayerBuilder>) -> Result<Contents, ScanError> {
    scan_within(layers.into_iter().collect(), Limits::default(), 2).await
}

/// `name version layer` of every package.
fn packages(contents: &Contents) -> Vec<String> {
    assert_eq!(contents.problems, []);
    contents.packages.iter().map(|p| format!("{} {} {}", p.name, p.version, p.layer)).collect()
}

/// The reason code of a failure.
async fn refused(layers: impl IntoIterator<Item = LayerBuilder>) -> Option<Code> {
    scan(layers).await.err().map(|error| error.code())
}

fn with(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// What could not be read of the image, `path: detail`.
async fn problems(layers: impl IntoIterator<Item = LayerBuilder>) -> Vec<String> {
    let contents = scan(layers).await.expect("the layers are read");
    contents.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.detail)).collect()
}

#[tokio::test]
async fn the_last_version_of_a_database_counts_and_the_first_layer_of_a_package() {
    let first = layer().file(APK, apk("a", "1") + &apk("b", "1")).gzip();
    let second = layer().file(APK, apk("a", "1") + &apk("b", "2")).zstd();
    let third = layer().file(APK, apk("a", "1") + &apk("b", "2") + &apk("c", "1"));
    let found = scan([first.clone(), second.clone(), third.clone()]).await.expect("three layers");
    assert_eq!(packages(&found), ["a 1 0", "b 2 1", "c 1 2"]);
    // Gone, hidden with its folder, replaced by something that is no database.
    assert_eq!(packages(&scan([first.clone(), layer().whiteout(APK)]).await.expect("layers")), [""; 0]);
    assert_eq!(packages(&scan([first.clone(), layer().opaque("lib/apk")]).await.expect("layers")), [""; 0]);
    assert_eq!(packages(&scan([first.clone(), layer().file("lib", "x")]).await.expect("layers")), [""; 0]);
    let back = layer().whiteout(APK).file(APK, apk("d", "1"));
    assert_eq!(packages(&scan([first, back]).await.expect("layers")), ["d 1 1"]);
}

#[tokio::test]
async fn what_later_layers_hide_is_history() {
    let history = async |layers: Vec<LayerBuilder>| -> Vec<String> {
        let contents = scan(layers).await.expect("the layers are read");
        let gone = contents.history.iter().map(|hidden| {
            let (package, gone_in) = (&hidden.package, hidden.gone_in.expect("a layer"));
            format!("{} {} {} {gone_in} {:?}", package.name, package.version, package.layer, hidden.replaced_by)
        });
        gone.collect()
    };
    let first = layer().file(APK, apk("a", "1") + &apk("b", "1"));
    let second = layer().file(APK, apk("a", "1") + &apk("b", "2"));
    let third = layer().file(APK, apk("b", "3"));
    assert_eq!(history(vec![first.clone()]).await, [""; 0]);
    assert_eq!(history(vec![first.clone(), layer().file("x", "y")]).await, [""; 0]);
    let replaced = [r#"b 1 0 1 Some("2")"#];
    assert_eq!(history(vec![first.clone(), second.clone()]).await, replaced);
    let all = ["a 1 0 2 None", r#"b 1 0 1 Some("3")"#, r#"b 2 1 2 Some("3")"#];
    assert_eq!(history(vec![first.clone(), second.clone(), third]).await, all);
    // However the database goes.
    for gone in [layer().whiteout(APK), layer().whiteout("lib"), layer().opaque("lib/apk"), layer().file("lib", "x")] {
        let found = history(vec![first.clone(), layer(), gone]).await;
        assert_eq!(found, ["a 1 0 2 None", "b 1 0 2 None"]);
    }
    // A package that is at another place now is not hidden.
    let moved = layer().whiteout(APK).file("usr/lib/apk/db/installed", apk("a", "1"));
    assert_eq!(history(vec![first, moved]).await, ["b 1 0 1 None"]);
    // Packages that are one file.
    let json = |version: &str| format!(r#"{{"name":"n","version":"{version}"}}"#);
    let path = "app/node_modules/n/package.json";
    let (old, new) = (layer().file(path, json("1")), layer().file(path, json("2")));
    assert_eq!(history(vec![old.clone(), new]).await, [r#"n 1 0 1 Some("2")"#]);
    assert_eq!(history(vec![old, layer().whiteout("app/node_modules")]).await, ["n 1 0 1 None"]);
}

#[tokio::test]
async fn the_answer_does_not_depend_on_threads_or_compression() {
    let database = |n: usize| (0..=n).map(|n| apk(&format!("p{n}"), "1")).collect::<String>();
    let layers: Vec<_> =
        (0..6).map(|n| layer().file(APK, database(n)).executable(&format!("usr/bin/p{n}"), "#!")).collect();
    let document = async |threads: usize| {
        let contents = scan_within(layers.clone(), Limits::default(), threads).await.expect("an image");
        let mut out = Vec::new();
        sbom::write(Format::Spdx23, &contents, &Options::new(), &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    };
    let one = document(1).await;
    assert_eq!(one, document(8).await);
    assert_eq!(one, document(3).await);
    assert!(one.contains("\"SPDXRef-Package-apk-p5-1\"") && one.contains("2026-03-02T11:00:00Z"), "{one}");
}

#[tokio::test]
async fn every_spelling_of_a_path_is_the_same_file() {
    for path in
        [APK, "./lib/apk/db/installed", "/lib/apk/db/installed", "lib//apk/./db/installed", "x/../lib/apk/db/installed"]
    {
        let found = scan([layer().file(path, apk("a", "1"))]).await.expect("a layer");
        assert_eq!(packages(&found), ["a 1 0"], "{path}");
    }
    // The last of two entries wins, as when it is unpacked.
    let twice = layer().file(APK, apk("a", "1")).file("./lib/apk/db/installed", apk("b", "1"));
    assert_eq!(packages(&scan([twice]).await.expect("a layer")), ["b 1 0"]);
}

#[tokio::test]
async fn databases_are_found_behind_links_of_other_layers() {
    let real = layer().file("usr/lib/apk/db/installed", apk("a", "1"));
    for links in [
        layer().symlink("lib", "usr/lib"),
        layer().symlink("lib", "/usr/lib"),
        layer().symlink("lib", "../../usr/lib"),
        layer().symlink("lib/apk", "../usr/lib/apk"),
    ] {
        assert_eq!(packages(&scan([real.clone(), links]).await.expect("layers")), ["a 1 0"]);
    }
    // A file that no reader would look at becomes the database, by a link or by another name.
    let odd = layer().file("opt/x", deb("b", "1"));
    for link in [layer().symlink(STATUS, "/opt/x"), layer().hard_link(STATUS, "opt/x")] {
        assert_eq!(packages(&scan([odd.clone(), link]).await.expect("layers")), ["b 1 0"]);
    }
    // A later layer reaches the database through a link that only the image has.
    let base = layer().file(STATUS, deb("a", "1")).symlink("x", "var/lib/dpkg");
    let hidden = layer().file("x/status", deb("b", "2"));
    assert_eq!(packages(&scan([base, hidden]).await.expect("layers")), ["b 2 1"]);
}

#[tokio::test]
async fn two_databases_of_apk_are_both_read_and_may_not_contradict_each_other() {
    let two = |version: &str| {
        let other = apk("a", version) + &apk("b", "1");
        layer().file(APK, apk("a", "1")).file("usr/lib/apk/db/installed", other)
    };
    assert_eq!(packages(&scan([two("1")]).await.expect("a layer")), ["a 1 0", "b 1 0"]);
    assert_eq!(problems([two("2")]).await, [format!("usr/lib/apk/db/installed: a is 2 here and 1 in {APK}")]);
}

#[tokio::test]
async fn a_link_to_nowhere_is_a_database_that_cannot_be_read() {
    assert_eq!(problems([layer().file("opt/x", "").symlink(APK, "/opt/x")]).await, [""; 0]);
    let nowhere = [format!("{APK}: it is a link that leads nowhere")];
    assert_eq!(problems([layer().symlink(APK, "/etc/absent")]).await, nowhere);
    let endless = [format!("{APK}: it leads through links without an end")];
    assert_eq!(problems([layer().symlink(APK, "/a").symlink("a", "b").symlink("b", "a")]).await, endless);
    let folder = [format!("{APK}: it is no regular file")];
    assert_eq!(problems([layer().folder(APK)]).await, folder);
}

#[tokio::test]
async fn a_damaged_database_makes_the_document_say_so() {
    let good = apk("a", "1");
    assert_eq!(problems([layer().file(APK, &good)]).await, [""; 0]);
    let contents = scan([layer().file(APK, good + "P:b\n\n")]).await.expect("the layer is read");
    assert_eq!(contents.packages.len(), 1);
    assert_eq!(contents.problems[0].code(), Code::SbomIncomplete);
    let mut out = Vec::new();
    sbom::write(Format::Spdx23, &contents, &Options::new(), &mut out).expect("memory");
    let document: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    assert!(document["comment"].as_str().is_some_and(|text| text.starts_with("INCOMPLETE: ")), "{document}");
    let annotation = document["annotations"][0]["comment"].as_str().expect("an annotation");
    assert_eq!(
        annotation,
        format!("sbom-incomplete: apk database {APK}: line 9: a package without name (P:) or version (V:)")
    );
    // One that is too large to be read is no shorter list either.
    let limits = with(|limits| limits.whole_file = 10);
    let large = scan_within(vec![layer().file(APK, apk("a", "1"))], limits, 1).await.expect("the layer is read");
    assert_eq!((large.packages.len(), large.problems.len()), (0, 1));
    let limits = with(|limits| limits.packages = 1);
    let many = scan_within(vec![layer().file(APK, apk("a", "1") + &apk("b", "1"))], limits, 1).await;
    assert_eq!(many.expect("the layer is read").problems.len(), 1);
}

#[tokio::test]
async fn archives_that_lead_out_of_the_image_are_refused() {
    assert_eq!(refused([layer().file("a/../b", "")]).await, None);
    for outside in ["../b", "a/../../b", "/../b", ".."] {
        assert_eq!(refused([layer().file(outside, "")]).await, Some(Code::LayerInvalid), "{outside}");
    }
    let target = layer().file("etc/passwd", "");
    assert_eq!(refused([target.clone().hard_link("x", "/etc/passwd")]).await, None);
    assert_eq!(refused([target.clone().hard_link("x", "../etc/passwd")]).await, Some(Code::LayerInvalid));
    assert_eq!(refused([target.clone().hard_link("x", "etc/absent")]).await, Some(Code::LayerInvalid));
    // A symbolic link may say what it likes: it is followed inside the image.
    assert_eq!(refused([target.clone().symlink("x", "../../../etc/passwd")]).await, None);
    assert_eq!(refused([target.clone().symlink("x", "y").symlink("y", "x")]).await, None);
    let behind = layer().file("x/file", "");
    assert_eq!(refused([target.clone().symlink("x", "/etc"), behind.clone()]).await, None);
    assert_eq!(refused([target.symlink("x", "y").symlink("y", "x"), behind]).await, Some(Code::LayerInvalid));
    assert_eq!(refused([layer().whiteout("a")]).await, None);
    assert_eq!(refused([layer().whiteout("..")]).await, Some(Code::LayerInvalid));
    let long = "n".repeat(255);
    assert_eq!(refused([layer().file(&long, "")]).await, None);
    assert_eq!(refused([layer().file(&format!("{long}n"), "")]).await, Some(Code::LayerInvalid));
}

#[tokio::test]
async fn files_that_programs_read_differently_are_refused() {
    assert_eq!(refused([layer().entry(b'0', "a", "", 0o644, b"x")]).await, None);
    assert_eq!(refused([layer().entry(b'6', "pipe", "", 0o644, b"")]).await, None);
    assert_eq!(refused([layer().entry(b'S', "sparse", "", 0o644, b"x")]).await, Some(Code::LayerInvalid));
    assert_eq!(refused([layer().entry(b'Q', "odd", "", 0o644, b"x")]).await, Some(Code::LayerInvalid));
    let pax = |record: &str| layer().entry(b'x', "pax", "", 0o644, record.as_bytes()).file("a", "x");
    assert_eq!(refused([pax("19 comment=nothing\n")]).await, None);
    assert_eq!(refused([pax("22 GNU.sparse.major=1\n")]).await, Some(Code::LayerInvalid));
    assert_eq!(refused([pax("99 comment=nothing\n")]).await, Some(Code::LayerInvalid));
}

#[tokio::test]
async fn a_layer_is_what_the_configuration_and_the_manifest_say() {
    let good = layer().file("a", "x").gzip();
    assert_eq!(refused([good.clone()]).await, None);
    let other = Digest::sha256(b"other");
    assert_eq!(refused([good.clone().diff_id(other)]).await, Some(Code::DigestMismatch));
    for (media_type, code) in [
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", None),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", None),
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", Some(Code::LayerUnsupported)),
        ("application/vnd.oci.image.layer.v1.tar+xz", Some(Code::LayerUnsupported)),
        ("application/vnd.example.layer", Some(Code::LayerUnsupported)),
    ] {
        assert_eq!(refused([good.clone().media_type(media_type)]).await, code, "{media_type}");
    }
    // What the media type says of the compression is checked by the diff_id.
    assert_eq!(refused([good.media_type("application/vnd.oci.image.layer.v1.tar")]).await, None);
}

#[tokio::test]
async fn files_are_those_of_the_finished_image_with_checksums_of_all_of_their_bytes() {
    let large = "x".repeat(300_000);
    let below = layer().file(APK, apk("a", "1")).file("usr/bin/a", "old").file("gone", "x").symlink("bin", "usr/bin");
    let above = layer().file("bin/a", &large).whiteout("gone").hard_link("opt/a", "usr/bin/a").file("empty", "");
    let image = ImageBuilder::new().layers([below.gzip(), above.zstd()]).build();
    let (registry, context) = (Memory::new(), Context::new(Limits::default()));
    let repository: Repository = "registry.example/app".parse().expect("a repository");
    image.upload.push(&registry, &context, &repository).await.expect("memory takes everything");
    let name = ImageName::Digest(image.platforms[0].1.digest.clone());
    let fetched = registry.manifest(&context, &repository, &name).await.expect("memory").expect("it is there");
    let Ok(ImageDocument::Manifest(manifest)) = ImageDocument::parse(fetched.blob, None) else { panic!("no manifest") };
    let read = async |files: bool| {
        let options = scan::Options::new().files(files);
        scan::image(&registry, &context, &repository, &manifest, &options).await.expect("an image")
    };
    let (plain, listed) = (read(false).await, read(true).await);
    assert_eq!((&plain.files, &plain.packages, &plain.coverage), (&None, &listed.packages, &listed.coverage));
    let digest = |text: &str| Digest::sha256(text.as_bytes()).hex().to_owned();
    let found = listed.files.expect("they are asked for");
    let rows: Vec<_> = found
        .iter()
        .map(|file| {
            let sha256: String = file.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            (file.path.as_str(), file.size, sha256, file.package, file.layer)
        })
        .collect();
    let database = apk("a", "1");
    let wanted = [
        ("empty", 0, digest(""), None, 1),
        (APK, database.len() as u64, digest(&database), None, 0),
        ("opt/a", 300_000, digest(&large), None, 1),
        ("usr/bin/a", 300_000, digest(&large), Some(0), 1),
    ];
    assert_eq!(rows, wanted);
    // sha1sum of nothing.
    assert_eq!(found[0].sha1[..4], [0xda, 0x39, 0xa3, 0xee]);
}

#[tokio::test]
async fn what_is_kept_of_an_image_has_a_bound_whatever_it_is() {
    let within = async |layers: Vec<LayerBuilder>, kept_bytes| {
        scan_within(layers, with(|limits| limits.kept_bytes = kept_bytes), 1).await
    };
    // Two paths of 200 bytes and the link of one.
    let path = |name: &str| name.repeat(200);
    let paths = vec![layer().file(&path("a"), "").symlink(&path("b"), "x")];
    assert!(within(paths.clone(), 401).await.is_ok());
    assert_eq!(within(paths, 400).await.err().map(|error| error.code()), Some(Code::Limit));
    // Lists of files, as many as one likes, each as long as a file may be.
    let lists = |count: usize| -> Vec<LayerBuilder> {
        let list = "/usr/share/some/path\n".repeat(1000);
        (0..count).map(|n| layer().file(&format!("var/lib/dpkg/info/p{n}.list"), &list)).collect()
    };
    let problems = async |count| within(lists(count), 50_000).await.expect("the layers are read").problems;
    assert_eq!(problems(2).await, []);
    let over = problems(3).await;
    assert_eq!((over.len(), over[0].code()), (1, Code::SbomIncomplete));
    assert_eq!(over[0].detail, "what is known of the image has more than 50000 bytes");
}

#[tokio::test]
async fn bounds_hold_over_all_layers_together() {
    let image = || vec![layer().file("a", "x").gzip(), layer().file("b", "x").gzip()];
    let limited = async |limits: Limits| scan_within(image(), limits, 2).await.err().map(|error| error.code());
    assert_eq!(limited(Limits::default()).await, None);
    assert_eq!(limited(with(|limits| limits.layers = 1)).await, Some(Code::Limit));
    assert_eq!(limited(with(|limits| limits.layer_entries = 2)).await, None);
    assert_eq!(limited(with(|limits| limits.layer_entries = 1)).await, Some(Code::Limit));
    // Two archives of a file and their ends: four blocks of 512 bytes each.
    assert_eq!(limited(with(|limits| limits.layer_bytes = 4096)).await, None);
    assert_eq!(limited(with(|limits| limits.layer_bytes = 4095)).await, Some(Code::Limit));
}

#[tokio::test]
async fn packages_depend_own_and_cover() {
    let database = "P:app\nV:1\nD:so:libz.so.1 other !bad\nF:usr/bin\nR:app\n\nP:zlib\nV:2\np:so:libz.so.1=2\nF:lib\nR:libz.so\n\n";
    let files = layer()
        .folder("usr/lib")
        .symlink("lib", "usr/lib")
        .executable("usr/bin/app", "#!/bin/sh")
        .file("usr/lib/libz.so", b"\x7fELF..")
        .executable("opt/unknown", "#!/bin/sh")
        .hard_link("opt/twin", "opt/unknown")
        .file("etc/motd", "hello")
        .file("usr/lib/apk/db/installed", database);
    let contents = scan([files]).await.expect("a layer");
    assert_eq!(contents.dependencies, [(0, 1)]);
    let coverage = &contents.coverage;
    assert_eq!((coverage.files, coverage.owned_files), (5, 2));
    assert_eq!((coverage.executables, coverage.unowned_count), (3, 1));
    assert_eq!(coverage.unowned_executables, ["opt/twin"]);
    assert_eq!(coverage.owned_bytes, 15);
}

#[tokio::test]
async fn scripts_of_a_package_that_is_installed_are_its_own() {
    let info = |name: &str| format!("var/lib/dpkg/info/{name}");
    let files = layer()
        .file(STATUS, [deb("app", "1"), deb("lib", "1")].concat())
        .executable(&info("app.postinst"), "#!/bin/sh")
        .executable(&info("lib:amd64.prerm"), "#!/bin/sh")
        // Of a package that is not there, of another architecture, and of no kind that dpkg keeps.
        .executable(&info("gone.postinst"), "#!/bin/sh")
        .executable(&info("lib:arm64.prerm"), "#!/bin/sh")
        .executable(&info("app.backdoor"), "#!/bin/sh");
    let contents = scan([files]).await.expect("a layer");
    let unowned = ["app.backdoor", "gone.postinst", "lib:arm64.prerm"].map(info);
    assert_eq!(contents.coverage.unowned_executables, unowned);
}

#[tokio::test]
async fn both_places_of_apk_are_read() {
    let two = layer().file(APK, apk("a", "1")).file("usr/lib/apk/db/installed", apk("a", "1") + &apk("b", "1"));
    assert_eq!(packages(&scan([two]).await.expect("a layer")), ["a 1 0", "b 1 0"]);
}

#[tokio::test]
async fn who_watches_is_told_every_byte_of_every_layer_and_its_packages() {
    let watch = Watch::default();
    let layers = vec![
        layer().file(APK, apk("app", "1-r0")).gzip(),
        layer().file("etc/motd", vec![7; 300_000]),
        layer().file(APK, apk("app", "1-r0") + &apk("zlib", "1.3-r4")).zstd(),
    ];
    let contents = scan_watched(layers, Limits::default(), 3, &watch).await.expect("an image");
    let seen = watch.0.into_inner().expect("ours");
    let told: Vec<_> = contents.layers.iter().map(|layer| seen[&layer.digest]).collect();
    let wanted: Vec<_> = contents
        .layers
        .iter()
        .zip([1, 0, 2])
        .map(|(layer, packages)| (layer.size, layer.size, Some(packages)))
        .collect();
    assert_eq!(told, wanted);
    assert_eq!(contents.packages.len(), 2, "hidden packages are counted on the way and not in the end");

    // A layer that breaks off was begun and never ended.
    let watch = Watch::default();
    let broken = vec![layer().file(APK, apk("app", "1-r0")).diff_id(Digest::sha256(b"another"))];
    assert!(scan_watched(broken, Limits::default(), 1, &watch).await.is_err());
    assert!(watch.0.into_inner().expect("ours").values().all(|(size, read, end)| size == read && end.is_none()));
}
