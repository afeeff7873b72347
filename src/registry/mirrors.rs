//! Where a name's bytes are fetched from, when that is not where the name says.

use std::fmt;
use std::str::FromStr;

use crate::code::Code;
use crate::image::{ReferenceError, Repository};

/// Rules `PREFIX=PREFIX`: what is named under the left prefix is fetched from
/// the right one, and what is named under the right one is judged as the left one.
///
/// A prefix is a host, or a host and a path, and matches whole path components:
/// `cgr.dev/chain` is no prefix of `cgr.dev/chainguard/nginx`. The longest
/// matching prefix decides; a name is rewritten once.
///
/// ```
/// # use cg_attest::registry::Mirrors;
/// let mirrors: Mirrors = Mirrors::parse(["cgr.dev/chainguard=harbor.example/proxy/cg"])?;
/// let name = "cgr.dev/chainguard/nginx".parse().expect("a repository");
/// let fetched = mirrors.rewrite(&name).expect("a repository");
/// assert_eq!(fetched.to_string(), "harbor.example/proxy/cg/nginx");
/// assert_eq!(mirrors.original(&fetched), name);
/// # Ok::<(), cg_attest::registry::MirrorError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    left: Prefix,
    right: Prefix,
}

/// A host, with a path or without.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix {
    registry: String,
    /// Empty for a whole host.
    path: String,
}

/// Why a text is not a mirror rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule:?} is not a mirror rule: {problem}")]
pub struct MirrorError {
    rule: String,
    problem: &'static str,
}

impl MirrorError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::Usage
    }
}

impl Mirrors {
    /// Reads rules, each `PREFIX=PREFIX`.
    ///
    /// # Errors
    /// When a rule has another form, or two rules have the same left prefix.
    pub fn parse<S: AsRef<str>>(rules: impl IntoIterator<Item = S>) -> Result<Self, MirrorError> {
        let mut parsed: Vec<Rule> = Vec::new();
        for text in rules {
            let text = text.as_ref();
            let wrong = |problem| MirrorError { rule: text.chars().take(200).collect(), problem };
            let rule = "wanted PREFIX=PREFIX, each a host such as cgr.dev or a host and a path";
            let (left, right) = text.split_once('=').ok_or_else(|| wrong(rule))?;
            let prefix = |text: &str| text.parse::<Prefix>().map_err(|_| wrong(rule));
            let (left, right) = (prefix(left)?, prefix(right)?);
            if parsed.iter().any(|known| known.left == left) {
                return Err(wrong("its left prefix has a rule already"));
            }
            parsed.push(Rule { left, right });
        }
        Ok(Self { rules: parsed })
    }

    /// Whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Where the bytes of `repository` are fetched from.
    ///
    /// # Errors
    /// When the new name is longer than a repository's may be.
    pub fn rewrite(&self, repository: &Repository) -> Result<Repository, ReferenceError> {
        let matching = self.rules.iter().filter_map(|rule| rule.left.split(repository).map(|rest| (rule, rest)));
        let possible = matching.filter(|(rule, rest)| rule.right.holds(rest));
        match longest(possible, |rule| &rule.left) {
            Some((rule, rest)) => rule.right.join(rest),
            None => Ok(repository.clone()),
        }
    }

    /// The name that `repository` stands for: the one whose policy applies.
    /// Of several rules with the same right prefix the first counts.
    #[must_use]
    pub fn original(&self, repository: &Repository) -> Repository {
        let matching = self.rules.iter().filter_map(|rule| rule.right.split(repository).map(|rest| (rule, rest)));
        let possible = matching.filter(|(rule, rest)| rule.left.holds(rest));
        // A name that would be too long stands for itself, and finds no policy.
        let joined = longest(possible, |rule| &rule.right).and_then(|(rule, rest)| rule.left.join(rest).ok());
        joined.unwrap_or_else(|| repository.clone())
    }
}

/// The first of the rules with the longest prefix.
fn longest<'a>(
    rules: impl Iterator<Item = (&'a Rule, &'a str)>,
    prefix: impl Fn(&'a Rule) -> &'a Prefix,
) -> Option<(&'a Rule, &'a str)> {
    rules.fold(None, |best: Option<(&Rule, &str)>, next| match best {
        Some(best) if prefix(best.0).path.len() >= prefix(next.0).path.len() => Some(best),
        _ => Some(next),
    })
}

