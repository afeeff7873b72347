//! `attest` with documents that it makes itself, from a build to a verified image.

use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Pull as _};
use cg_attest::testing::{Image, ImageBuilder, LayerBuilder, Registry, SigstoreServer};

use crate::support::command::{Ran, cg_attest_with};

const WORKFLOW: &str = "octo/hello/.github/workflows/release.yaml@refs/heads/main";
const COMMIT: &str = "da283c26829d46c2d2883de5ff98bee672428696";
/// The job that the command runs in.
const JOB: [(&str, &str); 8] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "octo/hello"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_SHA", COMMIT),
    ("GITHUB_WORKFLOW_REF", WORKFLOW),
    ("GITHUB_RUN_ID", "3003"),
    ("GITHUB_RUN_ATTEMPT", "1"),
];
const DATABASE: &str = "P:app\nV:1-r0\nA:x86_64\nL:MIT\n\nP:zlib\nV:1.3-r4\nA:x86_64\nL:Zlib\n\n";
const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

struct Scene {
    server: SigstoreServer,
    registry: Registry,
    image: Image,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn new(database: &str) -> Self {
        let (server, registry) = (SigstoreServer::start(), Registry::start());
        let system = LayerBuilder::new().file("etc/os-release", "ID=wolfi\n").gzip();
        let packages = LayerBuilder::new().file("usr/lib/apk/db/installed", database).gzip();
        let image = ImageBuilder::new().layers([system, packages]).build();
        let folder = tempfile::tempdir().expect("a folder");
        let scene = Self { server, registry, image, folder };
        let claims = [("repository", "octo/hello"), ("workflow_ref", WORKFLOW), ("sha", COMMIT)];
        for (name, content) in [
            ("root", scene.server.trusted_root_json()),
            ("config", scene.server.signing_config_json()),
            ("token", scene.server.workflow_token(&claims)),
        ] {
            std::fs::write(scene.folder.path().join(name), content).expect("a file");
        }
        let (context, repository) = (Context::new(Limits::default()), scene.registry.repository("octo/hello"));
        scene.image.upload.push(scene.registry.content(), &context, &repository).await.expect("memory");
        scene
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, command: &str, more: &[&str], variables: &[(&str, &str)]) -> Ran {
        let image = format!("{}:latest", self.registry.repository("octo/hello"));
        let root = self.path("root");
        cg_attest_with([&[command, &image, "--trusted-root", &root], more].concat(), variables, "")
    }

    fn signs(&self, command: &str, more: &[&str], variables: &[(&str, &str)]) -> Ran {
        let (token, config) = (self.path("token"), self.path("config"));
        let signing = ["--identity-token-file", &token, "--signing-config", &config];
        self.run(command, &[&signing, more].concat(), variables)
    }

    /// A command that trusts the workflow.
    fn trusting(&self, command: &str, more: &[&str]) -> Ran {
        let identity = format!("https://github.com/{WORKFLOW}");
        let policy = ["--identity", &identity, "--issuer", self.server.url()];
        self.run(command, &[&policy, more].concat(), &[])
    }

    async fn referrers(&self) -> usize {
        let (context, repository) = (Context::new(Limits::default()), self.registry.repository("octo/hello"));
        let mut count = 0;
        for target in self.image.platforms.iter().map(|(_, platform)| platform).chain([&self.image.index]) {
            let listed = self.registry.content().referrers(&context, &repository, &target.digest).await;
            count += listed.expect("memory").descriptors.len();
        }
        count
    }

    /// Requests that wrote into the log or the registry.
    fn writes(&self) -> Vec<String> {
        let logged = self.server.lines().into_iter().filter(|line| line.contains("/log/entries"));
        let pushed = self.registry.lines().into_iter();
        logged.chain(pushed.filter(|line| !line.starts_with("GET") && !line.starts_with("HEAD"))).collect()
    }
}

