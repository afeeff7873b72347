//! `diff`: exactly what differs, and who says so.

use cg_attest::digest::Digest;
use cg_attest::testing::{Image, ImageBuilder, LayerBuilder, Statement};
use serde_json::{Value, json};

use crate::support::command::{Ran, cg_attest};
use crate::support::folder::Folder;
use crate::support::scene::{IDENTITY, ISSUER, Scene};

fn entry(name: &str, version: &str, license: &str) -> String {
    format!("P:{name}\nV:{version}\nA:x86_64\nL:{license}\nF:usr/bin\nR:{name}\n\n")
}

fn layer(packages: &[(&str, &str, &str)], stray: &str) -> LayerBuilder {
    let database: String = packages.iter().map(|(name, version, license)| entry(name, version, license)).collect();
    let layer = LayerBuilder::new().file("etc/os-release", "ID=wolfi\nVERSION_ID=\"20230201\"\n");
    layer.file("usr/lib/apk/db/installed", database).executable("usr/bin/nginx-mainline", "#!").executable(stray, "#!")
}

const PRODUCTION: [(&str, &str, &str); 4] = [
    ("ca-certificates-bundle", "20260413-r1", "MPL-2.0 AND MIT"),
    ("glibc-2.43", "2.43-r15", "LGPL-2.1-or-later"),
    ("nginx-mainline", "1.31.4-r0", "BSD-2-Clause"),
    ("zlib", "1.3.2-r4", "Zlib"),
];

fn production() -> ImageBuilder {
    let run = json!({ "User": "65532", "Entrypoint": ["/usr/bin/nginx"], "Env": ["A=1"], "ExposedPorts": { "8080/tcp": {} } });
    ImageBuilder::new().layers([layer(&PRODUCTION, "usr/local/bin/helper")]).run(&run.to_string())
}

/// The production image with a shell, an older zlib, a newer nginx, another user and a stray program.
fn development() -> ImageBuilder {
    let packages = [
        ("apk-tools", "2.14.10-r9", "GPL-2.0-only"),
        ("bash", "5.3-r2", "GPL-3.0-or-later"),
        PRODUCTION[0],
        PRODUCTION[1],
        ("nginx-mainline", "1.31.10-r0", "BSD-2-Clause"),
        ("zlib", "1.3.2-r3", "Zlib"),
    ];
    let run = json!({ "User": "0", "Entrypoint": ["/usr/bin/nginx"], "Env": ["A=1", "B=2"], "ExposedPorts": {} });
    ImageBuilder::new().layers([layer(&packages, "usr/local/bin/debug")]).run(&run.to_string())
}

async fn layouts() -> (Folder, Folder) {
    let (production, development) = (production().build(), development().build());
    (Folder::with(&[&production.upload]).await, Folder::with(&[&development.upload]).await)
}

fn diff(from: &str, to: &str, more: &[&str]) -> Ran {
    cg_attest([&["diff", from, to, "--platform", "linux/amd64"], more].concat())
}

fn purl(name: &str, version: &str) -> String {
    format!("pkg:apk/wolfi/{name}@{version}?arch=x86_64&distro=wolfi-20230201")
}

