//! What the targets share: a trust root and a policy that anybody satisfies whom the root knows by a URI,
//! and what holds of every scan.

use std::sync::LazyLock;

use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::scan::Problem;
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::Assessor;

// A virtual instance of which only this root and the seeds are left: its keys are gone.
static TRUST: LazyLock<TrustRoot> = LazyLock::new(|| {
    TrustRoot::parse(include_bytes!("../trusted_root.json"), "fuzz/trusted_root.json").expect("a root")
});

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let everybody = || Pattern::regexp("https://.+").expect("a pattern");
    let policy = Policy::builder().identity(everybody()).issuer(everybody());
    policy.require(Requirement::signature()).build().expect("a policy")
});

static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

/// Asks for a signature of anybody whose name is a URI, in 2027.
pub fn assessor() -> Assessor<'static> {
    let now = Timestamp::from_unix(1_800_000_000).expect("a time");
    Assessor::new(&POLICY, &TRUST, now, &LIMITS)
}

/// A file may be of two kinds, a database by its name and an executable by how it begins: no reader
/// complains twice.
pub fn each_reader_complains_once(problems: &[Problem]) {
    for (n, problem) in problems.iter().enumerate() {
        assert!(problems[..n].iter().all(|other| other.reader != problem.reader), "{problems:?}");
    }
}
