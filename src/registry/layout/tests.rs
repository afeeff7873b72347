#![expect(clippy::disallowed_methods, reason = "tests make the folders that they read")]

use std::fs;
use std::path::Path;

use futures_util::StreamExt as _;
use tempfile::TempDir;

use super::Layout;
use super::names::blob_name;
use crate::code::Code;
use crate::digest::{Algorithm, Digest, VerifiedBlob};
use crate::image::{Descriptor, ImageName, Repository, media};
use crate::limits::Limits;
use crate::registry::{Context, Fetched, Pull as _, Push as _, Referrers, RegistryError};

/// A layout folder that is put together file by file.
struct Folder {
    dir: TempDir,
    entries: Vec<String>,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("blobs/sha256")).expect("a folder");
        fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
        Self { dir, entries: Vec::new() }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, digest: &Digest) -> std::path::PathBuf {
        self.path().join(blob_name(digest))
    }

    fn blob(&self, content: &str) -> Digest {
        let digest = Digest::sha256(content.as_bytes());
        fs::write(self.file(&digest), content).expect("a file");
        digest
    }

    /// A blob with an entry in `index.json`, to which `more` is added.
    fn listed(&mut self, media_type: &str, content: &str, more: &str) -> Digest {
        let digest = self.blob(content);
        self.entries.push(entry(media_type, &digest, content.len(), more));
        digest
    }

    fn open(&self) -> Result<Layout, RegistryError> {
        self.open_within(&Limits::default())
    }

    fn open_within(&self, limits: &Limits) -> Result<Layout, RegistryError> {
        fs::write(self.path().join("index.json"), index(&self.entries)).expect("a file");
        Layout::open_within(self.path(), limits)
    }
}

fn entry(media_type: &str, digest: &Digest, size: usize, more: &str) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}{more}}}"#)
}

fn index(entries: &[String]) -> String {
    format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{}]}}"#, media::INDEX, entries.join(","))
}

