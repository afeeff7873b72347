//! What `sign` and `attest` share: from statements to evidence that is attached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cg_attest::attach::{Attacher, Drafted, Form, ProduceError, Signed, Subject, Subjects, There};
use cg_attest::code::Code;
use cg_attest::registry::Context;
use cg_attest::sign::{Predicate, PredicateError};
use clap::Args;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{
    PlatformArgs, RegistryArgs, SigningArgs, Source, Sources, TrustArgs, WriteArgs, now, place_for, write_atomically,
};

#[derive(Debug, Args)]
pub(super) struct ProduceArgs {
    #[command(flatten)]
    pub(super) platforms: PlatformArgs,
    /// For the image itself, and not for the platforms of an index
    #[arg(long, conflicts_with = "platform")]
    pub(super) no_recursive: bool,
    /// Sign, write the bundles to --bundle or --bundle-dir, and attach nothing
    #[arg(long)]
    no_upload: bool,
    /// Write the one bundle to this file
    #[arg(long, value_name = "FILE", conflicts_with = "bundle_dir")]
    bundle: Option<PathBuf>,
    /// Write the bundles into this folder, one file for each
    #[arg(long, value_name = "FOLDER")]
    bundle_dir: Option<PathBuf>,
    #[command(flatten)]
    writing: WriteArgs,
    #[command(flatten)]
    signing: SigningArgs,
    #[command(flatten)]
    pub(super) registry: RegistryArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

impl ProduceArgs {
    /// What can be wrong without asking anybody.
    fn check(&self) -> Result<(), CliError> {
        let wrong = |message: &str| Err(CliError::usage(Code::Usage, message));
        if self.no_upload && self.bundle.is_none() && self.bundle_dir.is_none() {
            return wrong("--no-upload needs --bundle FILE or --bundle-dir FOLDER for what is signed");
        }
        if self.no_upload && self.writing.signature_format != Form::Bundle {
            return wrong("--no-upload writes bundles, and --signature-format asks for something else");
        }
        Ok(())
    }

    /// The subjects that `--platform` and `--no-recursive` leave: all of them without either.
    pub(super) fn subjects<'a>(&self, subjects: &'a Subjects) -> Result<Vec<&'a Subject>, CliError> {
        if self.no_recursive {
            return Ok(vec![subjects.image()]);
        }
        let named = self.platforms.named();
        if named.is_empty() {
            return Ok(subjects.all().iter().collect());
        }
        if let Some(absent) = named.iter().find(|wanted| !subjects.platforms().any(|(own, _)| own.matches(wanted))) {
            let message = format!("the image has no platform {absent}");
            return Err(CliError::refused(Code::PlatformAbsent, message));
        }
        let chosen = subjects.platforms().filter(|(own, _)| named.iter().any(|wanted| own.matches(wanted)));
        Ok(chosen.map(|(_, subject)| subject).collect())
    }

    /// Whether the files that are asked for can be written, asked before anything is signed.
    fn prepare_files(&self, drafts: &[Drafted]) -> Result<(), CliError> {
        let wrong = |message: String| Err(CliError::usage(Code::Usage, message));
        let form = self.writing.signature_format;
        if self.bundle.is_some() && drafts.len() != 1 {
            return wrong(format!(
                "--bundle is one file, and {} statements are signed; use --bundle-dir",
                drafts.len()
            ));
        }
        let is_asked_for = self.bundle.is_some() || self.bundle_dir.is_some();
        if is_asked_for && !drafts.iter().any(|drafted| drafted.becomes_bundle(form)) {
            return wrong(
                "--bundle and --bundle-dir write bundles, and the older form of a signature has none".to_owned(),
            );
        }
        match (&self.bundle, &self.bundle_dir) {
            _ if self.writing.dry_run => Ok(()),
            (Some(path), _) => place_for(path),
            (None, Some(folder)) => std::fs::create_dir_all(folder).map_err(|error| CliError::file(folder, error)),
            (None, None) => Ok(()),
        }
    }

    /// Writes the bundles to the files that are asked for.
    fn write_files(&self, drafts: &[Drafted], signed: &Signed, form: Form, printer: &Printer) -> Result<(), CliError> {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let bundled = drafts.iter().filter(|drafted| drafted.becomes_bundle(form));
        for (bundle, drafted) in signed.bundles().iter().zip(bundled) {
            let path = match (&self.bundle, &self.bundle_dir) {
                (Some(path), _) => path.clone(),
                (None, Some(folder)) => {
                    let kind = render::kind(Some(drafted.draft.predicate_type()));
                    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
                    let name: String = format!("{}.{kind}", drafted.subject.name).chars().map(plain).collect();
                    let count = taken.entry(name.clone()).or_default();
                    *count += 1;
                    let number = if *count > 1 { format!("-{count}") } else { String::new() };
                    folder.join(format!("{name}{number}.sigstore.json"))
                }
                (None, None) => break,
            };
            write_atomically(&path, bundle.bytes())?;
            printer.note(&format!("{}: {}", escape(&drafted.subject.name.to_string()), path.display()));
        }
        Ok(())
    }
}

