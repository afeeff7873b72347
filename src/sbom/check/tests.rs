//! Planted lies: each is found by its code alone, and its honest twin is silent.

use serde_json::{Value, json};

use super::{Claimed, Evidence, Outcome, Rule, compare};
use crate::code::Code;
use crate::digest::VerifiedBlob;
use crate::image::{ImageDocument, Manifest, Platform};
use crate::limits::Limits;
use crate::sbom::{self, Format, Options};
use crate::scan::{Contents, Coverage, Ecosystem, LayerFacts, OperatingSystem, Package};
use crate::signer::BuildClaims;
use crate::statement::{ApkoConfiguration, Provenance, apko_installed};

const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";
const COMMIT: &str = "0123456789012345678901234567890123456789";

/// An image with everything that can be known of it, all of it true.
struct Scene {
    manifest: Value,
    listed_as: Platform,
    contents: Contents,
    sbom: Option<String>,
    /// The package version and more that an SBOM lies about: what to replace by what.
    lies: Vec<(String, String)>,
    format: Format,
    provenance: Value,
    apko: Value,
    certificate: Option<BuildClaims>,
}

fn platform(text: &str) -> Platform {
    text.parse().expect("a platform")
}

fn apk(name: &str, version: &str) -> Package {
    let mut package = Package::new(Ecosystem::Apk, name, version);
    package.architecture = Some("x86_64".to_owned());
    package.supplier = Some("wolfi".to_owned());
    package
}

fn digest_of(text: &str) -> crate::digest::Digest {
    VerifiedBlob::of(text.as_bytes().to_vec()).digest().clone()
}

impl Scene {
    fn honest() -> Self {
        let descriptor = |kind: &str, text: &str| json!({ "mediaType": kind, "size": 3, "digest": digest_of(text) });
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.oci.image.config.v1+json", "config"),
            "layers": [descriptor(layer, "one"), descriptor(layer, "two")],
            "annotations": {
                SOURCE: "https://github.com/chainguard-images/images/tree/main/images/app", REVISION: COMMIT,
                "org.opencontainers.image.authors": "Chainguard Team https://www.chainguard.dev/",
                "org.opencontainers.image.url": "https://images.chainguard.dev/directory/image/app/overview",
                "org.opencontainers.image.vendor": "Chainguard", "org.opencontainers.image.title": "app",
                "dev.chainguard.image.title": "app",
            },
        });
        let facts = |text: &str| LayerFacts {
            digest: digest_of(text),
            diff_id: digest_of(text),
            media_type: layer.to_owned(),
            size: 3,
        };
        let system = OperatingSystem { id: "wolfi".to_owned(), ..OperatingSystem::default() };
        let contents = Contents {
            digest: None,
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            platform: Some(platform("linux/amd64")),
            created: None,
            user: Some("65532".to_owned()),
            layers: vec![facts("one"), facts("two")],
            system: Some(system),
            packages: vec![
                apk("app", "1-r0"),
                apk("zlib", "1.3-r4"),
                Package::new(Ecosystem::Npm, "left-pad", "1.0.0"),
            ],
            dependencies: Vec::new(),
            coverage: Coverage::default(),
            claims: Vec::new(),
            apko_json: None,
            problems: Vec::new(),
            files: None,
            history: Vec::new(),
        };
        let provenance = json!({
            "buildDefinition": {
                "buildType": "https://apko.dev/slsa-build-type@v1",
                "internalParameters": { "app": "1-r0", "zlib": "1.3-r4" },
            },
            "runDetails": { "builder": { "id": "https://example.org/builder" } },
        });
        let apko = json!({ "archs": ["x86_64"], "contents": { "packages": ["app=1-r0", "zlib", "any~=2"] } });
        let listed_as = platform("linux/amd64");
        let (sbom, lies, certificate) = (None, Vec::new(), None);
        Self { manifest, listed_as, contents, sbom, lies, format: Format::Spdx23, provenance, apko, certificate }
    }

    fn manifest(&self) -> Manifest {
        match ImageDocument::parse(VerifiedBlob::of(self.manifest.to_string().into_bytes()), None).expect("a document")
        {
            ImageDocument::Manifest(manifest) => manifest,
            ImageDocument::Index(_) => panic!("an index"),
        }
    }

    /// The SBOM: what the scene has before any change to its contents.
    fn document(&self) -> String {
        let mut contents = Self::honest().contents;
        contents.digest = Some(self.manifest().blob().digest().clone());
        let options = Options::new().repository(Some("registry.example/app".parse().expect("a name")));
        let mut out = Vec::new();
        sbom::write(self.format, &contents, &options, &mut out).expect("written to memory");
        self.lies.iter().fold(String::from_utf8(out).expect("UTF-8"), |text, (right, wrong)| {
            assert!(text.contains(right), "{right} is not in {text}");
            text.replace(right, wrong)
        })
    }

    fn outcome(&self, rules: &[Rule]) -> Outcome {
        let (manifest, document) = (self.manifest(), self.sbom.clone().unwrap_or_else(|| self.document()));
        let claimed = Claimed::parse(document.as_bytes(), &Limits::default()).expect("SPDX");
        let provenance =
            Provenance::parse("https://slsa.dev/provenance/v1", &self.provenance.to_string(), &Limits::default());
        let provenance = provenance.expect("provenance");
        let installed = apko_installed(&self.provenance.to_string()).expect("packages");
        let apko = ApkoConfiguration::parse(&self.apko.to_string()).expect("a configuration");
        let evidence = Evidence {
            platform: Some(&self.listed_as),
            contents: Some(&self.contents),
            sbom: Some(&claimed),
            provenance: Some(&provenance),
            installed: installed.as_ref(),
            apko: Some(&apko),
            certificate: self.certificate.as_ref(),
            ..Evidence::new(&manifest)
        };
        compare(&evidence, rules)
    }

    fn codes(&self) -> Vec<Code> {
        self.outcome(&Rule::ALL).findings.iter().map(|finding| finding.code).collect()
    }
}

