//! Flags of cosign that have no counterpart here, and what to do instead.
//! Those that have one are flags or aliases of the commands themselves.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// In which commands a flag means this.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Those that sign.
    Signing,
    /// Those that verify.
    Verifying,
    Both,
}

const FLAGS: &[(&str, Of, &str)] = &[
    ("-a", Of::Both, ANNOTATIONS),
    ("--annotations", Of::Both, ANNOTATIONS),
    ("-r", Of::Signing, RECURSIVE),
    ("--recursive", Of::Signing, RECURSIVE),
    ("--upload", Of::Signing, "what is signed is attached; `--no-upload --bundle FILE` writes it to a file instead"),
    ("--replace", Of::Signing, "`--conflict replace` deletes what the same signer said of the type before"),
    ("--statement", Of::Signing, "`--predicate FILE --type TYPE` takes a whole statement as well"),
    ("--tlog-upload", Of::Signing, "every signature is in a log; --signing-config or --rekor-url name a private one"),
    ("--use-signing-config", Of::Signing, "a signing config is always used; `cg-attest trust show` prints it"),
    ("--new-bundle-format", Of::Both, FORMAT),
    ("--registry-referrers-mode", Of::Both, FORMAT),
    ("--experimental-oci11", Of::Both, FORMAT),
    ("--rekor-entry-type", Of::Signing, "the type of an entry follows from the version of the log"),
    ("--signing-algorithm", Of::Signing, "signatures are made with P-256 and SHA-256"),
    (
        "--oidc-disable-ambient-providers",
        Of::Signing,
        "`--fulcio-auth-flow device` or `browser` asks a person and no platform",
    ),
    (
        "--oidc-redirect-url",
        Of::Signing,
        "the browser comes back to a free port of this machine; `--fulcio-auth-flow device` needs none",
    ),
    ("--oidc-client-secret-file", Of::Signing, "logins are proven by PKCE and need no client secret"),
    ("--sk", Of::Both, HARDWARE),
    ("--slot", Of::Both, HARDWARE),
    ("--certificate", Of::Signing, CERTIFICATE),
    ("--certificate-chain", Of::Signing, CERTIFICATE),
    ("--issue-certificate", Of::Signing, "leave out --key: without one, a certificate is asked for"),
    ("--record-creation-timestamp", Of::Signing, "what is attached always bears the verified time of its signature"),
    ("--output-signature", Of::Signing, OUTPUT),
    ("--output-certificate", Of::Signing, OUTPUT),
    ("--output-attestation", Of::Signing, OUTPUT),
    ("--timestamp-client-cacert", Of::Signing, CLIENT),
    ("--timestamp-client-cert", Of::Signing, CLIENT),
    ("--timestamp-client-key", Of::Signing, CLIENT),
    ("--insecure-skip-verify", Of::Signing, CHECKS),
    ("--insecure-ignore-tlog", Of::Verifying, CHECKS),
    ("--insecure-ignore-sct", Of::Verifying, CHECKS),
    ("--check-claims", Of::Verifying, CHECKS),
    ("--private-infrastructure", Of::Verifying, CHECKS),
    ("--certificate", Of::Verifying, MATERIAL),
    ("--certificate-chain", Of::Verifying, MATERIAL),
    ("--ca-roots", Of::Verifying, MATERIAL),
    ("--ca-intermediates", Of::Verifying, MATERIAL),
    ("--sct", Of::Verifying, MATERIAL),
    ("--timestamp-certificate-chain", Of::Verifying, MATERIAL),
    ("--rekor-url", Of::Verifying, "logs are not asked: the evidence has their proofs, and --trusted-root their keys"),
    ("--use-signed-timestamps", Of::Verifying, "timestamps are always read and verified"),
    ("--rfc3161-timestamp", Of::Verifying, "timestamps are read from the evidence"),
    ("--local-image", Of::Verifying, "name the layout: oci:FOLDER[:TAG]"),
    ("--max-workers", Of::Verifying, "`--jobs` says how many images are verified at once"),
    (
        "--policy",
        Of::Verifying,
        "CUE and Rego are not read; the flags and `get … -o predicate` for a policy engine are there instead",
    ),
    (
        "--allow-insecure-registry",
        Of::Both,
        "TLS is always verified: --registry-cacert FILE for a private authority, --allow-http-registry for http",
    ),
    ("--registry-password", Of::Both, "`--registry-password-stdin`: everybody on the machine can read a command line"),
    ("--registry-client-cert", Of::Both, CLIENT),
    ("--registry-client-key", Of::Both, CLIENT),
    ("--registry-server-name", Of::Both, CLIENT),
    (
        "--k8s-keychain",
        Of::Both,
        "logins are those of docker and Podman, their credential helpers included (DOCKER_CONFIG)",
    ),
    ("--output-file", Of::Both, "what is said goes to stderr, data to stdout: redirect them"),
];

const ANNOTATIONS: &str = "a signature is about a digest and nothing else; what else is to be said is an attestation: `attest --predicate FILE --type URI`, and `verify --require`";
const RECURSIVE: &str = "leave it out: an index is signed with all its platforms, unless --no-recursive says otherwise";
const FORMAT: &str = "`sign` and `attest` take --signature-format bundle, legacy or both; all forms are always read";
const HARDWARE: &str =
    "keys in hardware are not supported: --key takes a file, and without one the identity is a token's or a login's";
const CERTIFICATE: &str = "a certificate comes from Fulcio or there is none: leave out --key to have one";
const OUTPUT: &str = "--bundle FILE writes one file with all of it";
const CLIENT: &str = "client certificates are not supported";
const CHECKS: &str =
    "no check can be left out; what an instance has and has not is in its trusted root (--trusted-root)";
const MATERIAL: &str = "certificates and timestamps are read from the evidence, and authorities from --trusted-root";

/// What to do instead of a flag that clap does not know, in this command; none if cosign does not know it either.
pub(crate) fn advice(error: &clap::Error, command: &str) -> Option<(String, &'static str)> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = argument.split('=').next().unwrap_or_default();
    let of = match command {
        "sign" | "attest" | "attach" | "sign-blob" => Of::Signing,
        _ => Of::Verifying,
    };
    let found = FLAGS.iter().find(|(name, known, _)| *name == flag && (*known == of || *known == Of::Both));
    found.map(|(_, _, instead)| (flag.to_owned(), *instead))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_flag_that_is_explained_is_one_that_nobody_knows() {
        let mut cli = Cli::command();
        cli.build();
        for (flag, of, _) in FLAGS {
            for command in ["sign", "attest", "sign-blob", "verify"] {
                let signing = command != "verify";
                if *of == (if signing { Of::Verifying } else { Of::Signing }) {
                    continue;
                }
                let error = Cli::try_parse_from(["cg-attest", command, flag]).expect_err("incomplete");
                assert_eq!(error.kind(), ErrorKind::UnknownArgument, "{command} {flag}: {error}");
                assert!(advice(&error, command).is_some_and(|(named, _)| named == *flag), "{command} {flag}: {error}");
            }
        }
        let error = Cli::try_parse_from(["cg-attest", "sign", "--nonsense"]).expect_err("unknown");
        assert_eq!(advice(&error, "sign"), None);
    }
}