#[tokio::test]
async fn production_and_development_differ_exactly_in_what_was_planted() {
    let (production, development) = layouts().await;
    let ran = diff(&production.name(), &development.name(), &["-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let found = ran.json();
    let wanted = json!({
        "added": [
            { "name": "apk-tools", "version": "2.14.10-r9", "reference": purl("apk-tools", "2.14.10-r9") },
            { "name": "bash", "version": "5.3-r2", "reference": purl("bash", "5.3-r2") },
        ],
        "removed": [],
        "changed": [
            { "name": "nginx-mainline", "from": "1.31.4-r0", "to": "1.31.10-r0", "direction": "up",
              "reference": purl("nginx-mainline", "1.31.10-r0") },
            { "name": "zlib", "from": "1.3.2-r4", "to": "1.3.2-r3", "direction": "down",
              "reference": purl("zlib", "1.3.2-r3") },
        ],
    });
    assert_eq!(found["packages"], wanted);
    assert_eq!((&found["from"]["packages"], &found["to"]["packages"]), (&4.into(), &6.into()));
    let strays = json!({ "added": ["usr/local/bin/debug"], "removed": ["usr/local/bin/helper"], "partial": false });
    assert_eq!(found["executables"], strays);
    let licenses = json!({ "added": ["GPL-2.0-only", "GPL-3.0-or-later"], "removed": [], "changed": [] });
    assert_eq!(found["licenses"], licenses);
    let configuration = json!([
        { "name": "env.B", "from": null, "to": "B=2" },
        { "name": "port.8080/tcp", "from": "exposed", "to": null },
        { "name": "user", "from": "65532", "to": "0" },
    ]);
    assert_eq!(found["configuration"], configuration);
    assert_eq!((&found["provenance"], &found["vulnerabilities"]), (&Value::Null, &json!({})));
    assert_eq!((&found["from"]["source"], &found["from"]["unverified"]), (&"content".into(), &true.into()));

    let none = diff(&production.name(), &development.name(), &["-o", "json", "--type", "deb,npm"]).json();
    assert_eq!(none["packages"], json!({ "added": [], "removed": [], "changed": [] }));
    let apk = diff(&production.name(), &development.name(), &["-o", "json", "--type", "apk"]).json();
    assert_eq!(apk["packages"], found["packages"]);

    assert_eq!(diff(&production.name(), &development.name(), &["--type", "apks"]).code, 2);

    // The other way round it is the other way round.
    let back = diff(&development.name(), &production.name(), &["-o", "json"]).json();
    assert_eq!((&back["packages"]["removed"], &back["packages"]["added"]), (&wanted["added"], &json!([])));
    assert_eq!(back["packages"]["changed"][1]["direction"], "up");
}

#[tokio::test]
async fn an_image_does_not_differ_from_itself() {
    let (production, development) = layouts().await;
    let same = diff(&production.name(), &production.name(), &["--exit-code"]);
    assert_eq!(same.code, 0, "{}", same.stderr);
    assert!(
        same.stdout.contains("no difference between 4 and 4 packages") && !same.stdout.contains("packages\n"),
        "{}",
        same.stdout
    );
    let other = diff(&production.name(), &development.name(), &["--exit-code"]);
    assert_eq!(other.code, 1, "{}", other.stderr);
    for line in ["  + bash 5.3-r2\n", "  ~ zlib 1.3.2-r4 → 1.3.2-r3 (down)\n", "  ~ user: 65532 → 0\n"] {
        assert!(other.stdout.contains(line), "{line:?}: {}", other.stdout);
    }
    let markdown = diff(&production.name(), &development.name(), &["-o", "markdown"]).stdout;
    assert!(markdown.contains("### packages\n\n- added `apk-tools 2.14.10-r9`\n"), "{markdown}");
}

#[tokio::test]
async fn platforms_are_compared_in_pairs_and_never_indexes() {
    let (production, development) = layouts().await;
    let (from, to) = (production.name(), development.name());
    let open = cg_attest(["diff", &from, &to]);
    assert_eq!(open.code, 2, "{}", open.stderr);
    let all = cg_attest(["diff", &from, &to, "--platform", "all", "-o", "json"]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    let lines: Vec<Value> = all.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let platforms: Vec<&Value> = lines.iter().map(|line| &line["platform"]).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(lines[0]["packages"]["added"].as_array().map(Vec::len), Some(2));
    let absent = cg_attest(["diff", &from, &to, "--platform", "linux/s390x"]);
    assert_eq!(absent.code, 1);
    assert!(absent.stderr.contains("platform-absent"), "{}", absent.stderr);
}

#[tokio::test]
async fn two_reports_are_joined_with_the_packages() {
    let (production, development) = layouts().await;
    let finding = |id: &str, name: &str, version: &str| {
        json!({
            "vulnerability": { "id": id, "namespace": "wolfi:distro:wolfi:rolling", "severity": "High" },
            "artifact": { "name": name, "version": version },
        })
    };
    let kept = finding("CVE-2026-1", "glibc-2.43", "2.43-r15");
    let gone = finding("CVE-2026-2", "nginx-mainline", "1.31.4-r0");
    let come = finding("CVE-2026-3", "bash", "5.3-r2");
    let report = |name: &str, found: &[&Value]| {
        let path = production.file(name, &json!({ "matches": found }).to_string());
        path.display().to_string()
    };
    let (a, b) = (report("a.json", &[&kept, &gone]), report("b.json", &[&kept, &come]));
    let joined =
        |a: &str, b: &str| diff(&production.name(), &development.name(), &["-o", "json", "--vulnerabilities", a, b]);
    let one = |id: &str, package: &str, version: &str, is: &str| {
        json!([{ "id": id, "reference": "wolfi:distro:wolfi:rolling", "severity": "High", "package": package,
                 "version": version, "packageIs": is }])
    };
    let wanted = json!({
        "added": one("CVE-2026-3", "bash", "5.3-r2", "added"),
        "removed": one("CVE-2026-2", "nginx-mainline", "1.31.4-r0", "changed"),
    });
    assert_eq!(joined(&a, &b).json()["vulnerabilities"], wanted);
    assert_eq!(joined(&a, &a).json()["vulnerabilities"], json!({ "added": [], "removed": [] }));
    let other = production.file("other.json", "{}").display().to_string();
    let ran = joined(&a, &other);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("neither a JSON report of Grype"), "{}", ran.stderr);
}

#[tokio::test]
async fn under_a_policy_it_is_the_attached_sbom_and_without_one_it_may_be_refused() {
    let scene = Scene::bare().await;
    let (from, to): (Image, Image) = (scene.image.clone(), ImageBuilder::new().content("new").tag("new").build());
    scene.push(&to.upload).await;
    let document = |packages: &[(&str, &str)]| {
        let package = |(name, version): &(&str, &str)| json!({ "externalRefs": [{ "referenceType": "purl", "referenceLocator": purl(name, version) }] });
        let packages: Vec<Value> = packages.iter().map(package).collect();
        json!({ "spdxVersion": "SPDX-2.3", "packages": packages }).to_string()
    };
    let amd64 = |image: &Image| image.platforms[0].1.clone();
    for (image, packages) in [(&from, &[("zlib", "1-r0")][..]), (&to, &[("zlib", "1-r0"), ("bash", "5-r0")][..])] {
        let spdx = |about: Statement| about.predicate("https://spdx.dev/Document", &document(packages));
        scene.attach(&amd64(image), spdx).await;
        scene.attach(&amd64(image), Statement::slsa).await;
    }
    let (a, b) = (format!("{}:latest", scene.name()), format!("{}:new", scene.name()));
    let trusting = scene.trusting();
    let trusting: Vec<&str> = trusting.iter().map(String::as_str).collect();
    let verified = diff(&a, &b, &[&trusting[..], &["-o", "json", "--require-verified"]].concat());
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let found = verified.json();
    assert_eq!((&found["from"]["source"], &found["to"]["unverified"]), (&"attached".into(), &false.into()));
    assert_eq!(found["packages"]["added"][0]["name"], "bash");
    assert_eq!((&found["packages"]["removed"], &found["executables"]), (&json!([]), &Value::Null));
    assert_eq!(found["provenance"], json!([]));

    // The SBOM of an index names no packages: it is not taken for a platform's.
    let indexed = ImageBuilder::new().content("indexed").tag("indexed").build();
    scene.push(&indexed.upload).await;
    scene.attach(&indexed.index, |about| about.predicate("https://spdx.dev/Document", &document(&[]))).await;
    let c = format!("{}:indexed", scene.name());
    let index = diff(&a, &c, &[&trusting[..], &["--level", "spdx=either"]].concat());
    assert_eq!((index.code, index.stdout.as_str()), (1, ""), "{}", index.stderr);
    assert!(index.stderr.contains("error[on-index]"), "{}", index.stderr);
    let either = diff(&a, &b, &[&trusting[..], &["--level", "spdx=either"]].concat());
    assert_eq!(either.code, 0, "{}", either.stderr);

    // Without a policy the layers are read, and that can be refused.
    let open = diff(&a, &b, &["-o", "json"]);
    assert_eq!((open.code, &open.json()["from"]["unverified"]), (0, &true.into()), "{}", open.stderr);
    let refused = diff(&a, &b, &["--require-verified"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("error[unverified]"), "{}", refused.stderr);

    // A policy that does not accept is no reason to believe the layers instead.
    let strange = ["--identity", "https://github.com/other/x/.github/workflows/a.yaml@refs/heads/main"];
    assert_ne!(strange[1], IDENTITY);
    let root = scene.root();
    let other = diff(&a, &b, &[&strange[..], &["--issuer", ISSUER, "--trusted-root", &root]].concat());
    assert_eq!((other.code, other.stdout.as_str()), (1, ""), "{}", other.stderr);
}

/// What `docker save` writes of an image of one layer.
fn saved(layer: LayerBuilder, run: &str, platform: &str) -> Vec<u8> {
    let layer = layer.archive();
    let run: Value = serde_json::from_str(run).expect("JSON");
    let (os, architecture) = platform.split_once('/').expect("a platform");
    let diff_ids = [Digest::sha256(&layer).to_string()];
    let config = json!({ "os": os, "architecture": architecture, "config": run,
                         "rootfs": { "type": "layers", "diff_ids": diff_ids } });
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["app:1"], "Layers": ["layer.tar"] }]);
    let archive = LayerBuilder::new().file("layer.tar", layer).file("config.json", config.to_string());
    archive.file("manifest.json", manifest.to_string()).archive()
}