fn manifest(content: &str, more: &str) -> String {
    let layer = entry("text/plain", &Digest::sha256(content.as_bytes()), content.len(), "");
    let config = entry(media::EMPTY, &Digest::sha256(b"{}"), 2, "");
    format!(r#"{{"schemaVersion":2,"mediaType":"{}","config":{config},"layers":[{layer}]{more}}}"#, media::MANIFEST)
}

fn subject(digest: &Digest) -> String {
    format!(r#","artifactType":"test/evidence","subject":{}"#, entry(media::MANIFEST, digest, 2, ""))
}

fn name(tag: &str) -> String {
    format!(r#","annotations":{{"org.opencontainers.image.ref.name":"{tag}"}}"#)
}

fn platform(architecture: &str) -> String {
    format!(r#","platform":{{"os":"linux","architecture":"{architecture}"}}"#)
}

fn context() -> Context {
    Context::new(Limits::default())
}

fn repository() -> Repository {
    "example.test/any".parse().expect("a repository")
}

async fn pull(layout: &Layout, name: impl Into<Name>) -> Result<Option<Fetched>, RegistryError> {
    layout.manifest(&context(), &repository(), &name.into().0).await
}

async fn digest_at(layout: &Layout, tag: &str) -> Option<Digest> {
    pull(layout, tag).await.expect("an answer").map(|fetched| fetched.blob.digest().clone())
}

async fn listing(layout: &Layout, digest: &Digest) -> Result<Referrers, RegistryError> {
    layout.referrers(&context(), &repository(), digest).await
}

async fn referrers(layout: &Layout, digest: &Digest) -> Vec<Digest> {
    let found = listing(layout, digest).await.expect("a listing");
    found.descriptors.into_iter().map(|descriptor| descriptor.digest).collect()
}

struct Name(ImageName);

impl From<&str> for Name {
    fn from(tag: &str) -> Self {
        Self(ImageName::Tag(tag.to_owned()))
    }
}

impl From<&Digest> for Name {
    fn from(digest: &Digest) -> Self {
        Self(ImageName::Digest(digest.clone()))
    }
}

#[tokio::test]
async fn a_tag_is_a_whole_name_or_what_follows_the_last_colon() {
    let mut folder = Folder::new();
    let one = folder.listed(media::MANIFEST, &manifest("one", ""), &name("docker.io/library/a:1"));
    let two = folder.listed(media::MANIFEST, &manifest("two", ""), &name("2"));
    let unlisted = folder.blob(&manifest("three", ""));
    let layout = folder.open().expect("a layout");
    assert_eq!(digest_at(&layout, "1").await.as_ref(), Some(&one));
    assert_eq!(digest_at(&layout, "docker.io/library/a:1").await.as_ref(), Some(&one));
    assert_eq!(digest_at(&layout, "2").await.as_ref(), Some(&two));
    assert_eq!(digest_at(&layout, "3").await, None);
    assert!(pull(&layout, &unlisted).await.expect("an answer").is_some());
    assert!(pull(&layout, &Digest::sha256(b"absent")).await.expect("an answer").is_none());
    let tags: Vec<_> = layout.images().into_iter().flat_map(|image| image.tags).collect();
    assert_eq!(tags, ["1", "2"]);

    folder.listed(media::MANIFEST, &manifest("four", ""), &name("ghcr.io/b:1"));
    let layout = folder.open().expect("a layout");
    assert_eq!(pull(&layout, "1").await.expect_err("two").code(), Code::RegistryProtocol);
    assert_eq!(digest_at(&layout, "docker.io/library/a:1").await.as_ref(), Some(&one));
    assert_eq!(layout.images()[0].tags, ["docker.io/library/a:1"]);
}

#[tokio::test]
async fn referrers_come_from_subjects_fallback_tags_and_nested_indexes() {
    let mut folder = Folder::new();
    let image = folder.listed(media::MANIFEST, &manifest("image", ""), "");
    let listed = folder.listed(media::MANIFEST, &manifest("listed", &subject(&image)), "");
    let nested = manifest("nested", &subject(&image));
    let nested_digest = folder.blob(&nested);
    let absent = entry(media::MANIFEST, &Digest::sha256(b"absent"), 6, "");
    let inner = index(&[entry(media::MANIFEST, &nested_digest, nested.len(), ""), absent]);
    folder.listed(media::INDEX, &inner, &name("outer"));
    let only_in_list = Digest::sha256(b"only in the list");
    let list = index(&[
        entry(media::MANIFEST, &only_in_list, 16, r#","artifactType":"test/listed""#),
        entry(media::MANIFEST, &listed, manifest("listed", &subject(&image)).len(), ""),
    ]);
    folder.listed(media::INDEX, &list, &name(&image.tag("")));
    let layout = folder.open().expect("a layout");
    let mut found = referrers(&layout, &image).await;
    found.sort();
    let mut wanted = vec![listed.clone(), nested_digest, only_in_list];
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(referrers(&layout, &listed).await.is_empty());
    let artifact_type = listing(&layout, &image).await.expect("a listing").descriptors;
    assert!(artifact_type.iter().any(|d| d.digest == listed && d.artifact_type.as_deref() == Some("test/evidence")));
    assert_eq!(layout.images().iter().map(|i| i.descriptor.digest.clone()).next(), Some(image));
    assert_eq!(layout.images().len(), 2, "the image and the outer index: {:?}", layout.images());
}

#[tokio::test]
async fn what_was_not_read_makes_a_listing_fail_not_empty() {
    let mut folder = Folder::new();
    let image = folder.listed(media::MANIFEST, &manifest("image", ""), "");
    let other = manifest("other", "");
    let other_digest = folder.listed(media::MANIFEST, &other, "");
    assert!(referrers(&folder.open().expect("a layout"), &image).await.is_empty());

    let limits = Limits { layout_entries: 1, ..Limits::default() };
    let code = |error: RegistryError| error.code();
    let layout = folder.open_within(&limits).expect("a layout");
    assert_eq!(listing(&layout, &image).await.map(|_| ()).map_err(code), Err(Code::Limit));

    fs::write(folder.file(&other_digest), other.replace("plain", "other")).expect("a file");
    let layout = folder.open().expect("a layout");
    assert_eq!(listing(&layout, &image).await.map(|_| ()).map_err(code), Err(Code::DigestMismatch));

    // Longer than it may be, and than its descriptor says: the second is found out without reading it.
    let limits = Limits { manifest_bytes: 4096, ..Limits::default() };
    fs::write(folder.file(&other_digest), format!("{other:9999}")).expect("a file");
    let layout = folder.open_within(&limits).expect("a layout");
    assert_eq!(listing(&layout, &image).await.map(|_| ()).map_err(code), Err(Code::DigestMismatch));

    fs::remove_file(folder.file(&other_digest)).expect("a file");
    let layout = folder.open().expect("a layout");
    assert_eq!(listing(&layout, &image).await.map(|_| ()).map_err(code), Err(Code::EvidenceAbsent));
    assert_eq!(pull(&layout, &other_digest).await.map(|_| ()).map_err(code), Err(Code::EvidenceAbsent));
    assert!(pull(&layout, &image).await.is_ok_and(|found| found.is_some()));
}

#[tokio::test]
async fn what_an_index_leads_to_is_counted_before_it_is_remembered() {
    let mut folder = Folder::new();
    let image = folder.listed(media::MANIFEST, &manifest("image", ""), "");
    // One manifest over and over is one that is looked at, and many that wait.
    let absent = vec![entry(media::MANIFEST, &Digest::sha256(b"absent"), 1, ""); 5];
    folder.listed(media::INDEX, &index(&absent), "");
    let code = async |layout_entries| {
        let limits = Limits { layout_entries, ..Limits::default() };
        let layout = folder.open_within(&limits).expect("a layout");
        listing(&layout, &image).await.map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(code(5).await, Ok(()));
    assert_eq!(code(4).await, Err(Code::Limit));
}

#[tokio::test]
async fn indexes_nested_too_deep_are_a_limit() {
    let mut folder = Folder::new();
    let image = manifest("image", "");
    let image_digest = folder.blob(&image);
    let mut inner = index(&[entry(media::MANIFEST, &image_digest, image.len(), "")]);
    let mut nest = || {
        let digest = folder.blob(&inner);
        let outer = entry(media::INDEX, &digest, inner.len(), "");
        inner = index(std::slice::from_ref(&outer));
        folder.entries = vec![outer];
    };
    nest();
    nest();
    assert!(listing(&folder.open().expect("a layout"), &image_digest).await.is_ok());
    let digest = folder.blob(&inner);
    folder.entries = vec![entry(media::INDEX, &digest, inner.len(), "")];
    let error = listing(&folder.open().expect("a layout"), &image_digest).await.expect_err("three levels");
    assert_eq!(error.code(), Code::Limit);
}

#[tokio::test]
async fn blobs_are_streamed_and_checked_to_the_end() {
    let mut folder = Folder::new();
    folder.listed(media::MANIFEST, &manifest("image", ""), "");
    let content = "x".repeat(600 << 10);
    let digest = folder.blob(&content);
    let layout = folder.open().expect("a layout");
    let (context, repository) = (context(), repository());
    let descriptor = Descriptor::new("text/plain", digest.clone(), content.len() as u64);
    let stream = layout.blob(&context, &repository, &descriptor).await.expect("an answer").expect("a blob");
    let chunks: Vec<_> = stream.collect().await;
    assert!(chunks.len() > 1 && chunks.iter().all(Result::is_ok));
    assert_eq!(context.bytes(), content.len() as u64);
    let whole = layout.blob_bytes(&context, &repository, &descriptor, 1 << 20).await.expect("an answer");
    assert_eq!(whole.expect("a blob").size(), content.len() as u64);

    let longer = Descriptor::new("text/plain", digest.clone(), content.len() as u64 + 1);
    let error = layout.blob(&context, &repository, &longer).await.map(|_| ()).expect_err("another size");
    assert_eq!(error.code(), Code::DigestMismatch);
    fs::write(folder.file(&digest), content.replacen('x', "y", 1)).expect("a file");
    let stream = layout.blob(&context, &repository, &descriptor).await.expect("an answer").expect("a blob");
    let last = stream.collect::<Vec<_>>().await.pop().expect("an end");
    assert_eq!(last.expect_err("another digest").code(), Code::DigestMismatch);
    let absent = Descriptor::new("text/plain", Digest::sha256(b"absent"), 6);
    assert!(layout.blob(&context, &repository, &absent).await.expect("an answer").is_none());
}

#[cfg(unix)]
#[tokio::test]
async fn links_and_devices_are_not_followed() {
    let mut folder = Folder::new();
    let content = manifest("image", "");
    let digest = folder.listed(media::MANIFEST, &content, "");
    assert!(pull(&folder.open().expect("a layout"), &digest).await.is_ok_and(|found| found.is_some()));

    let elsewhere = tempfile::tempdir().expect("a folder");
    let target = elsewhere.path().join("manifest");
    fs::rename(folder.file(&digest), &target).expect("moved");
    std::os::unix::fs::symlink(&target, folder.file(&digest)).expect("a link");
    let layout = folder.open().expect("a layout");
    assert_eq!(pull(&layout, &digest).await.expect_err("a link").code(), Code::RegistryProtocol);
    let blob = VerifiedBlob::of(content.clone().into_bytes());
    let error = layout.push_blob(&context(), &repository(), &blob).await.expect_err("a link");
    assert_eq!(error.code(), Code::RegistryProtocol);

    fs::remove_file(folder.file(&digest)).expect("removed");
    fs::rename(folder.path().join("blobs/sha256"), elsewhere.path().join("sha256")).expect("moved");
    std::os::unix::fs::symlink(elsewhere.path().join("sha256"), folder.path().join("blobs/sha256")).expect("a link");
    fs::rename(&target, elsewhere.path().join("sha256").join(digest.hex())).expect("moved");
    let layout = folder.open().expect("a layout");
    assert_eq!(pull(&layout, &digest).await.expect_err("a link").code(), Code::RegistryProtocol);
}

#[tokio::test]
async fn evidence_of_cosign_save_is_found_under_the_legacy_tags() {
    let kind = |kind: &str| format!(r#","annotations":{{"kind":"dev.cosignproject.cosign/{kind}"}}"#);
    let mut folder = Folder::new();
    let image = folder.listed(media::MANIFEST, &manifest("image", ""), &kind("image"));
    let signatures = folder.listed(media::MANIFEST, &manifest("signatures", ""), &kind("sigs"));
    let layout = folder.open().expect("a layout");
    assert_eq!(digest_at(&layout, &image.tag(".sig")).await.as_ref(), Some(&signatures));
    assert_eq!(digest_at(&layout, &image.tag(".att")).await, None);
    assert_eq!(digest_at(&layout, &signatures.tag(".sig")).await, None);
    assert_eq!(layout.images().len(), 1);

    // With two images nobody knows whose the evidence is.
    folder.listed(media::MANIFEST, &manifest("other", ""), &kind("image"));
    assert_eq!(digest_at(&folder.open().expect("a layout"), &image.tag(".sig")).await, None);
}

#[tokio::test]
async fn an_index_json_of_platforms_is_the_image() {
    let mut folder = Folder::new();
    let arm = folder.listed(media::MANIFEST, &manifest("arm", ""), &platform("arm64"));
    folder.listed(media::MANIFEST, &manifest("amd", ""), &platform("amd64"));
    let layout = folder.open().expect("a layout");
    let [image] = layout.images().try_into().expect("one image");
    let fetched = pull(&layout, &image.descriptor.digest).await.expect("an answer").expect("an index");
    assert_eq!(fetched.blob.bytes(), fs::read(folder.path().join("index.json")).expect("a file"));

    // Evidence about it does not change it.
    let evidence = VerifiedBlob::of(manifest("evidence", &subject(&image.descriptor.digest)).into_bytes());
    let at = ImageName::Digest(evidence.digest().clone());
    layout.push_manifest(&context(), &repository(), &at, media::MANIFEST, &evidence).await.expect("pushed");
    for layout in [layout, Layout::open(folder.path()).expect("a layout")] {
        assert_eq!(
            layout.images().iter().map(|i| &i.descriptor.digest).collect::<Vec<_>>(),
            [&image.descriptor.digest]
        );
        assert_eq!(referrers(&layout, &image.descriptor.digest).await, [evidence.digest().clone()]);
        assert!(pull(&layout, &arm).await.is_ok_and(|found| found.is_some()));
    }
}

#[test]
fn what_is_no_layout_says_so() {
    let folder = Folder::new();
    assert!(folder.open().is_ok());
    let marker = folder.path().join("oci-layout");
    for (content, code) in [
        (r#"{"imageLayoutVersion":"2.0.0"}"#, Code::RegistryProtocol),
        (r#"{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}"#, Code::RegistryProtocol),
        ("", Code::RegistryProtocol),
    ] {
        fs::write(&marker, content).expect("a file");
        assert_eq!(folder.open().expect_err(content).code(), code);
    }
    fs::remove_file(&marker).expect("a file");
    assert_eq!(folder.open().expect_err("no marker").code(), Code::FileUnreadable);
    assert_eq!(Layout::open(folder.path().join("absent")).expect_err("absent").code(), Code::FileUnreadable);

    fs::write(&marker, r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    let short = Limits { manifest_bytes: 40, ..Limits::default() };
    assert_eq!(folder.open_within(&short).expect_err("too long").code(), Code::Limit);
    let not_digests = r#"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:../../x","size":1}]}"#;
    fs::write(folder.path().join("index.json"), not_digests).expect("a file");
    assert_eq!(Layout::open(folder.path()).expect_err("no digest").code(), Code::RegistryProtocol);
}

#[tokio::test]
async fn what_is_pushed_is_there_for_the_next_reader() {
    let dir = tempfile::tempdir().expect("a folder");
    let layout = Layout::create(dir.path().join("new")).expect("a layout");
    let (context, repository) = (context(), repository());
    let push = async |name: Name, text: &str| {
        let media_type = if text.contains("manifests") { media::INDEX } else { media::MANIFEST };
        let blob = VerifiedBlob::of(text.as_bytes().to_vec());
        layout.push_manifest(&context, &repository, &name.0, media_type, &blob).await.map(|_| blob.digest().clone())
    };
    let of = |text: &str| Digest::sha256(text.as_bytes());
    let arm = manifest("arm", "");
    push((&of(&arm)).into(), &arm).await.expect("pushed");
    let image = index(&[entry(media::MANIFEST, &of(&arm), arm.len(), &platform("arm64"))]);
    let image = push("1".into(), &image).await.expect("pushed");
    let blob = VerifiedBlob::of(b"evidence".to_vec());
    layout.push_blob(&context, &repository, &blob).await.expect("pushed");
    let hijack = format!(r#"{}{}"#, subject(&image), name("1"));
    let evidence = manifest("evidence", &hijack);
    for _ in 0..2 {
        push((&of(&evidence)).into(), &evidence).await.expect("pushed");
    }
    for layout in [layout.clone(), Layout::open(dir.path().join("new")).expect("a layout")] {
        assert_eq!(digest_at(&layout, "1").await.as_ref(), Some(&image), "a referrer cannot take a tag");
        assert_eq!(layout.images().len(), 1, "{:?}", layout.images());
        let found = listing(&layout, &image).await.expect("a listing").descriptors;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].artifact_type.as_deref(), Some("test/evidence"));
        let descriptor = Descriptor::of("text/plain", &blob);
        assert!(layout.blob(&context, &repository, &descriptor).await.is_ok_and(|found| found.is_some()));
    }

    let newer = push("1".into(), &manifest("newer", "")).await.expect("pushed");
    assert_eq!(digest_at(&layout, "1").await.as_ref(), Some(&newer));
    assert!(pull(&layout, &image).await.is_ok_and(|found| found.is_some()), "the old one is there by digest");
    assert_eq!(layout.images().len(), 1);
    assert_eq!(referrers(&layout, &image).await.len(), 1);
    let wrong = push((&image).into(), &manifest("wrong", "")).await.expect_err("another digest");
    assert_eq!(wrong.code(), Code::DigestMismatch);
    let left: Vec<_> =
        fs::read_dir(dir.path().join("new")).expect("a folder").map(|e| e.expect("e").file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[tokio::test]
async fn fields_of_other_programs_stay_and_damaged_blobs_are_replaced() {
    let mut folder = Folder::new();
    folder.listed(media::MANIFEST, &manifest("image", ""), r#","x-other":{"a":[1]}"#);
    let layout = folder.open().expect("a layout");
    let blob = VerifiedBlob::of(manifest("new", "").into_bytes());
    fs::write(folder.file(blob.digest()), "damaged").expect("a file");
    let name = ImageName::Tag("new".to_owned());
    layout.push_manifest(&context(), &repository(), &name, media::MANIFEST, &blob).await.expect("pushed");
    let text = fs::read_to_string(folder.path().join("index.json")).expect("a file");
    assert!(text.contains(r#""x-other":{"a":[1]}"#), "{text}");
    assert_eq!(fs::read(folder.file(blob.digest())).expect("a file"), blob.bytes());
}

#[tokio::test]
async fn a_tar_is_read_like_the_folder_and_not_written() {
    let mut folder = Folder::new();
    let digest = folder.listed(media::MANIFEST, &manifest("image", ""), &name("1"));
    let wide = Digest::compute(Algorithm::Sha512, b"wide");
    fs::create_dir_all(folder.path().join("blobs/sha512")).expect("a folder");
    fs::write(folder.file(&wide), "wide").expect("a file");
    folder.open().expect("a layout");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut builder = tar::Builder::new(file.as_file());
    builder.append_dir_all(".", folder.path()).expect("a tar");
    builder.finish().expect("a tar");

    let layout = Layout::open(file.path()).expect("a layout");
    assert_eq!(digest_at(&layout, "1").await, Some(digest));
    let (context, repository) = (context(), repository());
    let descriptor = Descriptor::new("text/plain", wide, 4);
    let blob = layout.blob_bytes(&context, &repository, &descriptor, 10).await.expect("an answer").expect("a blob");
    assert_eq!(blob.bytes(), b"wide");
    let new = VerifiedBlob::of(b"new".to_vec());
    let error = layout.push_blob(&context, &repository, &new).await.expect_err("read only");
    assert_eq!(error.code(), Code::FileUnreadable);
}

#[tokio::test]
async fn a_run_that_is_over_reads_no_more() {
    let mut folder = Folder::new();
    let digest = folder.listed(media::MANIFEST, &manifest("image", ""), "");
    let layout = folder.open().expect("a layout");
    let limits = Limits { total_time: std::time::Duration::ZERO, ..Limits::default() };
    let name = ImageName::Digest(digest);
    let error = layout.manifest(&Context::new(limits), &repository(), &name).await.expect_err("over");
    assert_eq!(error.problem(), crate::registry::Problem::Timeout);
}

/// Pushes one manifest; every push opens the layout anew, as another process would.
async fn push_as_another_process(path: &Path, content: &str, context: &Context) -> Result<Digest, RegistryError> {
    let layout = Layout::open(path)?;
    let repository: Repository = "localhost/layout".parse().expect("a repository");
    let blob = VerifiedBlob::of(manifest(content, "").into_bytes());
    let name = ImageName::Digest(blob.digest().clone());
    layout.push_manifest(context, &repository, &name, media::MANIFEST, &blob).await?;
    Ok(blob.digest().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_that_know_nothing_of_each_other_lose_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(Layout::create(dir.path()).expect("a layout"));
    let context = Context::new(Limits::default());
    let writers = (0..4).map(|writer| {
        let (path, context) = (dir.path().to_owned(), context.clone());
        tokio::spawn(async move {
            let mut pushed = Vec::new();
            for number in 0..8 {
                let content = format!("{writer} {number}");
                pushed.push(push_as_another_process(&path, &content, &context).await.expect("pushed"));
            }
            pushed
        })
    });
    let mut pushed = Vec::new();
    for writer in futures_util::future::join_all(writers).await {
        pushed.extend(writer.expect("no panic"));
    }
    let mut listed: Vec<Digest> =
        Layout::open(dir.path()).expect("a layout").images().into_iter().map(|image| image.descriptor.digest).collect();
    pushed.sort();
    listed.sort();
    assert_eq!(listed, pushed);
}

#[tokio::test]
async fn a_writer_waits_for_its_turn_until_its_time_is_over() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(Layout::create(dir.path()).expect("a layout"));
    let mut lock = fd_lock::RwLock::new(fs::File::open(dir.path().join("oci-layout")).expect("the marker"));
    let held = lock.try_write().expect("nobody has it");
    let limits = Limits { total_time: std::time::Duration::from_millis(5), ..Limits::default() };
    let late = push_as_another_process(dir.path(), "late", &Context::new(limits)).await;
    assert_eq!(late.map_err(|error| error.code()), Err(Code::RegistryUnavailable));
    drop(held);
    let mine = push_as_another_process(dir.path(), "mine", &Context::new(Limits::default())).await.expect("pushed");
    let images = Layout::open(dir.path()).expect("a layout").images();
    assert_eq!(images.iter().map(|image| &image.descriptor.digest).collect::<Vec<_>>(), [&mine]);
}
