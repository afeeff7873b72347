//! `verify --require sbom=layers`: what is signed about packages has to be what is in the layers, one change apart.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::{Descriptor, Reference};
use cg_attest::policy::{Level, PolicyError, Requirement};
use cg_attest::registry::RemoteOptions;
use cg_attest::report::Verdict;
use cg_attest::testing::{Answer, Image, ImageBuilder, LayerBuilder, RegistryFault as Fault, Statement, Upload};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::State;
use serde_json::Value;

use crate::schema::problems;
use crate::support::bench::trusting;
use crate::support::command::{Ran, cg_attest};
use crate::support::scene::{IDENTITY, ISSUER, Scene};

const DATABASE: &str = "P:app\nV:1-r0\nA:noarch\nL:MIT\n\nP:zlib\nV:1.3-r4\nA:noarch\nL:Zlib\n\n";
const LAYERS: &str = "sbom=layers";

/// An image with packages, signed, and the SBOM that `sbom` makes of each platform.
struct Place {
    scene: Scene,
    image: Image,
    documents: Vec<String>,
}

impl Place {
    async fn new() -> Self {
        let scene = Scene::bare().await;
        let layer = LayerBuilder::new().file("etc/os-release", "ID=wolfi\n").file("usr/lib/apk/db/installed", DATABASE);
        let image = ImageBuilder::new().layers([layer.gzip()]).tag("packed").build();
        scene.push(&image.upload).await;
        scene.attach(&image.index, |about| about.signature()).await;
        let mut place = Self { scene, image, documents: Vec::new() };
        for (platform, _) in &place.image.platforms {
            let made = cg_attest(["sbom", &place.name(), "--source", "content", "--platform", &platform.to_string()]);
            assert_eq!(made.code, 0, "{}", made.stderr);
            place.documents.push(made.stdout);
        }
        place
    }

    /// With the documents attached, each changed in this way.
    async fn with(change: impl Fn(usize, &str) -> String) -> Self {
        let place = Self::new().await;
        for (n, (_, image)) in place.image.platforms.iter().enumerate() {
            place.attach(image, &change(n, &place.documents[n])).await;
        }
        place
    }

    async fn attach(&self, subject: &Descriptor, document: &str) {
        self.scene.attach(subject, |about: Statement| about.predicate("https://spdx.dev/Document", document)).await;
    }

    fn name(&self) -> String {
        format!("{}:packed", self.scene.name())
    }

    fn verify(&self, more: &[&str]) -> Ran {
        let (name, trusting) = (self.name(), self.scene.trusting());
        let args = ["verify", &name, "-o", "json", "--require"].into_iter().chain(more.iter().copied());
        cg_attest(args.chain(trusting.iter().map(String::as_str)))
    }
}

fn states(ran: &Ran) -> [String; 2] {
    [ran.state("linux/amd64", LAYERS), ran.state("linux/arm64", LAYERS)]
}

fn cell(ran: &Ran, target: &str) -> Value {
    let report = ran.json();
    let cells = report["cells"].as_array().expect("cells").iter();
    cells.clone().find(|cell| cell["target"] == target && cell["requirement"] == LAYERS).expect("a cell").clone()
}

