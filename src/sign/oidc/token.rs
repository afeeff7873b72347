//! Identity tokens. What they say is read, never believed: the certificate
//! authority verifies them, and the certificate says who we are.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::code::Code;
use crate::digest::unhex;
use crate::json;
use crate::time::{Timestamp, human};

/// Bytes of a token; real ones have one or two thousand.
const MAX_BYTES: usize = 64 << 10;

/// The audience that Fulcio instances want unless they are told otherwise.
pub const DEFAULT_AUDIENCE: &str = "sigstore";

/// An identity token (a JSON web token). It prints neither itself nor whom it is about.
#[derive(Clone)]
pub struct Token {
    text: Zeroizing<String>,
    claims: Claims,
}

/// What is read from a token, for messages and for the checks before it is sent.
#[derive(Clone)]
struct Claims {
    issuer: String,
    subject: String,
    email: Option<String>,
    audiences: Vec<String>,
    expires: Timestamp,
    not_before: Option<Timestamp>,
    nonce: Option<String>,
    /// The issuer that a federating one names, which is what the certificate then has.
    federated: Option<String>,
    /// The workflow that a GitHub token stands for.
    workflow: Option<String>,
}

/// Why a token is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a JSON web token, or one without the claims that every one has.
    #[error("not an identity token: {0}")]
    Malformed(&'static str),
    /// For another service.
    #[error("the identity token of {issuer} is for {found}, and not for {wanted:?}")]
    Audience {
        /// Who gave it.
        issuer: String,
        /// Its audiences.
        found: String,
        /// The one that is wanted.
        wanted: String,
    },
    /// Over.
    #[error("the identity token of {issuer} expired {ago} ago")]
    Expired {
        /// Who gave it.
        issuer: String,
        /// For how long.
        ago: String,
    },
    /// Not begun.
    #[error("the identity token of {issuer} is not valid before {from}")]
    NotYet {
        /// Who gave it.
        issuer: String,
        /// When it begins.
        from: Timestamp,
    },
}

impl TokenError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::TokenInvalid,
            Self::Audience { .. } => Code::TokenAudience,
            Self::Expired { .. } | Self::NotYet { .. } => Code::TokenExpired,
        }
    }
}

