//! What `sign` and `attest` share: from statements to evidence that is attached.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cg_attest::attach::{AttachError, LegacyLayer, Subject, Subjects, Survey, Wanted};
use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::image::Platform;
use cg_attest::limits::Limits;
use cg_attest::registry::Context;
use cg_attest::sign::{Draft, Predicate, PredicateError, Session, SignedBundle, simple_signing_payload};
use clap::Args;
use futures_util::future::join_all;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render;
use crate::settings::{
    RegistryArgs, SignatureFormat, SigningArgs, Source, Sources, TrustArgs, WriteArgs, attach_failed, now,
    signing_failed, write_file,
};

#[derive(Debug, Args)]
pub(super) struct ProduceArgs {
    /// For this platform only; repeatable
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    pub(super) platform: Vec<Platform>,
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

/// A statement for a subject.
pub(super) struct Drafted {
    pub(super) subject: Subject,
    pub(super) draft: Draft,
    /// Whether it is a signature, which the older format signs as another document.
    pub(super) is_signature: bool,
}

impl ProduceArgs {
    /// What can be wrong without asking anybody.
    fn check(&self) -> Result<(), CliError> {
        let wrong = |message: &str| Err(CliError::usage(Code::Usage, message));
        if self.no_upload && self.bundle.is_none() && self.bundle_dir.is_none() {
            return wrong("--no-upload needs --bundle FILE or --bundle-dir FOLDER for what is signed");
        }
        if self.no_upload && self.writing.signature_format != SignatureFormat::Bundle {
            return wrong("--no-upload writes bundles, and --signature-format asks for something else");
        }
        Ok(())
    }

    /// The subjects that `--platform` and `--no-recursive` leave: all of them without either.
    pub(super) fn subjects<'a>(&self, subjects: &'a Subjects) -> Result<Vec<&'a Subject>, CliError> {
        if self.no_recursive {
            return Ok(vec![subjects.image()]);
        }
        if self.platform.is_empty() {
            return Ok(subjects.all().iter().collect());
        }
        let mut found = Vec::new();
        for wanted in &self.platform {
            let before = found.len();
            found.extend(subjects.platforms().filter(|(own, _)| own.matches(wanted)).map(|(_, subject)| subject));
            if found.len() == before {
                let message = format!("the image has no platform {wanted}");
                return Err(CliError::refused(Code::PlatformAbsent, message));
            }
        }
        found.dedup();
        Ok(found)
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
    let mut signing = args.signing.plan(&args.trust)?;
    if args.writing.signature_format != SignatureFormat::Bundle {
        signing = signing.with_promising_log();
    }
    let trust = args.trust.source()?;
    let mut sources = Sources::prepare(&[image.to_owned()], &args.registry, args.trust.offline)?;
    let source = sources.open(image)?;
    let began = now()?;
    let trust = trust.load(began).await?;
    let context = Context::new(limits.clone());
    let subjects = Subjects::resolve(&*source.pull, &context, &source.image.reference).await.map_err(attached)?;
    let drafts = draft(&source, &subjects).await?;
    // Whole images may have been read for the drafts; what follows has its own time.
    let context = Context::new(limits.clone());
    if args.bundle.is_some() && drafts.len() != 1 {
        let message = format!("--bundle is one file, and {} statements are signed; use --bundle-dir", drafts.len());
        return Err(CliError::usage(Code::Usage, message));
    }
    if args.writing.dry_run {
        let pinned = source.pinned(&subjects.image().descriptor.digest);
        printer.data(render::drafts(&pinned, &drafts_of(&drafts), args.writing.output)?.as_bytes())?;
        return Ok(ExitStatus::Accepted);
    }
    let session = signing.session(trust.clone(), limits.clone(), began, printer).await?;
    let log_v1 = session.services().logs().iter().any(|log| log.version() == 1);
    for drafted in &drafts {
        Predicate::check_size(drafted.draft.payload(), log_v1, &limits)
            .map_err(|e| predicate_failed("statement", &e))?;
    }
    let work = Work { args, source: &source, context: &context, subjects: &subjects, session: &session, trust, limits };
    if args.no_upload {
        let signed = work.sign(&drafts).await?;
        work.write_files(&drafts, &signed, printer)?;
        return Ok(ExitStatus::Accepted);
    }
    let survey = work.survey(&drafts).await?;
    let (drafts, there) = work.missing(drafts, &survey).await?;
    let signed = work.sign(&drafts).await?;
    work.write_files(&drafts, &signed, printer)?;
    work.attach(&signed, survey, there, printer).await
}

fn drafts_of(drafts: &[Drafted]) -> Vec<(&Subject, &Draft)> {
    drafts.iter().map(|drafted| (&drafted.subject, &drafted.draft)).collect()
}

/// What is attached already of what was drafted.
#[derive(Default)]
struct There {
    bundles: Vec<SignedBundle>,
    layers: Vec<LegacyLayer>,
}

/// What is signed, in the forms that were asked for.
#[derive(Default)]
struct Signed {
    bundles: Vec<SignedBundle>,
    payloads: Vec<(Digest, cg_attest::sign::LegacySignature)>,
}

struct Work<'a> {
    args: &'a ProduceArgs,
    source: &'a Source,
    context: &'a Context,
    subjects: &'a Subjects,
    session: &'a Session,
    trust: cg_attest::trust::TrustRoot,
    limits: Limits,
}