#[tokio::test]
async fn an_sbom_that_agrees_is_accepted_and_one_version_beside_it_is_not() {
    let honest = Place::with(|_, document| document.to_owned()).await;
    let ran = honest.verify(&["signature,sbom=layers", "--stats"]);
    assert_eq!((ran.code, states(&ran)), (0, ["ok", "ok"].map(str::to_owned)), "{}{}", ran.stdout, ran.stderr);
    let report = ran.json();
    assert_eq!(problems(&report), Vec::<String>::new());
    // The SBOM itself is required too, and the cells name the one that was compared.
    assert_eq!(ran.state("linux/arm64", "spdx"), "ok");
    let number =
        usize::try_from(cell(&ran, "linux/arm64")["candidates"][0].as_u64().expect("a number")).expect("small");
    assert_eq!(report["candidates"][number]["target"], "linux/arm64");
    let without = honest.verify(&["signature,spdx", "--stats"]).json();
    let requests = |report: &Value| report["stats"]["requests"].as_u64().expect("a number");
    // A manifest, a configuration and a layer of each platform.
    assert_eq!(requests(&report), requests(&without) + 6, "layers are read, and their cost is said");
    assert_ne!(report["policy"]["digest"], without["policy"]["digest"]);

    let lie = |n: usize, document: &str| match n {
        1 => document.replace("zlib@1.3-r4", "zlib@1.3-r5"),
        _ => document.to_owned(),
    };
    let ran = Place::with(lie).await.verify(&["signature,sbom=layers"]);
    assert_eq!((ran.code, states(&ran)), (1, ["ok", "mismatch"].map(str::to_owned)), "{}", ran.stdout);
    let refused = cell(&ran, "linux/arm64");
    assert_eq!(refused["code"], "sbom-version-differs");
    assert_eq!(refused["message"], "apk zlib: wanted 1.3-r4, found 1.3-r5");
    assert_eq!(problems(&ran.json()), Vec::<String>::new());
}

#[tokio::test]
async fn the_newest_sbom_is_the_one_that_has_to_agree() {
    for (older_lies, code, state) in [(true, 0, "ok"), (false, 1, "mismatch")] {
        let place = Place::new().await;
        let before = Timestamp::from_unix(place.scene.sigstore.now().unix() - 3600).expect("a time");
        for ((_, image), document) in place.image.platforms.iter().zip(&place.documents) {
            let lie = document.replace("app@1-r0", "app@0-r9");
            let (older, newer) = if older_lies { (&lie, document) } else { (document, &lie) };
            let statement = Statement::about(&image.digest).predicate("https://spdx.dev/Document", older);
            let signed = place.scene.sigstore.at(before).sign(&Scene::signer()).statement(&statement);
            place.scene.push(&Upload::bundle(image, &signed)).await;
            place.attach(image, newer).await;
        }
        let ran = place.verify(&["sbom=layers"]);
        assert_eq!((ran.code, states(&ran)), (code, [state, state].map(str::to_owned)), "{}", ran.stdout);
        assert_eq!(ran.state("linux/amd64", "spdx"), "ok", "both are genuine");
    }
}

