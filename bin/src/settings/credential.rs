//! Who signs: a key, a token, what the platform offers, or a person.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::sign::oidc::{Environment, Login, Prompt, Provider, Token, detect};
use cg_attest::sign::{KeyError, Services, SignError, Signatory, SigningKey};
use cg_attest::time::Timestamp;

use super::read_file;
use crate::error::CliError;
use crate::printer::{Printer, escape};

/// Bytes of a key.
const KEY_BYTES: u64 = 1 << 20;
/// Where cosign looks for the password of a key.
const PASSWORD: &str = "COSIGN_PASSWORD";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Flow {
    /// A code that is typed on any device
    Device,
    /// A page in a browser on this machine
    #[value(alias = "normal")]
    Browser,
}

/// What the flags name.
pub(super) enum Credential {
    Key(SigningKey),
    Token(Token),
    Ambient(Option<Provider>),
    Person(Flow),
}

/// What somebody signs with.
pub(super) enum Found {
    Key(SigningKey),
    Token(Token),
}

impl Credential {
    /// A key in a file; the password of one that cosign encrypted is in the environment, or asked for.
    pub(super) fn key(path: &Path) -> Result<Self, CliError> {
        if let Some((store, _)) = path.to_str().and_then(|text| text.split_once("://")) {
            let message = format!("{store}:// is not spoken here: a key is read from a file");
            return Err(
                CliError::usage(Code::KeyUnusable, message).hint("sign keyless (leave out --key), or with a file")
            );
        }
        let pem = read_file(path, KEY_BYTES)?;
        let key = match SigningKey::from_pem(&pem) {
            Err(KeyError::Encrypted) => SigningKey::from_encrypted_pem(&pem, password(path)?.as_bytes()),
            other => other,
        };
        let wrong = |error: KeyError| {
            let hint = match &error {
                KeyError::Password => Some(format!("check {PASSWORD}; without it, a terminal is asked")),
                KeyError::EncryptedForm(_) => Some("decrypt it into a file that only you can read".to_owned()),
                _ => None,
            };
            CliError { message: format!("{}: {error}", path.display()), hint, ..CliError::signing(error.into()) }
        };
        key.map(Self::Key).map_err(wrong)
    }

    pub(super) fn token_file(path: &Path) -> Result<Self, CliError> {
        Token::from_file(path).map_err(|e| CliError::signing(e.into())).map(Self::Token)
    }

    /// Finds who signs: a person is asked if it is one, or if nobody else is found and a person is there.
    pub(super) async fn find(
        self,
        services: &Services,
        audience: &str,
        yes: bool,
        limits: &Limits,
        printer: &Printer,
    ) -> Result<Found, CliError> {
        let (token, explicit) = match self {
            Self::Key(key) => return Ok(Found::Key(key)),
            Self::Token(token) => (token, true),
            Self::Person(flow) => (log_in(flow, services, audience, yes, printer).await?, true),
            Self::Ambient(only) => match ambient(audience, only, limits, printer).await {
                Ok(token) => (token, false),
                Err(SignError::NoIdentity(nobody)) if only.is_none() && can_ask() => {
                    printer.note(&escape(&nobody.to_string()));
                    (log_in(Flow::Device, services, audience, yes, printer).await?, true)
                }
                Err(error) => return Err(CliError::signing(error)),
            },
        };
        if explicit && token.is_personal() && !yes && can_ask() {
            ask(&format!("{} goes into a public log, for good. Go on?", escape(token.identity())))?;
        }
        let name = Signatory::of_token(&token).name().unwrap_or(token.identity()).to_owned();
        printer.note(&format!("signing as {} ({})", escape(&name), escape(token.issuer())));
        Ok(Found::Token(token))
    }

