//! The login for a repository, and the account of where it was looked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use super::files::{AuthFile, CredentialFiles, Entry};
use super::{Login, helper};
use crate::image::Repository;

/// Every place where a login may be.
#[derive(Debug, Default)]
pub(in crate::registry::remote) struct Credentials {
    /// By registry, as given by the caller.
    logins: BTreeMap<String, Login>,
    files: CredentialFiles,
    /// A helper may take a second: each is asked once per server.
    asked: Mutex<BTreeMap<Question, Arc<OnceCell<Answer>>>>,
}

/// A helper, and the server it is asked about.
type Question = (String, String);

/// A helper's answer, for everybody who asks the same.
type Answer = Result<Option<Login>, String>;

/// What the search found.
#[derive(Debug, Clone)]
pub(in crate::registry::remote) struct Found {
    /// The login, if there is one.
    pub(in crate::registry::remote) login: Option<Login>,
    /// Where it is from, or where none was: for messages, without secrets.
    pub(in crate::registry::remote) source: String,
}

impl Credentials {
    pub(in crate::registry::remote) fn new(logins: BTreeMap<String, Login>, files: CredentialFiles) -> Self {
        Self { logins, files, asked: Mutex::default() }
    }

    /// The login that the caller gave for a registry.
    pub(in crate::registry::remote) fn given(&self, registry: &str) -> Option<&Login> {
        self.logins.get(registry)
    }

    /// Searches every place. A place that cannot be read is told in the source
    /// and passed over: without a login we are only a stranger.
    pub(in crate::registry::remote) async fn find(&self, repository: &Repository) -> Found {
        if let Some(login) = self.given(repository.registry()) {
            let source = format!("the login given for {}", repository.registry());
            return Found { login: Some(login.clone()), source };
        }
        let mut tried = Vec::new();
        for path in self.files.files() {
            let shown = path.display();
            let file = path.clone();
            // Reading a file can take long on a network home; keep it off the async threads.
            let read = tokio::task::spawn_blocking(move || AuthFile::read(&file)).await;
            let entries = match read.unwrap_or_else(|_| Err("cannot be read".to_owned())) {
                Ok(None) => {
                    tried.push(format!("{shown} (absent)"));
                    continue;
                }
                Ok(Some(file)) => file.entries(repository),
                Err(why) => Err(why),
            };
            let entries = match entries {
                Ok(entries) => entries,
                Err(why) => {
                    tried.push(format!("{shown} ({why})"));
                    continue;
                }
            };
            let mut failures = Vec::new();
            for entry in entries {
                match entry {
                    Entry::Login(login) => return Found { login: Some(login), source: shown.to_string() },
                    Entry::Helper { name, server } => match self.ask(&name, &server).await {
                        Ok(Some(login)) => {
                            let source = format!("docker-credential-{name}, named in {shown}");
                            return Found { login: Some(login), source };
                        }
                        Ok(None) => {}
                        Err(why) => failures.push(format!("docker-credential-{name} {why}")),
                    },
                }
            }
            let why = if failures.is_empty() { "no entry".to_owned() } else { failures.join(", ") };
            tried.push(format!("{shown} ({why})"));
        }
        let source =
            if tried.is_empty() { "no login was given".to_owned() } else { format!("looked in {}", tried.join(", ")) };
        Found { login: None, source }
    }

    async fn ask(&self, name: &str, server: &str) -> Answer {
        let key = (name.to_owned(), server.to_owned());
        let cell = Arc::clone(self.asked.lock().await.entry(key).or_default());
        cell.get_or_init(|| helper::ask(name, server, self.files.helper_folders())).await.clone()
    }
}
