//! What is in an image as an SPDX 2.3 document.
//!
//! ```text
//! document ─DESCRIBES▶ image ─CONTAINS▶ layers ─CONTAINS▶ packages ─DEPENDS_ON▶ packages
//!                        └───CONTAINS▶ operating system     └─GENERATED_FROM▶ sources
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::model::{
    Annotation, CreationInfo, Document, Each, ExtractedLicense, NOASSERTION, Package, Relationship, Text,
};
use crate::digest::{Algorithm, Hasher};
use crate::sbom::ids::Ids;
use crate::sbom::license::{self, Extracted};
use crate::sbom::{Options, purl};
use crate::scan::{self, Contents, LayerFacts, SourcePackage};
use crate::time::Timestamp;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// Writes the SPDX 2.3 document of an image, as JSON with an indent of two and a
/// line end. The same contents and options give the same bytes.
///
/// # Errors
/// When `out` does.
pub fn write(contents: &Contents, options: &Options, out: &mut dyn Write) -> io::Result<()> {
    let plan = Plan::of(contents, options);
    // The namespace names these very bytes, so that two tools or versions never
    // make two documents of one name (SPDX 2.3, 6.5).
    let mut hashing = Hashing(Hasher::new(Algorithm::Sha256));
    plan.write("", &mut hashing)?;
    let content = hashing.0.finish();
    let namespace = format!("https://spdx.org/spdxdocs/cg-attest/{}-{}", plan.subject(), content.short());
    plan.write(&namespace, out)
}

/// Everything that has to be known before the first byte is written.
struct Plan<'a> {
    contents: &'a Contents,
    options: &'a Options,
    created: String,
    tool: String,
    image: String,
    system: Option<String>,
    /// Layers, each once, with their identifiers.
    layers: Vec<(&'a LayerFacts, String)>,
    /// Identifier and licence of every package.
    packages: Vec<(String, Option<String>)>,
    sources: BTreeMap<&'a SourcePackage, String>,
    extracted: Extracted,
}

impl<'a> Plan<'a> {
    fn of(contents: &'a Contents, options: &'a Options) -> Self {
        let mut ids = Ids::default();
        let subject = contents.digest.as_ref().map_or_else(|| "folder".to_owned(), |digest| digest.tag(""));
        let image = ids.give("Package-Image", &subject, &subject);
        let system = contents.system.as_ref().map(|system| ids.give("OperatingSystem", &system.id, &system.id));
        let mut layers: Vec<(&LayerFacts, String)> = Vec::new();
        for layer in &contents.layers {
            if !layers.iter().any(|(known, _)| known.digest == layer.digest) {
                let id = ids.give("Package-ImageLayer", &layer.digest.tag(""), &layer.digest.to_string());
                layers.push((layer, id));
            }
        }
        let mut extracted = Extracted::default();
        let mut packages = Vec::new();
        let mut sources = BTreeMap::new();
        for package in &contents.packages {
            let name = format!("{}-{}", package.name, package.version);
            let kind = format!("Package-{}", package.ecosystem.purl_type());
            let id = ids.give(&kind, &name, &format!("{:?}", package.identity()));
            packages.push((id, package.license.as_deref().map(|license| extracted.expression(license))));
        }
        for source in contents.packages.iter().flat_map(sources_of) {
            sources.entry(source).or_insert_with(|| {
                ids.give("Package-Source", &format!("{}-{}", source.name, source.version), &format!("{source:?}"))
            });
        }
        Self {
            contents,
            options,
            created: seconds(options.created.or(contents.created)),
            tool: format!("Tool: cg-attest-{}", env!("CARGO_PKG_VERSION")),
            image,
            system,
            layers,
            packages,
            sources,
            extracted,
        }
    }

