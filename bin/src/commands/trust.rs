//! `cg-attest trust`: a trust root and a signing config as a person reads them.

use cg_attest::code::Code;
use cg_attest::sign::{Choice, Endpoint, SigningConfig};
use cg_attest::time::Timestamp;
use cg_attest::trust::{TrustFinding, TrustRoot};
use serde_json::{Value, json};

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, Tone, escape, paint};
use crate::render;
use crate::settings::{Format, SigningConfigArgs, TrustArgs, now};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List everything that is trusted, and the services that sign
    Show(Which),
    /// Say whether it can be used now, what ends soon, and what to do; exit 1 if it cannot
    Status(Which),
}

#[derive(Debug, clap::Args)]
struct Which {
    /// What to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    signing: SigningConfigArgs,
}

/// How long before its end a service that signs is worth a word, as for those that are trusted.
const SOON_SECONDS: i64 = 30 * 86_400;

/// What was read.
struct Trust {
    root: TrustRoot,
    /// None where a private root is given without one.
    config: Option<SigningConfig>,
    now: Timestamp,
}

/// Shows, or judges.
pub(crate) async fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let (What::Show(which) | What::Status(which)) = &args.what;
    let services = which.signing.for_showing(&which.trust)?;
    let source = which.trust.source_for_signing()?;
    let now = now()?;
    let root = source.load(now).await?;
    let services = services.filter(|services| services.is_known(&root));
    let config = services.map(|services| services.settled(&root)).transpose()?;
    let trust = Trust { root, config, now };
    let findings = trust.findings();
    let usable = findings.iter().all(|finding| !finding.grave);
    let text = match (which.output, &args.what) {
        (Format::Json, _) => render::Document::new("TrustReport", trust.document(&findings)).pretty()?,
        (Format::Text, What::Show(_)) => printer.fitted(trust.show(printer.is_colored())),
        (Format::Text, What::Status(_)) => printer.fitted(trust.status(&findings, printer.is_colored())),
    };
    printer.data(text.as_bytes())?;
    let judged = matches!(args.what, What::Status(_));
    Ok(if judged && !usable { ExitStatus::Refused } else { ExitStatus::Accepted })
}

impl Trust {
    /// What cannot be used now, and what ends soon.
    fn findings(&self) -> Vec<TrustFinding> {
        let mut findings = self.root.findings(self.now);
        if let Some(config) = &self.config {
            match config.select(self.now) {
                Err(error) => findings.push(TrustFinding::grave(error.to_string())),
                // A key signs without one.
                Ok(services) => findings
                    .extend(services.require_authority().err().map(|error| TrustFinding::note(error.to_string()))),
            }
            findings.extend(self.ending(config).map(TrustFinding::note));
        }
        findings
    }

    /// What can be used now and cannot in a month.
    fn ending(&self, config: &SigningConfig) -> Option<String> {
        let soon = Timestamp::from_unix(self.now.unix() + SOON_SECONDS).ok()?;
        let usable = |time| config.select(time).and_then(|services| services.require_authority().map(drop));
        usable(self.now).ok()?;
        usable(soon).err().map(|error| format!("within a month: {error}"))
    }

    fn show(&self, colored: bool) -> String {
        let mut out = self.head(colored);
        for (instance, profile) in self.root.instances() {
            out += &format!("\n{} ({})\n", paint(colored, Tone::Strong, &escape(instance)), profile.as_str());
            for service in self.root.services().iter().filter(|service| service.instance == instance) {
                let state = self.state(service.start, service.end);
                out += &format!("  {:<22} {}\n", service.kind.as_str(), escape(&service.url));
                out += &format!("  {:<22} {}\n", "", window(service.start, service.end, state));
                out += &format!("  {:<22} {}\n", "", escape(&service.name));
                out += &format!("  {:<22} {}\n", "", service.id);
            }
        }
        if let Some(config) = &self.config {
            let title = format!("services that sign: {}", escape(config.source()));
            out += &format!("\n{}\n", paint(colored, Tone::Strong, &title));
            for (kind, choice, endpoints) in parts(config) {
                for endpoint in endpoints {
                    let (start, end) = endpoint.window();
                    let (url, version) = (escape(endpoint.url()), endpoint.version());
                    out += &format!("  {:<22} {url} (API version {version}, {})\n", kind, escape(endpoint.operator()));
                    out += &format!("  {:<22} {}\n", "", window(start, end, self.state(start, end)));
                }
                if let (Some(choice), false) = (choice, endpoints.is_empty()) {
                    out += &format!("  {:<22} a signature takes {}\n", "", taken(choice));
                }
            }
        }
        out
    }