#[tokio::test]
async fn each_platform_is_attested_with_documents_of_its_own_and_gives_them_back() {
    let scene = Scene::new(DATABASE).await;
    let ran = scene.signs("sign", &[], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = scene.signs("attest", &["--sbom", "--provenance"], &JOB);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.ends_with("attached 4, read back and verified\n"), "{}", ran.stdout);

    let verified = scene.trusting("verify", &["--require", "signature,spdx,slsa", "-o", "json"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let mut documents = Vec::new();
    for platform in PLATFORMS {
        assert_eq!((verified.state(platform, "spdx"), verified.state(platform, "slsa")), ("ok".into(), "ok".into()));
        let attached = scene.trusting("sbom", &["--platform", platform, "--source", "attached"]);
        let content = scene.run("sbom", &["--platform", platform, "--source", "content"], &[]);
        assert_eq!((attached.code, content.code), (0, 0), "{}{}", attached.stderr, content.stderr);
        assert!(content.stdout.contains("\"zlib\""), "{}", content.stdout);
        assert_eq!(attached.stdout, content.stdout);
        documents.push(attached.stdout);
    }
    assert_ne!(documents[0], documents[1], "each names its own image");

    // What the build says is what its certificate says.
    let asked = ["--source-repo", "https://github.com/octo/hello", "--source-commit", COMMIT];
    let origin = scene.trusting("provenance", &[asked.as_slice(), &["--platform", "linux/arm64"]].concat());
    assert_eq!(origin.code, 0, "{}{}", origin.stdout, origin.stderr);
    assert!(origin.stdout.contains(COMMIT), "{}", origin.stdout);

    // The same job once more has nothing to add.
    let before = scene.referrers().await;
    scene.registry.clear_log();
    scene.server.clear_log();
    let again = scene.signs("attest", &["--sbom", "--provenance"], &JOB);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stdout.ends_with("everything was attached already\n"), "{}", again.stdout);
    assert_eq!((scene.writes(), scene.referrers().await), (Vec::new(), before));
    // Another run is another build.
    let mut other = JOB;
    other[6].1 = "3004";
    let ran = scene.signs("attest", &["--sbom", "--provenance", "--platform", "linux/arm64"], &other);
    assert!(ran.stdout.contains("attached 1"), "{}{}", ran.stdout, ran.stderr);
}

#[tokio::test]
async fn an_sbom_of_spdx_3_has_a_type_of_its_own_and_comes_back() {
    let scene = Scene::new(DATABASE).await;
    let ran = scene.signs("attest", &["--sbom", "--sbom-format", "spdx3-json"], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("`cosign --type spdxjson` does not find"), "{}", ran.stderr);
    for platform in PLATFORMS {
        let statement = scene.trusting("get", &["--type", "spdx", "--platform", platform, "-o", "statement"]);
        assert_eq!(statement.json()["predicateType"], "https://spdx.dev/Document/v3", "{}", statement.stderr);
        let attached = scene.trusting("sbom", &["--platform", platform, "--source", "attached"]);
        let more = ["--platform", platform, "--source", "content", "-o", "spdx3-json"];
        let content = scene.run("sbom", &more, &[]);
        assert_eq!((attached.code, content.code), (0, 0), "{}{}", attached.stderr, content.stderr);
        assert_eq!(attached.stdout, content.stdout);
        // It is a witness like any other.
        let checked = scene.trusting("check", &["--platform", platform]);
        assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    }
    // One for the other platform is refused before anything is signed.
    let file = scene.path("other.json");
    let arm64 = scene.run("sbom", &["--platform", "linux/arm64", "-o", "spdx3-json"], &[]).stdout;
    std::fs::write(&file, arm64).expect("a file");
    let of = |platform: &str| scene.signs("attest", &[&format!("--sbom={platform}={file}")], &[]);
    let refused = of("linux/amd64");
    assert!(refused.code != 0 && refused.stderr.contains("predicate-subject"), "{}", refused.stderr);
    assert_eq!(of("linux/arm64").code, 0);
}

/// A signed list is taken for the whole list.
#[tokio::test]
async fn what_cannot_be_made_whole_is_not_signed() {
    let damaged = Scene::new("P:app\nV:1-r0\n\nP:zlib\n\n").await;
    let whole = Scene::new(DATABASE).await;
    // What a step of the job set, and the platform did not vouch for.
    let mut forged = JOB;
    forged[4].1 = "0000000000000000000000000000000000000000";
    for (scene, flags, variables, code, status) in [
        (&whole, ["--provenance"].as_slice(), forged.as_slice(), "provenance-mismatch", 1),
        (&damaged, &["--sbom"], &JOB, "sbom-incomplete", 3),
        (&whole, &["--sbom", "--no-recursive"], &JOB, "usage", 2),
        (&whole, &["--sbom", "--platform", "linux/s390x"], &JOB, "platform-absent", 1),
        (&whole, &["--sbom", "--provenance"], &[], "build-facts", 2),
        (&whole, &["--provenance", "--sbom="], &JOB, "file-unreadable", 2),
        (&whole, &["--sbom", "--builder-id", "https://example.com/builds"], &JOB, "usage", 2),
    ] {
        let ran = scene.signs("attest", flags, variables);
        assert_eq!(ran.code, status, "{flags:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{flags:?}: {}", ran.stderr);
        assert_eq!(scene.writes(), [""; 0], "{flags:?}");
    }
    assert_eq!(whole.signs("attest", &["--sbom", "--provenance"], &JOB).code, 0);
}