impl Token {
    /// Reads a token; space around it is not part of it.
    ///
    /// # Errors
    /// When it is not a JSON web token with issuer, subject, audience and end.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        let wrong = TokenError::Malformed;
        if text.len() > MAX_BYTES {
            return Err(wrong("it is too long"));
        }
        let mut parts = text.split('.');
        let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it has not three parts"));
        };
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) {
            return Err(wrong("it has characters that no token has"));
        }
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).map_err(|_| wrong("its second part is not base64"))?;
        // The parser's message may quote the token.
        let wire: WireClaims =
            json::object(&payload).map_err(|_| wrong("its second part has not the claims of one"))?;
        let claims = wire.checked().ok_or(wrong("it names no issuer, subject, audience or end"))?;
        Ok(Self { text: Zeroizing::new(text.to_owned()), claims })
    }

    /// Reads a token from a file that holds nothing else.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Token::parse`].
    pub fn from_file(path: &std::path::Path) -> Result<Self, TokenError> {
        let text = super::file::read(path)?.ok_or(TokenError::Malformed("its file is not there"))?;
        Self::parse(&text)
    }

    /// Checks that the token can be used now for `audience`.
    ///
    /// # Errors
    /// When it is for another audience, over, or not begun.
    pub fn check(&self, audience: &str, now: Timestamp) -> Result<(), TokenError> {
        let Claims { issuer, audiences, expires, not_before, .. } = &self.claims;
        let issuer = || issuer.clone();
        if !audiences.iter().any(|known| known == audience) {
            let found = audiences.iter().map(|found| format!("{found:?}")).collect::<Vec<_>>().join(", ");
            return Err(TokenError::Audience { issuer: issuer(), found, wanted: audience.to_owned() });
        }
        if *expires <= now {
            return Err(TokenError::Expired { issuer: issuer(), ago: human(now.since(*expires)) });
        }
        // Clocks differ: what began within the minute has begun.
        match not_before {
            Some(from) if from.since(now).as_secs() > 60 => Err(TokenError::NotYet { issuer: issuer(), from: *from }),
            _ => Ok(()),
        }
    }

    /// Who gave the token, as it says.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.claims.issuer
    }

    /// Whom it is about, as it says: an e-mail address, else the subject.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.claims.email.as_deref().unwrap_or(&self.claims.subject)
    }

    /// Whether it is about a person, whose address goes into a public log.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.claims.email.is_some()
    }

    /// When it ends, as it says.
    #[must_use]
    pub fn expires(&self) -> Timestamp {
        self.claims.expires
    }

    pub(super) fn nonce(&self) -> Option<&str> {
        self.claims.nonce.as_deref()
    }

    /// What the proof of possession is over (Fulcio, `PublicKeyRequest`): the e-mail address, else the subject.
    pub(in crate::sign) fn challenge(&self) -> &str {
        self.identity()
    }

    /// The name that the certificate has to have, where the token says enough
    /// to know it: Fulcio makes the names of other issuers in its own ways.
    pub(in crate::sign) fn expected_name(&self) -> Option<String> {
        let Claims { email, workflow, subject, .. } = &self.claims;
        if let Some(email) = email {
            return Some(email.clone());
        }
        if let Some(workflow) = workflow.as_ref().filter(|_| self.is_githubs()) {
            return Some(format!("https://github.com/{workflow}"));
        }
        subject.starts_with("spiffe://").then(|| subject.clone())
    }

    /// The issuer that the certificate has to name.
    pub(in crate::sign) fn expected_issuer(&self) -> &str {
        self.claims.federated.as_deref().unwrap_or(&self.claims.issuer)
    }

    fn is_githubs(&self) -> bool {
        self.claims.issuer == "https://token.actions.githubusercontent.com"
    }

    /// The token, for the one place that sends it.
    pub(in crate::sign) fn reveal(&self) -> &str {
        &self.text
    }
}

/// Whether the name in a certificate is the expected one. What a URI may not
/// have, a branch may: Fulcio's certificates have it percent-encoded (scenario P-12).
pub(in crate::sign) fn is_name(wanted: &str, found: &str) -> bool {
    wanted == found || wanted.starts_with("https://") && decoded(wanted) == decoded(found)
}

/// What percent-encoding stands for (RFC 3986, 2.1).
fn decoded(uri: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), uri.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()).filter(|_| *first == b'%');
        let byte = hex.and_then(unhex).and_then(|bytes| bytes.first().copied());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    out
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("issuer", &self.claims.issuer).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct WireClaims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    exp: Option<f64>,
    nbf: Option<f64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    federated_claims: Option<WireFederated>,
    job_workflow_ref: Option<String>,
}

#[derive(Deserialize)]
struct WireFederated {
    connector_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl WireClaims {
    fn checked(self) -> Option<Claims> {
        let text = |value: Option<String>| value.filter(|value| !value.is_empty());
        let verified = self.email_verified.is_some_and(|v| v == true || v == "true");
        let audiences = match self.aud? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        };
        // A number of seconds, with a fraction at some issuers.
        let time = |seconds: f64| Timestamp::from_unix(seconds as i64).ok();
        Some(Claims {
            issuer: text(self.iss)?,
            subject: text(self.sub)?,
            email: text(self.email).filter(|_| verified),
            audiences,
            expires: time(self.exp?)?,
            not_before: self.nbf.and_then(time),
            nonce: self.nonce,
            federated: text(self.federated_claims.and_then(|claims| claims.connector_id)),
            workflow: text(self.job_workflow_ref),
        })
    }
}

#[cfg(test)]
pub(in crate::sign) mod tests {
    use super::*;

