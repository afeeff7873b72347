//! A statement that was read is about something, and is read in one way only.

#![no_main]

use cg_attest::digest::Digest;
use cg_attest::limits::Limits;
use cg_attest::statement::{SimpleSigning, Statement};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|bytes: &[u8]| {
    let _ = SimpleSigning::parse(bytes);
    let limits = Limits::default();
    let Ok(statement) = Statement::parse(bytes, &limits) else { return };
    assert!((1..=limits.subjects).contains(&statement.subjects().len()));
    assert!(statement.subjects().iter().all(|subject| !subject.digests.is_empty()));
    if let Some(digest) = statement.first_digest() {
        assert!(statement.is_about(&digest));
    }
    assert!(!statement.is_about(&Digest::sha256(bytes)));
    // The predicate is the text that was signed, not another one.
    let text = std::str::from_utf8(bytes).expect("a statement is UTF-8");
    assert!(statement.predicate() == "{}" || text.contains(statement.predicate()));
    // Whoever is handed it can read it whole, and finds the same in it.
    let json: Value = serde_json::from_slice(bytes).expect("a statement is JSON");
    assert_eq!(json["predicateType"], statement.predicate_type());
    let predicate: Value = serde_json::from_str(statement.predicate()).expect("a predicate is JSON");
    let expected = json.get("predicate").filter(|value| !value.is_null());
    assert_eq!(expected.unwrap_or(&Value::Object(Map::new())), &predicate);
});
