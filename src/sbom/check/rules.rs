//! What Chainguard's own build asks of an image.

use std::str::FromStr;

use super::{Evidence, Finding, Outcome};
use crate::code::Code;
use crate::scan::{Ecosystem, Package};

/// A rule that is checked on request. `-dev` images and those of Alpine break some by design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// No shell and no package manager.
    Distroless,
    /// A user other than root, in numbers or by name.
    NonRoot,
    /// Every package of the distribution comes from Wolfi or Chainguard.
    ChainguardOrigin,
    /// The annotations that Chainguard's build enforces.
    ChainguardAnnotations,
}

/// A text that names no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rule: wanted distroless, nonroot, chainguard-origin or chainguard-annotations")]
pub struct UnknownRule(String);

impl UnknownRule {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::Usage
    }
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 4] = [Self::Distroless, Self::NonRoot, Self::ChainguardOrigin, Self::ChainguardAnnotations];

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Distroless => "distroless",
            Self::NonRoot => "nonroot",
            Self::ChainguardOrigin => "chainguard-origin",
            Self::ChainguardAnnotations => "chainguard-annotations",
        }
    }

    /// Whether the rule is about what is in the layers.
    #[must_use]
    pub fn needs_contents(self) -> bool {
        self != Self::ChainguardAnnotations
    }
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let found = Self::ALL.into_iter().find(|rule| rule.as_str() == text);
        found.ok_or_else(|| UnknownRule(text.to_owned()))
    }
}

pub(super) fn apply(rule: Rule, evidence: &Evidence<'_>, out: &mut Outcome) {
    if rule.needs_contents() && evidence.contents.is_none() {
        return;
    }
    out.compared(rule.as_str());
    match rule {
        Rule::Distroless => distroless(evidence, out),
        Rule::NonRoot => nonroot(evidence, out),
        Rule::ChainguardOrigin => origin(evidence, out),
        Rule::ChainguardAnnotations => annotations(evidence, out),
    }
}

/// Names of programs, and of the packages that bring them.
const TOOLS: [&str; 19] = [
    "sh",
    "ash",
    "bash",
    "busybox",
    "dash",
    "fish",
    "ksh",
    "mksh",
    "tcsh",
    "zsh",
    "toybox",
    "apk",
    "apk-tools",
    "apt",
    "apt-get",
    "dpkg",
    "dnf",
    "rpm",
    "yum",
];

/// The folders that programs are called from.
const FOLDERS: [&str; 6] = ["bin/", "sbin/", "usr/bin/", "usr/sbin/", "usr/local/bin/", "usr/local/sbin/"];

/// By packages, by the files that they own and by executables of nobody: a shell
/// that was copied in is one too.
fn distroless(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(contents) = evidence.contents else { return };
    let is_tool = |path: &str| {
        let path = path.trim_start_matches('/');
        FOLDERS.iter().any(|folder| path.strip_prefix(folder).is_some_and(|name| TOOLS.contains(&name)))
    };
    for package in contents.packages.iter().filter(|package| package.ecosystem.is_distribution()) {
        if TOOLS.contains(&package.name.as_str()) || package.files.iter().any(is_tool) {
            out.add(Finding::new(Code::RuleDistroless, subject(package)).found(package.version.as_str()));
        }
    }
    for path in contents.coverage.unowned_executables.iter().filter(|path| is_tool(path)) {
        out.add(Finding::new(Code::RuleDistroless, path).found("an executable of no package"));
    }
}

/// `User` of the configuration: `user`, `uid`, `user:group`; none is root (OCI image specification, configuration).
fn nonroot(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(contents) = evidence.contents else { return };
    let text = contents.user.as_deref().unwrap_or_default();
    let user = text.split(':').next().unwrap_or_default();
    // `00` and `+0` are zero as well.
    let is_zero = user.trim_start_matches('+').parse::<u64>() == Ok(0);
    if user.is_empty() || user == "root" || is_zero {
        let found = if text.is_empty() { "none, which is root" } else { text };
        out.add(Finding::new(Code::RuleNonRoot, "user").wanted("another user than root").found(found));
    }
}

fn origin(evidence: &Evidence<'_>, out: &mut Outcome) {
    let Some(contents) = evidence.contents else { return };
    let distribution = contents.system.as_ref().map_or("unknown", |system| system.id.as_str());
    let is_theirs = |party: Option<&str>| {
        party.is_none_or(|party| ["wolfi", "chainguard"].iter().any(|name| party.to_ascii_lowercase().contains(name)))
    };
    let wanted = "wolfi or chainguard";
    if !matches!(distribution, "wolfi" | "chainguard") {
        out.add(Finding::new(Code::RuleChainguardOrigin, "operating system").wanted(wanted).found(distribution));
    }
    for package in contents.packages.iter().filter(|package| package.ecosystem.is_distribution()) {
        let supplier = package.supplier.as_deref();
        if package.ecosystem != Ecosystem::Apk {
            let found = package.ecosystem.purl_type();
            out.add(Finding::new(Code::RuleChainguardOrigin, subject(package)).wanted(wanted).found(found));
        } else if !is_theirs(supplier) {
            let found = supplier.unwrap_or_default();
            out.add(Finding::new(Code::RuleChainguardOrigin, subject(package)).wanted(wanted).found(found));
        }
    }
}

/// Annotations with what they are; source and url only begin so.
const ANNOTATIONS: [(&str, &str); 4] = [
    ("org.opencontainers.image.authors", "Chainguard Team https://www.chainguard.dev/"),
    ("org.opencontainers.image.source", "https://github.com/chainguard-images/images/tree/main/images/"),
    ("org.opencontainers.image.url", "https://images.chainguard.dev/directory/image/"),
    ("org.opencontainers.image.vendor", "Chainguard"),
];
const TITLE: &str = "org.opencontainers.image.title";
const CHAINGUARD_TITLE: &str = "dev.chainguard.image.title";

fn annotations(evidence: &Evidence<'_>, out: &mut Outcome) {
    let all = evidence.manifest.annotations();
    let mut expect = |key: &str, wanted: &str, is_right: bool| {
        if !is_right {
            let finding = Finding::new(Code::RuleChainguardAnnotations, key).wanted(wanted);
            out.add(match all.get(key) {
                Some(text) => finding.found(text),
                None => finding,
            });
        }
    };
    for (key, wanted) in ANNOTATIONS {
        let text = all.get(key).map(String::as_str).unwrap_or_default();
        let is_prefix = key.ends_with(".source") || key.ends_with(".url");
        let is_right = if is_prefix { text.len() > wanted.len() && text.starts_with(wanted) } else { text == wanted };
        expect(key, wanted, is_right);
    }
    let (title, own) = (all.get(TITLE), all.get(CHAINGUARD_TITLE));
    let wanted = own.map_or("a title", String::as_str);
    expect(TITLE, wanted, title.is_some_and(|title| !title.is_empty()) && title == own);
}

fn subject(package: &Package) -> String {
    format!("{} {}", package.ecosystem.purl_type(), package.name)
}