/// What a builder of GitHub's says, with a source that can be compared.
fn github(scene: &mut Scene) {
    scene.provenance = json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": { "workflow": {
                "ref": "refs/heads/main", "repository": "https://github.com/chainguard-images/images",
                "path": ".github/workflows/release.yaml" } },
            "resolvedDependencies": [{
                "uri": "git+https://github.com/chainguard-images/images@refs/heads/main", "digest": { "gitCommit": COMMIT } }],
        },
        "runDetails": { "builder": { "id": "https://github.com/actions/runner/github-hosted" } },
    });
}

fn lie(right: &str, wrong: &str) -> impl FnOnce(&mut Scene) {
    let pair = (right.to_owned(), wrong.to_owned());
    move |scene| scene.lies.push(pair)
}

fn found(change: impl FnOnce(&mut Scene)) -> Vec<Code> {
    let mut scene = Scene::honest();
    change(&mut scene);
    scene.codes()
}

#[test]
fn the_honest_image_is_silent_and_everything_was_compared() {
    let outcome = Scene::honest().outcome(&Rule::ALL);
    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.skipped, [""; 0]);
    let wanted = [
        "platform: index = configuration",
        "digest: sbom = manifest",
        "platform: sbom = image",
        "layers: sbom = manifest",
        "packages: sbom = layers",
        "packages: apko configuration = image",
        "packages: provenance = image",
        "architecture: apko configuration = image",
        "distroless",
        "nonroot",
        "chainguard-origin",
        "chainguard-annotations",
    ];
    assert_eq!(outcome.compared, wanted);
    let mut scene = Scene::honest();
    github(&mut scene);
    let outcome = scene.outcome(&[]);
    assert_eq!(outcome.findings, []);
    assert!(outcome.compared.contains(&"source: annotation = provenance"), "{outcome:?}");
    assert!(outcome.compared.contains(&"revision: annotation = provenance"), "{outcome:?}");
}

#[test]
fn each_lie_of_an_sbom_is_found_by_its_code() {
    assert_eq!(found(|s| s.contents.packages.push(apk("hidden", "1"))), [Code::SbomPackageMissing]);
    assert_eq!(found(|s| drop(s.contents.packages.pop())), [Code::SbomPackageExtra]);
    assert_eq!(found(lie("left-pad@1.0.0", "left-pad@1.0.1")), [Code::SbomVersionDiffers]);
    assert_eq!(found(lie("app@1-r0?arch=x86_64", "app@1-r0?arch=aarch64")), [Code::SbomArchitectureDiffers]);
    let manifest = Scene::honest().manifest();
    let digest = manifest.blob().digest();
    assert_eq!(found(lie(digest.hex(), digest_of("other").hex())), [Code::SbomDigestDiffers]);
    assert_eq!(found(lie("?arch=amd64&", "?arch=arm64&")), [Code::SbomPlatformDiffers]);
    assert_eq!(found(lie(digest_of("two").hex(), digest_of("three").hex())), [Code::SbomLayersDiffer]);
}

