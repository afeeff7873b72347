//! OCI layouts as other programs write them.

use std::fs;
use std::path::Path;

use cg_attest::code::Code;
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::image::{ImageDocument, ImageName, Repository};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Layout, Pull as _};

use crate::support::corpus;

struct Reader {
    layout: Layout,
    context: Context,
    repository: Repository,
}

impl Reader {
    fn open(path: &Path) -> Self {
        let layout = Layout::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let repository = "example.test/any".parse().expect("a repository");
        Self { layout, context: Context::new(Limits::default()), repository }
    }

    async fn at(&self, name: ImageName) -> Option<ImageDocument> {
        let fetched = self.layout.manifest(&self.context, &self.repository, &name).await.expect("an answer")?;
        Some(ImageDocument::parse(fetched.blob, fetched.media_type.as_deref()).expect("a document"))
    }

    async fn tag(&self, tag: &str) -> Option<String> {
        let document = self.at(ImageName::Tag(tag.to_owned())).await?;
        Some(document.blob().digest().short().to_owned())
    }

    async fn referrers(&self, digest: &str) -> Vec<String> {
        let digest: Digest = digest.parse().expect("a digest");
        let listing = self.layout.referrers(&self.context, &self.repository, &digest).await.expect("a listing");
        let mut found: Vec<_> = listing.descriptors.iter().map(|found| found.digest.short().to_owned()).collect();
        found.sort();
        found
    }

    fn images(&self) -> Vec<String> {
        let shown = |image: &cg_attest::registry::LayoutImage| {
            format!("{} {}", image.descriptor.digest.short(), image.tags.join(","))
        };
        self.layout.images().iter().map(shown).collect()
    }
}

#[tokio::test]
async fn regclient_layouts_have_referrers_by_subject_and_by_fallback_tag() {
    let Some(corpus) = corpus::folder() else { return };
    let reader = Reader::open(&corpus.join("regclient/testrepo"));
    assert_eq!(reader.tag("v1").await.as_deref(), Some("7ceb9b6bcc27"));
    let v2 = "sha256:dfae8f425735a5e3a72e40d6609e03079995511d48157c74d54801ff4430491e";
    assert_eq!(reader.referrers(v2).await, ["0484e93c23cd", "741132f956e1"]);
    let v3 = "sha256:6fe828b32b9b4572f32b16c1c0a4d675660b19ec207d010724309374252c2d6d";
    assert_eq!(reader.referrers(v3).await, ["819ff4564a5d", "ad460bc30198"]);
    // An index that refers to its own child: walked once.
    let child = "sha256:8e54c6754f08d22f85c7552bb1951b228b8194d29b14a1639dbe50868da0273e";
    assert_eq!(reader.referrers(child).await, ["d69399e05204"]);
    assert_eq!(reader.referrers(&format!("sha256:{}", "0".repeat(64))).await, [""; 0]);

    let images = reader.images();
    for image in &reader.layout.images() {
        assert!(reader.at(ImageName::Digest(image.descriptor.digest.clone())).await.is_some());
    }
    let tags: Vec<&str> = images.iter().filter_map(|image| image.split(' ').nth(1)).collect();
    assert_eq!(tags, ["b1", "b2", "b3", "v1", "v2", "v3", "a-docker", "a3", "ai", "a-example", "child", "mirror"]);
}

#[tokio::test]
async fn go_containerregistry_layouts_are_read() {
    let Some(corpus) = corpus::folder() else { return };
    let reader = Reader::open(&corpus.join("go-containerregistry/test_index"));
    // The entry `2` is a descriptor of something that is no image.
    assert_eq!(reader.images(), ["eebff607b162 1", "05f95b26ed10 3", "2b29a2b8dea3 4"]);
    assert_eq!(reader.tag("4").await.as_deref(), Some("2b29a2b8dea3"));
    let other = Reader::open(&corpus.join("go-containerregistry/test_gc_index"));
    assert_eq!(other.images(), reader.images());

    let docker_save = corpus.join("go-containerregistry/tarball/test_image_1.tar");
    let error = Layout::open(docker_save).expect_err("an image of the old docker save");
    assert_eq!(error.code(), Code::FileUnreadable);
    assert!(error.to_string().contains("no OCI layout"), "{error}");
}