    pub(in crate::sign) fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    const PAYLOAD: &str = r#"{"iss":"https://issuer.test","sub":"s","aud":"sigstore","exp":1800000000,"nbf":1700000000,
        "email":"a@b.test","email_verified":true}"#;
    const DURING: &str = "2026-11-21T00:00:00Z";

    #[test]
    fn a_token_is_used_in_its_time_for_its_audience_and_does_not_print() {
        let good = Token::parse(&format!(" {}\n", token(PAYLOAD))).expect("a token");
        assert_eq!((good.issuer(), good.identity()), ("https://issuer.test", "a@b.test"));
        assert_eq!(good.check("sigstore", time(DURING)), Ok(()));
        let code = |audience: &str, now: &str| good.check(audience, time(now)).map_err(|error| error.code());
        assert_eq!(code("sigstor", DURING), Err(Code::TokenAudience));
        assert_eq!(code("sigstore", "2027-01-15T08:00:00Z"), Err(Code::TokenExpired));
        assert_eq!(code("sigstore", "2027-01-15T07:59:59Z"), Ok(()));
        assert_eq!(code("sigstore", "2023-01-01T00:00:00Z"), Err(Code::TokenExpired));
        let shown = format!("{good:?}");
        assert!(!shown.contains("c2ln") && !shown.contains("a@b.test"), "{shown}");
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_quoted() {
        for (from, to) in [
            (r#""iss":"https://issuer.test","#, ""),
            (r#""sub":"s","#, ""),
            (r#""aud":"sigstore","#, ""),
            (r#""exp":1800000000,"#, ""),
            (r#""sub":"s""#, r#""sub":"secret","sub":"s""#),
        ] {
            let bad = PAYLOAD.replacen(from, to, 1);
            assert_ne!(bad, PAYLOAD);
            let error = Token::parse(&token(&bad)).expect_err(&bad);
            assert!(error.code() == Code::TokenInvalid && !error.to_string().contains("secret"), "{error}");
        }
        for bad in ["", "secret", "a.b", "a.b.c.d", "a.!.c", "e30.e30.e3\u{7}", "e30.e30.c"] {
            let error = Token::parse(bad).expect_err(bad);
            assert!(error.code() == Code::TokenInvalid && !error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_certificates_name_is_known_beforehand_where_the_token_says_enough() {
        let of = |payload: &str| Token::parse(&token(payload)).expect("a token");
        let name = |payload: &str| of(payload).expected_name();
        assert_eq!(name(PAYLOAD).as_deref(), Some("a@b.test"));
        let unverified = PAYLOAD.replace("true", "false");
        assert_eq!((name(&unverified), of(&unverified).challenge().to_owned()), (None, "s".to_owned()));
        assert_eq!(name(&PAYLOAD.replace("true", "\"true\"")).as_deref(), Some("a@b.test"));
        let github = r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:o/r","aud":["x","sigstore"],
            "exp":1800000000.5,"job_workflow_ref":"o/r/.github/workflows/w.yml@refs/heads/main"}"#;
        let wanted = "https://github.com/o/r/.github/workflows/w.yml@refs/heads/main";
        assert_eq!(name(github).as_deref(), Some(wanted));
        assert_eq!(name(&github.replace("token.actions", "token.other")), None);
        let branch = |name: &str| format!("https://github.com/o/r/.github/workflows/w.yml@refs/heads/{name}");
        for (wanted, found, same) in [
            ("größe", "gr%C3%B6%C3%9Fe", true),
            ("größe", "gr%c3%b6%c3%9fe", true),
            ("größe", "gr%C3%B6%C3%9Fen", false),
            ("größe", "grosse", false),
            ("100%", "100%25", true),
            ("a", "%6", false),
        ] {
            assert_eq!(is_name(&branch(wanted), &branch(found)), same, "{wanted} {found}");
        }
        assert!(!is_name("a%40b.test", "a@b.test"), "an address is what it is");
        let dex = PAYLOAD.replacen('{', r#"{"federated_claims":{"connector_id":"https://accounts.test"},"#, 1);
        assert_eq!(of(&dex).expected_issuer(), "https://accounts.test");
        assert_eq!(of(PAYLOAD).expected_issuer(), "https://issuer.test");
    }
}
