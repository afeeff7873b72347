//! What is attached of a type, as it is, with the warning that it is only that.

use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::discover::{self, Everything, ImageRequest};
use cg_attest::evidence::{Candidate, Content, Decoded, Reading, TargetName, Unread};
use cg_attest::image::Repository;
use cg_attest::limits::Limits;
use cg_attest::policy::{Level, Requirement};
use cg_attest::registry::{Context, Pull};
use cg_attest::statement::{PredicateType, Statement};
use cg_attest::time::Timestamp;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::{Printer, escape};
use crate::render::{Attestation, Form};

/// What is asked for.
pub(crate) struct Wanted {
    pub(crate) requirement: Requirement,
    pub(crate) predicate_type: PredicateType,
    pub(crate) form: Form,
}

/// One piece of evidence: the target it is listed for, and what it is.
struct Found {
    target: usize,
    kind: Kind,
}

enum Kind {
    /// A statement of the type that is wanted.
    Attached(Box<Attached>),
    /// A statement that nobody signed; it was not read.
    Unsigned,
    Unread(Unread),
    Other,
}

struct Attached {
    statement: Statement,
    /// When it claims to have been signed.
    time: Option<Timestamp>,
    bytes: Vec<u8>,
}

/// The attestations of a type, one for each platform that has one.
pub(crate) async fn unverified(
    pull: &dyn Pull,
    limits: &Limits,
    evidence: &Repository,
    request: &ImageRequest,
    wanted: &Wanted,
    printer: &Printer,
) -> Result<(Vec<Attestation>, ExitStatus), CliError> {
    let context = Context::new(limits.clone());
    let each = |candidate: &Candidate| Found { target: candidate.target, kind: Kind::of(candidate, wanted, limits) };
    let read = async |hinted: &dyn Fn(Option<&str>) -> bool| {
        let read = discover::everything(pull, &context, evidence, request, hinted, each).await;
        read.map(|read| Search { read, wanted }).map_err(|error| CliError::unresolved(&error))
    };
    let mut search = read(&|hint| hint.is_none_or(|hint| wanted.predicate_type.matches(hint))).await?;
    if search.rows().iter().any(|row| search.attached(*row).is_empty()) {
        // Annotations are hints: before anything is called absent, the rest is read too.
        search = read(&|_| true).await?;
    }
    printer.note("UNVERIFIED: anybody who may write to the repository can have attached this.");
    let mut status = ExitStatus::Accepted;
    for platform in &search.read.facts.absent {
        printer.note(&format!("the image does not list {platform} ({})", Code::PlatformAbsent));
        status = status.worst(ExitStatus::Refused);
    }
    let rows = search.rows();
    let mut attestations = Vec::new();
    for &row in &rows {
        match search.choose(row, printer) {
            Some(attestation) => attestations.push(Attestation { alone: rows.len() == 1, ..attestation }),
            None => status = status.worst(search.absence(row, printer)),
        }
    }
    Ok((attestations, status))
}

impl Kind {
    fn of(candidate: &Candidate, wanted: &Wanted, limits: &Limits) -> Self {
        if let Content::Failed(unread) = &candidate.content {
            return Self::Unread(unread.clone());
        }
        let decoded = Decoded::of(candidate, limits);
        let matches = decoded.predicate_type().is_none_or(|found| wanted.predicate_type.matches(found));
        if decoded.reading == Reading::Unsigned && matches {
            return Self::Unsigned;
        }
        let attached = Attached::of(candidate, &decoded, wanted.form, limits).filter(|_| matches);
        attached.map_or(Self::Other, |attached| Self::Attached(Box::new(attached)))
    }
}

impl Attached {
    fn of(candidate: &Candidate, decoded: &Decoded, form: Form, limits: &Limits) -> Option<Self> {
        let payload = candidate.unverified_statement(limits)?;
        let statement = Statement::parse(&payload, limits).ok()?;
        let bytes = match form {
            Form::Predicate => statement.predicate().as_bytes().to_vec(),
            Form::Statement => payload,
            Form::Envelope => candidate.content.envelope_json()?,
            Form::Bundle => candidate.content.bundle_json(limits)?,
        };
        let bundle = decoded.bundle.as_ref()?;
        let logged = bundle.log_entries.iter().filter_map(|entry| entry.integrated_time);
        let time = logged.chain(bundle.timestamps.iter().filter_map(|timestamp| timestamp.time)).max();
        Some(Self { statement, time, bytes })
    }
}

