//! `verify --base`: what an image is built on is verified and compared, one change apart.

use cg_attest::digest::Digest;
use cg_attest::image::{Descriptor, ImageName, PinnedReference, Repository};
use cg_attest::limits::Limits;
use cg_attest::provenance::{Build, PREDICATE_TYPE};
use cg_attest::registry::Context;
use cg_attest::testing::{
    Answer, Identity, Image, ImageBuilder, Registry, RegistryFault, Statement, Upload, VirtualSigstore,
};
use serde_json::{Value, json};

use crate::schema::problems;
use crate::support::command::{Ran, cg_attest};
use crate::support::provenance::COMMIT;
use crate::support::scene::{IDENTITY, ISSUER, Scene};

const BASE_IDENTITY: &str = "https://github.com/base/images/.github/workflows/release.yaml@refs/heads/main";
const NAME: &str = "org.opencontainers.image.base.name";
const DIGEST: &str = "org.opencontainers.image.base.digest";

/// A registry with a base, and whatever is built on it.
struct Place {
    sigstore: VirtualSigstore,
    registry: Registry,
    root: tempfile::NamedTempFile,
    base: Image,
}

impl Place {
    /// A base that its own signer signed.
    async fn new() -> Self {
        let place = Self::unsigned().await;
        place.sign_base(&base_signer()).await;
        place
    }

    async fn unsigned() -> Self {
        let sigstore = VirtualSigstore::new();
        let root = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(root.path(), sigstore.trusted_root_json()).expect("written");
        let base = ImageBuilder::new().content("the base").build();
        let place = Self { sigstore, registry: Registry::start(), root, base };
        place.push("org/base", &place.base.upload).await;
        place
    }

    async fn push(&self, path: &str, upload: &Upload) {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository(path));
        upload.push(self.registry.content(), &context, &repository).await.expect("stored");
    }

    async fn sign_base(&self, signer: &Identity) {
        let statement = Statement::about(&self.base.index.digest).signature();
        let bundle = self.sigstore.sign(signer).statement(&statement);
        self.push("org/base", &Upload::bundle(&self.base.index, &bundle)).await;
    }

    /// An image with a signature by the usual signer.
    async fn child(&self, builder: ImageBuilder) -> Image {
        let image = builder.build();
        self.push("org/app", &image.upload).await;
        self.attach(&image.index, |about| about.signature()).await;
        image
    }

    async fn attach(&self, subject: &Descriptor, statement: impl FnOnce(Statement) -> Vec<u8>) {
        let bundle = self.sigstore.sign(&Scene::signer()).statement(&statement(Statement::about(&subject.digest)));
        self.push("org/app", &Upload::bundle(subject, &bundle)).await;
    }

    fn base_name(&self) -> Repository {
        self.registry.repository("org/base")
    }

    fn annotated(&self, digest: &Digest) -> ImageBuilder {
        let builder = ImageBuilder::new().content("the app").on(&self.base);
        builder
            .image_annotation(NAME, &format!("{}:latest", self.base_name()))
            .image_annotation(DIGEST, &digest.to_string())
    }

    fn verify_by(&self, more: &[&str]) -> Ran {
        let image = format!("{}/org/app", self.registry.address());
        let root = self.root.path().display().to_string();
        let args =
            ["verify", &image, "-o", "json", "--identity", IDENTITY, "--issuer", ISSUER, "--trusted-root", &root];
        cg_attest([&args[..], more].concat())
    }

    fn verify(&self, base: &str) -> Ran {
        self.verify_by(&[base, "--base-identity", BASE_IDENTITY, "--base-issuer", ISSUER])
    }
}

fn base_signer() -> Identity {
    Identity::github_workflow("base/images", ".github/workflows/release.yaml", "refs/heads/main")
}

/// State and code of the cell, and who names the base.
fn amd64(ran: &Ran) -> (String, Value, Value) {
    let report = ran.json();
    let cells = report["cells"].as_array().expect("cells");
    let is_it = |cell: &&Value| cell["requirement"] == "base" && cell["target"] == "linux/amd64";
    let cell = cells.iter().find(is_it).unwrap_or_else(|| panic!("{}", ran.stdout));
    let bases = report["bases"].as_array().cloned().unwrap_or_default();
    let base = bases.into_iter().find(|base| base["target"] == "linux/amd64").unwrap_or_default();
    (cell["state"].as_str().expect("a state").to_owned(), cell["code"].clone(), base["source"].clone())
}