#[tokio::test]
async fn folders_and_archives_are_sides_that_nobody_vouches_for() {
    let (production, development) = layouts().await;
    let run = json!({ "User": "65532", "Entrypoint": ["/usr/bin/nginx"], "Env": ["A=1"], "ExposedPorts": { "8080/tcp": {} } });
    let layer = || layer(&PRODUCTION, "usr/local/bin/helper");
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    let archive = put("app.tar", &saved(layer(), &run.to_string(), "linux/amd64"));
    let archive = format!("docker-archive:{archive}:app:1");
    let same = diff(&production.name(), &archive, &["--exit-code", "-o", "json"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    assert_eq!(same.json()["to"]["unverified"], true);
    // The platform of the only archive is the one that is compared.
    let chosen = cg_attest(["diff", &archive, &development.name(), "-o", "json"]);
    assert_eq!((chosen.code, &chosen.json()["platform"]), (0, &"linux/amd64".into()), "{}", chosen.stderr);
    let names = |ran: &Ran| ran.json()["packages"]["added"].as_array().expect("a list").len();
    assert_eq!(names(&chosen), 2);
    let absent = cg_attest(["diff", &archive, &production.name(), "--platform", "linux/arm64"]);
    assert_eq!(absent.code, 1, "{}", absent.stderr);
    assert!(
        absent.stderr.contains("error[platform-absent]") && absent.stderr.contains("linux/amd64"),
        "{}",
        absent.stderr
    );
    let lost = diff(&format!("docker-archive:{}", folder.path().join("lost.tar").display()), &archive, &[]);
    assert_eq!(lost.code, 2, "{}", lost.stderr);

    // A folder has packages and nothing else: no settings, no platform.
    put("root/etc/os-release", b"ID=wolfi\nVERSION_ID=\"20230201\"\n");
    let root = format!("dir:{}", folder.path().join("root").display());
    let database: String = PRODUCTION.iter().map(|(name, version, license)| entry(name, version, license)).collect();
    put("root/usr/lib/apk/db/installed", database.as_bytes());
    let unpacked = diff(&production.name(), &root, &["-o", "json"]);
    assert_eq!(unpacked.code, 0, "{}", unpacked.stderr);
    let found = unpacked.json();
    assert_eq!(found["packages"], json!({ "added": [], "removed": [], "changed": [] }));
    assert_eq!((&found["to"]["digest"], &found["configuration"]), (&Value::Null, &Value::Null));
    let text = diff(&root, &development.name(), &[]);
    assert!(
        text.stdout.contains("a folder, unverified") && text.stdout.contains("  + bash 5.3-r2\n"),
        "{}",
        text.stdout
    );
    let open = cg_attest(["diff", &root, &development.name()]);
    assert_eq!(open.code, 2, "which platform is meant is not known: {}", open.stdout);

    // Nothing can be attached to them: who wants a signer's word gets none.
    let refused = diff(&archive, &root, &["--require-verified"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("error[unverified]"), "{}", refused.stderr);
}
