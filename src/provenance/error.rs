//! Why no provenance can be written.

use crate::code::Code;

/// Why the facts of a build are not enough, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A variable that the environment should have.
    #[error("the environment of {ci} has no {name}")]
    Variable {
        /// Which environment.
        ci: &'static str,
        /// The variable.
        name: &'static str,
    },
    /// A fact that provenance cannot do without.
    #[error("nothing says {0}")]
    Missing(&'static str),
    /// A fact in another form than it is compared in.
    #[error("{what}: {text:?} is not {wanted}")]
    Form {
        /// Which fact.
        what: &'static str,
        /// What it is.
        text: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// A file that cannot be read.
    #[error("{file}: {problem}")]
    File {
        /// What kind of file.
        file: &'static str,
        /// What is wrong.
        problem: String,
    },
}

impl BuildError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::BuildFacts
    }

    pub(super) fn form(what: &'static str, text: &str, wanted: &'static str) -> Self {
        Self::Form { what, text: text.chars().take(200).collect(), wanted }
    }

    pub(super) fn file(file: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::File { file, problem: problem.to_string() }
    }
}
