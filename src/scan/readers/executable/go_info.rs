//! What Go's build information says: lines of `path`, `mod`, `dep`, `=>` and `build`
//! (Go's package `runtime/debug`, `BuildInfo`).

use super::super::{Facts, Unreadable};
use super::go_version;
use crate::digest::Digest;
use crate::scan::{Ecosystem, Package};

/// Modules of one binary; real ones have a few thousand.
const MODULES: usize = 100_000;

/// What a module built in place is called instead of a version.
const DEVELOPMENT: &str = "(devel)";

/// A Go binary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct BuildInfo<'a> {
    /// The release of Go: `go1.26.8`.
    pub(super) go: &'a str,
    /// The package that was built.
    pub(super) path: &'a str,
    /// The module that it is in.
    pub(super) main: Option<Module<'a>>,
    /// The modules that were linked in.
    pub(super) dependencies: Vec<Module<'a>>,
    /// Settings of the build: flags, commit.
    pub(super) settings: Vec<(&'a str, String)>,
}

/// A module: what its `go.mod` calls it, or what replaced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Module<'a> {
    pub(super) path: &'a str,
    pub(super) version: &'a str,
}

impl<'a> BuildInfo<'a> {
    /// Reads the lines in `modules`.
    ///
    /// # Errors
    ///
    /// If a line is none of the known ones, or there are too many.
    pub(super) fn parse(go: &'a str, modules: &'a str) -> Result<Self, Unreadable> {
        let mut info = Self { go, ..Self::default() };
        let mut last_is_main = false;
        for line in modules.lines() {
            let wrong = || Unreadable::new("its Go build information has a line of an unknown kind");
            let (kind, rest) = line.split_once('\t').ok_or_else(wrong)?;
            match kind {
                "path" => info.path = rest,
                "mod" => {
                    info.main = Some(module(rest));
                    last_is_main = true;
                }
                "dep" if info.dependencies.len() == MODULES => {
                    return Err(Unreadable::new(format!("its Go build information has more than {MODULES} modules")));
                }
                "dep" => {
                    info.dependencies.push(module(rest));
                    last_is_main = false;
                }
                "=>" => {
                    let last = if last_is_main { info.main.as_mut() } else { info.dependencies.last_mut() };
                    replace(last.ok_or_else(wrong)?, module(rest));
                }
                "build" => {
                    let (key, value) = rest.split_once('=').ok_or_else(wrong)?;
                    info.settings.push((key, unquoted(value)));
                }
                // A later Go may add kinds; modules are not among them.
                _ => {}
            }
        }
        Ok(info)
    }

    /// Adds the packages: the standard library, the main module, its dependencies.
    pub(super) fn packages(mut self, content: &[u8], facts: &mut Facts<'_>) -> Result<(), Unreadable> {
        let mut depends = Vec::new();
        // Experiments follow the release: `go1.26.8 X:boringcrypto`.
        let release = self.go.split(' ').next().unwrap_or_default().trim_start_matches("go");
        if !release.is_empty() {
            let mut library = Package::new(Ecosystem::Golang, "stdlib", release);
            library.license = Some("BSD-3-Clause".to_owned());
            library.homepage = Some("https://go.dev".to_owned());
            depends.push(vec![library.name.clone()]);
            facts.push(library)?;
        }
        let main = self.main_module();
        for dependency in &self.dependencies {
            if Some(*dependency) != main {
                let package = package(dependency.path, known(dependency.version));
                depends.push(vec![dependency.path.to_owned()]);
                facts.push(package)?;
            }
        }
        if let Some(main) = main {
            let version = match known(main.version) {
                "" => go_version::guess(main.path, &self.settings),
                version => version.to_owned(),
            };
            let mut package = package(main.path, &version);
            package.depends = depends;
            package.sha256 = Some(Digest::sha256(content).hex().to_owned());
            facts.push(package)?;
        }
        Ok(())
    }

    /// The module that the binary was built from. `go build file.go` names none,
    /// or one that is made up; it is the dependency without a version then, if
    /// there is one of these.
    fn main_module(&mut self) -> Option<Module<'a>> {
        if let Some(main) = self.main.filter(|main| main.path != "command-line-arguments") {
            return Some(main);
        }
        let mut local = self.dependencies.iter().filter(|module| module.version == DEVELOPMENT);
        match (local.next().copied(), local.next()) {
            (Some(only), None) => Some(only),
            _ => Some(Module { path: self.path, version: DEVELOPMENT }).filter(|module| !module.path.is_empty()),
        }
    }
}