#[test]
fn each_lie_of_another_statement_is_found_by_its_code() {
    assert_eq!(found(|s| s.listed_as = platform("linux/s390x")), [Code::ImagePlatformDiffers]);
    assert_eq!(found(|s| s.apko["contents"]["packages"][0] = "app=2-r0".into()), [Code::ApkoPackageDiffers]);
    assert_eq!(found(|s| s.apko["archs"][0] = "aarch64".into()), [Code::ApkoArchitectureDiffers]);
    let parameter = "/buildDefinition/internalParameters/zlib";
    let planted = |s: &mut Scene| *s.provenance.pointer_mut(parameter).expect("it is there") = "9".into();
    assert_eq!(found(planted), [Code::ProvenancePackageDiffers]);
    for (key, wrong, code) in [
        (SOURCE, "https://github.com/chainguard-images/images-of-others", Code::AnnotationSourceDiffers),
        (REVISION, "f123456789012345678901234567890123456789", Code::AnnotationRevisionDiffers),
    ] {
        let mut scene = Scene::honest();
        github(&mut scene);
        scene.manifest["annotations"][key] = wrong.into();
        let codes: Vec<Code> = scene.outcome(&[]).findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [code]);
    }
}

/// The image as apko leaves it: with the configuration that it was given, and its annotations.
fn with_file(scene: &mut Scene) -> Value {
    scene.apko["annotations"] = json!({ "org.opencontainers.image.title": "app" });
    let mut file = scene.apko.clone();
    file["archs"] = json!(["amd64"]);
    file["contents"]["packages"] = json!(["app=1-r0", "zlib=1.3-r4"]);
    scene.contents.apko_json = Some(Ok(file.to_string()));
    file
}

#[test]
fn each_lie_in_the_configuration_of_apko_in_the_image_is_found_by_its_code() {
    let mut honest = Scene::honest();
    with_file(&mut honest);
    let outcome = honest.outcome(&[]);
    assert_eq!((outcome.findings.as_slice(), outcome.skipped.as_slice()), (&[][..], &[][..]));
    for compared in [
        "packages: etc/apko.json = image",
        "architecture: etc/apko.json = image",
        "packages: apko configuration = etc/apko.json",
        "annotations: apko configuration = image",
    ] {
        assert!(outcome.compared.contains(&compared), "{compared}: {outcome:?}");
    }
    let lying = |change: &dyn Fn(&mut Value)| {
        found(|scene| {
            let mut file = with_file(scene);
            change(&mut file);
            scene.contents.apko_json = Some(Ok(file.to_string()));
        })
    };
    assert_eq!(lying(&|_| {}), []);
    assert_eq!(lying(&|file| file["contents"]["packages"][1] = "zlib=1.3-r9".into()), [Code::ApkoFilePackageDiffers]);
    assert_eq!(lying(&|file| file["archs"][0] = "arm64".into()), [Code::ApkoFileArchitectureDiffers]);
    // A pin that only the signed one has says nothing of the file.
    assert_eq!(lying(&|file| file["contents"]["packages"] = json!(["zlib=1.3-r4"])), []);
    let signed_otherwise = found(|scene| {
        with_file(scene);
        scene.apko["contents"]["packages"][0] = "app=2-r0".into();
    });
    assert_eq!(signed_otherwise, [Code::ApkoPackageDiffers, Code::ApkoFileDiffers]);
    let annotated = |value: &str| {
        found(|scene| {
            with_file(scene);
            scene.apko["annotations"]["org.opencontainers.image.vendor"] = value.into();
        })
    };
    assert_eq!((annotated("Chainguard"), annotated("Chain")), (vec![], vec![Code::AnnotationApkoDiffers]));
    // What cannot be read, or is not there, is said and not blamed.
    let mut broken = Scene::honest();
    with_file(&mut broken);
    broken.apko["annotations"]["com.example.absent"] = "x".into();
    for found in [Ok("{".to_owned()), Err("it is not text".to_owned())] {
        broken.contents.apko_json = Some(found);
        let outcome = broken.outcome(&[]);
        assert_eq!(outcome.findings, []);
        assert!(outcome.skipped[0].starts_with("etc/apko.json cannot be read"), "{outcome:?}");
        assert!(outcome.skipped[1].contains("com.example.absent"), "{outcome:?}");
    }
}

#[test]
fn each_lie_of_a_document_in_the_image_is_found_by_its_code() {
    let claimed = |package: &str, version: &str, matches: bool| {
        let mut scene = Scene::honest();
        let (package, version) = (package.to_owned(), version.to_owned());
        scene.contents.claims = vec![crate::scan::Claim { package, version, matches, ..Default::default() }];
        scene.outcome(&[])
    };
    let honest = claimed("app", "1-r0", true);
    assert_eq!(honest.findings, []);
    assert!(honest.compared.contains(&"packages: var/lib/db/sbom = image"), "{honest:?}");
    let lies = |package, version| -> Vec<_> {
        claimed(package, version, false).findings.iter().map(|finding| (finding.code, finding.to_string())).collect()
    };
    let code = Code::ClaimPackageDiffers;
    assert_eq!(lies("app", "2-r0"), [(code, "apk app: wanted 1-r0, found 2-r0".to_owned())]);
    assert_eq!(lies("gone", "1"), [(code, "apk gone: wanted nothing, found 1".to_owned())]);
}