#[tokio::test]
async fn a_document_that_lists_nothing_or_is_of_another_image_agrees_with_nothing() {
    let empty = Place::with(|_, _| r#"{"spdxVersion":"SPDX-2.3","packages":[]}"#.to_owned()).await;
    let ran = empty.verify(&["sbom=layers"]);
    assert_eq!((ran.code, states(&ran)), (1, ["mismatch", "mismatch"].map(str::to_owned)), "{}", ran.stdout);
    assert_eq!(cell(&ran, "linux/amd64")["code"], "sbom-package-missing");
    let three = Place::with(|_, _| r#"{"spdxVersion":"SPDX-3.0","packages":[]}"#.to_owned()).await;
    let ran = three.verify(&["sbom=layers"]);
    assert_eq!((ran.code, &cell(&ran, "linux/amd64")["code"]), (1, &"sbom-invalid".into()), "{}", ran.stdout);
    // The platforms exchanged: the packages are the same, the image is not.
    let place = Place::new().await;
    let [first, second] = [0, 1].map(|n| place.image.platforms[n].1.clone());
    place.attach(&first, &place.documents[1]).await;
    place.attach(&second, &place.documents[0]).await;
    let ran = place.verify(&["sbom=layers"]);
    assert_eq!((ran.code, &cell(&ran, "linux/amd64")["code"]), (1, &"sbom-digest-differs".into()), "{}", ran.stdout);
}

#[tokio::test]
async fn the_sbom_of_the_index_says_nothing_of_layers() {
    let place = Place::new().await;
    place.attach(&place.image.index, &place.documents[0]).await;
    let ran = place.verify(&["sbom=layers", "--level", "spdx=either"]);
    assert_eq!(ran.state("linux/amd64", "spdx"), "via-index");
    assert_eq!((ran.code, states(&ran)), (1, ["on-index", "on-index"].map(str::to_owned)), "{}", ran.stdout);
}

#[tokio::test]
async fn layers_that_cannot_be_read_leave_it_undecided_and_a_refused_image_is_not_read() {
    let place = Place::with(|_, document| document.to_owned()).await;
    let layer = place.image.upload.blobs().max_by_key(|blob| blob.bytes().starts_with(&[0x1f, 0x8b])).expect("a layer");
    let path = format!("/blobs/{}", layer.digest());
    let asked = |place: &Place| place.scene.registry.lines().iter().any(|line| line.contains(&path));
    place.scene.registry.clear_log();
    // Another signer is wanted: nothing that is in the layers can change that.
    let refused = place.verify(&["sbom=layers", "--claim", "buildTrigger=push"]);
    assert_eq!((refused.code, asked(&place)), (1, false), "{}", refused.stdout);
    assert_eq!(cell(&refused, "linux/amd64")["code"], "layers-not-read");
    place.scene.registry.fault(Fault::on(&path).answer(Answer::status(403)));
    let ran = place.verify(&["sbom=layers"]);
    assert_eq!((ran.code, states(&ran), asked(&place)), (3, ["undecided", "undecided"].map(str::to_owned), true));
}

#[tokio::test]
async fn whoever_does_not_read_layers_accepts_nothing_by_them() {
    let place = Place::with(|_, document| document.to_owned()).await;
    let registry = Arc::new(RemoteOptions::new().build().expect("a client"));
    let trust = TrustRoot::parse(place.scene.sigstore.trusted_root_json().as_bytes(), "test").expect("a root");
    let reference: Reference = place.name().parse().expect("a reference");
    let now = std::time::SystemTime::now().try_into().expect("a time");
    let policy = trusting(IDENTITY, ISSUER).require(Requirement::layers()).build().expect("a policy");
    assert!(policy.asks_for_layers());
    assert_eq!(policy.requirements().iter().map(|r| r.name()).collect::<Vec<_>>(), ["spdx", LAYERS]);
    let client = Client::builder(registry, trust).build();
    let report = client.verify(&VerifyRequest::new(reference, &policy, now)).await;
    assert_eq!(report.verdict(), Verdict::Undecided);
    let unread: Vec<_> = report.cells().iter().filter(|cell| cell.requirement == LAYERS).collect();
    assert!(unread.iter().all(|c| (c.state, c.code) == (State::Undecided, Some(Code::LayersNotRead))), "{unread:?}");
    assert_eq!(unread.len(), 2);
    assert!(report.into_verified().is_err());
}

#[test]
fn what_layers_do_not_have_cannot_be_asked_of_them() {
    let build = |requirement: Requirement| trusting(IDENTITY, ISSUER).require(requirement).build();
    assert!(build(Requirement::layers()).is_ok());
    let either = build(Requirement::layers().at(Level::Either));
    assert!(matches!(either, Err(PolicyError::Layers(_))), "{either:?}");
    let aged = build(Requirement::layers().within(std::time::Duration::from_secs(1)));
    assert!(matches!(aged, Err(PolicyError::Layers(_))), "{aged:?}");

    let with = |more: &[&'static str]| {
        cg_attest(["verify", "registry.example/app", "--identity", "me", "--issuer", "https://x"].iter().chain(more))
    };
    for more in [
        &["--require", LAYERS, "--level", "sbom=layers=either"][..],
        &["--require", LAYERS, "--max-age", "sbom=layers=1d"],
        &["--require", LAYERS, "--base=registry.example/base", "--base-key", "/nonexistent", "--base-require", LAYERS],
        &["--require", "sbom=content"],
    ] {
        let ran = with(more);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{more:?}: {}", ran.stderr);
    }
    let blob = ["verify-blob", "x", "--bundle", "x", "--identity", "me", "--issuer", "https://x", "--require", LAYERS];
    let ran = cg_attest(blob);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("a file has no layers"), "{}", ran.stderr);
}
