//! One contradiction.

use serde::Serialize;

use crate::code::Code;
use crate::sbom::Severity;

/// Two witnesses that contradict each other, or a rule that an image breaks. Its kind is its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is, stable.
    pub code: Code,
    /// How bad it is. A warning alone does not make a check fail.
    pub severity: Severity,
    /// What it is about: a package, `image`, `layers`, an annotation.
    pub subject: String,
    /// What the image has, or the rule asks for; `None` where it has nothing of the kind.
    pub wanted: Option<String>,
    /// What the document says, or the image has against the rule; `None` where there is nothing.
    pub found: Option<String>,
}

impl Finding {
    pub(super) fn new(code: Code, subject: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, subject: subject.into(), wanted: None, found: None }
    }

    pub(super) fn wanted(self, text: impl Into<String>) -> Self {
        Self { wanted: Some(text.into()), ..self }
    }

    pub(super) fn found(self, text: impl Into<String>) -> Self {
        Self { found: Some(text.into()), ..self }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: wanted {}, found {}", self.subject, text(&self.wanted), text(&self.found))
    }
}
