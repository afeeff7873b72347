//! What gets signed: in-toto statements with small predicates, and simple-signing documents.

use serde_json::{Value, json};

use crate::digest::Digest;

/// An in-toto statement in the making; the last call gives its bytes.
///
/// ```
/// use cg_attest::digest::Digest;
/// use cg_attest::testing::Statement;
///
/// let image = Digest::sha256(b"an image");
/// let statement = Statement::about(&image).named("cgr.dev/chainguard/nginx").spdx();
/// assert!(String::from_utf8_lossy(&statement).contains(image.hex()));
/// ```
#[derive(Debug, Clone)]
#[must_use = "the last call gives the bytes"]
pub struct Statement {
    kind: &'static str,
    name: Option<String>,
    subjects: Vec<Digest>,
}

impl Statement {
    /// A statement (v1) about `digest`, whose subject has no name.
    pub fn about(digest: &Digest) -> Self {
        Self { kind: "https://in-toto.io/Statement/v1", name: None, subjects: vec![digest.clone()] }
    }

    /// Also about `digest`, as a further subject.
    pub fn also_about(mut self, digest: &Digest) -> Self {
        self.subjects.push(digest.clone());
        self
    }

    /// With this name for every subject.
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Of version 0.1, what `cosign attest` writes.
    pub fn version_0_1(mut self) -> Self {
        self.kind = "https://in-toto.io/Statement/v0.1";
        self
    }

    /// What `cosign sign` signs: predicate type `https://sigstore.dev/cosign/sign/v1`, nothing in it.
    #[must_use]
    pub fn signature(self) -> Vec<u8> {
        self.predicate("https://sigstore.dev/cosign/sign/v1", "{}")
    }

    /// An SPDX 2.3 document that names the first subject and three packages.
    #[must_use]
    pub fn spdx(self) -> Vec<u8> {
        self.spdx_of(3)
    }

    /// An SPDX 2.3 document with as many packages as asked for, about 500 bytes each.
    #[must_use]
    pub fn spdx_of(self, packages: usize) -> Vec<u8> {
        let document = spdx(&self.subjects[0], packages).to_string();
        self.predicate("https://spdx.dev/Document", &document)
    }

    /// SLSA provenance v1 with the build type and builder of Chainguard's images.
    #[must_use]
    pub fn slsa(self) -> Vec<u8> {
        let provenance = json!({
            "buildDefinition": {
                "buildType": "https://apko.dev/slsa-build-type@v1",
                "externalParameters": {},
                "internalParameters": { "wolfi-baselayout": "20230201-r29" },
            },
            "runDetails": {
                "builder": { "id": "https://github.com/chainguard-dev/terraform-provider-apko" },
                "metadata": { "invocationId": "virtual-build-1" },
            },
        });
        self.predicate("https://slsa.dev/provenance/v1", &provenance.to_string())
    }

    /// A locked apko configuration.
    #[must_use]
    pub fn apko(self) -> Vec<u8> {
        let configuration = json!({
            "archs": ["amd64", "arm64"],
            "contents": { "packages": ["wolfi-baselayout=20230201-r29"], "repositories": ["https://apk.example.com"] },
            "entrypoint": { "command": "/usr/bin/hello" },
        });
        self.predicate("https://apko.dev/image-configuration", &configuration.to_string())
    }

    /// Any predicate: `json` stands in the statement as it is, be it an object, a string or no JSON at all.
    #[must_use]
    pub fn predicate(self, predicate_type: &str, json: &str) -> Vec<u8> {
        let subject = |digest: &Digest| {
            let mut subject = json!({ "digest": { digest.algorithm().as_str(): digest.hex() } });
            if let Some(name) = &self.name {
                subject["name"] = json!(name);
            }
            subject
        };
        let subjects: Vec<_> = self.subjects.iter().map(subject).collect();
        let (kind, predicate_type, subjects) = (self.kind, json!(predicate_type), json!(subjects));
        format!(r#"{{"_type":"{kind}","subject":{subjects},"predicateType":{predicate_type},"predicate":{json}}}"#)
            .into_bytes()
    }
}

/// The document that legacy signatures sign: `digest`, under the name `repository`.
#[must_use]
pub fn simple_signing(repository: &str, digest: &Digest) -> Vec<u8> {
    let document = json!({
        "critical": {
            "identity": { "docker-reference": repository },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    document.to_string().into_bytes()
}

/// A document of the shape that apko writes.
fn spdx(image: &Digest, packages: usize) -> Value {
    let image_id = format!("SPDXRef-Package-Image-{}-{}", image.algorithm().as_str(), image.hex());
    let purl = |locator: String| json!([{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator }]);
    let mut listed = vec![json!({
        "SPDXID": image_id,
        "name": image,
        "versionInfo": image,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": "CONTAINER",
        "checksums": [{ "algorithm": "SHA256", "checksumValue": image.hex() }],
        "externalRefs": purl(format!("pkg:oci/image@{image}")),
    })];
    let document = "SPDXRef-DOCUMENT";
    let mut relations = vec![relation(document, "DESCRIBES", &image_id)];
    for number in 0..packages {
        let (name, version) = (format!("package-{number}"), "1.2.3-r0");
        let id = format!("SPDXRef-Package-apk-{name}-{version}");
        relations.push(relation(&image_id, "CONTAINS", &id));
        listed.push(json!({
            "SPDXID": id,
            "name": name,
            "versionInfo": version,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false,
            "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "Apache-2.0",
            "supplier": "Organization: Example",
            "externalRefs": purl(format!("pkg:apk/wolfi/{name}@{version}?arch=x86_64")),
        }));
    }
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": document,
        "name": format!("sbom-{image}"),
        "documentNamespace": format!("https://spdx.example.com/{}", image.hex()),
        "creationInfo": { "created": "2026-03-02T12:00:00Z", "creators": ["Tool: cg-attest testing"] },
        "documentDescribes": [image_id],
        "packages": listed,
        "relationships": relations,
    })
}

fn relation(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_json_about_their_subjects() {
        let (one, two) = (Digest::sha256(b"one"), Digest::sha256(b"two"));
        let about = || Statement::about(&one).also_about(&two).named("example.com/image");
        for bytes in [about().signature(), about().spdx(), about().slsa(), about().apko()] {
            let json: Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(json["_type"], "https://in-toto.io/Statement/v1");
            assert_eq!(json["subject"][0]["digest"]["sha256"], one.hex());
            assert_eq!(json["subject"][1]["name"], "example.com/image");
            assert!(json["predicate"].is_object());
        }
        let text = about().version_0_1().predicate("https://spdx.dev/Document", r#""SPDXVersion: SPDX-2.3""#);
        let json: Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(json["_type"], "https://in-toto.io/Statement/v0.1");
        assert_eq!(json["predicate"], "SPDXVersion: SPDX-2.3");
        let nameless: Value = serde_json::from_slice(&Statement::about(&one).signature()).expect("JSON");
        assert_eq!(nameless["subject"], json!([{ "digest": { "sha256": one.hex() } }]));
    }

    #[test]
    fn documents_grow_as_asked() {
        let digest = Digest::sha256(b"image");
        let large = Statement::about(&digest).spdx_of(800);
        assert!((400_000..560_000).contains(&large.len()), "{}", large.len());
        let signed: Value = serde_json::from_slice(&simple_signing("example.com/image", &digest)).expect("JSON");
        assert_eq!(signed["critical"]["image"]["docker-manifest-digest"], digest.to_string());
    }
}
