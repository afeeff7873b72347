//! `config.json` of docker and `auth.json` of Podman: where they are and what they say.
#![expect(clippy::disallowed_methods, reason = "the login files are read here and nowhere else")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::{Kind, Login};
use crate::image::Repository;
use crate::json;
use crate::net::Secret;

/// Such a file has a few kilobytes; a megabyte is somebody else's file.
const FILE_BYTES: u64 = 1 << 20;

/// Where credential files and helpers are looked for. Nothing is read before a
/// registry asks who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialFiles {
    files: Vec<PathBuf>,
    helper_folders: Vec<PathBuf>,
}

impl CredentialFiles {
    /// No file.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The files and the helpers' folders that the environment names:
    ///
    /// 1. `REGISTRY_AUTH_FILE`;
    /// 2. `config.json` in `DOCKER_CONFIG`, else in `.docker` of `HOME`;
    /// 3. `containers/auth.json` in `XDG_RUNTIME_DIR`, and in `XDG_CONFIG_HOME`, else `.config` of `HOME`.
    ///
    /// The first file that has a login for a repository decides. Helpers are
    /// looked for in the absolute folders of `PATH`.
    #[must_use]
    pub fn from_env_values(value: impl Fn(&str) -> Option<String>) -> Self {
        let folder = |name: &str| value(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let home = folder("HOME").or_else(|| folder("USERPROFILE"));
        let in_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let docker = folder("DOCKER_CONFIG").or_else(|| in_home(".docker"));
        let runtime = folder("XDG_RUNTIME_DIR");
        let config = folder("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let files = [
            folder("REGISTRY_AUTH_FILE"),
            docker.map(|folder| folder.join("config.json")),
            runtime.map(|folder| folder.join("containers/auth.json")),
            config.map(|folder| folder.join("containers/auth.json")),
        ];
        // A relative folder would be one that whoever wrote the current folder chose.
        let path = value("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
        Self { files: files.into_iter().flatten().collect(), helper_folders: folders.collect() }
    }

    /// The same with one more file, which is asked before the others.
    #[must_use]
    pub fn with_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.insert(0, file.into());
        self
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    pub(super) fn helper_folders(&self) -> &[PathBuf] {
        &self.helper_folders
    }
}

/// What a file says about one repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A login.
    Login(Login),
    /// A helper is to be asked for this server.
    Helper { name: String, server: String },
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, WireAuth>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct WireAuth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl AuthFile {
    /// Reads a file; `Ok(None)` if there is none. The error says why without quoting the file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot be opened: {}", error.kind())),
        };
        let mut bytes = Vec::new();
        file.take(FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {}", e.kind()))?;
        if bytes.len() as u64 > FILE_BYTES {
            return Err(format!("has more than {FILE_BYTES} bytes"));
        }
        // The parser's message may quote a value, and values here are secrets: only the place is told.
        let parsed =
            json::parse(&bytes).map_err(|e| format!("is not valid at line {}, column {}", e.line(), e.column()));
        parsed.map(Some)
    }

    /// What applies to `repository`, the most specific first: the longest prefix
    /// on path borders that has a helper or a login, then the default store.
    /// Keys are compared as a whole, never in part (scenario J-08).
    pub(super) fn entries(&self, repository: &Repository) -> Result<Vec<Entry>, String> {
        let mut found = Vec::new();
        for name in prefixes(repository) {
            if let Some(helper) = self.cred_helpers.as_ref().and_then(|h| h.get(&name)).filter(|h| !h.is_empty()) {
                found.push(Entry::Helper { name: helper.clone(), server: name.clone() });
            }
            let same = |key: &str| bare(key) == name;
            let auths = self.auths.iter().flatten().filter(|(key, _)| same(key));
            for (key, wire) in auths {
                found.extend(wire.login().map_err(|what| format!("has {what} for {key:?}"))?.map(Entry::Login));
            }
        }
        if let Some(store) = self.creds_store.as_ref().filter(|store| !store.is_empty()) {
            let server = match repository.registry() {
                // The name under which docker itself stores its login to Docker Hub.
                "docker.io" => "https://index.docker.io/v1/",
                other => other,
            };
            found.push(Entry::Helper { name: store.clone(), server: server.to_owned() });
        }
        Ok(found)
    }
}

impl WireAuth {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        let text = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = text(&self.registrytoken) {
            return Ok(Some(Login::registry_token(token)));
        }
        if let Some(token) = text(&self.identitytoken) {
            return Ok(Some(Login::identity_token(token)));
        }
        if let Some(auth) = text(&self.auth) {
            return decode(&auth).map(Some).ok_or("an `auth` that is not base64 of name:password");
        }
        // An entry without any of these only says that a store knows the server.
        Ok(text(&self.username).zip(text(&self.password)).map(|(name, password)| Login::password(name, password)))
    }
}

fn decode(auth: &str) -> Option<Login> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient).decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':')?;
    // docker pads the password with zero bytes in some versions.
    let password = Secret::new(password.trim_end_matches('\0'));
    Some(Login(Kind::Password { username: username.to_owned(), password }))
}

