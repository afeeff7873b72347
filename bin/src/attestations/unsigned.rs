//! What BuildKit put into the index, which nobody signed.

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover::{self, UnsignedStatement};
use cg_attest::image::Platform;
use cg_attest::policy::Requirement;
use cg_attest::registry::Context;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::settings::{RegistryArgs, Source};

/// Flags that would mean nothing where nothing is verified.
pub(crate) const SIGNERS: [&str; 21] = [
    "identity",
    "identity_glob",
    "identity_regexp",
    "issuer",
    "issuer_regexp",
    "key",
    "claim",
    "preset",
    "uidp",
    "level",
    "max_age",
    "require_platform",
    "source_repo",
    "source_ref",
    "source_branch",
    "source_tag",
    "source_commit",
    "builder_id",
    "builder_id_glob",
    "build_type",
    "slsa_level",
];

/// An unsigned statement, and the image that it is about.
pub(crate) struct Unsigned {
    pub(crate) target: String,
    pub(crate) digest: Digest,
    pub(crate) statement: UnsignedStatement,
}

/// The first statement of a type about each platform, marked on stderr as what it is.
pub(crate) async fn unsigned(
    source: &Source,
    platforms: Vec<Platform>,
    requirement: &Requirement,
    registry: &RegistryArgs,
    printer: &Printer,
) -> Result<(Vec<Unsigned>, ExitStatus), CliError> {
    let context = Context::new(registry.limits()?);
    let (request, repository) = (source.image.clone().platforms(platforms), source.image.reference.repository());
    let resolved = discover::resolve(&*source.pull, &context, &request).await;
    let (facts, index) = resolved.map_err(|error| CliError::unresolved(&error))?;
    if let Some(absent) = facts.absent.first() {
        return Err(CliError::no_platform(&request.name(), absent, &facts.platforms));
    }
    printer.note("UNVERIFIED: nobody signed this; anybody who may write to the repository can have put it there.");
    let (mut found, mut status) = (Vec::new(), ExitStatus::Accepted);
    for image in facts.images() {
        let wanted = |kind: &str| requirement.wanted().is_met_by(kind);
        let statements = match &index {
            Some(index) => discover::unsigned(&*source.pull, &context, repository, index, &image.digest, wanted).await,
            // BuildKit has no other place for them.
            None => Ok(Vec::new()),
        };
        let statements = statements.map_err(|why| CliError::unread(&why))?;
        if statements.len() > 1 {
            let count = statements.len();
            printer.note(&format!("{}: {count} are attached; the first is printed", image.name));
        }
        match statements.into_iter().next() {
            Some(statement) => {
                let (target, digest) = (image.name.to_string(), image.digest.clone());
                found.push(Unsigned { target, digest, statement });
            }
            None => {
                let name = escape(&requirement.name());
                let code = Code::NoAttestation;
                printer.note(&format!("{}: BuildKit attached no {name} ({code})", image.name));
                status = ExitStatus::Refused;
            }
        }
    }
    Ok((found, status))
}
