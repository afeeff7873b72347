//! What is in an image.

use std::collections::BTreeMap;

use super::document::{called, seconds};
use super::files::files;
use super::{Element, Graph, Kind, Party, Purpose, Relation};
use crate::digest::Digest;
use crate::sbom::ids::Ids;
use crate::sbom::license::Extracted;
use crate::sbom::{Options, purl};
use crate::scan::{self, Contents, LayerFacts, OperatingSystem, SourcePackage};

impl<'a> Graph<'a> {
    /// The graph of an image or a folder.
    pub(in crate::sbom) fn of_contents(contents: &'a Contents, options: &Options) -> Self {
        let mut making = Making::default();
        let image = making.add(|ids| image(contents, options, ids));
        // A layer that stands twice is one element.
        let mut layers: BTreeMap<&Digest, usize> = BTreeMap::new();
        for facts in &contents.layers {
            layers.entry(&facts.digest).or_insert_with(|| {
                let layer = making.add(|ids| layer(facts, ids));
                making.join(image, Kind::Contains, layer);
                layer
            });
        }
        let system = contents.system.as_ref().map(|facts| making.add(|ids| system(facts, ids)));
        system.into_iter().for_each(|system| making.join(image, Kind::Contains, system));
        let first = making.elements.len();
        for facts in &contents.packages {
            let license = making.extracted.declared(facts);
            let package = making.add(|ids| Element { license, ..package(facts, contents.system.as_ref(), ids) });
            let layer = contents.layers.get(facts.layer).and_then(|layer| layers.get(&layer.digest));
            making.join(layer.copied().unwrap_or(image), Kind::Contains, package);
        }
        for (number, _) in contents.packages.iter().enumerate().filter(|(_, p)| p.ecosystem.is_distribution()) {
            system.into_iter().for_each(|system| making.join(system, Kind::Contains, first + number));
        }
        for (from, to) in &contents.dependencies {
            making.join(first + from, Kind::DependsOn, first + to);
        }
        let mut sources: BTreeMap<&SourcePackage, usize> = BTreeMap::new();
        for (number, package) in contents.packages.iter().enumerate() {
            for facts in package.source.iter().chain(&package.made_from) {
                let made = *sources.entry(facts).or_insert_with(|| making.add(|ids| source(facts, ids)));
                making.join(first + number, Kind::GeneratedFrom, made);
            }
        }
        let listed = contents.files.as_deref().unwrap_or_default();
        let files = files(listed, first, &mut making.elements, &mut making.ids);
        let digest = contents.digest.as_ref();
        Self {
            // Not its path: the same folder elsewhere has the same document.
            name: digest.map_or_else(|| "folder".to_owned(), |digest| called(digest, options)),
            subject: subject(contents),
            created: seconds(options.created.or(contents.created)),
            comment: summary(contents),
            elements: making.elements,
            relations: making.relations,
            files,
            extracted: making.extracted,
            problems: contents.problems.iter().map(|problem| format!("{}: {problem}", problem.code())).collect(),
        }
    }
}

/// Elements as they are added.
#[derive(Default)]
struct Making<'a> {
    ids: Ids,
    elements: Vec<Element<'a>>,
    relations: Vec<Relation>,
    extracted: Extracted,
}

impl<'a> Making<'a> {
    fn add(&mut self, element: impl FnOnce(&mut Ids) -> Element<'a>) -> usize {
        self.elements.push(element(&mut self.ids));
        self.elements.len() - 1
    }

    fn join(&mut self, from: usize, kind: Kind, to: usize) {
        self.relations.push(Relation { from, kind, to });
    }
}

fn subject(contents: &Contents) -> String {
    contents.digest.as_ref().map_or_else(|| "folder".to_owned(), |digest| digest.tag(""))
}

