//! L. What a bundle's JSON may look like.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::report::Report;
use cg_attest::testing::Statement;

use crate::support::bench::{Bench, assert_accepted, assert_refused_by, failed, only_candidate};
use crate::support::form::Form;

/// A good bundle, and what the verifier says of it with other text in it.
struct Edited {
    bench: Bench,
    good: String,
}

impl Edited {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let good = bench.sign().statement(&Statement::about(&bench.index().digest).spdx());
        Self { bench, good }
    }

    /// The report on the bundle with this text in place of that, which is in it.
    async fn with(&self, from: &str, to: &str) -> Report {
        assert!(self.good.contains(from), "{from}: {}", self.good);
        let place = self.bench.fresh().await;
        place.push_bundle(&self.good.replacen(from, to, 1)).await;
        place.verify(&Form::BUNDLE.policy(&self.bench)).await
    }

    /// A member with a text for its value, as it is written.
    fn member(&self, name: &str) -> String {
        let begin = format!(r#""{name}":""#);
        let at = self.good.find(&begin).unwrap_or_else(|| panic!("no {name} in {}", self.good));
        let end = self.good[at + begin.len()..].find('"').expect("the end of the text");
        self.good[at..=at + begin.len() + end].to_owned()
    }
}

/// Numbers are text in Protobuf's JSON, and may be numbers; nothing is rounded, wrapped or read twice.
#[tokio::test]
async fn l_08_a_number_is_an_integer_of_its_range_and_there_once() {
    let edited = Edited::new().await;
    for name in ["logIndex", "treeSize", "integratedTime"] {
        let member = edited.member(name);
        let digits = member.trim_start_matches(&format!(r#""{name}":"#)).trim_matches('"').to_owned();
        for same in [member.clone(), format!(r#""{name}":{digits}"#)] {
            assert_accepted(&edited.with(&member, &same).await);
        }
        for other in [
            format!("{member},{member}"),
            format!(r#""{name}":{digits}.5"#),
            format!(r#""{name}":"{digits}.0""#),
            // A time may be before 1970, and is compared like any other.
            format!(r#""{name}":"-{}""#, if name == "integratedTime" { "" } else { &digits }),
            format!(r#""{name}":"0x{digits}""#),
            format!(r#""{name}":" {digits}""#),
            format!(r#""{name}":"12345678901234567890123""#),
            format!(r#""{name}":12345678901234567890123"#),
            format!(r#""{name}":true"#),
            format!(r#""{name}":["{digits}"]"#),
        ] {
            let report = edited.with(&member, &other).await;
            assert_eq!(failed(only_candidate(&report)), [(CheckName::Structure, Code::BundleInvalid)], "{other}");
        }
    }
}

/// Names are as the specification's JSON has them; the names of its fields in
/// other languages are unknown, and what is unknown counts for nothing.
#[tokio::test]
async fn l_09_names_are_those_of_the_specifications_json() {
    let edited = Edited::new().await;
    for unknown in
        [r#""note":{"dsseEnvelope":null},"dsseEnvelope""#, r#""dsse_envelope":{"payload":""},"dsseEnvelope""#]
    {
        assert_accepted(&edited.with(r#""dsseEnvelope""#, unknown).await);
    }
    for (name, other) in [
        ("dsseEnvelope", "dsse_envelope"),
        ("dsseEnvelope", "DsseEnvelope"),
        ("payloadType", "payload_type"),
        ("verificationMaterial", "verification_material"),
        ("canonicalizedBody", "canonicalized_body"),
        ("rawBytes", "raw_bytes"),
    ] {
        let report = edited.with(&format!(r#""{name}""#), &format!(r#""{other}""#)).await;
        assert_refused_by(&report, CheckName::Structure, Code::BundleInvalid);
    }
}

/// Protobuf's JSON reads both alphabets, padded or not: the bytes are the same, and nothing else is read as them.
#[tokio::test]
async fn l_09_bytes_are_base64_of_one_alphabet() {
    let mut edited = Edited::new().await;
    let odd = r#"{"spdxVersion":"SPDX-2.3","comment":"~?>~?>, ~?>~?>, ~?>~?>"}"#;
    // One of the lengths has padding, whatever stands before.
    let about = || Statement::about(&edited.bench.index().digest);
    let lengths = ["", " ", "  "].map(|more| about().predicate("https://spdx.dev/Document", &format!("{odd}{more}")));
    let padded = lengths.iter().find(|statement| statement.len() % 3 != 0).expect("one of three");
    edited.good = edited.bench.sign().statement(padded);
    for name in ["payload", "sig", "rawBytes", "canonicalizedBody"] {
        let member = edited.member(name);
        let other_alphabet = member.replace('+', "-").replace('/', "_");
        let unpadded = member.replace('=', "");
        if name == "payload" {
            assert!(member.contains(['+', '/']) && member.contains('='), "{member}");
        }
        for same in [member.clone(), other_alphabet, unpadded] {
            assert_accepted(&edited.with(&member, &same).await);
        }
        let value = member.rsplit_once(":\"").expect("a value").1;
        let value = value.trim_end_matches('"');
        for other in [format!("{value}\\n"), format!(" {value}"), format!("+_{value}"), format!("{value}*")] {
            let report = edited.with(&member, &format!(r#""{name}":"{other}""#)).await;
            assert_refused_by(&report, CheckName::Structure, Code::BundleInvalid);
        }
    }
}

#[tokio::test]
async fn l_10_a_version_that_is_not_known_is_not_guessed() {
    let edited = Edited::new().await;
    let member = edited.member("mediaType");
    assert_accepted(&edited.with(&member, &member).await);
    let known = "application/vnd.dev.sigstore.bundle";
    assert_accepted(&edited.with(&member, &format!(r#""mediaType":"{known}+json;version=0.3""#)).await);
    for other in ["+json;version=0.4", ".v0.4+json", "+json", "+json;version=0.30", ".v0.3"] {
        let report = edited.with(&member, &format!(r#""mediaType":"{known}{other}""#)).await;
        assert_refused_by(&report, CheckName::Structure, Code::UnsupportedEvidence);
    }
}