    /// Who that would be, as far as it is known without asking a person.
    pub(super) async fn signatory(
        &self,
        audience: &str,
        limits: &Limits,
        now: Timestamp,
        printer: &Printer,
    ) -> Result<Signatory, CliError> {
        let token = match self {
            Self::Key(key) => return Ok(Signatory::of_key(key)),
            Self::Token(token) => token.clone(),
            Self::Person(_) => return Ok(Signatory::unknown()),
            Self::Ambient(only) => match ambient(audience, *only, limits, printer).await {
                Ok(token) => token,
                Err(SignError::NoIdentity(_)) if only.is_none() => return Ok(Signatory::unknown()),
                Err(error) => return Err(CliError::signing(error)),
            },
        };
        token.check(audience, now).map_err(|error| CliError::signing(error.into()))?;
        Ok(Signatory::of_token(&token))
    }
}

/// A token of the platform that this runs on.
async fn ambient(
    audience: &str,
    only: Option<Provider>,
    limits: &Limits,
    printer: &Printer,
) -> Result<Token, SignError> {
    let variables = std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
    let environment: Environment = variables.collect();
    let found = detect(&environment, audience, only, limits).await?;
    let skipped: Vec<String> = found.skipped.iter().map(ToString::to_string).collect();
    let before = if skipped.is_empty() { String::new() } else { format!(" ({})", skipped.join("; ")) };
    printer.note(&format!("identity from {}{}", found.provider, escape(&before)));
    Ok(found.token)
}

async fn log_in(
    flow: Flow,
    services: &Services,
    client: &str,
    yes: bool,
    printer: &Printer,
) -> Result<Token, CliError> {
    if !yes && !can_ask() {
        let message = "a login puts an e-mail address into a public log, and there is nobody to ask";
        return Err(CliError::usage(Code::Usage, message).hint("pass --yes to agree to that"));
    }
    let issuer = services.issuer().ok_or_else(|| {
        CliError::usage(
            Code::SigningConfig,
            "the signing config names no issuer to log in at; name one with --oidc-issuer",
        )
    })?;
    let login = Login::new(issuer.url(), client).map_err(|e| CliError::signing(e.into()))?;
    let show = |prompt: &Prompt| match prompt {
        Prompt::Browser { url } => {
            printer.note(&format!("log in at {}", escape(url)));
            open(url);
        }
        Prompt::Device { url, code } => {
            printer.note(&format!("log in at {} with the code {}", escape(url), escape(code)));
        }
        _ => {}
    };
    let token = match flow {
        Flow::Browser => login.in_browser(show).await,
        Flow::Device => login.with_device(show).await,
    };
    token.map_err(CliError::signing)
}

/// Opens a page in the browser. If that fails, its address is on the terminal.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let _ = std::process::Command::new(program).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The password of a key: of the environment, also an empty one, else of whoever is there.
fn password(path: &Path) -> Result<String, CliError> {
    if let Some(given) = std::env::var_os(PASSWORD) {
        let text = given.into_string();
        return text.map_err(|_| CliError::usage(Code::KeyUnusable, format!("{PASSWORD} is not UTF-8")));
    }
    if !can_ask() {
        let message = format!("{}: {}", path.display(), KeyError::Encrypted);
        return Err(CliError::usage(Code::KeyUnusable, message).hint(format!("set {PASSWORD} to it")));
    }
    let asked = prompt(&format!("password of {}: ", escape(&path.display().to_string())));
    let read = asked.and_then(|()| console::Term::stderr().read_secure_line());
    read.map_err(|error| CliError::usage(Code::KeyUnusable, format!("the password cannot be read: {error}")))
}

fn ask(question: &str) -> Result<(), CliError> {
    let mut answer = String::new();
    let read = prompt(&format!("{question} [y/N] ")).and_then(|()| std::io::stdin().read_line(&mut answer));
    match read {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(CliError::usage(Code::Usage, "not signed: you did not agree").hint("pass --yes to agree beforehand")),
    }
}

fn prompt(text: &str) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    write!(err, "{text}").and_then(|()| err.flush())
}