fn summary(contents: &Contents) -> String {
    let (coverage, problems) = (&contents.coverage, contents.problems.len());
    let counts = format!(
        "{} packages, read from the content of the layers. Of {} files with {} bytes, {} with {} bytes belong to a package; of {} executables, {} do not.",
        contents.packages.len(),
        coverage.files,
        coverage.bytes,
        coverage.owned_files,
        coverage.owned_bytes,
        coverage.executables,
        coverage.unowned_count,
    );
    match problems {
        0 => counts,
        _ => format!(
            "INCOMPLETE: {problems} files that name packages could not be read whole, see the annotations. {counts}"
        ),
    }
}

fn image<'a>(contents: &'a Contents, options: &Options, ids: &mut Ids) -> Element<'a> {
    let subject = subject(contents);
    let id = ids.give("Package-Image", &subject, &subject);
    let Some(digest) = &contents.digest else {
        return Element { purpose: Some(Purpose::File), ..Element::new(id, "folder") };
    };
    let repository = options.repository.as_ref();
    let platform = contents.platform.as_ref();
    Element {
        version: Some(digest.to_string().into()),
        purpose: Some(Purpose::Container),
        purl: repository
            .and_then(|repository| purl::of_image(repository, digest, &contents.media_type, platform))
            .map(Into::into),
        summary: platform.map(|platform| format!("container image for {platform}").into()),
        ..Element::new(id, called(digest, options)).digest(digest)
    }
}

fn layer<'a>(layer: &'a LayerFacts, ids: &mut Ids) -> Element<'a> {
    let name = layer.digest.to_string();
    let id = ids.give("Package-ImageLayer", &layer.digest.tag(""), &name);
    Element {
        purpose: Some(Purpose::Container),
        comment: Some(format!("diff_id {}, {} bytes of {}", layer.diff_id, layer.size, layer.media_type)),
        ..Element::new(id, name).digest(&layer.digest)
    }
}

fn system<'a>(system: &'a OperatingSystem, ids: &mut Ids) -> Element<'a> {
    Element {
        version: system.version_id.as_deref().map(Into::into),
        purpose: Some(Purpose::OperatingSystem),
        homepage: system.home_url.as_deref().filter(|url| is_address(url)).map(Into::into),
        source_info: Some(format!("read from {}", system.found_in)),
        summary: system.pretty_name.as_deref().or(system.name.as_deref()).map(Into::into),
        ..Element::new(ids.give("OperatingSystem", &system.id, &system.id), system.id.as_str())
    }
}

fn package<'a>(package: &'a scan::Package, system: Option<&OperatingSystem>, ids: &mut Ids) -> Element<'a> {
    let kind = format!("Package-{}", package.ecosystem.purl_type());
    let plain = format!("{}-{}", package.name, package.version);
    let id = ids.give(&kind, &plain, &format!("{:?}", package.identity()));
    let element = match &package.namespace {
        Some(namespace) => Element::new(id, format!("{namespace}/{}", package.name)),
        None => Element::new(id, package.name.as_str()),
    };
    Element {
        version: stated(&package.version),
        purl: purl::of_package(package, system).map(Into::into),
        sha256: package.sha256.as_deref().map(Into::into),
        supplier: package.supplier.as_deref().map(Party::of),
        originator: package.originator.as_deref().map(Party::of),
        homepage: package.homepage.as_deref().filter(|url| is_address(url)).map(Into::into),
        source_info: Some(format!("read from {}", package.found_in)),
        summary: package.summary.as_deref().map(Into::into),
        ..element
    }
}

fn source<'a>(source: &'a SourcePackage, ids: &mut Ids) -> Element<'a> {
    let plain = format!("{}-{}", source.name, source.version);
    Element {
        version: stated(&source.version),
        purpose: Some(Purpose::Source),
        purl: source.purl.as_deref().map(Into::into),
        source_info: source.commit.as_deref().map(|commit| format!("built by the recipe at commit {commit}")),
        ..Element::new(ids.give("Package-Source", &plain, &format!("{source:?}")), source.name.as_str())
    }
}

fn stated(version: &str) -> Option<super::Text<'_>> {
    Some(version.into()).filter(|version: &super::Text<'_>| !version.is_empty())
}

/// Whether a text can stand where the specification wants an address.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}