/// `host/a/b`, `host/a`, `host`; Docker Hub under each of its names.
fn prefixes(repository: &Repository) -> Vec<String> {
    let hosts: &[&str] = match repository.registry() {
        "docker.io" => &["index.docker.io", "docker.io", "registry-1.docker.io"],
        other => &[other],
    };
    let mut paths = vec![repository.path()];
    while let Some((shorter, _)) = paths.last().and_then(|path| path.rsplit_once('/')) {
        paths.push(shorter);
    }
    let with_paths = paths.iter().flat_map(|path| hosts.iter().map(move |host| format!("{host}/{path}")));
    with_paths.chain(hosts.iter().map(|host| (*host).to_owned())).collect()
}

/// A key without the scheme and API version that docker once wrote around the host.
fn bare(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let bare = bare.trim_end_matches('/');
    bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).filter(|_| bare != key).unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(file: &str, repository: &str) -> Vec<Entry> {
        let file: AuthFile = json::parse(file.as_bytes()).expect("a file");
        file.entries(&repository.parse().expect("a repository")).expect("entries")
    }

    fn logins(file: &str, repository: &str) -> Vec<String> {
        let shown = |entry| match entry {
            Entry::Login(Login(Kind::Password { username, password })) => format!("{username}:{}", password.reveal()),
            Entry::Login(Login(Kind::Identity(token))) => format!("identity {}", token.reveal()),
            Entry::Login(Login(Kind::Bearer(token))) => format!("bearer {}", token.reveal()),
            Entry::Helper { name, server } => format!("{name} for {server}"),
        };
        entries(file, repository).into_iter().map(shown).collect()
    }

    #[test]
    fn a_registry_is_matched_as_a_whole() {
        // Also the start of a name that somebody else owns (scenario J-09).
        // bTpw is m:p.
        let file = r#"{"auths":{"ghcr.io":{"auth":"bTpw"},"127.0.0.1:5000":{"auth":"bTpw"}}}"#;
        assert_eq!(logins(file, "ghcr.io/a"), ["m:p"]);
        assert_eq!(logins(file, "127.0.0.1:5000/a"), ["m:p"]);
        for other in ["cr.io/a", "xghcr.io/a", "ghcr.io.evil.example/a", "victim.127.0.0.1:5000/a", "127.0.0.1:500/a"] {
            assert_eq!(logins(file, other), [""; 0], "{other}");
        }
    }

    #[test]
    fn the_longest_prefix_comes_first() {
        let file =
            r#"{"auths":{"ghcr.io":{"auth":"aDpw"},"ghcr.io/org":{"auth":"bzpw"},"ghcr.io/org/repo":{"auth":"cjpw"}}}"#;
        assert_eq!(logins(file, "ghcr.io/org/repo"), ["r:p", "o:p", "h:p"]);
        assert_eq!(logins(file, "ghcr.io/org/repo2"), ["o:p", "h:p"]);
        assert_eq!(logins(file, "ghcr.io/organisation/repo"), ["h:p"]);
    }

    #[test]
    fn docker_hub_is_found_under_its_old_name() {
        let file = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bTpw"}},"credsStore":"desktop"}"#;
        assert_eq!(logins(file, "docker.io/library/nginx"), ["m:p", "desktop for https://index.docker.io/v1/"]);
        assert_eq!(logins(file, "cgr.dev/a"), ["desktop for cgr.dev"]);
    }

    #[test]
    fn helpers_and_all_kinds_of_logins_are_read() {
        let file = r#"{"auths":{"a.dev":{"identitytoken":"i","auth":"bTpw"},"b.dev":{"registrytoken":"r"},"c.dev":{},
            "d.dev":{"username":"u","password":"p"},"e.dev":{"auth":"bTpwAAA"}},"credHelpers":{"c.dev":"gcloud"}}"#;
        assert_eq!(logins(file, "a.dev/x"), ["identity i"]);
        assert_eq!(logins(file, "b.dev/x"), ["bearer r"]);
        assert_eq!(logins(file, "c.dev/x"), ["gcloud for c.dev"]);
        assert_eq!(logins(file, "d.dev/x"), ["u:p"]);
        assert_eq!(logins(file, "e.dev/x"), ["m:p"]);
    }

    #[test]
    fn a_broken_entry_is_named_without_its_content() {
        let file: AuthFile = json::parse(br#"{"auths":{"a.dev":{"auth":"c2VjcmV0"}}}"#).expect("a file");
        let why = file.entries(&"a.dev/x".parse().expect("a repository")).expect_err("no colon inside");
        assert!(why.contains("a.dev") && !why.contains("secret") && !why.contains("c2Vj"), "{why}");
    }

    #[test]
    fn the_environment_names_the_files_in_order() {
        let values = |name: &str| match name {
            "REGISTRY_AUTH_FILE" => Some("/r".to_owned()),
            "HOME" => Some("/h".to_owned()),
            "XDG_RUNTIME_DIR" => Some("/x".to_owned()),
            "PATH" => Some("/usr/bin:relative::/bin".to_owned()),
            _ => None,
        };
        let files = CredentialFiles::from_env_values(values);
        let wanted = ["/r", "/h/.docker/config.json", "/x/containers/auth.json", "/h/.config/containers/auth.json"];
        assert_eq!(files.files(), wanted.map(PathBuf::from));
        assert_eq!(files.helper_folders(), ["/usr/bin", "/bin"].map(PathBuf::from));
        assert_eq!(CredentialFiles::from_env_values(|_| None), CredentialFiles::none());
    }
}