    fn write(&self, namespace: &str, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            spdx_version: "SPDX-2.3",
            data_license: "CC0-1.0",
            id: DOCUMENT,
            name: self.name().into(),
            document_namespace: namespace.into(),
            creation_info: CreationInfo {
                created: self.created.as_str().into(),
                creators: [self.tool.as_str().into()],
                license_list_version: license::list_version().into(),
            },
            comment: self.summary().into(),
            packages: Each(|| self.all_packages()),
            has_extracted_licensing_infos: self.extracted.iter().next().map(|_| Each(|| self.extracted_licenses())),
            relationships: Each(|| self.relationships()),
            annotations: self.problems(),
        };
        // No line end: as a predicate it would be lost, and the bytes that are
        // signed are the bytes that were written.
        serde_json::to_writer_pretty(&mut *out, &document)?;
        Ok(())
    }

    /// What the document is about, in the letters of a namespace.
    fn subject(&self) -> String {
        self.contents.digest.as_ref().map_or_else(|| "folder".to_owned(), |digest| digest.tag(""))
    }

    /// The image's digest, after its repository if that is known.
    fn name(&self) -> String {
        match (&self.contents.digest, &self.options.repository) {
            (Some(digest), Some(repository)) => format!("{repository}@{digest}"),
            (Some(digest), None) => digest.to_string(),
            // Not its path: the same folder elsewhere has the same document.
            (None, _) => "folder".to_owned(),
        }
    }

    fn summary(&self) -> String {
        let (coverage, problems) = (&self.contents.coverage, self.contents.problems.len());
        let counts = format!(
            "{} packages, read from the content of the layers. Of {} files with {} bytes, {} with {} bytes belong to a package; of {} executables, {} do not.",
            self.contents.packages.len(),
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

    /// What could not be read, where every reader of the document sees it.
    fn problems(&self) -> Vec<Annotation<'_>> {
        let annotation = |problem: &scan::Problem| Annotation {
            annotation_date: self.created.as_str().into(),
            annotation_type: "OTHER",
            annotator: self.tool.as_str().into(),
            comment: format!("{}: {problem}", problem.code()).into(),
        };
        self.contents.problems.iter().map(annotation).collect()
    }

    fn all_packages(&self) -> impl Iterator<Item = Package<'_>> {
        let layers = self.layers.iter().map(|(layer, id)| layer_package(layer, id));
        let packages = self.contents.packages.iter().zip(&self.packages);
        let packages = packages.map(|(package, (id, license))| self.package(package, id, license.as_deref()));
        let sources = self.sources.iter().map(|(source, id)| source_package(source, id));
        std::iter::once(self.image_package()).chain(layers).chain(self.system_package()).chain(packages).chain(sources)
    }

    fn image_package(&self) -> Package<'_> {
        let contents = self.contents;
        let digest = contents.digest.as_ref();
        let purl = self.options.repository.as_ref().zip(digest).and_then(|(repository, digest)| {
            purl::of_image(repository, digest, &contents.media_type, contents.platform.as_ref())
        });
        let mut package = Package::new(self.image.as_str(), self.name()).purl(purl);
        if let Some(digest) = digest.filter(|digest| digest.algorithm() == Algorithm::Sha256) {
            package = package.sha256(digest.hex());
        }
        package.version_info = digest.map(|digest| digest.to_string().into());
        package.summary = contents.platform.as_ref().map(|platform| format!("container image for {platform}").into());
        package.primary_package_purpose = Some(if digest.is_some() { "CONTAINER" } else { "FILE" });
        package
    }

    fn system_package(&self) -> Option<Package<'_>> {
        let (system, id) = (self.contents.system.as_ref()?, self.system.as_ref()?);
        let mut package = Package::new(id.as_str(), system.id.as_str());
        package.version_info = system.version_id.as_deref().map(Text::from);
        package.homepage = system.home_url.as_deref().filter(|url| is_address(url)).map(Text::from);
        package.summary = system.pretty_name.as_deref().or(system.name.as_deref()).map(Text::from);
        package.source_info = Some(format!("read from {}", system.found_in).into());
        package.primary_package_purpose = Some("OPERATING_SYSTEM");
        Some(package)
    }

    fn package(&self, package: &'a scan::Package, id: &'a str, license: Option<&'a str>) -> Package<'a> {
        let purl = purl::of_package(package, self.contents.system.as_ref());
        let name = match &package.namespace {
            Some(namespace) => Text::from(format!("{namespace}/{}", package.name)),
            None => Text::from(package.name.as_str()),
        };
        let mut found = Package::new(id, name).purl(purl);
        if let Some(sha256) = &package.sha256 {
            found = found.sha256(sha256);
        }
        found.version_info = Some(package.version.as_str().into()).filter(|version: &Text<'_>| !version.is_empty());
        found.supplier = package.supplier.as_deref().map(|name| party(name).into());
        found.originator = package.originator.as_deref().map(|name| party(name).into());
        found.homepage = package.homepage.as_deref().filter(|url| is_address(url)).map(Text::from);
        found.source_info = Some(format!("read from {}", package.found_in).into());
        found.license_declared = license.unwrap_or(NOASSERTION).into();
        found.summary = package.summary.as_deref().map(Text::from);
        found
    }

    fn extracted_licenses(&self) -> impl Iterator<Item = ExtractedLicense<'_>> {
        self.extracted.iter().map(|(id, text)| ExtractedLicense {
            license_id: id.into(),
            extracted_text: text.into(),
            name: NOASSERTION,
        })
    }

    fn relationships(&self) -> impl Iterator<Item = Relationship<'_>> {
        let image = self.image.as_str();
        let contains = |above, below| Relationship {
            spdx_element_id: above,
            relationship_type: "CONTAINS",
            related_spdx_element: below,
        };
        let describes =
            Relationship { spdx_element_id: DOCUMENT, relationship_type: "DESCRIBES", related_spdx_element: image };
        let layers = self.layers.iter().map(move |(_, id)| contains(image, id));
        let system = self.system.iter().map(move |id| contains(image, id));
        let packages = self.contents.packages.iter().zip(&self.packages);
        let in_layers = packages.clone().map(move |(package, (id, _))| {
            let layer = self.contents.layers.get(package.layer);
            let known = layer.and_then(|layer| self.layers.iter().find(|(known, _)| known.digest == layer.digest));
            contains(known.map_or(image, |(_, id)| id.as_str()), id)
        });
        let in_system = self.system.iter().flat_map(move |system| {
            let packages = packages.clone().filter(|(package, _)| package.ecosystem.is_distribution());
            packages.map(move |(_, (id, _))| contains(system, id))
        });
        let needs = self.contents.dependencies.iter().filter_map(|(from, to)| {
            let (from, to) = (self.packages.get(*from)?, self.packages.get(*to)?);
            Some(Relationship {
                spdx_element_id: &from.0,
                relationship_type: "DEPENDS_ON",
                related_spdx_element: &to.0,
            })
        });
        let made_from = self.contents.packages.iter().zip(&self.packages).flat_map(|(package, (id, _))| {
            let sources = sources_of(package).filter_map(|source| self.sources.get(source));
            sources.map(move |source| Relationship {
                spdx_element_id: id,
                relationship_type: "GENERATED_FROM",
                related_spdx_element: source,
            })
        });
        std::iter::once(describes)
            .chain(layers)
            .chain(system)
            .chain(in_layers)
            .chain(in_system)
            .chain(needs)
            .chain(made_from)
    }
}

