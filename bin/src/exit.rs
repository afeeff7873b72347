//! Exit codes. They are API: scripts tell a refusal from doubt by them.

use std::process::ExitCode;

use cg_attest::report::Verdict;

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Accepted, or done.
    Accepted,
    /// All evidence was read and does not satisfy the policy.
    Refused,
    /// The command line, the policy or a file that it names is wrong.
    Usage,
    /// Something could not be read, or was over a limit.
    Undecided,
    /// A bug.
    Internal,
}

impl ExitStatus {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Undecided => 3,
            Self::Internal => 4,
        }
    }

    /// What a verdict ends with.
    pub(crate) fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accept => Self::Accepted,
            Verdict::Refuse => Self::Refused,
            _ => Self::Undecided,
        }
    }

    /// The worst of several: 4, 1, 3, 0. A wrong command line never follows work.
    pub(crate) fn worst(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Accepted => 0,
            Self::Undecided => 1,
            Self::Refused => 2,
            Self::Usage => 3,
            Self::Internal => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Prints what clap has to say: help and version are answers, the rest is a
/// wrong command line.
pub(crate) fn of_clap(error: &clap::Error) -> ExitCode {
    let is_answer =
        matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
    // A closed pipe behind `--help` is nobody's error.
    let _ = error.print();
    if is_answer { ExitStatus::Accepted.into() } else { ExitStatus::Usage.into() }
}
