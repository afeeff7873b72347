//! What people type who come from cosign, crane, oras, syft, gh or slsa-verifier, and what it is called here.
//!
//! Spellings that mean exactly the same are aliases of the flags themselves. These mean nearly the same, or are
//! not needed, or not offered: an error says so, where a guess by likeness would name something unrelated.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Names that mean one thing elsewhere, and what to type here.
type Habits = &'static [(&'static [&'static str], &'static str)];

/// Names of commands, and what to type instead.
const COMMANDS: Habits = &[
    // cosign
    (
        &["verify-attestation"],
        "`cg-attest verify IMAGE --require spdx` verifies attestations, `cg-attest get IMAGE --type spdx` prints them",
    ),
    (&["verify-blob-attestation"], "`cg-attest verify-blob FILE --bundle BUNDLE --type TYPE`"),
    (&["attest-blob"], "`cg-attest sign-blob FILE --bundle BUNDLE` signs the file itself"),
    (
        &["download"],
        "`cg-attest get IMAGE --type spdx` prints what is verified, and with --unverified whatever is attached",
    ),
    (
        &["triangulate", "discover", "referrers", "artifact", "ls"],
        "`cg-attest tree IMAGE` shows what is attached where",
    ),
    (
        &["copy", "cp", "save", "load", "pull", "push"],
        "images are copied with what is attached by `oras cp --recursive` or `regctl image copy --referrers`",
    ),
    (
        &["clean", "prune", "delete", "rm"],
        "nothing is deleted alone; `cg-attest attest --conflict replace` replaces what you said before",
    ),
    (&["initialize"], "nothing has to be set up; `cg-attest trust status` says whether the trust root can be used"),
    (&["login", "logout"], "logins made by `docker login` or `podman login` are used"),
    (
        &["generate-key-pair", "import-key-pair"],
        "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem` makes a key for --key",
    ),
    (&["public-key"], "`openssl pkey -in key.pem -pubout` prints the public half of a key"),
    (&["bundle"], "`cg-attest inspect --bundle FILE` decodes a bundle"),
    (&["trusted-root", "signing-config"], "`cg-attest trust show` prints what is trusted and which services sign"),
    (&["generate"], "`cg-attest sign --dry-run IMAGE` prints what would be signed"),
    (&["dockerfile"], "list the images in a file, one per line: `cg-attest verify --images FILE`"),
    (&["upload"], "`cg-attest attach IMAGE BUNDLE…` attaches bundles"),
    (&["version"], "`cg-attest --version`"),
    // crane, oras, docker
    (
        &["digest", "resolve"],
        "`cg-attest verify IMAGE -o ref` prints NAME@DIGEST of what is accepted, `cg-attest tree IMAGE -o json` any digest",
    ),
    (&["manifest", "config", "index"], "`cg-attest tree IMAGE -o json` has the platforms and digests of an image"),
    // gh, slsa-verifier
    (
        &["attestation"],
        "`cg-attest verify IMAGE` verifies what is attached, `cg-attest verify-blob FILE --bundle BUNDLE` a file",
    ),
    (&["verify-image"], "`cg-attest verify IMAGE --source-repo URL --slsa-level N`"),
    (
        &["verify-artifact", "verify-npm-package", "verify-github-attestation"],
        "`cg-attest verify-blob FILE --bundle BUNDLE --type slsa --source-repo URL`",
    ),
    (&["verify-vsa"], "`cg-attest verify IMAGE --require vsa`"),
    // syft, chainctl
    (&["scan", "packages", "catalog"], "`cg-attest sbom IMAGE` lists what is in an image"),
    (&["validate"], "`cg-attest sbom validate FILE`"),
    (&["images"], "`cg-attest diff A B` compares two images, `cg-attest tree IMAGE` shows what is attached"),
];