/// Signs what `draft` makes for the image, and attaches it.
pub(super) async fn run(
    args: &ProduceArgs,
    image: &str,
    printer: &Printer,
    draft: impl AsyncFnOnce(&Source, &Subjects) -> Result<Vec<Drafted>, CliError>,
) -> Result<ExitStatus, CliError> {
    args.check()?;
    let limits = args.registry.limits()?;
    let signing = args.signing.plan(&args.trust)?;
    let trust = args.trust.source_for_signing()?;
    let mut sources = Sources::prepare(&[image.to_owned()], &args.registry, args.trust.offline)?;
    let source = sources.open(image)?;
    let began = now()?;
    let trust = trust.load(began).await?;
    let mut signing = signing.settled(&trust)?;
    if args.writing.signature_format != Form::Bundle {
        signing = signing.with_promising_log();
    }
    let services = signing.services(began)?;
    let context = Context::new(limits.clone());
    let subjects =
        Subjects::resolve(&*source.pull, &context, &source.image.reference).await.map_err(CliError::attaching)?;
    let drafts = draft(&source, &subjects).await?;
    // Whole images may have been read for the drafts; what follows has its own time.
    let context = Context::new(limits.clone());
    args.prepare_files(&drafts)?;
    let log_v1 = services.logs().iter().any(|log| log.version() == 1);
    for drafted in &drafts {
        Predicate::check_size(drafted.draft.payload(), log_v1, &limits)
            .map_err(|e| predicate_failed("statement", &e))?;
    }
    let (form, name) = (args.writing.signature_format, source.image.reference.repository().to_string());
    if args.writing.dry_run {
        let signatory = signing.signatory(&limits, began, printer).await?;
        let pinned = source.pinned(&subjects.image().descriptor.digest);
        let attacher = args.writing.attacher(&source, &args.registry, trust, now()?, &limits);
        let attacher = attacher.key(signing.public_key_pem()).build();
        // What goes into files is not compared with anything.
        let forms = if args.no_upload { None } else { Some(form) };
        let preview =
            attacher.preview(&context, &subjects, drafts, forms, &signatory).await.map_err(CliError::attaching)?;
        let plan = render::Intent { reference: &pinned, preview: &preview, signatory: &signatory, services: &services };
        printer.data(plan.render(args.writing.output)?.as_bytes())?;
        return Ok(ExitStatus::Accepted);
    }
    let session = signing.session(trust.clone(), limits.clone(), began, printer).await?;
    let attacher = || -> Result<Attacher, CliError> {
        // Read anew each time: what was just signed is not from the future.
        let attacher = args.writing.attacher(&source, &args.registry, trust.clone(), now()?, &limits);
        Ok(attacher.key(session.public_key_pem()).build())
    };
    let (drafts, there) = match args.no_upload {
        true => (drafts, There::default()),
        false => attacher()?.missing(&context, &session, &subjects, drafts, form).await.map_err(not_produced)?,
    };
    let signed = Signed::of(&session, &name, &drafts, form, &limits).await.map_err(not_produced)?;
    args.write_files(&drafts, &signed, form, printer)?;
    if args.no_upload {
        return Ok(ExitStatus::Accepted);
    }
    let attacher = attacher()?;
    let plan = attacher.plan_signed(&context, &subjects, &signed, there, form).await.map_err(CliError::attaching)?;
    let done = attacher.apply(&context, &plan).await.map_err(CliError::attaching)?;
    let pinned = source.pinned(&plan.image);
    printer.data(render::attached(&pinned, &plan, &done, args.writing.output)?.as_bytes())?;
    Ok(ExitStatus::Accepted)
}

fn not_produced(error: ProduceError) -> CliError {
    match error {
        ProduceError::Predicate(error) => predicate_failed("the provenance", &error),
        ProduceError::Sign(error) => CliError::signing(error),
        ProduceError::Attach(error) => CliError::attaching(error),
        other => CliError::internal(other),
    }
}

/// What a predicate that is not attested ends with.
pub(super) fn predicate_failed(what: &str, error: &PredicateError) -> CliError {
    let message = format!("{what}: {error}");
    match error.code() {
        Code::PredicateInvalid => CliError::usage(error.code(), message),
        code => CliError::refused(code, message),
    }
}
