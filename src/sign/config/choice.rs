//! Which services take part, of those that a config names.

use std::fmt;

use super::{ConfigError, Endpoint};
use crate::time::Timestamp;

/// How many services of a kind take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// One.
    Any,
    /// One of each operator.
    All,
    /// As many, each of another operator.
    Exact(usize),
}

/// The services that take part in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Why there is none, where one is needed: not everybody who signs does.
    pub(super) authority: Result<Endpoint, ConfigError>,
    pub(super) issuer: Option<Endpoint>,
    pub(super) logs: Vec<Endpoint>,
    pub(super) timestamps: Vec<Endpoint>,
}

impl fmt::Display for Choice {
    /// As a signing config writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("ANY"),
            Self::All => f.write_str("ALL"),
            Self::Exact(count) => write!(f, "EXACT {count}"),
        }
    }
}

impl Services {
    /// The certificate authority.
    #[must_use]
    pub fn authority(&self) -> Option<&Endpoint> {
        self.authority.as_ref().ok()
    }

    /// The same for whoever needs a certificate.
    ///
    /// # Errors
    /// When the config names none that can be used.
    pub fn require_authority(&self) -> Result<&Endpoint, ConfigError> {
        self.authority.as_ref().map_err(Clone::clone)
    }

    /// The issuer that people log in to.
    #[must_use]
    pub fn issuer(&self) -> Option<&Endpoint> {
        self.issuer.as_ref()
    }

    /// The logs; at least one.
    #[must_use]
    pub fn logs(&self) -> &[Endpoint] {
        &self.logs
    }

    /// The timestamp authorities.
    #[must_use]
    pub fn timestamps(&self) -> &[Endpoint] {
        &self.timestamps
    }
}

/// What is usable, best first, one of each operator.
pub(super) fn best(of: &[Endpoint], versions: &[u32], now: Timestamp) -> Vec<Endpoint> {
    let mut usable: Vec<&Endpoint> =
        of.iter().filter(|e| versions.contains(&e.version) && e.is_valid_at(now)).collect();
    // Stable: what is equal stays in the order of the config.
    usable.sort_by(|a, b| b.version.cmp(&a.version).then(b.start.cmp(&a.start)));
    let mut chosen: Vec<Endpoint> = Vec::new();
    for endpoint in usable {
        if chosen.iter().all(|other| other.operator != endpoint.operator) {
            chosen.push(endpoint.clone());
        }
    }
    chosen
}

/// What is the matter with those that cannot be used.
pub(super) fn unusable(of: &[Endpoint], versions: &[u32], now: Timestamp) -> String {
    let why = |endpoint: &Endpoint| match (endpoint.start, endpoint.end) {
        _ if !versions.contains(&endpoint.version) => Some(format!("has version {} of its API", endpoint.version)),
        (Some(start), _) if now < start => Some(format!("begins at {start}")),
        (_, Some(end)) if end < now => Some(format!("ended at {end}")),
        _ => None,
    };
    let told = of.iter().filter_map(|endpoint| Some(format!("{} {}", endpoint.url(), why(endpoint)?)));
    let told: Vec<String> = told.take(8).collect();
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}

/// As many as the config asks for; why not, where there are fewer.
pub(super) fn choose(
    of: &[Endpoint],
    versions: &[u32],
    choice: Choice,
    now: Timestamp,
    kind: &str,
) -> Result<Vec<Endpoint>, String> {
    let mut usable = best(of, versions, now);
    let wanted = match choice {
        Choice::Any => 1,
        Choice::All => usable.len().max(1),
        Choice::Exact(count) => count,
    };
    if usable.len() < wanted && !of.is_empty() {
        return Err(format!(
            "of its {} {kind} entries {} can be used at {now}, each of another operator, and {wanted} take part{}",
            of.len(),
            usable.len(),
            unusable(of, versions, now)
        ));
    }
    usable.truncate(wanted);
    Ok(usable)
}
