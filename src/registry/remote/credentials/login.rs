//! A login that the caller gives.

use crate::net::Secret;

/// A login for one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(pub(in crate::registry::remote) Kind);

/// What is known about a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::registry::remote) enum Kind {
    /// A user's name and password.
    Password { username: String, password: Secret },
    /// What a token service gives tokens for: docker's "identity token", OAuth2's refresh token.
    Identity(Secret),
    /// A token for the registry itself.
    Bearer(Secret),
}

impl Login {
    /// A user's name and password.
    #[must_use]
    pub fn password(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self(Kind::Password { username: username.into(), password: Secret::new(password) })
    }

    /// An identity (refresh) token, which the registry's token service exchanges for tokens.
    #[must_use]
    pub fn identity_token(token: impl Into<String>) -> Self {
        Self(Kind::Identity(Secret::new(token)))
    }

    /// A token that the registry itself accepts.
    #[must_use]
    pub fn registry_token(token: impl Into<String>) -> Self {
        Self(Kind::Bearer(Secret::new(token)))
    }
}
