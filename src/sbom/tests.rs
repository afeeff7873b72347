//! One graph, two writers, two readers.

use serde_json::{Value, json};

use super::document::{Document, Package};
use super::{Format, Options, Severity, validate, write, write_index};
use crate::digest::{Digest, VerifiedBlob};
use crate::image::{ImageDocument, Index, media};
use crate::limits::Limits;
use crate::scan::{self, Contents, Ecosystem, LayerFacts, OperatingSystem, SourcePackage};

const FORMATS: [Format; 2] = [Format::Spdx23, Format::Spdx3];

/// An image with one of everything that a document can say.
fn contents() -> Contents {
    let layer = LayerFacts {
        digest: Digest::sha256(b"layer"),
        diff_id: Digest::sha256(b"content"),
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
        size: 5,
    };
    let mut app = scan::Package::new(Ecosystem::Apk, "app", "1-r0");
    app.license = Some("MIT AND custom".to_owned());
    app.supplier = Some("Wolfi".to_owned());
    app.originator = Some("A Person <a@example.org>".to_owned());
    app.source = Some(SourcePackage::new("app-src", "1-r0"));
    app.found_in = "lib/apk/db/installed".to_owned();
    let mut jar = scan::Package::new(Ecosystem::Maven, "shop", "2.0");
    jar.namespace = Some("org.example".to_owned());
    jar.license = Some("MIT".to_owned());
    jar.sha256 = Some(Digest::sha256(b"jar").hex().to_owned());
    let system = OperatingSystem { id: "wolfi".to_owned(), ..OperatingSystem::default() };
    Contents {
        digest: Some(Digest::sha256(b"image")),
        media_type: media::MANIFEST.to_owned(),
        platform: "linux/amd64".parse().ok(),
        created: "2026-03-02T11:00:00Z".parse().ok(),
        layers: vec![layer],
        system: Some(system),
        packages: vec![app, jar],
        dependencies: vec![(1, 0)],
        ..Contents::default()
    }
}

fn options() -> Options {
    Options::new().repository(Some("registry.example/app".parse().expect("a name")))
}

fn text(format: Format, contents: &Contents) -> String {
    let mut out = Vec::new();
    write(format, contents, &options(), &mut out).expect("written to memory");
    String::from_utf8(out).expect("UTF-8")
}

fn index() -> Index {
    let entry = |seed: &[u8], os: &str, architecture: &str| {
        json!({ "mediaType": media::MANIFEST, "digest": Digest::sha256(seed), "size": 3,
            "platform": { "os": os, "architecture": architecture } })
    };
    let manifests = [entry(b"a", "linux", "amd64"), entry(b"b", "linux", "arm64"), entry(b"x", "unknown", "unknown")];
    let index = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": manifests });
    match ImageDocument::parse(VerifiedBlob::of(index.to_string().into_bytes()), None).expect("an index") {
        ImageDocument::Index(index) => index,
        ImageDocument::Manifest(_) => panic!("a manifest"),
    }
}

/// A document of 3 without its namespace, which is in every name.
fn bare(text: &str) -> Value {
    let document: Value = serde_json::from_str(text).expect("JSON");
    let own = document["@graph"][1]["spdxId"].as_str().expect("a name");
    let namespace = own.split_once('#').expect("a namespace").0;
    serde_json::from_str(&text.replace(&format!("{namespace}#"), "#")).expect("JSON")
}