impl Work<'_> {
    fn attacher(&self) -> Result<cg_attest::attach::Attacher, CliError> {
        // Read anew: what was just signed is not from the future.
        let now = now()?;
        let trust = self.trust.clone();
        let attacher = self.args.writing.attacher(self.source, &self.args.registry, trust, now, &self.limits);
        Ok(attacher.key(self.session.public_key_pem()).build())
    }

    /// What is attached already of the kinds that are drafted, in the forms that are written.
    async fn survey(&self, drafts: &[Drafted]) -> Result<Survey, CliError> {
        let format = self.args.writing.signature_format;
        let mut wanted = Vec::new();
        for Drafted { draft, is_signature, .. } in drafts {
            let (subject, predicate_type) = (draft.subject(), Some(draft.predicate_type()));
            if format != SignatureFormat::Legacy {
                wanted.push(Wanted::Bundle { subject, predicate_type });
            }
            if format != SignatureFormat::Bundle {
                wanted.push(Wanted::Layer { subject, signature: *is_signature });
            }
        }
        self.attacher()?.survey(self.context, self.subjects, &wanted).await.map_err(attached)
    }

    /// Leaves out what is attached already in every form that is written,
    /// before it is written into a log.
    async fn missing(&self, drafts: Vec<Drafted>, survey: &Survey) -> Result<(Vec<Drafted>, There), CliError> {
        let mut there = There::default();
        if survey.bundles().next().is_none() && survey.layers().next().is_none() {
            return Ok((drafts, there));
        }
        let signer = self.session.signer().await.map_err(signing_failed)?;
        let format = self.args.writing.signature_format;
        let mut missing = Vec::new();
        for drafted in drafts {
            let bundle = survey.bundles().find(|bundle| bundle.says_what(&drafted.draft, &signer));
            let layer = survey.layers().find(|layer| layer.says_what(&drafted.draft, &signer));
            let everywhere = (format == SignatureFormat::Legacy || bundle.is_some())
                && (format == SignatureFormat::Bundle || layer.is_some());
            if everywhere {
                there.bundles.extend(bundle.cloned());
                there.layers.extend(layer.cloned());
            } else {
                missing.push(drafted);
            }
        }
        Ok((missing, there))
    }

    /// One certificate for all of them; logs and timestamps at once. Nothing
    /// is logged that the certificate belies.
    async fn sign(&self, drafts: &[Drafted]) -> Result<Signed, CliError> {
        if !drafts.is_empty() {
            let signer = self.session.signer().await.map_err(signing_failed)?;
            for Drafted { draft, .. } in drafts {
                draft.check_signer(&signer, &self.limits).map_err(|e| predicate_failed("the provenance", &e))?;
            }
        }
        let format = self.args.writing.signature_format;
        let mut signed = Signed::default();
        let as_bundle = |drafted: &&Drafted| format != SignatureFormat::Legacy || !drafted.is_signature;
        let bundles = drafts
            .iter()
            .filter(as_bundle)
            .map(|Drafted { draft, .. }| self.session.sign_statement(draft.payload(), draft.subject()));
        signed.bundles = join_all(bundles).await.into_iter().collect::<Result<_, _>>().map_err(signing_failed)?;
        if format != SignatureFormat::Bundle {
            let name = self.source.image.reference.repository().to_string();
            let payloads = drafts.iter().filter(|drafted| drafted.is_signature).map(|drafted| {
                let name = &name;
                async move {
                    let subject = drafted.draft.subject();
                    let payload = simple_signing_payload(name, subject);
                    self.session.sign_payload(&payload, subject).await.map(|signed| (subject.clone(), signed))
                }
            });
            signed.payloads = join_all(payloads).await.into_iter().collect::<Result<_, _>>().map_err(signing_failed)?;
        }
        Ok(signed)
    }

    /// Writes the bundles to files, if any were asked for.
    fn write_files(&self, drafts: &[Drafted], signed: &Signed, printer: &Printer) -> Result<(), CliError> {
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for (bundle, drafted) in signed.bundles.iter().zip(drafts) {
            let path = match (&self.args.bundle, &self.args.bundle_dir) {
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
            write_file(&path, bundle.bytes())?;
            printer.note(&format!("{}: {}", escape(&drafted.subject.name.to_string()), path.display()));
        }
        Ok(())
    }

    async fn attach(
        &self,
        signed: &Signed,
        survey: Survey,
        there: There,
        printer: &Printer,
    ) -> Result<ExitStatus, CliError> {
        let attacher = self.attacher()?;
        let format = self.args.writing.signature_format;
        let mut layers: Vec<LegacyLayer> = Vec::new();
        if format != SignatureFormat::Bundle {
            for bundle in signed.bundles.iter().filter(|bundle| !bundle.is_signature()) {
                layers.push(attacher.layer_of_bundle(bundle).map_err(attached)?);
            }
            for (subject, payload) in &signed.payloads {
                layers.push(attacher.layer_of_signature(payload, subject).map_err(attached)?);
            }
        }
        let mut bundles = if format == SignatureFormat::Legacy { Vec::new() } else { signed.bundles.clone() };
        // What is there takes part in the plan, so that it says so, and replaces what it has to.
        bundles.extend(there.bundles);
        layers.extend(there.layers);
        let plan = attacher.plan_after(survey, self.context, self.subjects, &bundles, &layers).await;
        let plan = plan.map_err(attached)?;
        let done = attacher.apply(self.context, &plan).await.map_err(attached)?;
        let pinned = self.source.pinned(&plan.image);
        printer.data(render::attached(&pinned, &plan, &done, self.args.writing.output)?.as_bytes())?;
        Ok(ExitStatus::Accepted)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn attached(error: AttachError) -> CliError {
    attach_failed(&error)
}

/// What a predicate that is not attested ends with.
pub(super) fn predicate_failed(what: &str, error: &PredicateError) -> CliError {
    let message = format!("{what}: {error}");
    match error.code() {
        Code::PredicateInvalid => CliError::usage(error.code(), message),
        code => CliError::refused(code, message),
    }
}