#[tokio::test]
async fn a_base_is_accepted_whoever_names_it() {
    let place = Place::new().await;
    let digest = place.base.index.digest.clone();
    // By an annotation, a hint.
    place.child(place.annotated(&digest)).await;
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran)), (0, ("ok".to_owned(), Value::Null, json!("annotation"))), "{}", ran.stdout);
    let report = ran.json();
    assert_eq!(problems(&report), Vec::<String>::new());
    assert_eq!(report["bases"].as_array().map(Vec::len), Some(2));
    assert_eq!((&report["bases"][0]["layers"], &report["bases"][0]["verdict"]), (&json!(1), &json!("accept")));
    assert_eq!(report["bases"][0]["policy"]["signers"]["identities"][0]["value"], BASE_IDENTITY);
    let layers: Vec<String> = place.base.upload.blobs().map(|blob| format!("/blobs/{}", blob.digest())).collect();
    let requests = place.registry.lines();
    assert!(!requests.iter().any(|line| layers.iter().any(|layer| line.contains(layer))), "no layer is read");

    // By the digest of its platform's image, and by nothing but the user.
    let platform = place.base.platforms[0].1.digest.clone();
    place.child(place.annotated(&digest)).await;
    let ran = place.verify(&format!("--base={}@{digest}", place.base_name()));
    assert_eq!((ran.code, amd64(&ran).2), (0, json!("reference")));
    let ran = place.verify(&format!("--base={}", place.base_name()));
    assert_eq!((ran.code, amd64(&ran).2), (0, json!("annotation")));
    // The index signs for its platforms; one of them by itself has no signature.
    let ran = place.verify(&format!("--base={}@{platform}", place.base_name()));
    assert_eq!((ran.code, amd64(&ran).1), (1, json!("base-refused")), "{}", ran.stdout);
}

#[tokio::test]
async fn provenance_names_the_base_if_its_signer_is_trusted() {
    let place = Place::new().await;
    let image = place.child(ImageBuilder::new().content("the app").on(&place.base)).await;
    let pinned = PinnedReference::new(place.base_name(), place.base.index.digest.clone());
    let build = Build::new().repository("https://github.com/org/repo").and_then(|b| b.commit(COMMIT));
    let build = build.and_then(|b| b.builder("https://builds.example.com")).expect("facts").base(&pinned);
    let predicate = build.predicate().expect("facts");
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran)), (1, ("missing".to_owned(), json!("base-not-named"), Value::Null)));

    // By somebody else it is nobody's word.
    for (_, platform) in &image.platforms {
        let statement = Statement::about(&platform.digest).predicate(PREDICATE_TYPE, &predicate);
        let bundle = place.sigstore.sign(&base_signer()).statement(&statement);
        place.push("org/app", &Upload::bundle(platform, &bundle)).await;
    }
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).1), (1, json!("base-not-named")));
    for (_, platform) in &image.platforms {
        place.attach(platform, |about| about.predicate(PREDICATE_TYPE, &predicate)).await;
    }
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).2), (0, json!("provenance")), "{}", ran.stdout);
    // The repository that is asked for is the only one that counts.
    let ran = place.verify(&format!("--base={}", place.registry.repository("org/other")));
    assert_eq!((ran.code, amd64(&ran).1), (1, json!("base-not-named")));
}

#[tokio::test]
async fn buildkits_one_image_is_the_base() {
    let place = Place::new().await;
    let image = place.child(ImageBuilder::new().content("the app").on(&place.base)).await;
    let digest = place.base.index.digest.hex().to_owned();
    let material = |uri: &str| json!({ "uri": uri, "digest": { "sha256": digest } });
    let provenance = |materials: &[Value]| {
        json!({
            "builder": { "id": "" }, "buildType": "https://mobyproject.org/buildkit@v1",
            "invocation": { "configSource": { "entryPoint": "Dockerfile" } }, "materials": materials,
        })
        .to_string()
    };
    let base = material(&format!("pkg:docker/{}@latest?platform=linux%2Famd64", place.base_name()));
    let frontend = material("pkg:docker/docker/dockerfile@1");
    for (_, platform) in &image.platforms {
        let predicate = provenance(&[frontend.clone(), base.clone()]);
        place.attach(platform, |about| about.predicate("https://slsa.dev/provenance/v0.2", &predicate)).await;
    }
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).2), (0, json!("provenance")), "{}", ran.stdout);
}

#[tokio::test]
async fn an_image_that_is_not_built_on_it_is_refused() {
    let place = Place::new().await;
    let digest = place.base.index.digest.clone();
    let other = ImageBuilder::new().content("another base").build();
    let named = |builder: ImageBuilder| {
        let builder = builder.image_annotation(NAME, &place.base_name().to_string());
        builder.image_annotation(DIGEST, &digest.to_string())
    };
    place.child(named(ImageBuilder::new().content("the app").on(&place.base))).await;
    assert_eq!(place.verify("--base").code, 0);
    // On another base, on none, and with the base above another one.
    for builder in [
        named(ImageBuilder::new().content("the app").on(&other)),
        named(ImageBuilder::new().content("the app")),
        named(ImageBuilder::new().content("the app").on(&ImageBuilder::new().content("the base").on(&other).build())),
    ] {
        place.child(builder).await;
        let ran = place.verify("--base");
        assert_eq!((ran.code, amd64(&ran).0, amd64(&ran).1), (1, "mismatch".to_owned(), json!("base-mismatch")));
        let cells = ran.json()["cells"].as_array().cloned().expect("cells");
        let cell = cells.iter().find(|cell| cell["requirement"] == "base").expect("a cell");
        assert_ne!(cell["wanted"][0], cell["found"]);
    }
}

