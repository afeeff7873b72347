//! The rules of the house that a compiler does not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Everything that the pure core may be built from. No HTTP, no runtime, no C.
#[rustfmt::skip]
const CORE: &[&str] = &[
    // The package itself, and what it names.
    "cg-attest", "base64", "jiff", "regex", "serde", "serde_json", "sha2", "sigstore-verify", "thiserror", "tracing",
    "x509-cert",
    // Sigstore: bundles, logs, timestamps, trust roots, and the chain of certificates.
    "cms", "hex", "pem", "rustls-pki-types", "rustls-webpki", "ryu-js", "serde_json_canonicalizer", "sigstore-bundle",
    "sigstore-crypto", "sigstore-merkle", "sigstore-rekor", "sigstore-trust-root", "sigstore-tsa", "sigstore-types",
    "tls_codec", "untrusted",
    // ASN.1 and hashes of RustCrypto.
    "base64ct", "block-buffer", "cfg-if", "const-oid", "cpufeatures", "crypto-common", "der", "digest", "flagset",
    "hybrid-array", "pem-rfc7468", "spki", "typenum", "zeroize",
    // Traits only; no runtime stands behind them.
    "futures-io", "once_cell", "pin-project-lite", "tracing-core",
    // Text and time.
    "aho-corasick", "itoa", "jiff-core", "memchr", "regex-automata", "regex-syntax", "serde_core", "zmij",
    // Macros, at build time.
    "der_derive", "proc-macro2", "quote", "serde_derive", "syn", "thiserror-impl", "tls_codec_derive",
    "tracing-attributes", "unicode-ident", "zeroize_derive",
];

/// Types and traits of other crates in the public API, each with its reason.
/// A new one ties our versions to another project's: that is a decision.
const FOREIGN: &[(&str, &str)] = &[
    ("bytes::Bytes", "the chunks of a blob, passed on without copying"),
    ("futures_core::Stream", "a blob as it arrives; the standard library has no stable trait for it"),
    ("serde_core::Deserialize", "wire and untrusted types are read with it"),
    ("serde_core::Deserializer", "stands in the signature of Deserialize"),
    ("serde_core::Serialize", "the report and what we write are made with it"),
    ("serde_core::Serializer", "stands in the signature of Serialize"),
];

/// Lines of the longest file that is still one thing.
const LONGEST: usize = 800;

#[test]
fn the_pure_core_has_only_the_dependencies_listed_here() {
    let tree = cargo(&[
        "tree",
        "--package=cg-attest",
        "--no-default-features",
        "--edges=normal",
        // The answer must not depend on the machine that runs the test.
        "--target=x86_64-unknown-linux-gnu",
        "--prefix=none",
        "--format={p}",
    ]);
    let found: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    same("dependencies of --no-default-features", &found, CORE.iter().copied());
}

#[test]
fn the_public_api_names_only_the_foreign_types_listed_here() {
    let api = rustdoc_json();
    let found = foreign_types(&api);
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    same("foreign types in the public API", &found, FOREIGN.iter().map(|(name, _)| *name));
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = root().join("bin/tests/it");
    let main = read(&folder.join("main.rs"));
    for file in fs::read_dir(&folder).expect("the folder of this file") {
        let path = file.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let code = path.is_dir() && path.join("mod.rs").is_file() || path.extension().is_some_and(|e| e == "rs");
        if code && stem != "main" {
            assert!(main.lines().any(|line| line == format!("mod {stem};")), "main.rs lacks `mod {stem};`");
        }
    }
    for file in sources(&["bin/tests"]) {
        assert!(file.starts_with(&folder), "{} is outside the one test binary", file.display());
    }
}

#[test]
fn no_fuzz_target_is_forgotten() {
    let manifest = read(&root().join("fuzz/Cargo.toml"));
    let targets = sources(&["fuzz/fuzz_targets"]);
    assert!(!targets.is_empty());
    for file in targets {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(manifest.contains(&format!("name = \"{stem}\"")), "fuzz/Cargo.toml lacks the target {stem}");
        let seeds = root().join("fuzz/seeds").join(stem);
        let seed = std::fs::read_dir(&seeds).ok().and_then(|mut found| found.next());
        assert!(seed.is_some(), "there is no seed for the target {stem} in {}", seeds.display());
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for file in sources(&["src", "bin", "fuzz/fuzz_targets", "benches"]) {
        let lines = read(&file).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines, {LONGEST} are the limit", file.display());
    }
}

#[test]
fn the_library_does_not_unwrap() {
    for file in sources(&["src"]).into_iter().filter(|file| !is_test(file)) {
        let text = read(&file);
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let comment = line.trim_start().starts_with("//");
            assert!(comment || !line.contains(".unwrap()"), "{}:{}: {line}", file.display(), number + 1);
        }
    }
}