#[test]
fn the_document_of_an_image_in_3_is_this() {
    let text = text(Format::Spdx3, &contents());
    let image = format!("#SPDXRef-Package-Image-sha256-{}", Digest::sha256(b"image").hex());
    let layer = format!("#SPDXRef-Package-ImageLayer-sha256-{}", Digest::sha256(b"layer").hex());
    let (app, jar) = ("#SPDXRef-Package-apk-app-1-r0", "#SPDXRef-Package-maven-shop-2.0");
    let (system, source) = ("#SPDXRef-OperatingSystem-wolfi", "#SPDXRef-Package-Source-app-src-1-r0");
    let (mit, both) = ("#SPDXRef-License-MIT", "#SPDXRef-License-MIT-AND-LicenseRef-custom");
    let objects = bare(&text)["@graph"].clone();
    let objects = objects.as_array().expect("a graph");
    let one = |id: &str| {
        let found: Vec<&Value> = objects.iter().filter(|object| object["spdxId"] == id).collect();
        let [one] = found.as_slice() else { panic!("{id}: {found:?}") };
        let mut one = (*one).clone();
        assert_eq!(one["creationInfo"].take(), "_:creationinfo");
        one.as_object_mut().expect("an object").retain(|key, _| !matches!(key.as_str(), "spdxId" | "creationInfo"));
        one
    };
    assert_eq!(
        objects[0],
        json!({ "type": "CreationInfo", "@id": "_:creationinfo", "specVersion": "3.0.1",
            "created": "2026-03-02T11:00:00Z", "createdBy": ["#SPDXRef-Tool"] })
    );
    let described = [image.as_str(), &layer, system, app, jar, source];
    assert_eq!(
        one("#SPDXRef-SBOM"),
        json!({ "type": "software_Sbom", "software_sbomType": ["analyzed"], "rootElement": [image], "element": described })
    );
    let document = one("#SPDXRef-DOCUMENT");
    assert_eq!(document["rootElement"], json!(["#SPDXRef-SBOM"]));
    assert_eq!(document["dataLicense"], "#SPDXRef-License-CC0-1.0");
    // Every element is one of the document.
    let listed = document["element"].as_array().expect("a list");
    let all: Vec<&Value> = objects.iter().map(|object| &object["spdxId"]).filter(|id| !id.is_null()).collect();
    assert!(listed.iter().all(|id| all.contains(&id)) && listed.len() + 1 == all.len(), "{listed:?}");
    assert_eq!(
        one(app),
        json!({ "type": "software_Package", "name": "app", "originatedBy": ["#SPDXRef-Agent-A-Person"],
            "suppliedBy": "#SPDXRef-Agent-Wolfi", "software_packageVersion": "1-r0",
            "software_packageUrl": "pkg:apk/wolfi/app@1-r0?distro=wolfi&upstream=app-src",
            "software_sourceInfo": "read from lib/apk/db/installed" })
    );
    assert_eq!(one(jar)["verifiedUsing"][0]["hashValue"], Digest::sha256(b"jar").hex());
    let address =
        json!([{ "type": "ExternalIdentifier", "externalIdentifierType": "email", "identifier": "a@example.org" }]);
    assert_eq!(
        one("#SPDXRef-Agent-A-Person"),
        json!({ "type": "Person", "name": "A Person", "externalIdentifier": address })
    );
    let license = one(both);
    assert_eq!(license["simplelicensing_licenseExpression"], "MIT AND LicenseRef-custom");
    let custom = json!([{ "type": "DictionaryEntry", "key": "LicenseRef-custom", "value": "#LicenseRef-custom" }]);
    assert_eq!(license["simplelicensing_customIdToUri"], custom);
    assert_eq!(one("#LicenseRef-custom")["simplelicensing_licenseText"], "custom");
    let relations: Vec<Value> = objects.iter().filter(|object| object["type"] == "Relationship").cloned().collect();
    let relations: Vec<_> = relations.iter().map(|r| json!([r["from"], r["relationshipType"], r["to"]])).collect();
    assert_eq!(
        json!(relations),
        json!([
            [image, "contains", [layer, system]],
            [layer, "contains", [app, jar]],
            [system, "contains", [app]],
            [jar, "dependsOn", [app]],
            [source, "generates", [app]],
            [app, "hasDeclaredLicense", [both]],
            [jar, "hasDeclaredLicense", [mit]],
        ])
    );
}

#[test]
fn the_same_image_has_the_same_bytes_and_another_one_another_name() {
    for format in FORMATS {
        let one = text(format, &contents());
        assert_eq!(one, text(format, &contents()));
        let other = text(format, &Contents { created: None, ..contents() });
        let namespace =
            |text: &str| text.split("/spdxdocs/cg-attest/").nth(1).and_then(|rest| rest.get(..84).map(str::to_owned));
        assert!(namespace(&one).is_some() && namespace(&one) != namespace(&other), "{:?}", namespace(&one));
        assert!(!one.ends_with('\n'), "what is signed is what was written");
    }
}