#[tokio::test]
async fn a_base_is_refused_as_its_own_policy_refuses_it() {
    let place = Place::unsigned().await;
    place.child(place.annotated(&place.base.index.digest)).await;
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).0, amd64(&ran).1), (1, "missing".to_owned(), json!("base-refused")));
    // The child's signer is not the base's.
    place.sign_base(&Scene::signer()).await;
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).0, amd64(&ran).1), (1, "wrong-signer".to_owned(), json!("base-refused")));
    place.sign_base(&base_signer()).await;
    assert_eq!(place.verify("--base").code, 0);
    let asks =
        ["--base", "--base-identity", BASE_IDENTITY, "--base-issuer", ISSUER, "--base-require", "signature,spdx"];
    let ran = place.verify_by(&asks);
    assert_eq!((ran.code, amd64(&ran).1), (1, json!("base-refused")));
    // Without flags there is a policy for Chainguard's names only.
    let ran = place.verify_by(&["--base"]);
    assert_eq!((ran.code, amd64(&ran).1), (1, json!("policy-missing")), "{}", ran.stdout);
}

#[tokio::test]
async fn a_base_that_cannot_be_read_leaves_it_undecided() {
    let place = Place::new().await;
    place.child(place.annotated(&place.base.index.digest)).await;
    assert_eq!(place.verify("--base").code, 0);
    let manifest = format!("/org/base/manifests/{}", place.base.index.digest);
    place.registry.fault(RegistryFault::on(&manifest).answer(Answer::status(403)));
    let ran = place.verify("--base");
    assert_eq!((ran.code, amd64(&ran).0), (3, "undecided".to_owned()), "{}", ran.stdout);
}

/// A listing that fails could have had the provenance that names the base.
#[tokio::test]
async fn what_could_have_named_it_and_was_not_read_leaves_it_undecided() {
    let place = Place::new().await;
    let image = place.child(ImageBuilder::new().content("the app").on(&place.base)).await;
    assert_eq!(amd64(&place.verify("--base")).1, json!("base-not-named"));
    let listing = format!("/org/app/referrers/{}", image.platforms[0].1.digest);
    place.registry.fault(RegistryFault::on(&listing).answer(Answer::status(403)));
    let ran = place.verify("--base");
    assert_eq!(amd64(&ran).0, "undecided", "{}", ran.stdout);
}

#[tokio::test]
async fn the_text_has_a_column_and_says_what_it_is_built_on() {
    let place = Place::new().await;
    place.child(place.annotated(&place.base.index.digest)).await;
    let image = format!("{}/org/app", place.registry.address());
    let root = place.root.path().display().to_string();
    let trusted = ["--identity", IDENTITY, "--issuer", ISSUER, "--trusted-root", &root];
    let base = ["--base", "--base-identity", BASE_IDENTITY, "--base-issuer", ISSUER];
    let ran = cg_attest([&["verify", &image][..], &trusted, &base].concat());
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let named = format!("built on {}@{} (by an annotation, a hint)", place.base_name(), place.base.index.digest);
    assert!(ran.stdout.contains(&named), "{}", ran.stdout);
    let title = ran.stdout.lines().find(|line| line.trim_start().starts_with("signature")).expect("a title");
    assert!(title.contains("base"), "{}", ran.stdout);
    let row = ran.stdout.lines().find(|line| line.starts_with("linux/arm64")).expect("a row");
    assert!(row.ends_with("ok"), "{}", ran.stdout);
    // What it is built on does not vouch for what may be run.
    let ran = cg_attest([&["verify", &image, "-o", "ref"][..], &trusted, &base].concat());
    let fetched = place.registry.content();
    let context = Context::new(Limits::default());
    let name = ImageName::Tag("latest".to_owned());
    let pull: &dyn cg_attest::registry::Pull = fetched;
    let index =
        pull.manifest(&context, &place.registry.repository("org/app"), &name).await.expect("read").expect("there");
    assert_eq!(ran.stdout.trim_end(), format!("{image}@{}", index.blob.digest()));
}

#[test]
fn wrong_flags_are_refused_before_anything_is_asked() {
    let refused = |more: &[&str], word: &str| {
        let args = ["verify", "registry.example/app", "--identity", "me@example.org", "--issuer", "https://x.example"];
        let ran = cg_attest([&args[..], more].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(word), "{}", ran.stderr);
    };
    refused(&["--base=registry.example/base"], "policy-missing");
    refused(&["--base=NOT A NAME"], "reference-invalid");
    refused(&["--base", "--base-identity", "me@example.org"], "issuer");
    refused(&["--base", "--base-uidp", "NOT"], "UIDP");
    refused(&["--base-identity", "me@example.org"], "--base");
    refused(&["--base", "--base-require", "spxd"], "spdx");
}