#[tokio::test]
async fn names_of_containerd_and_docker_are_tags() {
    let Some(corpus) = corpus::folder() else { return };
    for layout in ["containerd-subject-layout", "no-provenance-index", "unsigned-index"] {
        let reader = Reader::open(&corpus.join("docker-attest").join(layout));
        assert!(reader.tag("test").await.is_some(), "{layout}");
        assert!(reader.tag("latest").await.is_none(), "{layout}");
        assert_eq!(reader.images().len(), 1, "{layout}");
    }
    let reader = Reader::open(&corpus.join("docker-attest/unsigned-index"));
    assert_eq!(reader.tag("docker.io/library/test-image:test").await, reader.tag("test").await);
}

#[tokio::test]
async fn the_image_of_apko_is_the_index_json() {
    let Some(corpus) = corpus::folder() else { return };
    for layout in ["golden", "base_image"] {
        let path = corpus.join("apko").join(layout);
        let reader = Reader::open(&path);
        let bytes = fs::read(path.join("index.json")).expect("a file");
        let digest = VerifiedBlob::of(bytes).digest().clone();
        assert_eq!(reader.images(), [format!("{} ", digest.short())]);
        assert!(matches!(reader.at(ImageName::Digest(digest)).await, Some(ImageDocument::Index(_))));
    }
}

#[tokio::test]
async fn evidence_that_cosign_saved_is_at_the_legacy_tags() {
    let Some(corpus) = corpus::folder() else { return };
    for version in ["1.5.0", "1.6.0", "1.8.0", "1.10.0", "2.1.0"] {
        let path = format!("slsa-verifier/container-v{version}/container_workflow_dispatch");
        let reader = Reader::open(&corpus.join(path));
        let [image] = reader.layout.images().try_into().expect("one image");
        let attestations = reader.tag(&image.descriptor.digest.tag(".att")).await;
        assert!(attestations.is_some(), "{version}");
        assert!(reader.tag(&image.descriptor.digest.tag(".sig")).await.is_none(), "{version}");
    }
}

/// The parser's answer for each document, or its refusal.
#[test]
fn manifests_of_every_kind_are_told_apart() {
    let Some(corpus) = corpus::folder() else { return };
    let folder = corpus.join("containers-image-manifests/manifest/testdata");
    let mut found: Vec<String> = Vec::new();
    for file in fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        let blob = VerifiedBlob::of(fs::read(&path).expect("a file"));
        let answer = match ImageDocument::parse(blob, None) {
            Ok(ImageDocument::Index(_)) => "index".to_owned(),
            Ok(ImageDocument::Manifest(_)) => "manifest".to_owned(),
            Ok(other) => panic!("a third kind: {other:?}"),
            Err(error) => error.code().to_string(),
        };
        found.push(format!("{}: {answer}", path.file_name().unwrap_or_default().to_string_lossy()));
    }
    found.sort();
    let wanted = [
        "non-json.manifest.json: manifest-invalid",
        "oci1.index.everything.json: index",
        "oci1.index.zstd-selection.json: index",
        "ocilist-variants.json: index",
        "ociv1.artifact.json: manifest-invalid",
        "ociv1.image.index.json: index",
        "ociv1nomime.image.index.json: index",
        "ociv1nomime.manifest.json: manifest",
        "unknown-version.manifest.json: manifest-invalid",
        "v2list.everything.json: index",
        "v2list.manifest.json: index",
        "v2s1.manifest.json: manifest-invalid",
        "v2s2.manifest.json: manifest",
        "v2s2nomime.manifest.json: manifest",
    ];
    assert_eq!(found, wanted);
}
