//! A signing config as it is written (protobuf-specs, `SigningConfig`).

use serde::Deserialize;

use super::endpoint::{address, check_private};
use super::{Choice, Endpoint};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireConfig {
    pub(super) media_type: String,
    #[serde(default)]
    pub(super) ca_urls: Vec<WireService>,
    #[serde(default)]
    pub(super) oidc_urls: Vec<WireService>,
    #[serde(default)]
    pub(super) rekor_tlog_urls: Vec<WireService>,
    pub(super) rekor_tlog_config: Option<WireChoice>,
    #[serde(default)]
    pub(super) tsa_urls: Vec<WireService>,
    pub(super) tsa_config: Option<WireChoice>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireService {
    url: String,
    #[serde(default)]
    major_api_version: u32,
    valid_for: Option<WireWindow>,
    #[serde(default)]
    operator: String,
}

#[derive(Deserialize)]
pub(super) struct WireWindow {
    start: Option<String>,
    end: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireChoice {
    selector: Option<String>,
    count: Option<usize>,
}

impl WireService {
    pub(super) fn checked(self, secret: bool) -> Result<Endpoint, String> {
        let url = address(&self.url)?;
        if secret {
            check_private(&url)?;
        }
        // A service without a start was never valid (protobuf-specs, `Service.valid_for`).
        let window = self.valid_for.filter(|window| window.start.is_some());
        let window = window.ok_or_else(|| format!("{url} has no start of its validity"))?;
        let time = |text: Option<String>| text.map(|text| text.parse()).transpose().map_err(|e| format!("{url}: {e}"));
        let (start, end) = (time(window.start)?, time(window.end)?);
        Ok(Endpoint { url, version: self.major_api_version, operator: self.operator, start, end })
    }
}

impl WireChoice {
    pub(super) fn checked(self) -> Result<Choice, String> {
        match (self.selector.as_deref(), self.count) {
            (Some("ANY"), _) => Ok(Choice::Any),
            (Some("ALL"), _) => Ok(Choice::All),
            (Some("EXACT"), Some(count)) if count > 0 => Ok(Choice::Exact(count)),
            (Some("EXACT"), _) => Err("the selector EXACT has no count".to_owned()),
            (other, _) => Err(format!("the selector {:?} is not ANY, ALL or EXACT", other.unwrap_or_default())),
        }
    }
}
