//! A predicate from a file: what it is, and what it says that it is about.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::code::Code;
use crate::digest::Digest;
use crate::image::Platform;
use crate::json;
use crate::limits::Limits;
use crate::statement::{CYCLONEDX, PredicateType, SLSA_0_2, SLSA_1, SPDX_2, SPDX_3, Statement};

/// What a log of version 1 is sent: the whole envelope, base64 in base64. Its
/// servers stop at 32 MiB; a statement of half of that stays below.
const LOG_V1_BYTES: u64 = 16 << 20;

/// A predicate that is about to be attested.
#[derive(Debug, Clone)]
pub struct Predicate {
    predicate_type: String,
    raw: Box<RawValue>,
    /// What it names, where it says so.
    digests: Vec<String>,
    architectures: Vec<String>,
    note: Option<&'static str>,
}

/// Why a predicate is not attested.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// It is not JSON, or can be read in two ways.
    #[error("it is not JSON that everybody reads the same way: {0}")]
    NotJson(String),
    /// It is not a document of this type.
    #[error("it is not {wanted}: {problem}")]
    NotOfType {
        /// The type asked for.
        wanted: String,
        /// What is missing or found.
        problem: String,
    },
    /// It says that it is about something else.
    #[error("it is about {found}, and would be attached to {wanted}")]
    OtherSubject {
        /// What it names.
        found: String,
        /// What it would be attached to.
        wanted: String,
    },
    /// The certificate that it would be signed with says otherwise.
    #[error("it says otherwise than the certificate of its signer: {0}")]
    Belied(String),
    /// It is too large.
    #[error("the statement has {size} bytes, and {what} takes {limit}")]
    TooLarge {
        /// The bytes.
        size: u64,
        /// Who takes less.
        what: &'static str,
        /// How much.
        limit: u64,
    },
}

impl PredicateError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotJson(_) | Self::NotOfType { .. } => Code::PredicateInvalid,
            Self::OtherSubject { .. } => Code::PredicateSubject,
            Self::Belied(_) => Code::ProvenanceMismatch,
            Self::TooLarge { .. } => Code::PredicateTooLarge,
        }
    }
}

impl Predicate {
    /// A predicate that this crate made.
    pub(super) fn of(predicate_type: &str, json: &str) -> Self {
        let raw = RawValue::from_string(json.to_owned()).expect("JSON written here");
        let (digests, architectures) = (Vec::new(), Vec::new());
        Self { predicate_type: predicate_type.to_owned(), raw, digests, architectures, note: None }
    }

    /// Reads a predicate, or a whole statement, whose predicate is then taken.
    /// SPDX 2 is written as `https://spdx.dev/Document` and SPDX 3 as `…/v3`,
    /// whatever the family's name stands for otherwise.
    ///
    /// # Errors
    /// When it is not JSON that everybody reads the same way, or not a
    /// document of the type.
    pub fn parse(bytes: &[u8], wanted: &PredicateType, limits: &Limits) -> Result<Self, PredicateError> {
        let not_json = |error: &dyn std::fmt::Display| PredicateError::NotJson(error.to_string());
        let text = json::reject_ambiguity(bytes, &[]).map_err(|e| not_json(&e))?;
        let value: Value = serde_json::from_str(text).map_err(|e| not_json(&e))?;
        let not_of_type =
            |problem: &str| PredicateError::NotOfType { wanted: wanted.to_string(), problem: problem.to_owned() };
        if !value["_type"].as_str().unwrap_or_default().starts_with("https://in-toto.io/Statement/") {
            let raw = RawValue::from_string(text.trim().to_owned()).map_err(|e| not_json(&e))?;
            let (predicate_type, note) = kind(&value, wanted).map_err(|problem| not_of_type(&problem))?;
            let (digests, architectures) = named(&predicate_type, &value);
            return Ok(Self { predicate_type, raw, digests, architectures, note });
        }
        let statement = Statement::parse(bytes, limits).map_err(|e| not_of_type(&e.to_string()))?;
        if !wanted.matches(statement.predicate_type()) {
            return Err(not_of_type(&format!("the statement's type is {}", statement.predicate_type())));
        }
        let raw = RawValue::from_string(statement.predicate().to_owned()).map_err(|e| not_json(&e))?;
        let subjects = statement.subjects().iter().flat_map(|subject| &subject.digests);
        let (mut digests, architectures) = named(statement.predicate_type(), &value["predicate"]);
        digests.extend(subjects.map(|(algorithm, hex)| format!("{algorithm}:{hex}")));
        Ok(Self { predicate_type: statement.predicate_type().to_owned(), raw, digests, architectures, note: None })
    }

