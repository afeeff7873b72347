//! The shape of a document: the members that each object has to have and may
//! have, their types, their words and their forms, as the JSON schema of SPDX 2.3 asks.

use serde_json::Value;

/// What a value has to be.
enum Shape {
    Text,
    /// One of these.
    Word(&'static [&'static str]),
    /// `2026-03-02T11:00:00Z`.
    Time,
    /// Hexadecimal digits.
    Hex,
    /// The identifier of an element.
    Id,
    Flag,
    Number,
    List(&'static Shape),
    /// A list of at least one.
    Some(&'static Shape),
    /// An object with these members and no others.
    Object(&'static [Member]),
    /// An object with any members.
    Open,
}

/// A member of an object.
struct Member {
    name: &'static str,
    is_required: bool,
    shape: Shape,
}

const fn has(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: true, shape }
}

const fn may(name: &'static str, shape: Shape) -> Member {
    Member { name, is_required: false, shape }
}

/// Calls `wrong` with the place of everything that has another shape, and what was wanted there.
pub(in crate::sbom) fn check(document: &Value, wrong: &mut dyn FnMut(String, String)) {
    value(document, &Shape::Object(DOCUMENT), String::new(), wrong);
}

/// As deep as the schema is.
fn value(found: &Value, shape: &Shape, place: String, wrong: &mut dyn FnMut(String, String)) {
    let fits = match (shape, found) {
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) | (Shape::Open, Value::Object(_)) => true,
        (Shape::Number, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (Shape::Word(words), Value::String(text)) => words.contains(&text.as_str()),
        (Shape::Time, Value::String(text)) => is_time(text),
        (Shape::Hex, Value::String(text)) => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        (Shape::Id, Value::String(text)) => is_id(text),
        (Shape::Some(_), Value::Array(all)) if all.is_empty() => false,
        (Shape::List(each) | Shape::Some(each), Value::Array(all)) => {
            for (number, one) in all.iter().enumerate() {
                value(one, each, format!("{place}[{number}]"), wrong);
            }
            true
        }
        (Shape::Object(members), Value::Object(object)) => {
            let at = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
            for member in *members {
                match object.get(member.name) {
                    Some(found) => value(found, &member.shape, at(member.name), wrong),
                    None if member.is_required => wrong(at(member.name), "it is not there".to_owned()),
                    None => {}
                }
            }
            for name in object.keys().filter(|name| members.iter().all(|member| member.name != **name)) {
                wrong(at(name), "there is no such member".to_owned());
            }
            true
        }
        _ => false,
    };
    if !fits {
        wrong(place, shape.wanted());
    }
}

impl Shape {
    fn wanted(&self) -> String {
        match self {
            Self::Text => "wanted a text".to_owned(),
            Self::Word(words) if words.len() > 12 => "it is none of the words that the specification lists".to_owned(),
            Self::Word(words) => format!("wanted one of {}", words.join(", ")),
            Self::Time => "wanted a time like 2026-03-02T11:00:00Z".to_owned(),
            Self::Hex => "wanted hexadecimal digits".to_owned(),
            Self::Id => "wanted SPDXRef- and letters, digits, . or -".to_owned(),
            Self::Flag => "wanted true or false".to_owned(),
            Self::Number => "wanted a whole number".to_owned(),
            Self::List(_) => "wanted a list".to_owned(),
            Self::Some(_) => "wanted a list of at least one".to_owned(),
            Self::Object(_) | Self::Open => "wanted an object".to_owned(),
        }
    }
}

/// UTC, in whole seconds (SPDX 2.3, 6.9).
fn is_time(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<crate::time::Timestamp>().is_ok()
}

fn is_id(text: &str) -> bool {
    let word = text.strip_prefix("SPDXRef-").unwrap_or_default();
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

const TEXTS: Shape = Shape::List(&Shape::Text);

const DOCUMENT: &[Member] = &[
    may("$schema", Shape::Text),
    has("SPDXID", Shape::Text),
    may("annotations", Shape::List(&Shape::Object(ANNOTATION))),
    may("comment", Shape::Text),
    has("creationInfo", Shape::Object(CREATION_INFO)),
    has("dataLicense", Shape::Text),
    has("documentNamespace", Shape::Text),
    may("documentDescribes", TEXTS),
    may("externalDocumentRefs", Shape::List(&Shape::Object(DOCUMENT_REFERENCE))),
    may("files", Shape::List(&Shape::Object(FILE))),
    may("hasExtractedLicensingInfos", Shape::List(&Shape::Object(EXTRACTED))),
    has("name", Shape::Text),
    may("packages", Shape::List(&Shape::Object(PACKAGE))),
    may("relationships", Shape::List(&Shape::Object(RELATIONSHIP))),
    may("revieweds", Shape::List(&Shape::Object(REVIEW))),
    may("snippets", Shape::List(&Shape::Object(SNIPPET))),
    has("spdxVersion", Shape::Text),
];

const CREATION_INFO: &[Member] = &[
    may("comment", Shape::Text),
    has("created", Shape::Time),
    has("creators", Shape::Some(&Shape::Text)),
    may("licenseListVersion", Shape::Text),
];

const ANNOTATION: &[Member] = &[
    has("annotationDate", Shape::Time),
    has("annotationType", Shape::Word(&["OTHER", "REVIEW"])),
    has("annotator", Shape::Text),
    has("comment", Shape::Text),
];

const REVIEW: &[Member] = &[may("comment", Shape::Text), has("reviewDate", Shape::Time), may("reviewer", Shape::Text)];

const DOCUMENT_REFERENCE: &[Member] = &[
    has("checksum", Shape::Object(CHECKSUM)),
    has("externalDocumentId", Shape::Text),
    has("spdxDocument", Shape::Text),
];

const EXTRACTED: &[Member] = &[
    may("comment", Shape::Text),
    may("crossRefs", Shape::List(&Shape::Object(CROSS_REFERENCE))),
    has("extractedText", Shape::Text),
    has("licenseId", Shape::Text),
    may("name", Shape::Text),
    may("seeAlsos", TEXTS),
];

const CROSS_REFERENCE: &[Member] = &[
    may("isLive", Shape::Flag),
    may("isValid", Shape::Flag),
    may("isWayBackLink", Shape::Flag),
    may("match", Shape::Text),
    may("order", Shape::Number),
    may("timestamp", Shape::Time),
    has("url", Shape::Text),
];

const PACKAGE: &[Member] = &[
    has("SPDXID", Shape::Id),
    may("annotations", Shape::List(&Shape::Object(ANNOTATION))),
    may("attributionTexts", TEXTS),
    may("builtDate", Shape::Time),
    may("checksums", Shape::List(&Shape::Object(CHECKSUM))),
    may("comment", Shape::Text),
    may("copyrightText", Shape::Text),
    may("description", Shape::Text),
    has("downloadLocation", Shape::Text),
    may("externalRefs", Shape::List(&Shape::Object(EXTERNAL_REFERENCE))),
    may("filesAnalyzed", Shape::Flag),
    may("hasFiles", TEXTS),
    may("homepage", Shape::Text),
    may("licenseComments", Shape::Text),
    may("licenseConcluded", Shape::Text),
    may("licenseDeclared", Shape::Text),
    may("licenseInfoFromFiles", TEXTS),
    has("name", Shape::Text),
    may("originator", Shape::Text),
    may("packageFileName", Shape::Text),
    may("packageVerificationCode", Shape::Object(VERIFICATION_CODE)),
    may("primaryPackagePurpose", Shape::Word(PURPOSES)),
    may("releaseDate", Shape::Time),
    may("sourceInfo", Shape::Text),
    may("summary", Shape::Text),
    may("supplier", Shape::Text),
    may("validUntilDate", Shape::Time),
    may("versionInfo", Shape::Text),
];

const VERIFICATION_CODE: &[Member] =
    &[may("packageVerificationCodeExcludedFiles", TEXTS), has("packageVerificationCodeValue", Shape::Text)];

const EXTERNAL_REFERENCE: &[Member] = &[
    may("comment", Shape::Text),
    has("referenceCategory", Shape::Word(CATEGORIES)),
    has("referenceLocator", Shape::Text),
    has("referenceType", Shape::Text),
];

const CHECKSUM: &[Member] = &[has("algorithm", Shape::Word(ALGORITHMS)), has("checksumValue", Shape::Hex)];

const FILE: &[Member] = &[
    has("SPDXID", Shape::Id),
    may("annotations", Shape::List(&Shape::Object(ANNOTATION))),
    may("artifactOfs", Shape::List(&Shape::Open)),
    may("attributionTexts", TEXTS),
    has("checksums", Shape::Some(&Shape::Object(CHECKSUM))),
    may("comment", Shape::Text),
    may("copyrightText", Shape::Text),
    may("fileContributors", TEXTS),
    may("fileDependencies", TEXTS),
    has("fileName", Shape::Text),
    may("fileTypes", Shape::List(&Shape::Word(FILE_TYPES))),
    may("licenseComments", Shape::Text),
    may("licenseConcluded", Shape::Text),
    may("licenseInfoInFiles", TEXTS),
    may("noticeText", Shape::Text),
];

const SNIPPET: &[Member] = &[
    has("SPDXID", Shape::Id),
    may("annotations", Shape::List(&Shape::Object(ANNOTATION))),
    may("attributionTexts", TEXTS),
    may("comment", Shape::Text),
    may("copyrightText", Shape::Text),
    may("licenseComments", Shape::Text),
    may("licenseConcluded", Shape::Text),
    may("licenseInfoInSnippets", TEXTS),
    may("name", Shape::Text),
    has("ranges", Shape::Some(&Shape::Object(RANGE))),
    has("snippetFromFile", Shape::Text),
];

const RANGE: &[Member] = &[has("endPointer", Shape::Object(POINTER)), has("startPointer", Shape::Object(POINTER))];

const POINTER: &[Member] =
    &[may("lineNumber", Shape::Number), may("offset", Shape::Number), has("reference", Shape::Text)];

const RELATIONSHIP: &[Member] = &[
    may("comment", Shape::Text),
    has("relatedSpdxElement", Shape::Text),
    has("relationshipType", Shape::Word(RELATIONSHIPS)),
    has("spdxElementId", Shape::Text),
];

/// Written with a dash in the text of the specification, with an underscore in its first schemas.
const CATEGORIES: &[&str] =
    &["OTHER", "PERSISTENT-ID", "PERSISTENT_ID", "SECURITY", "PACKAGE-MANAGER", "PACKAGE_MANAGER"];

/// As [`CATEGORIES`], with both spellings of the one that has two words.
const PURPOSES: &[&str] = &[
    "APPLICATION",
    "FRAMEWORK",
    "LIBRARY",
    "CONTAINER",
    "OPERATING-SYSTEM",
    "OPERATING_SYSTEM",
    "DEVICE",
    "FIRMWARE",
    "SOURCE",
    "ARCHIVE",
    "FILE",
    "INSTALL",
    "OTHER",
];

#[rustfmt::skip]
const ALGORITHMS: &[&str] = &[
    "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256", "BLAKE2b-384",
    "BLAKE2b-512", "BLAKE3", "MD2", "MD4", "MD5", "MD6", "ADLER32",
];

#[rustfmt::skip]
const FILE_TYPES: &[&str] = &[
    "SOURCE", "BINARY", "ARCHIVE", "APPLICATION", "AUDIO", "IMAGE", "TEXT", "VIDEO", "DOCUMENTATION", "SPDX", "OTHER",
];

/// SPDX 2.3, table 68.
#[rustfmt::skip]
const RELATIONSHIPS: &[&str] = &[
    "DESCRIBES", "DESCRIBED_BY", "CONTAINS", "CONTAINED_BY", "DEPENDS_ON", "DEPENDENCY_OF", "DEPENDENCY_MANIFEST_OF",
    "BUILD_DEPENDENCY_OF", "DEV_DEPENDENCY_OF", "OPTIONAL_DEPENDENCY_OF", "PROVIDED_DEPENDENCY_OF", "TEST_DEPENDENCY_OF",
    "RUNTIME_DEPENDENCY_OF", "EXAMPLE_OF", "GENERATES", "GENERATED_FROM", "ANCESTOR_OF", "DESCENDANT_OF", "VARIANT_OF",
    "DISTRIBUTION_ARTIFACT", "PATCH_FOR", "PATCH_APPLIED", "COPY_OF", "FILE_ADDED", "FILE_DELETED", "FILE_MODIFIED",
    "EXPANDED_FROM_ARCHIVE", "DYNAMIC_LINK", "STATIC_LINK", "DATA_FILE_OF", "TEST_CASE_OF", "BUILD_TOOL_OF",
    "DEV_TOOL_OF", "TEST_OF", "TEST_TOOL_OF", "DOCUMENTATION_OF", "OPTIONAL_COMPONENT_OF", "METAFILE_OF", "PACKAGE_OF",
    "AMENDS", "PREREQUISITE_FOR", "HAS_PREREQUISITE", "REQUIREMENT_DESCRIPTION_FOR", "SPECIFICATION_FOR", "OTHER",
];