impl Prefix {
    /// What follows this prefix in the path of `repository`, if it is a prefix of it.
    fn split<'a>(&self, repository: &'a Repository) -> Option<&'a str> {
        if repository.registry() != self.registry {
            return None;
        }
        if self.path.is_empty() {
            return Some(repository.path());
        }
        match repository.path().strip_prefix(&self.path)? {
            "" => Some(""),
            rest => rest.strip_prefix('/'),
        }
    }

    /// Whether there is a repository `rest` under this prefix: a host alone is none.
    fn holds(&self, rest: &str) -> bool {
        !(self.path.is_empty() && rest.is_empty())
    }

    fn join(&self, rest: &str) -> Result<Repository, ReferenceError> {
        let separator = if self.path.is_empty() || rest.is_empty() { "" } else { "/" };
        Repository::new(&self.registry, &format!("{}{separator}{rest}", self.path))
    }
}

impl FromStr for Prefix {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (registry, path) = text.split_once('/').unwrap_or((text, ""));
        // A whole host is checked with the shortest repository in it.
        let checked = Repository::new(registry, if text.contains('/') { path } else { "a" })?;
        Ok(Self { registry: checked.registry().to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for Mirrors {
    /// The rules as they are written, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rule) in self.rules.iter().enumerate() {
            let part = |prefix: &Prefix| {
                let separator = if prefix.path.is_empty() { "" } else { "/" };
                format!("{}{separator}{}", prefix.registry, prefix.path)
            };
            write!(f, "{}{}={}", if i == 0 { "" } else { "," }, part(&rule.left), part(&rule.right))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mirrors(rules: &[&str]) -> Mirrors {
        Mirrors::parse(rules).expect("rules")
    }

    fn rewritten(mirrors: &Mirrors, name: &str) -> String {
        let repository: Repository = name.parse().expect("a repository");
        mirrors.rewrite(&repository).map_or_else(|e| e.to_string(), |r| r.to_string())
    }

    fn original(mirrors: &Mirrors, name: &str) -> String {
        mirrors.original(&name.parse().expect("a repository")).to_string()
    }

    #[test]
    fn the_longest_prefix_on_a_border_decides() {
        let both = mirrors(&["cgr.dev=127.0.0.1:5000", "cgr.dev/chainguard=harbor.example/proxy/cg"]);
        assert_eq!(rewritten(&both, "cgr.dev/chainguard/nginx"), "harbor.example/proxy/cg/nginx");
        assert_eq!(rewritten(&both, "cgr.dev/chainguard"), "harbor.example/proxy/cg");
        assert_eq!(rewritten(&both, "cgr.dev/chainguard-private/nginx"), "127.0.0.1:5000/chainguard-private/nginx");
        assert_eq!(rewritten(&both, "cgr.dev.example/chainguard/nginx"), "cgr.dev.example/chainguard/nginx");
        let hub = mirrors(&["docker.io=mirror.example"]);
        assert_eq!(rewritten(&hub, "nginx"), "mirror.example/library/nginx");
    }

    #[test]
    fn a_name_of_the_mirror_stands_for_the_original() {
        let rules = mirrors(&["cgr.dev=127.0.0.1:5000", "cgr.dev/chainguard=harbor.example/proxy/cg"]);
        assert_eq!(original(&rules, "127.0.0.1:5000/chainguard/nginx"), "cgr.dev/chainguard/nginx");
        assert_eq!(original(&rules, "harbor.example/proxy/cg/nginx"), "cgr.dev/chainguard/nginx");
        assert_eq!(original(&rules, "harbor.example/proxy/cgx/nginx"), "harbor.example/proxy/cgx/nginx");
        assert_eq!(original(&rules, "cgr.dev/chainguard/nginx"), "cgr.dev/chainguard/nginx");
        // One right prefix for two left ones: the first.
        let two = mirrors(&["cgr.dev=m.example/x", "docker.io=m.example/x"]);
        assert_eq!(original(&two, "m.example/x/a"), "cgr.dev/a");
    }

    #[test]
    fn a_path_may_be_moved_to_a_whole_host_but_not_be_one() {
        let rules = mirrors(&["cgr.dev/chainguard=localhost:5000"]);
        assert_eq!(rewritten(&rules, "cgr.dev/chainguard/nginx"), "localhost:5000/nginx");
        assert_eq!(rewritten(&rules, "cgr.dev/chainguard"), "cgr.dev/chainguard");
    }

    #[test]
    fn rules_of_another_form_are_refused() {
        for bad in
            ["cgr.dev", "=x.dev", "cgr.dev=", "a b=c", "cgr.dev/=x.dev", "https://cgr.dev=x.dev", "cgr.dev=x.dev=y"]
        {
            assert_eq!(Mirrors::parse([bad]).map_err(|e| e.code()), Err(Code::Usage), "{bad}");
        }
        assert!(Mirrors::parse(["cgr.dev=a.dev", "cgr.dev/x=b.dev"]).is_ok());
        assert!(Mirrors::parse(["cgr.dev=a.dev", "cgr.dev=b.dev"]).is_err());
    }
}