    /// Whether it may be attached to this subject: it names it, or its index,
    /// or nothing (scenario P-05).
    ///
    /// # Errors
    /// When it names another digest or platform.
    pub fn check(
        &self,
        subject: &Digest,
        platform: Option<&Platform>,
        index: Option<&Digest>,
    ) -> Result<(), PredicateError> {
        let wanted = || platform.map_or_else(|| subject.to_string(), |platform| format!("{subject} ({platform})"));
        let is = |text: &String, digest: &Digest| *text == digest.to_string();
        let ours = |text: &String| is(text, subject) || index.is_some_and(|index| is(text, index));
        if !self.digests.is_empty() && !self.digests.iter().any(ours) {
            return Err(PredicateError::OtherSubject { found: self.digests.join(" and "), wanted: wanted() });
        }
        if let Some(platform) = platform {
            // The second word of `linux/arm64/v8`, in Go's spelling; documents also have the kernel's.
            let text = platform.to_string();
            let own = text.split('/').nth(1).unwrap_or_default();
            let same = |named: &String| match named.as_str() {
                "x86_64" => own == "amd64",
                "aarch64" => own == "arm64",
                named => own == named,
            };
            if let Some(other) = self.architectures.iter().find(|named| !same(named)) {
                return Err(PredicateError::OtherSubject {
                    found: format!("the architecture {other}"),
                    wanted: wanted(),
                });
            }
        }
        Ok(())
    }

    /// Whether a statement of this size can be logged and read, judged before anybody is asked.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check_size(statement: &[u8], log_version_1: bool, limits: &Limits) -> Result<(), PredicateError> {
        let size = statement.len() as u64;
        // base64 makes four of three; the rest is for certificate and log entry.
        let readable = limits.attestation_bytes / 4 * 3 - (64 << 10).min(limits.attestation_bytes / 4);
        if size > readable {
            return Err(PredicateError::TooLarge { size, what: "a reader", limit: readable });
        }
        if log_version_1 && size > LOG_V1_BYTES {
            return Err(PredicateError::TooLarge { size, what: "a log of version 1", limit: LOG_V1_BYTES });
        }
        Ok(())
    }

    /// The predicate type, a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// What people should know about how it will be found.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        self.note
    }

    pub(super) fn raw(&self) -> &RawValue {
        &self.raw
    }
}

/// The type that a document is written as, and a note.
fn kind(value: &Value, wanted: &PredicateType) -> Result<(String, Option<&'static str>), String> {
    let found = recognised(value);
    let write = wanted.to_write();
    match found {
        // The document says which version it is.
        Some(found) if wanted.matches(found) => {
            let note = (found == SPDX_3).then_some(
                "SPDX 3 is attested as https://spdx.dev/Document/v3, which `cosign --type spdxjson` does not find",
            );
            Ok((found.to_owned(), note))
        }
        Some(found) => Err(format!("it is a document of the type {found}")),
        None if [SPDX_2, SPDX_3, CYCLONEDX, SLSA_1, SLSA_0_2].contains(&write) => {
            Err("the members that such a document has are not there".to_owned())
        }
        None => Ok((write.to_owned(), None)),
    }
}

/// The type of a document that says itself what it is.
fn recognised(value: &Value) -> Option<&'static str> {
    let has = |key: &str| value.get(key).is_some();
    let context = value["@context"].as_str().unwrap_or_default();
    if value["spdxVersion"].as_str().is_some_and(|version| version.starts_with("SPDX-2.")) {
        Some(SPDX_2)
    } else if context.contains("spdx.org/rdf/3") && has("@graph") {
        Some(SPDX_3)
    } else if value["bomFormat"] == "CycloneDX" {
        Some(CYCLONEDX)
    } else if has("buildDefinition") && has("runDetails") {
        Some(SLSA_1)
    } else if has("buildType") && value["builder"]["id"].is_string() {
        Some(SLSA_0_2)
    } else {
        None
    }
}