fn layer_package<'a>(layer: &'a LayerFacts, id: &'a str) -> Package<'a> {
    let mut package = Package::new(id, layer.digest.to_string());
    if layer.digest.algorithm() == Algorithm::Sha256 {
        package = package.sha256(layer.digest.hex());
    }
    package.comment = Some(format!("diff_id {}, {} bytes of {}", layer.diff_id, layer.size, layer.media_type).into());
    package.primary_package_purpose = Some("CONTAINER");
    package
}

fn source_package<'a>(source: &'a SourcePackage, id: &'a str) -> Package<'a> {
    let mut package = Package::new(id, source.name.as_str()).purl(source.purl.as_deref());
    package.version_info = Some(source.version.as_str().into()).filter(|version: &Text<'_>| !version.is_empty());
    package.source_info =
        source.commit.as_deref().map(|commit| format!("built by the recipe at commit {commit}").into());
    package.primary_package_purpose = Some("SOURCE");
    package
}

/// Everything that a package was made from.
fn sources_of(package: &scan::Package) -> impl Iterator<Item = &SourcePackage> {
    package.source.iter().chain(&package.made_from)
}

/// Whoever is named, as SPDX writes it: with an address it is taken as a person's.
fn party(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.split_once('<') {
        Some((name, address)) => {
            let address = address.trim_end_matches('>').trim();
            let name = Some(name.trim()).filter(|name| !name.is_empty()).unwrap_or(address);
            format!("Person: {name} ({address})")
        }
        None => format!("Organization: {one_line}"),
    }
}

/// Whether a text can stand where the specification wants an address.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A time in whole seconds: the specification has no others (SPDX 2.3, 6.9).
fn seconds(time: Option<Timestamp>) -> String {
    let seconds = time.map_or(0, Timestamp::unix);
    Timestamp::from_unix(seconds).map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |time| time.to_string())
}

/// Hashes what is written to it.
struct Hashing(Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
