//! Where the recorded real files are.

use std::path::PathBuf;

/// The folder of the recordings. `None` says that the test cannot run here and
/// has said so; where the answer counts (`CI`), that is a failure instead.
pub(crate) fn corpus() -> Option<PathBuf> {
    match std::env::var_os("CG_ATTEST_CORPUS") {
        Some(path) => Some(path.into()),
        None if std::env::var_os("CI").is_some() => panic!("CG_ATTEST_CORPUS is not set: see scripts/test"),
        None => {
            #[expect(clippy::print_stderr, reason = "a test that does not run has to say so")]
            {
                eprintln!("skipped: CG_ATTEST_CORPUS is not set, see scripts/test");
            }
            None
        }
    }
}