#[test]
fn a_mod_rs_only_says_what_there_is() {
    for file in sources(&["src"]).into_iter().filter(|file| file.ends_with("mod.rs")) {
        let text = read(&file);
        let kept = |line: &&str| !line.trim_start().starts_with("//") && !line.trim_start().starts_with("#[");
        let code: Vec<&str> = text.lines().filter(kept).collect();
        for statement in code.join(" ").split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let word = statement.strip_prefix("pub").map_or(statement, |rest| {
                let rest = rest.trim_start();
                rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest).trim_start()
            });
            let public = word.len() < statement.len();
            let good = word.starts_with("mod ") || (public && word.starts_with("use "));
            assert!(good && !statement.contains("mod tests {"), "{} does more: {statement}", file.display());
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("bin/ is in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file under these folders of the workspace; a folder that is absent has none.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a whole file is a `#[cfg(test)]` module.
fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests")
}

/// Says what is missing on which side, so that the list can be put right.
fn same<'a>(what: &str, found: &BTreeSet<&str>, listed: impl Iterator<Item = &'a str>) {
    let listed: BTreeSet<&str> = listed.collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(found).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what}: new {new:?}, listed and gone {gone:?}");
}

fn cargo(arguments: &[&str]) -> String {
    run(&mut command(arguments))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What this test was built from is on the disk already: nothing is fetched.
    command.args(arguments).args(["--locked", "--offline", "--quiet"]).current_dir(root());
    command
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The public API as rustdoc sees it, with every feature.
fn rustdoc_json() -> Value {
    // Its own folder: the permission to use an unstable output format makes
    // build scripts run again, and would make them run again after that.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("house");
    let mut rustdoc = command(&["rustdoc", "--package=cg-attest", "--lib", "--all-features"]);
    rustdoc.arg("--target-dir").arg(&target).args(["--", "-Zunstable-options", "--output-format=json"]);
    run(rustdoc.env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTDOCFLAGS"));
    let text = read(&target.join("doc/cg_attest.json"));
    serde_json::from_str(&text).expect("rustdoc writes JSON")
}

/// `crate::Name` of each type or trait of a crate that is neither ours nor the
/// standard library, wherever it stands in the public API.
fn foreign_types(api: &Value) -> BTreeSet<String> {
    let own = |name: &str| matches!(name, "cg_attest" | "std" | "core" | "alloc");
    let crates: BTreeMap<&str, &str> = members(&api["external_crates"])
        .map(|(id, entry)| (id, entry["name"].as_str().expect("a crate has a name")))
        .collect();
    let mut used = BTreeSet::new();
    for (_, item) in members(&api["index"]).filter(|(_, item)| item["crate_id"] == 0) {
        let implementation = &item["inner"]["impl"];
        // What other crates or the compiler implement for every type is not our API.
        if implementation["is_synthetic"] == true || implementation["blanket_impl"].is_object() {
            continue;
        }
        referenced(&item["inner"], &mut used);
    }
    assert!(used.len() > 20, "rustdoc's format changed: only {} references were found", used.len());
    let paths = &api["paths"];
    let name = |id: &String| {
        let path = &paths[id];
        let owner = crates.get(path["crate_id"].to_string().as_str()).copied().unwrap_or("cg_attest");
        let last = path["path"].as_array().and_then(|parts| parts.last()).and_then(Value::as_str)?;
        (!own(owner)).then(|| format!("{owner}::{last}"))
    };
    used.iter().filter_map(name).collect()
}

fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().expect("rustdoc's format is known").iter().map(|(key, value)| (key.as_str(), value))
}

/// The ids of everything with a path in an item.
fn referenced(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let (Some(Value::String(_)), Some(id)) = (object.get("path"), object.get("id")) {
                used.insert(id.to_string());
            }
            object.values().for_each(|value| referenced(value, used));
        }
        Value::Array(values) => values.iter().for_each(|value| referenced(value, used)),
        _ => {}
    }
}