    fn status(&self, findings: &[TrustFinding], colored: bool) -> String {
        let mut out = self.head(colored);
        for finding in findings {
            let tone = if finding.grave { Tone::Bad } else { Tone::Doubt };
            out += &format!(
                "{} {}\n",
                paint(colored, tone, if finding.grave { "unusable:" } else { "note:" }),
                escape(&finding.text)
            );
        }
        if let Some(Ok(services)) = self.config.as_ref().map(|config| config.select(self.now)) {
            let urls =
                |endpoints: &[Endpoint]| endpoints.iter().map(|e| escape(e.url())).collect::<Vec<_>>().join(", ");
            let authority = services.authority().map(|e| escape(e.url())).unwrap_or_default();
            out += &format!("signing now: {authority}, log {}", urls(services.logs()));
            out += &match services.timestamps() {
                [] => "\n".to_owned(),
                all => format!(", timestamps {}\n", urls(all)),
            };
        }
        out += &match (findings.iter().any(|finding| finding.grave), findings.is_empty()) {
            (true, _) => format!(
                "  → {}\n",
                "leave out --trusted-root and --offline to have it refreshed by TUF, or ask the instance's operator for a newer file"
            ),
            (false, false) => "  → nothing to do now; a root that TUF keeps up to date renews itself\n".to_owned(),
            (false, true) => paint(colored, Tone::Good, "can be used") + "\n",
        };
        out
    }

    fn head(&self, colored: bool) -> String {
        let date = self.root.date().map(|date| format!(", as of {}", escape(date))).unwrap_or_default();
        let source = paint(colored, Tone::Strong, &escape(self.root.source()));
        format!("trust root {source}{date}\n")
    }

    fn state(&self, start: Option<Timestamp>, end: Option<Timestamp>) -> &'static str {
        match () {
            () if start.is_some_and(|start| self.now < start) => " (not yet)",
            () if end.is_some_and(|end| end < self.now) => " (over; what was signed then still verifies)",
            () => "",
        }
    }

    fn document(&self, findings: &[TrustFinding]) -> Value {
        let services: Vec<Value> = self
            .root
            .services()
            .iter()
            .map(|service| {
                let mut value = serde_json::to_value(service).unwrap_or_default();
                value["trustedNow"] = service.is_trusted_at(self.now).into();
                value
            })
            .collect();
        let endpoint = |e: &Endpoint| {
            let (start, end) = e.window();
            let valid = e.is_valid_at(self.now);
            json!({ "url": e.url(), "apiVersion": e.version(), "operator": e.operator(), "start": start, "end": end, "validNow": valid })
        };
        let signing = self.config.as_ref().map(|config| {
            let all = |endpoints: &[Endpoint]| endpoints.iter().map(endpoint).collect::<Vec<_>>();
            let ((logs, log_choice), (timestamps, timestamp_choice)) = (config.logs(), config.timestamps());
            json!({
                "source": config.source(),
                "certificateAuthorities": all(config.authorities()),
                "issuers": all(config.issuers()),
                "logs": all(logs), "logSelector": log_choice.to_string(),
                "timestampAuthorities": all(timestamps), "timestampSelector": timestamp_choice.to_string(),
            })
        });
        let findings: Vec<Value> = findings
            .iter()
            .map(|f| json!({ "grave": f.grave, "code": f.grave.then(|| Code::TrustRoot.as_str()), "text": f.text }))
            .collect();
        json!({
            "trustRoot": { "source": self.root.source(), "date": self.root.date(), "services": services },
            "signing": signing,
            "time": self.now,
            "findings": findings,
        })
    }
}

fn parts(config: &SigningConfig) -> [(&'static str, Option<Choice>, &[Endpoint]); 4] {
    let ((logs, log_choice), (timestamps, timestamp_choice)) = (config.logs(), config.timestamps());
    [
        ("certificate authority", None, config.authorities()),
        ("issuer", None, config.issuers()),
        ("log", Some(log_choice), logs),
        ("timestamp authority", Some(timestamp_choice), timestamps),
    ]
}

fn taken(choice: Choice) -> String {
    match choice {
        Choice::Any => "one".to_owned(),
        Choice::All => "all".to_owned(),
        Choice::Exact(count) => count.to_string(),
        other => other.to_string(),
    }
}

fn window(start: Option<Timestamp>, end: Option<Timestamp>, state: &str) -> String {
    let text = match (start, end) {
        (None, None) => "at any time".to_owned(),
        (Some(start), None) => format!("from {start}"),
        (None, Some(end)) => format!("until {end}"),
        (Some(start), Some(end)) => format!("{start} to {end}"),
    };
    format!("{text}{state}")
}