/// Names of flags, and what to do instead where something is signed or attached.
const SIGNING_FLAGS: Habits = &[
    (
        &["--annotations", "-a"],
        "a signature is about a digest and nothing else: `cg-attest attest --predicate FILE --type URI IMAGE` says more, and `cg-attest verify --require` asks for it",
    ),
    (
        &["--recursive", "-r"],
        "leave it out: an index is signed with all its platforms, unless `--no-recursive` is given",
    ),
    (&["--use-signing-config"], "leave it out, or name one: `--signing-config FILE`; `cg-attest trust show` prints it"),
    (
        &["--certificate", "--certificate-chain", "--issue-certificate"],
        "leave out `--key FILE`, and Fulcio is asked for a certificate",
    ),
    (
        &["--output-signature", "--output-certificate", "--output-attestation"],
        "`--bundle FILE` writes one file with all of it",
    ),
    (&["--rekor-entry-type"], "leave it out: the type of an entry follows from the version of the log"),
    (&["--signing-algorithm"], "leave it out: signatures are made with P-256 and SHA-256"),
    (&["--record-creation-timestamp"], "leave it out: what is attached bears the verified time of its signature"),
    (
        &["--oidc-disable-ambient-providers"],
        "`--fulcio-auth-flow device` or `--fulcio-auth-flow browser` asks a person and no platform",
    ),
    (
        &["--oidc-redirect-url"],
        "leave it out: the browser comes back to a free port of this machine; `--fulcio-auth-flow device` needs none",
    ),
    (&["--oidc-client-secret-file"], "leave it out: logins are proven by PKCE and need no client secret"),
    (
        &["--timestamp-client-cacert", "--timestamp-client-cert", "--timestamp-client-key"],
        "client certificates are not supported",
    ),
];

