//! Who will sign, as far as that is known before a certificate is asked for.

use super::SigningKey;
use super::oidc::{Token, is_name};
use crate::signer::Signer;

/// Whoever is about to sign. A dry run asks nobody for a certificate, which
/// would be in a public log, so it may not know all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signatory(Known);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Known {
    /// Nobody has logged in yet.
    #[default]
    Nothing,
    /// What a token says. Some authorities make a name of it in their own way.
    Token {
        name: Option<String>,
        issuer: String,
    },
    Key(Box<Signer>),
}

impl Signatory {
    /// Somebody, who is not known yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whoever a token is about.
    #[must_use]
    pub fn of_token(token: &Token) -> Self {
        Self(Known::Token { name: token.expected_name(), issuer: token.expected_issuer().to_owned() })
    }

    /// Whoever has a key.
    #[must_use]
    pub fn of_key(key: &SigningKey) -> Self {
        Self(Known::Key(Box::new(Signer::of_key(key.public_key_der()))))
    }

    /// The name, where it is known; a key's is its fingerprint.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Known::Nothing => None,
            Known::Token { name, .. } => name.as_deref(),
            Known::Key(signer) => Some(&signer.identity().value),
        }
    }

    /// The issuer that will vouch for the name; none for a key.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.0 {
            Known::Token { issuer, .. } => Some(issuer),
            Known::Nothing | Known::Key(_) => None,
        }
    }

    /// Whether this is who signed something; `None` if too little is known to tell.
    #[must_use]
    pub fn is(&self, signer: &Signer) -> Option<bool> {
        match &self.0 {
            Known::Nothing => None,
            Known::Key(key) => Some(key.identity() == signer.identity()),
            Known::Token { issuer, .. } if signer.issuer() != Some(issuer) => Some(false),
            Known::Token { name, .. } => name.as_ref().map(|name| is_name(name, &signer.identity().value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::oidc::token_of_test;
    use super::*;

    fn token(claims: &str) -> Token {
        let text = format!(r#"{{"iss":"https://i.test","aud":"sigstore","exp":1800000000,{claims}}}"#);
        Token::parse(&token_of_test(&text)).expect("a token")
    }

    #[test]
    fn what_a_token_says_tells_others_apart() {
        let key = SigningKey::generate().expect("a key");
        let signer = Signer::of_key(key.public_key_der());
        assert_eq!(Signatory::of_key(&key).is(&signer), Some(true));
        let other = Signatory::of_key(&SigningKey::generate().expect("a key"));
        assert_eq!(other.is(&signer), Some(false));
        assert_eq!(Signatory::unknown().is(&signer), None);
        let person = Signatory::of_token(&token(r#""sub":"s","email":"a@b.test","email_verified":true"#));
        assert_eq!((person.name(), person.issuer()), (Some("a@b.test"), Some("https://i.test")));
        assert_eq!(person.is(&signer), Some(false), "a key has no issuer");
        let job = Signatory::of_token(&token(r#""sub":"project_path:g/p""#));
        assert_eq!((job.name(), job.issuer()), (None, Some("https://i.test")));
    }
}
