//! The trust root that nobody named: from TUF, from what was kept of it, or the embedded one.

use std::fs;
use std::path::PathBuf;

use cg_attest::sign::{Endpoint, SigningConfig};
use cg_attest::testing::{Answer, SigstoreServer, TufRepository, TufServer};
use cg_attest::time::Timestamp;
use cg_attest::trust::{Instance, Refresh, TrustRoot};

use crate::support::command::{Ran, cg_attest_with};
use crate::support::corpus;
use crate::support::scene::{IDENTITY, ISSUER, Scene};

/// A signed image whose trust root comes from a private TUF repository.
struct Private {
    scene: Scene,
    repository: TufRepository,
    server: TufServer,
    folder: tempfile::TempDir,
}

impl Private {
    async fn new() -> Self {
        let scene = Scene::complete().await;
        let repository = TufRepository::new(scene.sigstore.trusted_root_json(), time("2100-01-01T00:00:00Z"));
        let server = TufServer::start(&repository);
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("root.json"), repository.first_root()).expect("written");
        Self { scene, repository, server, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// `verify IMAGE` with cosign's variables, and more.
    fn verify(&self, more: &[&str]) -> Ran {
        self.verify_at(&self.server.url(), more)
    }

    fn verify_at(&self, url: &str, more: &[&str]) -> Ran {
        let name = self.scene.name();
        let args = ["verify", &name, "-o", "json", "--identity", IDENTITY, "--issuer", ISSUER];
        let (root, cache) = (self.path("root.json"), self.path("tuf"));
        let variables =
            [("SIGSTORE_ROOT_FILE", ""), ("TUF_MIRROR", url), ("TUF_ROOT_JSON", &root), ("TUF_ROOT", &cache)];
        cg_attest_with(args.iter().chain(more), &variables, "")
    }

    fn cache_file(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.folder.path().join("tuf/cg-attest")).expect("the folder of TUF_ROOT");
        entries.next().expect("a file").expect("an entry").path()
    }
}

/// A repository that knows the services that sign as well as whom to trust.
struct Signing {
    services: SigstoreServer,
    repository: TufRepository,
    server: TufServer,
    folder: tempfile::TempDir,
}