/// Names of flags, and what to do instead.
const FLAGS: Habits = &[
    // What is always so.
    (&["--check-claims"], "leave it out: it is always checked that evidence is about this digest"),
    (
        &[
            "--new-bundle-format",
            "--experimental-oci11",
            "--use-signed-timestamps",
            "--registry-referrers-mode",
            "--bundle-from-oci",
            "--distribution-spec",
        ],
        "leave it out: every format is read, and `--signature-format` says which one is written",
    ),
    (&["--recursive", "-r"], "leave it out: an index is taken with all of its platforms"),
    (&["--use-signing-config"], "leave it out, or name one: `--signing-config FILE`"),
    (&["--upload"], "`--no-upload --bundle FILE` signs and attaches nothing"),
    (&["--tlog-upload", "--no-default-rekor"], "leave it out: what is signed is always logged"),
    (&["--overwrite"], "leave it out: a file that is there is replaced, whole or not at all"),
    (&["--digest-alg", "--digestAlg", "--signature-digest-algorithm"], "leave it out: the bundle says which it is"),
    (&["--retry"], "leave it out: what may pass is tried again, for as long as `--timeout` says"),
    // What nobody can switch off.
    (
        &[
            "--insecure-ignore-tlog",
            "--insecure-ignore-sct",
            "--private-infrastructure",
            "--insecure-skip-verify",
            "--ignore-tlog",
            "--no-public-good",
        ],
        "no check can be switched off; `--trusted-root FILE` names the authorities and logs of another instance",
    ),
    (
        &["--allow-insecure-registry", "--insecure", "--insecure-registry", "--tls-verify", "--tlsverify"],
        "TLS is always checked: `--registry-cacert FILE` names the registry's authority, `--allow-http-registry` is for http",
    ),
    // What has another name.
    (
        &[
            "--certificate-chain",
            "--ca-roots",
            "--ca-intermediates",
            "--timestamp-certificate-chain",
            "--allow-certificate-chain",
            "--trust-config",
            "--instance",
        ],
        "authorities and logs of another instance are in one file: `--trusted-root FILE`",
    ),
    (&["--rekor-url"], "nothing is asked of a log to verify; `--trusted-root FILE` has its key"),
    (
        &["--signature", "--certificate", "--payload", "--rfc3161-timestamp", "--sct"],
        "detached signatures are not read; `cosign bundle create` makes a bundle of them",
    ),
    (
        &["--bundle", "--provenance-path"],
        "evidence of an image is found beside it: `cg-attest attach IMAGE BUNDLE…` puts it there; `cg-attest verify-blob FILE --bundle BUNDLE` is for files",
    ),
    (
        &["--attestation", "--sbom", "--attachment"],
        "`cg-attest attest --sbom=FILE IMAGE` signs an SBOM and attaches it, `cg-attest attach IMAGE BUNDLE…` what is signed",
    ),
    (&["--statement"], "`--predicate FILE --type TYPE` takes a whole statement as well"),
    (&["--replace"], "`--conflict replace`"),
    (
        &["--output-signature", "--output-certificate", "--output-attestation", "--output-payload"],
        "`--bundle FILE` has all of it",
    ),
    (&["--output-file", "--file"], "redirect the output: `> FILE`"),
    (
        &["--annotations", "-a"],
        "signatures have no annotations here; `--claim NAME=VALUE` asks for what the certificate says",
    ),
    (&["--local-image", "--oci-layout", "--oci-layout-path"], "say it in the name: `oci:FOLDER[:TAG|@DIGEST]`"),
    (
        &["--from"],
        "say it in the name: `oci:FOLDER`, `docker-archive:FILE`, `dir:FOLDER`; anything else is in a registry",
    ),
    (&["--platforms", "--all-platforms"], "`--platform linux/arm64`, or `--platform all`"),
    (
        &["--max-workers", "--concurrency", "--parallel", "--parallelism", "-j"],
        "`cg-attest verify --jobs N` is how many images are verified at the same time",
    ),
    (
        &["--registry-password", "--password", "-p", "--username", "-u", "--creds", "--password-stdin"],
        "`docker login` or `podman login`, or `--registry-username NAME --registry-password-stdin`",
    ),
    (
        &["--authfile", "--registry-config", "--k8s-keychain"],
        "logins are read from the file in REGISTRY_AUTH_FILE, from docker's and Podman's",
    ),
    (
        &["--registry-client-cert", "--registry-client-key", "--registry-server-name", "--cert-dir"],
        "client certificates are not supported",
    ),
    (&["--sk", "--slot"], "hardware keys are not supported; `--key FILE` takes a PEM file"),
    (&["--policy"], "policies in CUE or Rego are not run; `-o json` is what they can be given"),
    (&["--format", "--json", "--jq", "--template", "--query", "-t"], "`-o json`, or what else `--help` lists for -o"),
    (&["--quiet", "-q"], "the exit code says it all; `> /dev/null` for silence"),
    (&["--debug", "-d"], "`--verbose`"),
    (&["--no-color"], "`--color never`, or NO_COLOR=1 in the environment"),
    (&["--predicate-only", "--raw"], "`-o predicate`, `-o statement`, `-o envelope` or `-o bundle`"),
    (&["--scope", "-s"], "an SBOM lists the finished image; `-o table --history` also what layers hid"),
    (
        &["--verify", "--unverified"],
        "`cg-attest sbom IMAGE --source attached` prints the verified SBOM, `cg-attest get IMAGE --type spdx --unverified` any",
    ),
    (
        &["--owner", "--repo", "--signer-repo"],
        "`--identity-glob 'https://github.com/OWNER/REPO/**' --issuer https://token.actions.githubusercontent.com`",
    ),
    (
        &["--signer-workflow"],
        "`--identity https://github.com/OWNER/REPO/.github/workflows/FILE@REF --issuer https://token.actions.githubusercontent.com`",
    ),
    (&["--signer-digest"], "`--claim buildSignerDigest=HEX`"),
    (&["--deny-self-hosted-runners"], "`--claim runnerEnvironment=github-hosted`"),
    (&["--source-versioned-tag"], "`--source-tag NAME`, in full"),
    (&["--build-workflow-input"], "inputs are not compared; `cg-attest provenance IMAGE -o json` has them"),
    (&["--print-provenance"], "`cg-attest get IMAGE --type slsa`"),
];