/// Digests and architectures that an SBOM names for what it describes.
fn named(predicate_type: &str, value: &Value) -> (Vec<String>, Vec<String>) {
    let (mut digests, mut architectures) = (Vec::new(), Vec::new());
    let mut purl = |text: &str| {
        let Some((digest, qualifiers)) = oci_purl(text) else { return };
        digests.push(digest);
        architectures.extend(qualifiers.filter(|arch| !arch.is_empty()));
    };
    match predicate_type {
        SPDX_2 => {
            for package in described(value) {
                let references = package["externalRefs"].as_array().into_iter().flatten();
                references.filter_map(|reference| reference["referenceLocator"].as_str()).for_each(&mut purl);
            }
            for package in described(value) {
                let direct = [&package["name"], &package["versionInfo"]].into_iter().filter_map(Value::as_str);
                digests.extend(direct.filter(|text| text.parse::<Digest>().is_ok()).map(str::to_owned));
            }
        }
        SPDX_3 => {
            for package in roots(value) {
                package["software_packageUrl"].as_str().into_iter().for_each(&mut purl);
            }
            for package in roots(value) {
                let direct = [&package["name"], &package["software_packageVersion"]].into_iter();
                let direct = direct.filter_map(Value::as_str).filter(|text| text.parse::<Digest>().is_ok());
                digests.extend(direct.map(str::to_owned));
            }
        }
        CYCLONEDX => {
            let component = &value["metadata"]["component"];
            component["purl"].as_str().into_iter().for_each(&mut purl);
            let version = component["version"].as_str().filter(|text| text.parse::<Digest>().is_ok());
            digests.extend(version.map(str::to_owned));
        }
        _ => {}
    }
    digests.sort();
    digests.dedup();
    (digests, architectures)
}

