//! Patterns over names. They always match the whole name: a partial match
//! lets an attacker choose the rest (scenarios F-02, F-03).

use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::code::Code;

/// Bytes of a pattern, and of a compiled expression.
const MAX_PATTERN: usize = 4096;
const MAX_COMPILED: usize = 1 << 20;

/// A name, or a description of names, that the policy trusts.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Exact,
    Glob(Box<Regex>),
    Regexp { whole: Box<Regex>, part: Box<Regex> },
}

/// How a pattern and a name relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Matched {
    /// The whole name.
    Whole,
    /// Only a part of it, which counts as no match.
    Part,
    /// Not at all.
    No,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern {text:?} cannot be used: {problem}")]
pub struct PatternError {
    text: String,
    problem: String,
}

impl PatternError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::PolicyInvalid
    }
}

impl Pattern {
    /// Exactly this name, byte for byte.
    ///
    /// # Errors
    /// When the name is empty: an empty name must not mean "any" (scenario F-08).
    pub fn exact(text: &str) -> Result<Self, PatternError> {
        checked(text)?;
        Ok(Self { text: text.to_owned(), kind: Kind::Exact })
    }

    /// A glob: `*` is any run of characters without a slash, `**` any run at
    /// all, `?` one character that is not a slash; everything else is itself.
    ///
    /// # Errors
    /// When the glob is empty or consists of nothing but wildcards.
    pub fn glob(text: &str) -> Result<Self, PatternError> {
        checked(text)?;
        if text.bytes().all(|b| b"*?/".contains(&b)) {
            return Err(wrong(text, "it would match every name"));
        }
        let mut expression = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '*' if rest.next_if_eq(&'*').is_some() => expression.push_str(".*"),
                '*' => expression.push_str("[^/]*"),
                '?' => expression.push_str("[^/]"),
                c => expression.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        Ok(Self { text: text.to_owned(), kind: Kind::Glob(Box::new(compile(text, &whole(&expression))?)) })
    }

    /// A regular expression (syntax of the `regex` crate, no backtracking),
    /// matched in full whether or not it is written with `^` and `$`.
    ///
    /// # Errors
    /// When the expression is empty, malformed or too large, or matches the empty name or whatever name.
    pub fn regexp(text: &str) -> Result<Self, PatternError> {
        checked(text)?;
        let part = compile(text, text)?;
        let whole = compile(text, &whole(text))?;
        if whole.is_match("") {
            return Err(wrong(text, "it matches the empty name"));
        }
        if ["a", "a@a.example", "https://a.example/a"].iter().all(|name| whole.is_match(name)) {
            return Err(wrong(text, "it would match every name"));
        }
        Ok(Self { text: text.to_owned(), kind: Kind::Regexp { whole: Box::new(whole), part: Box::new(part) } })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a name is one that the pattern describes.
    #[must_use]
    pub fn matches(&self, name: &str) -> Matched {
        let (is_whole, is_part) = match &self.kind {
            Kind::Exact => (self.text == name, false),
            Kind::Glob(glob) => (glob.is_match(name), false),
            Kind::Regexp { whole, part } => (whole.is_match(name), part.is_match(name)),
        };
        match (is_whole, is_part) {
            (true, _) => Matched::Whole,
            (false, true) => Matched::Part,
            (false, false) => Matched::No,
        }
    }

    /// The pattern that matches in full what this one matches in a part of
    /// `name`: what stands around the part is added as it is, so that a foreign
    /// host in front of it is seen by whoever copies the suggestion.
    #[must_use]
    pub fn anchored_around(&self, name: &str) -> Option<String> {
        let Kind::Regexp { part, .. } = &self.kind else { return None };
        let found = part.find(name)?;
        let inner = self.text.strip_prefix('^').unwrap_or(&self.text);
        let inner = inner.strip_suffix('$').unwrap_or(inner);
        let (before, after) = (regex::escape(&name[..found.start()]), regex::escape(&name[found.end()..]));
        Some(format!("^{before}(?:{inner}){after}$"))
    }

    /// The kind, in the words of the command line.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Exact => "exact",
            Kind::Glob(_) => "glob",
            Kind::Regexp { .. } => "regexp",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Exact => f.write_str(&self.text),
            _ => write!(f, "{} {}", self.kind(), self.text),
        }
    }
}

fn whole(expression: &str) -> String {
    format!(r"\A(?:{expression})\z")
}

fn wrong(text: &str, problem: &str) -> PatternError {
    PatternError { text: text.chars().take(160).collect(), problem: problem.to_owned() }
}

fn checked(text: &str) -> Result<(), PatternError> {
    if text.trim().is_empty() {
        return Err(wrong(text, "it is empty"));
    }
    if text.len() > MAX_PATTERN {
        return Err(wrong(text, "it is longer than 4096 bytes"));
    }
    Ok(())
}

fn compile(text: &str, expression: &str) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(expression).size_limit(MAX_COMPILED).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => wrong(text, "it is too large when compiled"),
        other => wrong(text, &other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_matches_in_full_or_not_at_all() {
        let pattern = Pattern::regexp("https://github.com/chainguard-images/.*").expect("a pattern");
        assert_eq!(pattern.matches("https://github.com/chainguard-images/images/x"), Matched::Whole);
        let evil = "https://evil.example/?x=https://github.com/chainguard-images/images/x";
        assert_eq!(pattern.matches(evil), Matched::Part);
        let suggestion = Pattern::regexp("images/x").expect("a pattern").anchored_around("https://a.b/images/x@main");
        assert_eq!(suggestion.as_deref(), Some(r"^https://a\.b/(?:images/x)@main$"));
        assert_eq!(Pattern::regexp("^a|b$").expect("a pattern").matches("xxxb"), Matched::Part);
        assert_eq!(Pattern::regexp("^a|b$").expect("a pattern").matches("b"), Matched::Whole);
        // A line end inside a name is not the end of the name.
        assert_eq!(Pattern::regexp("a$").expect("a pattern").matches("a\nb"), Matched::No);
        assert_eq!(Pattern::regexp("(?m)a$").expect("a pattern").matches("a\nb"), Matched::Part);
    }

    #[test]
    fn a_glob_stays_within_a_path_component() {
        let pattern = Pattern::glob("https://github.com/org/repo/.github/workflows/*@refs/heads/main").expect("a glob");
        assert_eq!(
            pattern.matches("https://github.com/org/repo/.github/workflows/a.yaml@refs/heads/main"),
            Matched::Whole
        );
        assert_eq!(pattern.matches("https://github.com/org/repo/.github/workflows/a/b@refs/heads/main"), Matched::No);
        assert_eq!(Pattern::glob("a**z").expect("a glob").matches("a/b/z"), Matched::Whole);
        assert_eq!(Pattern::glob("a.z").expect("a glob").matches("axz"), Matched::No);
    }

    #[test]
    fn patterns_that_mean_anything_are_refused() {
        for bad in ["", " ", ".*", ".+", "^.+$", r"\S{1,}", "(?s)(.|x)+", "(", "((a{1000}){1000}){1000}", "a?"] {
            assert_eq!(Pattern::regexp(bad).map(|_| ()).map_err(|e| e.code()), Err(Code::PolicyInvalid), "{bad}");
        }
        for wide in ["https://.+", ".+@a.example", "[a-z]+"] {
            assert!(Pattern::regexp(wide).is_ok(), "{wide}");
        }
        for bad in ["", "*", "**", "*/**"] {
            assert!(Pattern::glob(bad).is_err(), "{bad}");
        }
        assert!(Pattern::exact("").is_err());
    }
}