#[test]
fn the_certificate_is_compared_where_the_build_type_makes_it_the_same() {
    let claims = |commit: &str| BuildClaims {
        repository: Some("https://github.com/chainguard-images/images".to_owned()),
        commit: Some(commit.to_owned()),
        ..BuildClaims::default()
    };
    let outcome = |claims: BuildClaims, is_github: bool| {
        let mut scene = Scene { certificate: Some(claims), ..Scene::honest() };
        if is_github {
            github(&mut scene);
        }
        scene.outcome(&[])
    };
    let honest = outcome(claims(COMMIT), true);
    assert_eq!(honest.findings, []);
    assert!(honest.compared.contains(&"build: provenance = certificate"), "{honest:?}");
    let other = "f123456789012345678901234567890123456789";
    let lie: Vec<_> = outcome(claims(other), true).findings.iter().map(|f| (f.code, f.subject.clone())).collect();
    assert_eq!(lie, [(Code::ProvenanceMismatch, "source-commit".to_owned())]);
    // apko's build type has no such field; annotations are nobody's definition of a certificate.
    let apko = outcome(claims(other), false);
    assert_eq!(apko.findings, []);
    assert!(!apko.compared.contains(&"build: provenance = certificate"), "{apko:?}");
    assert!(apko.skipped.iter().any(|text| text.contains(REVISION) && text.contains(other)), "{apko:?}");
}

#[test]
fn each_broken_rule_is_found_by_its_code() {
    let shell = |s: &mut Scene| s.contents.coverage.unowned_executables.push("usr/bin/bash".to_owned());
    assert_eq!(found(shell), [Code::RuleDistroless]);
    assert_eq!(found(|s| s.contents.coverage.unowned_executables.push("usr/bin/basher".to_owned())), []);
    for root in [None, Some("root"), Some("0"), Some("00:65532"), Some("0:0")] {
        assert_eq!(found(|s| s.contents.user = root.map(str::to_owned)), [Code::RuleNonRoot], "{root:?}");
    }
    assert_eq!(found(|s| s.contents.user = Some("nonroot:0".to_owned())), []);
    assert_eq!(
        found(|s| s.contents.packages[0].supplier = Some("A Stranger".to_owned())),
        [Code::RuleChainguardOrigin]
    );
    let vendor = "org.opencontainers.image.vendor";
    assert_eq!(found(|s| s.manifest["annotations"][vendor] = "Chain".into()), [Code::RuleChainguardAnnotations]);
}

#[test]
fn what_a_writer_leaves_out_by_design_is_said_and_not_blamed() {
    let mut scene = Scene::honest();
    let mut document: Value = serde_json::from_str(&scene.document()).expect("JSON");
    let packages = document["packages"].as_array_mut().expect("packages");
    packages.retain(|package| package["name"] != "left-pad");
    scene.sbom = Some(document.to_string());
    let outcome = scene.outcome(&[]);
    assert_eq!(outcome.findings, []);
    assert_eq!(outcome.skipped, ["1 packages of type npm: the document lists none of that type"]);
    // Without purls, names and versions are compared.
    for package in document["packages"].as_array_mut().expect("packages") {
        package.as_object_mut().expect("an object").remove("externalRefs");
    }
    scene.sbom = Some(document.to_string());
    assert_eq!(scene.outcome(&[]).findings, []);
    scene.sbom = Some(document.to_string().replace("1.3-r4", "1.3-r5"));
    let codes: Vec<Code> = scene.outcome(&[]).findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::SbomVersionDiffers]);
}

#[test]
fn a_document_that_can_be_read_in_two_ways_is_refused() {
    assert!(Claimed::parse(br#"{"spdxVersion":"SPDX-2.3","packages":[]}"#, &Limits::default()).is_ok());
    for bad in [r#"{"spdxVersion":"SPDX-2.3","packages":[],"packages":[]}"#, r#"{"packages":[]}"#, "{"] {
        assert_eq!(Claimed::parse(bad.as_bytes(), &Limits::default()).expect_err(bad).code(), Code::SbomInvalid);
    }
}

#[test]
fn a_document_of_spdx_3_is_compared_as_well() {
    let honest = Scene { format: Format::Spdx3, ..Scene::honest() };
    assert!(honest.outcome(&[]).findings.is_empty(), "{:?}", honest.outcome(&[]).findings);
    let mut lying = Scene { format: Format::Spdx3, ..Scene::honest() };
    lying.lies.push(("zlib@1.3-r4".to_owned(), "zlib@1.3-r5".to_owned()));
    let codes: Vec<Code> = lying.outcome(&[]).findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::SbomVersionDiffers]);
}