#[test]
fn both_versions_say_the_same_to_who_reads_them() {
    let [old, new] = FORMATS.map(|format| {
        let text = text(format, &contents());
        Document::parse(text.as_bytes(), &Limits::default()).expect("a document")
    });
    let bare = |id: &str| id.rsplit('#').next().unwrap_or_default().to_owned();
    let packages = |document: &Document| -> Vec<Package> {
        document.packages.iter().map(|package| Package { id: bare(&package.id), ..package.clone() }).collect()
    };
    assert_eq!(packages(&old), packages(&new));
    for format in FORMATS {
        let found = validate(text(format, &contents()).as_bytes()).expect("JSON");
        let errors: Vec<_> = found.iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    assert_eq!(old.sources, new.sources.iter().map(|id| bare(id)).collect());
    // The SBOM between document and image is described as well.
    assert!(old.described.iter().all(|id| new.described.iter().any(|other| bare(other) == *id)));
    assert!(!old.is_index && !new.is_index);
}

#[test]
fn what_could_not_be_read_is_said_in_both() {
    let problem = scan::Problem { path: "p".to_owned(), reader: "apk database", detail: "d".to_owned() };
    let broken = Contents { problems: vec![problem], ..contents() };
    for format in FORMATS {
        assert!(!text(format, &contents()).contains("INCOMPLETE"));
        let text = text(format, &broken);
        assert!(text.contains("INCOMPLETE: 1 files") && text.contains("sbom-incomplete: apk database p: d"), "{text}");
    }
    let count = |contents: &Contents| text(Format::Spdx3, contents).matches(r#""completeness": "incomplete""#).count();
    assert_eq!((count(&contents()), count(&broken)), (0, 3));
}

#[test]
fn images_are_variants_of_their_index() {
    let [old, new] = FORMATS.map(|format| {
        let mut out = Vec::new();
        write_index(format, &index(), &options(), &mut out).expect("written to memory");
        let read = Document::parse(&out, &Limits::default()).expect("a document");
        // The third entry is no image.
        assert!(read.is_index && read.packages.len() == 3, "{read:?}");
        String::from_utf8(out).expect("UTF-8")
    });
    let document: Value = serde_json::from_str(&old).expect("JSON");
    let id = |seed: &[u8]| format!("SPDXRef-Package-Image-sha256-{}", Digest::sha256(seed).hex());
    let of_index = format!("SPDXRef-Package-Index-{}", index().blob().digest().tag(""));
    let variant =
        |seed| json!({ "spdxElementId": id(seed), "relationshipType": "VARIANT_OF", "relatedSpdxElement": of_index });
    assert_eq!(document["relationships"][0]["relatedSpdxElement"], of_index);
    assert_eq!(document["relationships"].as_array().map(|all| &all[1..]), Some(&[variant(b"a"), variant(b"b")][..]));
    let purl = document["packages"][2]["externalRefs"][0]["referenceLocator"].as_str().expect("a purl");
    assert!(purl.starts_with("pkg:oci/app@") && purl.contains("arch=arm64"), "{purl}");
    let graph = bare(&new)["@graph"].clone();
    let relation = graph.as_array().expect("a graph").iter().find(|object| object["type"] == "Relationship").cloned();
    let relation = relation.expect("one");
    assert_eq!(
        (&relation["relationshipType"], &relation["from"]),
        (&json!("hasVariant"), &json!(format!("#{of_index}")))
    );
    assert_eq!(relation["to"], json!([format!("#{}", id(b"a")), format!("#{}", id(b"b"))]));
}

#[test]
fn other_versions_and_other_json_are_no_documents() {
    let limits = Limits::default();
    let good = text(Format::Spdx3, &contents());
    assert!(Document::parse(good.as_bytes(), &limits).is_ok());
    for (right, wrong) in [
        (r#""specVersion": "3.0.1""#, r#""specVersion": "4.0.0""#),
        (r#""specVersion": "3.0.1","#, ""),
        (r#""name": "app","#, r#""name": "app", "name": "other","#),
        (r#""software_packageVersion": "1-r0""#, r#""software_packageVersion": 1"#),
        (r#""@graph""#, r#""@graphs""#),
        (r#""@context""#, r#""@contexts""#),
    ] {
        assert!(good.contains(right), "{right}");
        let error = Document::parse(good.replacen(right, wrong, 1).as_bytes(), &limits).expect_err(wrong);
        assert_eq!(error.code(), crate::code::Code::SbomInvalid, "{wrong}");
    }
    let few = Limits::default();
    let few = {
        let mut few = few;
        few.packages = 5;
        few
    };
    assert_eq!(Document::parse(good.as_bytes(), &few).expect_err("six").code(), crate::code::Code::Limit);
}