/// Everything that was read, and what is looked for in it.
struct Search<'a> {
    read: Everything<Found>,
    wanted: &'a Wanted,
}

impl Search<'_> {
    /// The platforms, or what was named itself where it lists none.
    fn rows(&self) -> Vec<usize> {
        let facts = &self.read.facts;
        let is_platform = |n: &usize| matches!(facts.targets[*n].name, TargetName::Platform(_));
        let platforms: Vec<usize> = (0..facts.targets.len()).filter(is_platform).collect();
        if platforms.is_empty() && facts.absent.is_empty() { (0..facts.targets.len()).collect() } else { platforms }
    }

    /// Where a row's attestation may be: on itself, and on the index where that counts.
    fn places(&self, row: usize) -> Vec<usize> {
        let index = self.read.facts.targets.iter().position(|target| target.name == TargetName::Index);
        let index = index.filter(|n| *n != row && self.wanted.requirement.level() == Level::Either);
        [row].into_iter().chain(index).collect()
    }

    /// What is attached for a row, with the digest that it is attached to; its own hide the index's.
    fn attached(&self, row: usize) -> Vec<(&Digest, &Attached)> {
        let at = |place: usize| -> Vec<_> {
            let here = self.read.found.iter().filter(|found| found.target == place);
            let digest = &self.read.facts.targets[place].digest;
            here.filter_map(|found| match &found.kind {
                Kind::Attached(attached) => Some((digest, &**attached)),
                _ => None,
            })
            .collect()
        };
        self.places(row).into_iter().map(at).find(|here| !here.is_empty()).unwrap_or_default()
    }

    /// The newest by its own word, of those that are about the digest if any is.
    fn choose(&self, row: usize, printer: &Printer) -> Option<Attestation> {
        let attached = self.attached(row);
        let about = |(digest, attached): &(&Digest, &Attached)| attached.statement.is_about(digest);
        let newest = attached.iter().max_by_key(|found| (about(found), found.1.time))?;
        let name = self.read.facts.targets[row].name.to_string();
        if attached.len() > 1 {
            let count = attached.len();
            printer.note(&format!("{name}: {count} are attached; the one that claims to be the newest is printed"));
        }
        let (digest, statement) = (newest.0.to_string(), &newest.1.statement);
        let digest = if about(newest) {
            digest
        } else {
            let found = statement.first_digest().map_or_else(|| "no digest".to_owned(), |found| found.to_string());
            printer.note(&format!("{name}: it is about {found}, not {digest} ({})", Code::SubjectMismatch));
            found
        };
        let predicate_type = statement.predicate_type().to_owned();
        Some(Attestation { target: name, alone: false, digest, predicate_type, bytes: newest.1.bytes.clone() })
    }

    /// Says why there is nothing for a row.
    fn absence(&self, row: usize, printer: &Printer) -> ExitStatus {
        let name = &self.read.facts.targets[row].name;
        let places = self.places(row);
        let listing = self.read.listings.iter().filter(|listing| places.contains(&listing.target));
        let listing = listing.filter_map(|listing| listing.failure.as_ref()).next();
        let here = || self.read.found.iter().filter(|found| places.contains(&found.target));
        let unread = here().find_map(|found| if let Kind::Unread(why) = &found.kind { Some(why) } else { None });
        if let Some(why) = listing.or(unread) {
            printer.note(&format!("{name}: {} ({})", escape(&why.detail), why.code));
            return ExitStatus::Undecided;
        }
        let unsigned = here().any(|found| matches!(found.kind, Kind::Unsigned));
        let code = if unsigned { Code::Unsigned } else { Code::NoAttestation };
        printer.note(&format!("{name}: no {} attestation ({code}): {}", self.wanted.predicate_type, code.meaning()));
        ExitStatus::Refused
    }
}