impl Signing {
    fn new() -> Self {
        let services = SigstoreServer::start();
        let repository = TufRepository::new(services.trusted_root_json(), time("2100-01-01T00:00:00Z"));
        let server = TufServer::start(&repository);
        let folder = tempfile::tempdir().expect("a folder");
        let token = services.email_token("alice@example.com");
        for (name, content) in [("root.json", repository.first_root()), ("token", token.as_bytes()), ("file", b"f")] {
            fs::write(folder.path().join(name), content).expect("written");
        }
        Self { services, repository, server, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, command: &[&str], more: &[&str]) -> Ran {
        let (root, cache) = (self.path("root.json"), self.path("tuf"));
        let tuf = ["--tuf-url", &self.server.url(), "--tuf-root", &root, "--tuf-cache", &cache];
        cg_attest_with([command, &tuf, more].concat(), &[("SIGSTORE_ROOT_FILE", "")], "")
    }

    /// Removes the cache.
    fn forget(&self) {
        fs::remove_dir_all(self.folder.path().join("tuf")).expect("a cache");
    }

    fn signs(&self, more: &[&str]) -> Ran {
        let [file, bundle, token] = ["file", "bundle", "token"].map(|name| self.path(name));
        self.run(&["sign-blob", &file, "--bundle", &bundle, "--identity-token-file", &token], more)
    }
}

/// What is signed with is kept up to date with whom is trusted, signed by the same keys.
#[test]
fn whoever_signs_has_the_services_from_the_repository_too() {
    let signing = Signing::new();
    // One that has none: the token goes nowhere, the public instance least of all.
    let ran = signing.signs(&[]);
    assert!(ran.code == 2 && ran.stderr.contains("error[signing-config]"), "{}", ran.stderr);
    assert!(signing.services.requests().is_empty());
    let shown = signing.run(&["trust", "show"], &[]);
    assert!(shown.code == 0 && !shown.stdout.contains("services that sign"), "{}{}", shown.stdout, shown.stderr);

    let config = signing.services.signing_config_json();
    let with = signing.repository.clone().signing_config(config);
    signing.server.serve(&with);
    signing.forget();
    let ran = signing.signs(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    signing.server.take_requests();
    assert_eq!(signing.signs(&[]).code, 0);
    assert_eq!(signing.server.take_requests(), [""; 0], "both are kept");
    let shown = signing.run(&["trust", "show"], &[]).stdout;
    assert!(shown.contains(&format!("services that sign: cache {}", signing.server.url())), "{shown}");

    // Whoever verifies does not ask for them, and whoever signs after that does.
    signing.forget();
    let [file, bundle] = ["file", "bundle"].map(|name| signing.path(name));
    let who = ["--identity", "alice@example.com", "--issuer", signing.services.url()];
    let ran = signing.run(&["verify-blob", &file, "--bundle", &bundle], &who);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let asked = |lines: Vec<String>| lines.iter().filter(|line| line.contains("signing_config")).count();
    assert_eq!(asked(signing.server.take_requests()), 0);
    assert_eq!(signing.signs(&[]).code, 0);
    assert_eq!(asked(signing.server.take_requests()), 1);

    // What somebody names comes first, and what nobody signed is not believed.
    let ran = signing.signs(&["--fulcio-url", "http://127.0.0.1:1"]);
    assert!(ran.code == 3 && ran.stderr.contains("127.0.0.1:1"), "{}", ran.stderr);
    let forged = with.files().into_keys().find(|path| path.ends_with("signing_config.v0.2.json")).expect("a target");
    signing.server.answer(&forged, Answer::status(200).body("{}"));
    signing.forget();
    signing.services.clear_log();
    let ran = signing.signs(&[]);
    assert!(ran.code == 3 && ran.stderr.contains("error[trust-root]"), "{}", ran.stderr);
    assert!(signing.services.requests().is_empty());
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Where the trust root of an accepted image came from, and the warnings.
#[track_caller]
fn accepted(ran: &Ran) -> (String, Vec<String>) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let report = ran.json();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let warnings = report["warnings"].as_array().expect("a list");
    (text(&report["trustRoot"]["source"]), warnings.iter().map(|warning| text(&warning["message"])).collect())
}

#[tokio::test]
async fn cosigns_variables_name_the_repository_its_first_root_and_the_cache() {
    let private = Private::new().await;
    assert_eq!(accepted(&private.verify(&[])), (format!("tuf {}", private.server.url()), vec![]));
    assert_eq!(private.server.take_requests().len(), 5);
    assert_eq!(accepted(&private.verify(&[])), (format!("cache {}", private.server.url()), vec![]));
    assert_eq!(private.server.take_requests(), [""; 0]);
    let report = private.verify(&[]).json();
    assert!(report["trustRoot"]["date"].as_str().expect("a date").ends_with('Z'));

    // Without a home and without a cache it works as well.
    let args = ["verify", &private.scene.name(), "-o", "json", "--identity", IDENTITY, "--issuer", ISSUER];
    let more = ["--tuf-url", &private.server.url(), "--tuf-root", &private.path("root.json")];
    let ran = cg_attest_with(args.iter().chain(&more), &[("SIGSTORE_ROOT_FILE", "")], "");
    assert_eq!(accepted(&ran), (format!("tuf {}", private.server.url()), vec![]));
}

#[tokio::test]
async fn when_the_repository_is_gone_the_report_says_how_old_the_trust_root_is() {
    let private = Private::new().await;
    accepted(&private.verify(&[]));
    let text = fs::read_to_string(private.cache_file()).expect("text");
    let from = text.find("\"checked\":\"").expect("the time of the last answer") + 11;
    let old =
        format!("{}2026-11-01T00:00:00Z{}", &text[..from], &text[text[from..].find('"').expect("its end") + from..]);
    fs::write(private.cache_file(), old).expect("written");
    private.server.answer("timestamp.json", Answer::status(503));
    let (source, warnings) = accepted(&private.verify(&[]));
    assert_eq!(source, format!("cache {}", private.server.url()));
    assert!(warnings.len() == 1 && warnings[0].contains("from the cache, confirmed"), "{warnings:?}");
    assert!(warnings[0].contains("answers 503"), "{warnings:?}");

    // Nothing is kept under this address, and a private instance has no embedded root.
    let ran = private.verify_at("http://127.0.0.1:1/", &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[trust-root]") && ran.stderr.contains("cannot be reached"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--trusted-root embedded"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_repository_of_somebody_else_ends_the_run_before_the_image_is_asked_for() {
    let private = Private::new().await;
    let stranger = TufRepository::new(private.scene.sigstore.trusted_root_json(), time("2100-01-01T00:00:00Z"));
    private.server.serve(&stranger);
    let ran = private.verify(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[trust-root]") && ran.stderr.contains("threshold"), "{}", ran.stderr);
    assert!(private.scene.registry.requests().is_empty());
    private.server.serve(&private.repository);
    accepted(&private.verify(&[]));
}

#[tokio::test]
async fn a_trust_root_that_is_named_makes_no_tuf_request() {
    let private = Private::new().await;
    let root = private.scene.root();
    assert_eq!(accepted(&private.verify(&["--trusted-root", &root])), (root, vec![]));
    for (name, source) in [("embedded", "embedded"), ("embedded-staging", "embedded staging")] {
        let ran = private.verify(&["--trusted-root", name]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_eq!(ran.json()["trustRoot"]["source"], source);
    }
    assert_eq!(private.verify(&["--offline"]).code, 2, "the image is in a registry");
    assert_eq!(private.server.take_requests(), [""; 0]);
}

#[tokio::test]
async fn a_log_of_tomorrow_takes_nothing_from_the_others_and_is_named() {
    let scene = Scene::complete().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut root: serde_json::Value = serde_json::from_str(&scene.sigstore.trusted_root_json()).expect("JSON");
    for list in ["tlogs", "ctlogs"] {
        let mut log = root[list][0].clone();
        log["baseUrl"] = format!("https://{list}.example").into();
        log["publicKey"]["rawBytes"] = "MAA=".into();
        root[list].as_array_mut().expect("logs").insert(0, log);
    }
    let file = folder.path().join("root.json");
    fs::write(&file, root.to_string()).expect("written");
    let args = ["verify", &scene.name(), "-o", "json", "--identity", IDENTITY, "--issuer", ISSUER, "--trusted-root"];
    let (_, warnings) = accepted(&cg_attest_with(args.iter().chain(&[&*file.display().to_string()]), &[], ""));
    let named = |list: &str| {
        warnings.iter().any(|text| text.contains(&format!("https://{list}.example is of an unknown kind")))
    };
    assert!(warnings.len() == 2 && named("tlogs") && named("ctlogs"), "{warnings:?}");
}

#[tokio::test]
async fn offline_takes_what_is_kept_and_says_so_if_it_is_nothing() {
    let private = Private::new().await;
    let layout = private.path("layout");
    let bundle = private.scene.sigstore.sign(&Scene::signer()).blob(b"hello");
    fs::write(&layout, "hello").expect("written");
    fs::write(private.path("bundle.json"), bundle).expect("written");
    let verify = |url: &str| {
        let bundle = private.path("bundle.json");
        let args = ["verify-blob", &layout, "--bundle", &bundle, "--identity", IDENTITY, "--issuer", ISSUER];
        let (root, cache) = (private.path("root.json"), private.path("tuf"));
        let more = ["-o", "json", "--offline", "--tuf-cache", &cache, "--tuf-url", url, "--tuf-root", &root];
        cg_attest_with(args.iter().chain(&more), &[("SIGSTORE_ROOT_FILE", "")], "")
    };
    let ran = verify(&private.server.url());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("no request is made; nothing is in the cache"), "{}", ran.stderr);
    accepted(&private.verify(&[]));
    private.server.take_requests();
    assert_eq!(accepted(&verify(&private.server.url())).0, format!("cache {}", private.server.url()));
    assert_eq!(private.server.take_requests(), [""; 0]);
}

#[tokio::test]
async fn wrong_settings_are_found_before_anything_is_asked() {
    let private = Private::new().await;
    let (garbage, absent) = (private.path("garbage.json"), private.path("absent.json"));
    fs::write(&garbage, "{}").expect("written");
    for (more, code, word) in [
        (["--tuf-url", "tuf.example.test"], "trust-root", "address"),
        (["--tuf-url", "https://me:s3cret@tuf.example.test"], "trust-root", "password"),
        (["--tuf-root", &absent], "file-unreadable", "absent.json"),
        (["--tuf-root", &garbage], "trust-root", "first TUF root"),
        (["--tuf-max-age", "soon"], "usage", "--tuf-max-age"),
    ] {
        let ran = private.verify(&more);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")) && ran.stderr.contains(word), "{}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    assert_eq!(private.verify(&["--staging", "--trusted-root", "embedded"]).code, 2);
    assert!(private.server.take_requests().is_empty() && private.scene.registry.requests().is_empty());
}

/// The public repository as it was in August 2026.
#[tokio::test]
async fn the_recorded_repository_of_the_public_instance_leads_to_its_trusted_root() {
    let Some(corpus) = corpus::folder() else { return };
    let folder = corpus.join("sigstore-trust/prod");
    let read = |path: &str| fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let server = TufServer::start(&TufRepository::new("{}", time("2026-08-25T00:00:00Z")));
    let serve = |path: &str, bytes: Vec<u8>| server.answer(path, Answer::status(200).body(bytes));
    serve("1.root.json", Vec::new());
    serve("timestamp.json", read("metadata/timestamp.json"));
    serve("165.snapshot.json", read("metadata/snapshot.json"));
    serve("14.targets.json", read("metadata/targets.json"));
    let target = read("targets/trusted_root.json");
    let digest = cg_attest::digest::Digest::sha256(&target);
    serve(&format!("targets/{}.trusted_root.json", digest.hex()), target.clone());
    for version in 6..=15 {
        serve(&format!("{version}.root.json"), read(&format!("metadata/root_history/{version}.root.json")));
    }
    let refresh = Refresh::of(Instance::PublicGood).mirror(&server.url()).expect("a URL");
    let load = async |refresh: &Refresh| refresh.load(time("2026-08-25T00:00:00Z")).await;
    let names = |root: &TrustRoot| root.instances().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let expected = names(&TrustRoot::parse(&target, "file").expect("a root"));

    let begun_with_5 = refresh.clone().first_root(&read("metadata/root_history/5.root.json")).expect("a root");
    let root = load(&begun_with_5).await.expect("ten roots later");
    assert!(root.source().starts_with("tuf ") && names(&root) == expected, "{root:?}");
    assert_eq!(server.take_requests().len(), 11 + 4);

    // The first root of this crate is the one that follows, signed by the 15th.
    let first = sigstore_verify::trust_root::SigstoreInstance::PublicGood.tuf_root();
    serve("16.root.json", first.to_vec());
    let root = load(&begun_with_5).await.expect("eleven roots later");
    assert!(root.source().starts_with("tuf ") && names(&root) == expected, "{root:?}");
    let root = load(&refresh).await.expect("from the first root of this crate");
    assert!(root.source().starts_with("tuf ") && root.warnings().is_empty(), "{root:?}");

    // Whoever signs has its services as well. What is listed has to be there.
    let (signing, config) = (refresh.clone().with_signing_config(), read("targets/signing_config.v0.2.json"));
    let root = load(&signing).await.expect("the embedded root");
    assert_eq!((root.source(), root.signing_config()), ("embedded", None), "{root:?}");
    let digest = cg_attest::digest::Digest::sha256(&config);
    serve(&format!("targets/{}.signing_config.v0.2.json", digest.hex()), config.clone());
    let root = load(&signing).await.expect("the root and the services");
    assert_eq!(root.signing_config(), Some(config.as_slice()));
    let services = SigningConfig::parse(&config, root.source()).expect("a config").select(time("2026-08-25T00:00:00Z"));
    assert_eq!(services.expect("services").authority().map(Endpoint::url), Some("https://fulcio.sigstore.dev"));
    assert!(load(&refresh).await.is_ok_and(|root| root.signing_config().is_none()));

    // A few days later its timestamp is too old.
    let root = refresh.load(time("2026-08-29T00:00:00Z")).await.expect("the embedded root");
    assert_eq!(root.source(), "embedded");
    assert!(root.warnings()[0].contains("expired at 2026-08-28T19:25:56Z"), "{:?}", root.warnings());
}