/// The packages that an SPDX 2 document is about.
fn described(value: &Value) -> impl Iterator<Item = &Value> {
    let listed = value["documentDescribes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let relations = value["relationships"].as_array().into_iter().flatten();
    let related = relations
        .filter(|relation| {
            relation["relationshipType"] == "DESCRIBES" && relation["spdxElementId"] == "SPDXRef-DOCUMENT"
        })
        .filter_map(|relation| relation["relatedSpdxElement"].as_str());
    let ids: std::collections::BTreeSet<&str> = listed.chain(related).collect();
    let packages = value["packages"].as_array().into_iter().flatten();
    packages.filter(move |package| package["SPDXID"].as_str().is_some_and(|id| ids.contains(id)))
}

/// The packages that an SPDX 3 document, or the SBOM in it, is about.
fn roots(value: &Value) -> impl Iterator<Item = &Value> {
    let objects = || value["@graph"].as_array().into_iter().flatten();
    let collections =
        objects().filter(|object| matches!(object["type"].as_str(), Some("SpdxDocument" | "software_Sbom")));
    let listed = collections.flat_map(|object| object["rootElement"].as_array().into_iter().flatten());
    let ids: std::collections::BTreeSet<&str> = listed.filter_map(Value::as_str).collect();
    let packages = objects().filter(|object| object["type"] == "software_Package");
    packages.filter(move |package| package["spdxId"].as_str().is_some_and(|id| ids.contains(id)))
}

/// Digest and architecture of `pkg:oci/NAME@sha256:HEX?arch=…`.
fn oci_purl(text: &str) -> Option<(String, Option<String>)> {
    let rest = text.strip_prefix("pkg:oci/")?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let version = path.rsplit_once('@')?.1.replace("%3A", ":").replace("%3a", ":");
    let digest: Digest = version.parse().ok()?;
    let arch = query.split('&').find_map(|pair| pair.strip_prefix("arch="));
    Some((digest.to_string(), arch.map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, kind: &str) -> Result<Predicate, PredicateError> {
        Predicate::parse(text.as_bytes(), &kind.parse().expect("a type"), &Limits::default())
    }

    fn spdx_3(digest: &Digest, arch: &str) -> String {
        format!(
            r##"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
            {{"type":"SpdxDocument","spdxId":"#D","rootElement":["#S"]}},{{"type":"software_Sbom","spdxId":"#S","rootElement":["#I"]}},
            {{"type":"software_Package","spdxId":"#I","name":"n","software_packageUrl":"pkg:oci/app@{digest}?arch={arch}"}},
            {{"type":"software_Package","spdxId":"#L","name":"{}"}}]}}"##,
            Digest::sha256(b"a layer")
        )
    }

    fn spdx(digest: &Digest, arch: &str) -> String {
        format!(
            r#"{{"spdxVersion":"SPDX-2.3","documentDescribes":["SPDXRef-I"],"packages":[
            {{"SPDXID":"SPDXRef-I","externalRefs":[{{"referenceLocator":"pkg:oci/app@sha256%3A{}?arch={arch}"}}]}},
            {{"SPDXID":"SPDXRef-L","versionInfo":"{}"}}]}}"#,
            digest.hex(),
            Digest::sha256(b"a layer")
        )
    }

    #[test]
    fn a_document_is_written_under_its_own_type() {
        let written = |text: &str, kind: &str| read(text, kind).map(|p| p.predicate_type).map_err(|e| e.code());
        let three = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#;
        assert_eq!(written(r#"{"spdxVersion":"SPDX-2.3"}"#, "spdx").as_deref(), Ok(SPDX_2));
        assert_eq!(written(three, "spdx").as_deref(), Ok(SPDX_3));
        assert!(read(three, "spdx").expect("SPDX 3").note().is_some());
        assert_eq!(written(r#"{"bomFormat":"CycloneDX"}"#, "cyclonedx").as_deref(), Ok(CYCLONEDX));
        assert_eq!(written(r#"{"buildDefinition":{},"runDetails":{}}"#, "slsa").as_deref(), Ok(SLSA_1));
        assert_eq!(written(r#"{"buildType":"b","builder":{"id":"i"}}"#, "slsa").as_deref(), Ok(SLSA_0_2));
        assert_eq!(written("[1]", "https://example.org/p").as_deref(), Ok("https://example.org/p"));
        for (text, kind) in [
            ("{}", "spdx"),
            (three, "spdxjson"),
            (r#"{"spdxVersion":"SPDX-2.3"}"#, "slsa"),
            (r#"{"bomFormat":"CycloneDX"}"#, "spdx"),
            (r#"{"buildDefinition":{},"runDetails":{}}"#, "https://slsa.dev/provenance/v0.2"),
            ("{", "https://example.org/p"),
            (r#"{"a":1,"a":2}"#, "https://example.org/p"),
            ("", "https://example.org/p"),
        ] {
            assert_eq!(written(text, kind), Err(Code::PredicateInvalid), "{text} as {kind}");
        }
    }

    /// P-05: the SBOM of one platform does not get to another.
    #[test]
    fn a_document_about_something_else_is_refused() {
        let (amd64, arm64, index) = (Digest::sha256(b"amd64"), Digest::sha256(b"arm64"), Digest::sha256(b"index"));
        let platform = |arch| Platform::new("linux", arch, None).expect("a platform");
        let other = Err(Code::PredicateSubject);
        for document in [spdx, spdx_3] {
            let check = |digest: &Digest, arch: &str, to: &Digest, platform: &Platform| {
                let read = read(&document(digest, arch), "spdx").expect("an SBOM");
                read.check(to, Some(platform), Some(&index)).map_err(|error| error.code())
            };
            assert_eq!(check(&amd64, "amd64", &amd64, &platform("amd64")), Ok(()));
            assert_eq!(check(&amd64, "amd64", &arm64, &platform("arm64")), other);
            assert_eq!(check(&index, "amd64", &amd64, &platform("amd64")), Ok(()));
            assert_eq!(check(&index, "amd64", &arm64, &platform("arm64")), other, "the architecture says it");
            assert_eq!(check(&Digest::sha256(b"x"), "amd64", &amd64, &platform("amd64")), other);
        }
        let silent = read(r#"{"spdxVersion":"SPDX-2.3"}"#, "spdx").expect("an SBOM");
        assert_eq!(silent.check(&amd64, Some(&platform("amd64")), None), Ok(()));
    }

    #[test]
    fn a_whole_statement_gives_its_predicate_and_keeps_its_word() {
        let (one, other) = (Digest::sha256(b"one"), Digest::sha256(b"other"));
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v0.1","subject":[{{"name":"n","digest":{{"sha256":"{}"}}}}],
            "predicateType":"{SLSA_1}","predicate":{{"buildDefinition":{{}} ,"runDetails":{{}}}}}}"#,
            one.hex()
        );
        let read_one = read(&text, "slsa").expect("a statement");
        assert_eq!(read_one.raw().get(), r#"{"buildDefinition":{} ,"runDetails":{}}"#);
        assert_eq!(read_one.check(&one, None, None), Ok(()));
        assert_eq!(read_one.check(&other, None, None).map_err(|e| e.code()), Err(Code::PredicateSubject));
        assert_eq!(read(&text, "spdx").map(drop).map_err(|e| e.code()), Err(Code::PredicateInvalid));
    }

    #[test]
    fn size_is_judged_before_anybody_is_asked() {
        let limits = Limits::default();
        let bytes = vec![0; (LOG_V1_BYTES + 1) as usize];
        assert_eq!(Predicate::check_size(&bytes[1..], true, &limits), Ok(()));
        assert_eq!(Predicate::check_size(&bytes, false, &limits), Ok(()));
        let code = |bytes: &[u8], v1, limits: &Limits| Predicate::check_size(bytes, v1, limits).map_err(|e| e.code());
        assert_eq!(code(&bytes, true, &limits), Err(Code::PredicateTooLarge));
        let small = Limits { attestation_bytes: 1 << 20, ..limits };
        assert_eq!(code(&bytes, false, &small), Err(Code::PredicateTooLarge));
    }
}
