//! `check` by the command: twelve lies, one of each kind, and the honest image beside them, one change apart.

use cg_attest::digest::VerifiedBlob;
use cg_attest::image::media;
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Push as _};
use cg_attest::testing::{ImageBuilder, LayerBuilder};
use serde_json::{Value, json};

use crate::support::command::cg_attest;
use crate::support::folder::Folder;

const TITLE: &str = "org.opencontainers.image.title";

/// An image as apko makes it, with everything that it says of itself.
struct Scene {
    /// The version in which melange left a document of the package `app`.
    claimed: &'static str,
    apko: Value,
    /// The architecture by which the index lists it.
    listed_as: &'static str,
}

fn honest() -> Scene {
    let apko = json!({ "contents": { "packages": ["app=1-r0", "zlib"] }, "archs": ["amd64"], "annotations": { TITLE: "app" } });
    Scene { claimed: "1-r0", apko, listed_as: "amd64" }
}

impl Scene {
    async fn folder(&self) -> Folder {
        let claimed = json!({ "SPDXID": "SPDXRef-DOCUMENT", "documentDescribes": ["SPDXRef-p"],
            "packages": [{ "SPDXID": "SPDXRef-p", "name": "app", "versionInfo": self.claimed }] });
        let layer = LayerBuilder::new()
            .file("etc/os-release", "ID=wolfi\n")
            .file("usr/lib/apk/db/installed", "P:app\nV:1-r0\nA:x86_64\n\nP:zlib\nV:1.3-r4\nA:x86_64\n\n")
            .file("var/lib/db/sbom/app-1-r0.spdx.json", claimed.to_string())
            .file("etc/apko.json", self.apko.to_string());
        let image = ImageBuilder::new().layers([layer.gzip()]).image_annotation(TITLE, "app");
        let image = image.platforms(["linux/amd64".parse().expect("a platform")]).build();
        let folder = Folder::with(&[&image.upload]).await;
        let (name, _, index) = image.upload.manifests().last().expect("an index");
        let mut index: Value = serde_json::from_slice(index.bytes()).expect("JSON");
        index["manifests"][0]["platform"]["architecture"] = self.listed_as.into();
        let index = VerifiedBlob::of(index.to_string().into_bytes());
        let context = Context::new(Limits::default());
        let pushed = folder.layout().push_manifest(&context, folder.repository(), name, media::INDEX, &index).await;
        pushed.expect("a layout takes everything");
        folder
    }

    /// Exit code, the codes of what is found, and what was compared, with the image's own document but for one change.
    async fn check(&self, change: impl FnOnce(&mut Value)) -> (i32, String, String) {
        let folder = self.folder().await;
        let made = cg_attest(["sbom", &folder.name()]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let mut document = made.json();
        change(&mut document);
        let file = folder.file("app.spdx.json", &document.to_string());
        let ran = cg_attest(["check", &folder.name(), "--sbom", file.to_str().expect("UTF-8"), "-o", "json"]);
        let platform = ran.json()["platforms"][0].clone();
        let findings = platform["findings"].as_array().unwrap_or_else(|| panic!("{}", ran.stderr));
        let codes: Vec<&str> = findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect();
        (ran.code, codes.join(" "), platform["compared"].to_string())
    }
}

/// The package of this name in a document.
fn package<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    let packages = document["packages"].as_array_mut().expect("packages");
    packages.iter_mut().find(|package| package["name"] == name).expect("it is there")
}

/// Says something else in the package URL of `zlib`.
fn purl(document: &mut Value, right: &str, wrong: &str) {
    let locator = &mut package(document, "zlib")["externalRefs"][0]["referenceLocator"];
    let text = locator.as_str().expect("a purl").to_owned();
    assert!(text.contains(right), "{text}");
    *locator = text.replace(right, wrong).into();
}

#[tokio::test]
async fn the_honest_image_is_silent_and_everything_was_compared() {
    let (code, found, compared) = honest().check(|_| {}).await;
    assert_eq!((code, found.as_str()), (0, ""));
    for what in [
        "platform: index = configuration",
        "digest: sbom = manifest",
        "layers: sbom = manifest",
        "packages: sbom = layers",
        "packages: var/lib/db/sbom = image",
        "packages: etc/apko.json = image",
        "architecture: etc/apko.json = image",
        "annotations: apko configuration = image",
    ] {
        assert!(compared.contains(what), "{what}: {compared}");
    }
}

#[tokio::test]
async fn each_lie_of_a_document_is_found_by_its_code() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 7] = [
        (|d| d["packages"].as_array_mut().expect("a list").retain(|one| one["name"] != "zlib"), "sbom-package-missing"),
        (
            |d| {
                let mut more = package(d, "zlib").clone();
                more["externalRefs"][0]["referenceLocator"] = "pkg:apk/wolfi/made-up@1-r0".into();
                d["packages"].as_array_mut().expect("a list").push(more);
            },
            "sbom-package-extra",
        ),
        (|d| purl(d, "@1.3-r4", "@1.3-r5"), "sbom-version-differs"),
        (|d| purl(d, "arch=x86_64", "arch=aarch64"), "sbom-architecture-differs"),
        (|d| d["packages"][0]["checksums"][0]["checksumValue"] = "0".repeat(64).into(), "sbom-digest-differs"),
        (
            |d| {
                let locator = "pkg:oci/app?arch=arm64&os=linux";
                let reference = json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator });
                d["packages"][0]["externalRefs"] = json!([reference]);
            },
            "sbom-platform-differs",
        ),
        (|d| d["packages"][1]["checksums"][0]["checksumValue"] = "0".repeat(64).into(), "sbom-layers-differ"),
    ];
    for (change, code) in changes {
        let (exit, found, _) = honest().check(change).await;
        assert_eq!((exit, found.as_str()), (1, code));
    }
}

#[tokio::test]
async fn each_lie_of_the_image_about_itself_is_found_by_its_code() {
    let apko = |change: fn(&mut Value)| {
        let mut scene = honest();
        change(&mut scene.apko);
        scene
    };
    for (scene, code) in [
        (Scene { listed_as: "s390x", ..honest() }, "image-platform-differs"),
        (Scene { claimed: "2-r0", ..honest() }, "claim-package-differs"),
        (apko(|apko| apko["contents"]["packages"][0] = "app=2-r0".into()), "apko-file-package-differs"),
        (apko(|apko| apko["archs"][0] = "arm64".into()), "apko-file-architecture-differs"),
        (apko(|apko| apko["annotations"][TITLE] = "another".into()), "annotation-apko-differs"),
    ] {
        let (exit, found, _) = scene.check(|_| {}).await;
        assert_eq!((exit, found.as_str()), (1, code));
    }
}