/// Path, version and checksum between tabs; the checksum is of the source, which is not here.
fn module(line: &str) -> Module<'_> {
    let mut fields = line.split('\t');
    Module { path: fields.next().unwrap_or_default(), version: fields.next().unwrap_or_default() }
}

/// A module that stands for another keeps the other's name if it is a folder.
fn replace<'a>(module: &mut Module<'a>, by: Module<'a>) {
    module.version = by.version;
    if !by.path.starts_with(['.', '/']) {
        module.path = by.path;
    }
}

/// The version, unless it only says that there is none.
fn known(version: &str) -> &str {
    if version == DEVELOPMENT { "" } else { version }
}

fn package(path: &str, version: &str) -> Package {
    let Some((namespace, name)) = path.rsplit_once('/') else {
        return Package::new(Ecosystem::Golang, path, version);
    };
    let mut package = Package::new(Ecosystem::Golang, name, version);
    package.namespace = Some(namespace.to_owned());
    // Others depend on it by both.
    package.provides = vec![path.to_owned()];
    package
}

/// A value without the quotes that it has if it holds spaces. Go's quotes are
/// those of JSON but for escapes that no flag needs.
fn unquoted(value: &str) -> String {
    let bare = || value.trim_matches('`').to_owned();
    if value.starts_with('"') { serde_json::from_str(value).unwrap_or_else(|_| bare()) } else { bare() }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing;
    use super::*;

    const LINES: &str = "path\texample.com/app/cmd/app\nmod\texample.com/app\tv1.2.3\th1:x=\n\
        dep\tgolang.org/x/sys\tv0.30.0\th1:y=\ndep\texample.com/old\tv1.0.0\n=>\texample.com/new\tv2.0.0\th1:z=\n\
        dep\texample.com/here\tv0.0.0\n=>\t../here\t(devel)\t\nbuild\t-ldflags=\"-s -w\"\nbuild\tvcs.revision=abc\n";

    fn names(lines: &str) -> Vec<(String, String)> {
        let found = testing::facts(|facts| BuildInfo::parse("go1.26.8 X:boringcrypto", lines)?.packages(b"", facts));
        found.expect("it is read").into_iter().map(|package| (full_name(&package), package.version)).collect()
    }

    fn full_name(package: &Package) -> String {
        package.namespace.iter().chain([&package.name]).cloned().collect::<Vec<_>>().join("/")
    }

    fn pair(name: &str, version: &str) -> (String, String) {
        (name.to_owned(), version.to_owned())
    }

    #[test]
    fn modules_have_the_names_of_what_was_linked() {
        let wanted = [
            pair("stdlib", "1.26.8"),
            pair("golang.org/x/sys", "v0.30.0"),
            pair("example.com/new", "v2.0.0"),
            pair("example.com/here", ""),
            pair("example.com/app", "v1.2.3"),
        ];
        assert_eq!(names(LINES), wanted);
        let info = BuildInfo::parse("", LINES).expect("it is read");
        assert_eq!(info.settings, [("-ldflags", "-s -w".to_owned()), ("vcs.revision", "abc".to_owned())]);
    }

    #[test]
    fn a_single_file_belongs_to_the_module_that_has_no_version() {
        let only = "path\tcommand-line-arguments\ndep\texample.com/app\t(devel)\ndep\ta.b/c\tv1.0.0\n";
        assert_eq!(names(only)[1..], [pair("a.b/c", "v1.0.0"), pair("example.com/app", "")]);
        let none = "path\tcommand-line-arguments\ndep\ta.b/c\tv1.0.0\n";
        assert_eq!(names(none)[1..], [pair("a.b/c", "v1.0.0"), pair("command-line-arguments", "")]);
    }

    #[test]
    fn lines_that_are_none_are_refused() {
        for (lines, good) in
            [("dep\ta\tv1\n", true), ("dep a v1\n", false), ("=>\ta\tv1\n", false), ("build\tx\n", false)]
        {
            assert_eq!(BuildInfo::parse("", lines).is_ok(), good, "{lines}");
        }
    }
}
