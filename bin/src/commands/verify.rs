//! `verify`: may these images run?

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;

use cg_attest::audit::{self, Reader};
use cg_attest::client::{BaseRequest, Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::{Platform, Reference};
use cg_attest::limits::Limits;
use cg_attest::policy::Policy;
use cg_attest::report::{Report, Unresolved, Verdict};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::Keep;
use clap::Args as ClapArgs;
use futures_util::StreamExt as _;

use crate::bars::Bars;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use crate::render;
use crate::settings::{
    BaseArgs, EvidenceArgs, PlatformArgs, RegistryArgs, Source, Sources, naming_the_signer, now, place_for,
    write_atomically,
};

/// Images read from one file or from stdin.
const MAX_IMAGES: usize = 100_000;

const EXIT: &str =
    "Exit: 0 accepted · 1 refused · 2 usage or policy · 3 undecided; of several images the worst: 1, then 3, then 0";

#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT)]
#[command(after_long_help = format!("Examples:
  cg-attest verify cgr.dev/chainguard/nginx
  cg-attest verify --platform linux/arm64 --require signature,slsa cgr.dev/chainguard/postgres
  cg-attest verify --identity NAME --issuer URL registry.example/app:1.2
  cg-attest verify --require signature,sbom=layers --identity NAME --issuer URL registry.example/app:1.2
  cg-attest verify --base=cgr.dev/chainguard/python --identity NAME --issuer URL registry.example/app:1.2
  cg-attest verify oci:./layout --preset chainguard-public --offline
  cg-attest verify --images fleet.txt -o jsonl --report json=reports.jsonl

{EXIT}"))]
pub(crate) struct Args {
    /// Images: NAME[:TAG|@DIGEST] in a registry, or oci:FOLDER[:TAG|@DIGEST] for an OCI layout
    #[arg(value_name = "IMAGE", required_unless_present = "images")]
    image: Vec<String>,
    /// Read images from a file, one per line; - is stdin
    #[arg(long, value_name = "FILE")]
    images: Option<PathBuf>,
    /// Images verified at the same time
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    #[command(flatten)]
    platforms: PlatformArgs,
    /// The index that lists the image, which is then one platform of it
    #[arg(long, value_name = "IMAGE", conflicts_with = "platform")]
    index: Option<Reference>,
    /// What to print: text, json, jsonl, ref (NAME@DIGEST of what was accepted) or cosign
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Also write the JSON report to a file
    #[arg(long, value_name = "json=FILE")]
    report: Option<String>,
    /// Say what it cost: requests, bytes, time per phase
    #[arg(long)]
    stats: bool,
    /// Read and verify everything that is attached, also what nothing requires
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    base: BaseArgs,
    #[command(flatten)]
    evidence: EvidenceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Jsonl,
    Ref,
    Cosign,
}

/// One image on its way: what to verify it with, or why that cannot be known.
struct Job {
    name: String,
    prepared: Result<(Source, Policy), CliError>,
}

/// What all images share.
struct Shared {
    /// None if no image can be looked at.
    client: Option<Client>,
    trust: TrustRoot,
    now: Timestamp,
    platforms: Vec<Platform>,
    index: Option<Reference>,
    all: bool,
    base: Option<BaseRequest>,
    /// The bounds of one image, and of its layers.
    limits: Limits,
    content: Limits,
    /// Held by the image whose layers are read; the bars for it, where there is one image.
    layers: tokio::sync::Mutex<Option<Bars>>,
}

/// Verifies the images and prints one report each, in the order of input.
pub(crate) async fn run(args: Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    // Everything that can be wrong without asking anybody is found before the first request.
    let report_file = args.report.as_deref().map(report_file).transpose()?;
    let listed =
        args.images.as_deref().map(|path| list(path, &args.evidence.registry)).transpose()?.unwrap_or_default();
    let names: Vec<String> = args.image.iter().chain(&listed).cloned().collect();
    let trust = args.evidence.trust.source()?;
    let limits = args.evidence.registry.limits()?;
    let base = args.base.request()?;
    let mut sources = Sources::prepare(&names, &args.evidence.registry, args.evidence.trust.offline)?;
    let mut jobs = Vec::with_capacity(names.len());
    for (n, name) in names.iter().enumerate() {
        let prepared = sources.open(name).and_then(|source| {
            let policy = args.evidence.policy.policy(source.policy_name.as_ref())?;
            Ok((source, policy))
        });
        match prepared {
            // A bad line of a list is a report of its own; a bad argument ends the command.
            Err(error) if n < args.image.len() => return Err(naming_the_signer(error, name)),
            prepared => jobs.push(Job { name: name.clone(), prepared }),
        }
    }
    let now = now()?;
    let many = jobs.len() > 1;
    let trust = trust.load(now).await?;
    let shared = Arc::new(Shared {
        client: client(&jobs, &args, &trust, limits),
        trust,
        now,
        platforms: args.platforms.named(),
        index: args.index.clone(),
        all: args.all,
        base,
        limits: args.evidence.registry.limits()?,
        content: args.evidence.registry.content_limits()?,
        layers: tokio::sync::Mutex::new((!many).then(|| printer.bars())),
    });

    let work = jobs.into_iter().map(|job| tokio::spawn(verify(job, Arc::clone(&shared))));
    let mut reports = futures_util::stream::iter(work).buffered(usize::from(args.jobs));
    let mut status = ExitStatus::Accepted;
    let mut documents = Vec::new();
    let mut first = true;
    while let Some(done) = reports.next().await {
        // A task that panicked has accepted nothing (scenario A-02).
        let (report, pinned) = done.map_err(CliError::internal)?;
        status = status.worst(ExitStatus::of_verdict(report.verdict()));
        let report = if args.stats { report } else { report.without_stats() };
        let document = || serde_json::to_string(&report.document()).map_err(CliError::internal);
        if report_file.is_some() {
            documents.push(document()?);
        }
        let text = match args.output {
            Format::Text => {
                let blank = if first { "" } else { "\n" };
                let text = render::report(&report, printer.is_colored(), args.stats);
                format!("{blank}{}", printer.fitted(text))
            }
            Format::Json if !many => {
                serde_json::to_string_pretty(&report.document()).map_err(CliError::internal)? + "\n"
            }
            Format::Json | Format::Jsonl => document()? + "\n",
            Format::Ref => accepted_only(&report, printer, || pinned.iter().map(|name| format!("{name}\n")).collect()),
            Format::Cosign => accepted_only(&report, printer, || format!("{}\n", render::cosign(&report))),
        };
        printer.data(text.as_bytes())?;
        first = false;
    }
    if let Some(path) = report_file {
        write_atomically(&path, (documents.join("\n") + "\n").as_bytes())?;
    }
    Ok(status)
}

/// Formats that have no room for a refusal say it on stderr and print nothing.
fn accepted_only(report: &Report, printer: &Printer, text: impl FnOnce() -> String) -> String {
    if report.verdict() == Verdict::Accept {
        return text();
    }
    printer.note(render::report(report, false, false).trim_end());
    String::new()
}

/// What all images are verified with; each says where it is read from.
fn client(jobs: &[Job], args: &Args, trust: &TrustRoot, limits: Limits) -> Option<Client> {
    let (source, _) = jobs.iter().find_map(|job| job.prepared.as_ref().ok())?;
    let builder = Client::builder(Arc::clone(&source.pull), trust.clone())
        .limits(limits.for_jobs(jobs.len().min(usize::from(args.jobs))))
        .evidence_repository(args.evidence.registry.attestation_repo().cloned());
    Some(builder.build())
}

async fn verify(job: Job, shared: Arc<Shared>) -> (Report, Vec<String>) {
    let (source, policy, client) = match (job.prepared, &shared.client) {
        (Ok((source, policy)), Some(client)) => {
            let client = client.reading_from(Arc::clone(&source.pull));
            (source, policy, client)
        }
        (prepared, _) => {
            let error = prepared.err().unwrap_or_else(|| CliError::internal("no client"));
            let why = Unresolved::new(error.code, error.message);
            return (Report::unresolved(&job.name, why, None, &shared.trust, shared.now), Vec::new());
        }
    };
    let mut request = VerifyRequest::new(source.image.reference.clone(), &policy, shared.now);
    request.read_all = shared.all;
    // Nothing of an attestation is printed.
    request.keep = Keep::Verdict;
    request.image = source.image.clone().platforms(shared.platforms.clone()).index(shared.index.clone());
    let report = match &shared.base {
        Some(base) => client.verify_with_base(&request, base).await,
        None => client.verify(&request).await,
    };
    let report = if policy.asks_for_layers() {
        // One image at a time: a scan takes every core, and memory that a manifest does not.
        let mut one = shared.layers.lock().await;
        let bars = one.take().unwrap_or_else(Bars::hidden);
        let reader = Reader::new(&*source.pull)
            .limits(shared.limits.clone())
            .content_limits(shared.content.clone())
            .progress(&bars);
        audit::read_layers(&reader, &request.image, report).await
    } else {
        report
    };
    let pinned = match report.clone().into_verified() {
        Ok(image) => image.runnable().into_iter().map(|digest| source.pinned(digest)).collect(),
        Err(_) => Vec::new(),
    };
    (report, pinned)
}

fn report_file(text: &str) -> Result<PathBuf, CliError> {
    match text.split_once('=') {
        Some(("json", path)) if !path.is_empty() && path != "-" => {
            // A verdict that cannot be written where it is wanted would be found out after all the work.
            place_for(path.as_ref())?;
            Ok(PathBuf::from(path))
        }
        _ => Err(CliError::usage(Code::Usage, format!("--report {text:?}: wanted json=FILE; `-o json` prints it"))),
    }
}

/// The lines of a list, without blank ones and without comments: what follows a # that begins a line or a word.
fn list(path: &std::path::Path, registry: &RegistryArgs) -> Result<Vec<String>, CliError> {
    let is_stdin = path.as_os_str() == "-";
    if is_stdin && registry.reads_stdin() {
        let message = "--images - and --registry-password-stdin both read stdin";
        return Err(CliError::usage(Code::Usage, message));
    }
    let reader: Box<dyn std::io::Read> = if is_stdin {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(|e| CliError::file(path, e))?)
    };
    let mut names = Vec::new();
    for line in std::io::BufReader::new(std::io::Read::take(reader, 64 << 20)).lines() {
        let line = line.map_err(|e| CliError::file(path, e))?;
        // Some editors begin a file with a mark of its encoding.
        let line = if names.is_empty() { line.trim_start_matches('\u{feff}') } else { &line };
        let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with(char::is_whitespace) || *at == 0);
        let line = comment.map_or(line, |(at, _)| &line[..at]).trim();
        if line.is_empty() {
            continue;
        }
        names.push(line.to_owned());
        if names.len() > MAX_IMAGES {
            return Err(CliError::file(path, format!("more than {MAX_IMAGES} images")));
        }
    }
    if names.is_empty() {
        return Err(CliError::file(path, "there is no image in it"));
    }
    Ok(names)
}