/// The error with what to type instead, where that is known for this command.
pub(crate) fn advised(mut error: clap::Error, command: &str) -> clap::Error {
    let signs = matches!(command, "sign" | "attest" | "attach" | "sign-blob");
    let (tables, said): (&[Habits], _) = match error.kind() {
        ErrorKind::InvalidSubcommand => (&[COMMANDS], ContextKind::InvalidSubcommand),
        ErrorKind::UnknownArgument if signs => (&[SIGNING_FLAGS, FLAGS], ContextKind::InvalidArg),
        ErrorKind::UnknownArgument => (&[FLAGS], ContextKind::InvalidArg),
        _ => return error,
    };
    let Some(ContextValue::String(typed)) = error.get(said) else { return error };
    let name = typed.split('=').next().unwrap_or_default();
    let known = tables.iter().copied().flatten().find(|(names, _)| names.contains(&name));
    if let Some((_, advice)) = known {
        let _ = error.remove(ContextKind::SuggestedSubcommand);
        let _ = error.remove(ContextKind::SuggestedArg);
        let _ = error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*advice).into()]));
    } else if let Some(ContextValue::StyledStrs(mut tips)) = error.remove(ContextKind::Suggested) {
        // Nothing that is named here begins with a dash.
        tips.retain(|tip| !tip.to_string().starts_with("to pass '"));
        if !tips.is_empty() {
            let _ = error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory as _};

    use super::*;
    use crate::cli::Cli;

    fn flags(command: &Command) -> BTreeSet<String> {
        let own = command.get_arguments().flat_map(|argument| {
            let long = argument.get_long_and_visible_aliases().unwrap_or_default();
            let hidden = argument.get_all_aliases().unwrap_or_default();
            let short = argument.get_short().map(|short| format!("-{short}"));
            long.into_iter().chain(hidden).map(|name| format!("--{name}")).chain(short).collect::<Vec<_>>()
        });
        own.collect()
    }

    /// Every command under this one, with the words that call it.
    fn commands(under: &Command, called: &str) -> Vec<(String, BTreeSet<String>)> {
        let own = under.get_subcommands().filter(|command| command.get_name() != "help");
        own.flat_map(|command| {
            let name = format!("{called}{}", command.get_name());
            let below = commands(command, &format!("{name} "));
            [(name, flags(command))].into_iter().chain(below)
        })
        .collect()
    }

    /// The flags in a piece of text, without their values.
    fn flags_in(text: &str) -> impl Iterator<Item = &str> {
        let words = text.split(|c: char| c.is_whitespace() || ",;:'=[`".contains(c));
        words.filter(|word| word.starts_with('-') && word.len() > 1)
    }

    #[test]
    fn advice_names_commands_and_flags_that_there_are() {
        let mut cli = Cli::command();
        cli.build();
        let all = commands(&cli, "");
        let anywhere: BTreeSet<&String> = all.iter().flat_map(|(_, flags)| flags).collect();
        for (names, advice) in COMMANDS.iter().chain(SIGNING_FLAGS).chain(FLAGS) {
            for code in advice.split('`').skip(1).step_by(2) {
                if let Some(line) = code.strip_prefix("cg-attest ").filter(|line| !line.starts_with('-')) {
                    let called = all.iter().filter(|(name, _)| format!("{line} ").starts_with(&format!("{name} ")));
                    let (name, flags) = called.max_by_key(|(name, _)| name.len()).expect(line);
                    for flag in flags_in(line) {
                        assert!(flags.contains(flag), "{names:?}: {name} has no {flag}");
                    }
                } else if code.starts_with('-') {
                    for flag in flags_in(code) {
                        assert!(anywhere.contains(&flag.to_owned()), "{names:?}: {flag}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_name_is_advised_about_twice_or_is_one_of_ours() {
        let mut cli = Cli::command();
        cli.build();
        let own: Vec<&str> = cli.get_subcommands().map(Command::get_name).collect();
        let all = commands(&cli, "");
        let signing = ["sign", "attest", "attach", "sign-blob"];
        for (table, of) in [(COMMANDS, &own[..]), (FLAGS, &own[..]), (SIGNING_FLAGS, &signing[..])] {
            let mut seen = BTreeSet::new();
            for name in table.iter().flat_map(|(names, _)| *names) {
                assert!(seen.insert(name), "{name}");
                assert!(!own.contains(name), "{name}");
                let mut of = all.iter().filter(|(command, _)| of.contains(&command.as_str()));
                assert!(of.any(|(_, flags)| !flags.contains(*name)), "every command has {name}");
            }
        }
    }
}
