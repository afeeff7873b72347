//! Writing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::model::{
    Agent, Annotation, CREATION_INFO, Collection, CreationInfo, DictionaryEntry, Document, Element, ExternalIdentifier,
    File, Hash, Iri, License, LicenseText, Object, Own, Package, Relationship,
};
use crate::digest::hex;
use crate::sbom::each::Each;
use crate::sbom::graph::{self, Graph, Kind, Party, Purpose, TOOL};
use crate::sbom::ids::Ids;
use crate::sbom::license;

/// What a document says first (SPDX 3.0.1, annex on serialisation).
const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const SBOM: &str = "SPDXRef-SBOM";
const MAKER: &str = "SPDXRef-Tool";

/// The licence of the document itself (SPDX 3.0.1, `SpdxDocument`).
const DATA_LICENSE: &str = "CC0-1.0";

/// Writes a graph as the document of this namespace.
pub(in crate::sbom) fn write(graph: &Graph<'_>, namespace: &str, out: &mut dyn Write) -> io::Result<()> {
    let plan = Plan::of(graph);
    let writer = Writer { graph, plan: &plan, namespace };
    serde_json::to_writer_pretty(&mut *out, &Document { context: CONTEXT, graph: Each(|| writer.objects()) })?;
    Ok(())
}

/// What is an element here and in SPDX 2 is none, with its identifier.
struct Plan<'a> {
    licenses: BTreeMap<&'a str, String>,
    agents: BTreeMap<&'a Party, String>,
    /// Relations of one element of one kind are one element; then one for each declared licence.
    relations: Vec<(Joined, String)>,
    annotations: Vec<(&'a str, String)>,
    /// The version of the licence list, which is of three numbers here.
    list_version: String,
}

/// Elements by their numbers.
struct Joined {
    from: usize,
    kind: &'static str,
    to: Ends,
}

enum Ends {
    Elements(Vec<usize>),
    Files(Vec<usize>),
    /// The licence that `from` declares.
    License,
}

impl<'a> Plan<'a> {
    fn of(graph: &'a Graph<'_>) -> Self {
        let (mut licenses, mut agents) = (BTreeMap::new(), BTreeMap::new());
        licenses.insert(DATA_LICENSE, String::new());
        for element in &graph.elements {
            licenses.extend(element.license.as_deref().map(|license| (license, String::new())));
            let parties = [&element.supplier, &element.originator].into_iter().flatten();
            agents.extend(parties.map(|party| (party, String::new())));
        }
        // Given out in the order of the texts.
        let mut ids = Ids::default();
        licenses.iter_mut().for_each(|(license, id)| *id = ids.give("License", license, license));
        agents.iter_mut().for_each(|(party, id)| *id = ids.give("Agent", name_of(party), &format!("{party:?}")));
        let declared = graph.elements.iter().enumerate().filter(|(_, element)| element.license.is_some());
        let declared = declared.map(|(from, _)| Joined { from, kind: "hasDeclaredLicense", to: Ends::License });
        let all = joined(graph).into_iter().chain(declared).chain(held(graph)).enumerate();
        Self {
            licenses,
            agents,
            relations: all.map(|(number, joined)| (joined, format!("SPDXRef-Relationship-{}", number + 1))).collect(),
            annotations: graph
                .problems
                .iter()
                .enumerate()
                .map(|(number, problem)| (problem.as_str(), format!("SPDXRef-Annotation-{}", number + 1)))
                .collect(),
            list_version: format!("{}.0", license::list_version()),
        }
    }

    /// The identifiers of everything, but of the document and the SBOM.
    fn ids(&'a self, graph: &'a Graph<'_>) -> impl Iterator<Item = &'a str> {
        let elements = graph.elements.iter().map(|element| element.id.as_str());
        let own = self.licenses.values().chain(self.agents.values()).map(String::as_str);
        let texts = graph.extracted.iter().map(|(id, _)| id);
        let files = graph.files.iter().map(|file| file.id.as_str());
        let relations = self.relations.iter().map(|(_, id)| id.as_str());
        let annotations = self.annotations.iter().map(|(_, id)| id.as_str());
        let described = std::iter::once(MAKER).chain(elements).chain(own).chain(texts).chain(files);
        described.chain(relations).chain(annotations)
    }
}

/// Relations of one element of one kind together, in the order of their first.
fn joined(graph: &Graph<'_>) -> Vec<Joined> {
    let mut places: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut found: Vec<(usize, &'static str, Vec<usize>)> = Vec::new();
    for relation in &graph.relations {
        // Two kinds are named from the other end here (SPDX 3.0.1, `RelationshipType`).
        let (from, kind, to) = match relation.kind {
            Kind::Contains => (relation.from, "contains", relation.to),
            Kind::DependsOn => (relation.from, "dependsOn", relation.to),
            Kind::GeneratedFrom => (relation.to, "generates", relation.from),
            Kind::VariantOf => (relation.to, "hasVariant", relation.from),
        };
        let place = *places.entry((from, kind)).or_insert_with(|| {
            found.push((from, kind, Vec::new()));
            found.len() - 1
        });
        found[place].2.push(to);
    }
    found.into_iter().map(|(from, kind, to)| Joined { from, kind, to: Ends::Elements(to) }).collect()
}

/// What contains files, in the order of its first.
fn held(graph: &Graph<'_>) -> impl Iterator<Item = Joined> {
    let mut files: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (number, file) in graph.files.iter().enumerate() {
        files.entry(file.holder).or_default().push(number);
    }
    files.into_iter().map(|(from, to)| Joined { from, kind: "contains", to: Ends::Files(to) })
}

struct Writer<'a> {
    graph: &'a Graph<'a>,
    plan: &'a Plan<'a>,
    namespace: &'a str,
}

impl Writer<'_> {
    fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        let Self { graph, plan, .. } = self;
        let creation = CreationInfo {
            kind: "CreationInfo",
            id: CREATION_INFO,
            spec_version: "3.0.1",
            created: &graph.created,
            created_by: [self.iri(MAKER)],
        };
        let maker = Element { name: Some(TOOL.into()), ..self.element("SoftwareAgent", MAKER, Own::None {}) };
        let heads = [maker, self.document(), self.sbom()];
        let elements = graph.elements.iter().map(|element| self.package(element));
        let agents = plan.agents.iter().map(|(party, id)| self.agent(party, id));
        let licenses = plan.licenses.iter().map(|(expression, id)| self.license(expression, id));
        let texts = graph.extracted.iter().map(|(id, text)| {
            let own = Own::LicenseText(LicenseText { text });
            Element { name: Some(id.into()), ..self.element("simplelicensing_SimpleLicensingText", id, own) }
        });
        let files = graph.files.iter().map(|file| self.file(file));
        let relations = plan.relations.iter().map(|(joined, id)| self.relationship(joined, id));
        let annotations = plan.annotations.iter().map(|(statement, id)| {
            let own = Annotation { annotation_type: "other", subject: self.iri(DOCUMENT), statement };
            self.element("Annotation", id, Own::Annotation(own))
        });
        let all = heads.into_iter().chain(elements).chain(agents).chain(licenses).chain(texts).chain(files);
        let all = all.chain(relations).chain(annotations);
        std::iter::once(Object::CreationInfo(creation)).chain(all.map(Object::Element))
    }

    fn iri<'s>(&'s self, id: &'s str) -> Iri<'s> {
        Iri { namespace: self.namespace, id }
    }

    fn element<'s>(&'s self, kind: &'static str, id: &'s str, own: Own<'s>) -> Element<'s> {
        let (name, summary, comment) = (None, None, None);
        Element { kind, spdx_id: self.iri(id), creation_info: CREATION_INFO, name, summary, comment, own }
    }

    fn document(&self) -> Element<'_> {
        let ids = std::iter::once(SBOM).chain(self.plan.ids(self.graph));
        let own = Collection {
            data_license: self.plan.licenses.get(DATA_LICENSE).map(|id| self.iri(id)),
            profile_conformance: &["core", "software", "simpleLicensing"],
            sbom_type: &[],
            root_element: [self.iri(SBOM)],
            element: ids.map(|id| self.iri(id)).collect(),
        };
        let element = self.element("SpdxDocument", DOCUMENT, Own::Collection(Box::new(own)));
        Element { name: Some(self.graph.name.as_str().into()), comment: Some(&self.graph.comment), ..element }
    }

    /// What the document describes is the root of the SBOM in it.
    fn sbom(&self) -> Element<'_> {
        let elements = &self.graph.elements;
        let root = elements.first().map_or(DOCUMENT, |root| root.id.as_str());
        let files = self.graph.files.iter().map(|file| &file.id);
        let ids = elements.iter().map(|element| &element.id).chain(files);
        let own = Collection {
            data_license: None,
            profile_conformance: &[],
            // Made by looking at what was built, not while building it.
            sbom_type: &["analyzed"],
            root_element: [self.iri(root)],
            element: ids.map(|id| self.iri(id)).collect(),
        };
        self.element("software_Sbom", SBOM, Own::Collection(Box::new(own)))
    }

    fn package<'s>(&'s self, element: &'s graph::Element<'_>) -> Element<'s> {
        let agent = |party: &Option<Party>| party.as_ref().and_then(|party| self.plan.agents.get(party));
        let hash = element.sha256.as_deref();
        let own = Package {
            verified_using: hash.map(|hash| [hash_of("sha256", hash.to_owned())]),
            originated_by: agent(&element.originator).map(|id| [self.iri(id)]),
            supplied_by: agent(&element.supplier).map(|id| self.iri(id)),
            primary_purpose: element.purpose.map(|purpose| match purpose {
                Purpose::Container => "container",
                Purpose::File => "file",
                Purpose::OperatingSystem => "operatingSystem",
                Purpose::Source => "source",
            }),
            version: element.version.as_deref(),
            purl: element.purl.as_deref(),
            homepage: element.homepage.as_deref(),
            source_info: element.source_info.as_deref(),
        };
        Element {
            name: Some(element.name.as_ref().into()),
            summary: element.summary.as_deref(),
            comment: element.comment.as_deref(),
            ..self.element("software_Package", &element.id, Own::Package(Box::new(own)))
        }
    }

    fn file<'s>(&'s self, file: &'s graph::File<'_>) -> Element<'s> {
        let facts = file.facts;
        let verified_using = [hash_of("sha1", hex(&facts.sha1)), hash_of("sha256", hex(&facts.sha256))];
        let own = Own::File(File { verified_using, kind: "file" });
        Element { name: Some(file.name().into()), ..self.element("software_File", &file.id, own) }
    }

    fn agent<'s>(&'s self, party: &'s Party, id: &'s str) -> Element<'s> {
        let (kind, external_identifier) = match party {
            Party::Person { address, .. } => {
                let (kind, external_identifier_type) = ("ExternalIdentifier", "email");
                ("Person", Some([ExternalIdentifier { kind, external_identifier_type, identifier: address }]))
            }
            Party::Organization(_) => ("Organization", None),
        };
        let own = Own::Agent(Agent { external_identifier });
        Element { name: Some(name_of(party).into()), ..self.element(kind, id, own) }
    }

    fn license<'s>(&'s self, expression: &'s str, id: &'s str) -> Element<'s> {
        let named = license::references(expression);
        let explained = self.graph.extracted.iter().filter(|(known, _)| named.contains(known));
        let own = License {
            expression,
            list_version: &self.plan.list_version,
            custom_ids: explained
                .map(|(key, _)| DictionaryEntry { kind: "DictionaryEntry", key, value: self.iri(key) })
                .collect(),
        };
        self.element("simplelicensing_LicenseExpression", id, Own::License(own))
    }

    fn relationship<'s>(&'s self, joined: &'s Joined, id: &'s str) -> Element<'s> {
        let elements = &self.graph.elements;
        let from = &elements[joined.from];
        let to = match &joined.to {
            Ends::Elements(to) => to.iter().map(|number| self.iri(&elements[*number].id)).collect(),
            Ends::Files(to) => to.iter().map(|number| self.iri(&self.graph.files[*number].id)).collect(),
            Ends::License => {
                let license = from.license.as_deref().and_then(|license| self.plan.licenses.get(license));
                license.map(|id| self.iri(id)).into_iter().collect()
            }
        };
        // What was not read whole may contain more.
        let incomplete = joined.kind == "contains" && !self.graph.problems.is_empty();
        let own = Relationship {
            from: self.iri(&from.id),
            relationship_type: joined.kind,
            to,
            completeness: incomplete.then_some("incomplete"),
        };
        self.element("Relationship", id, Own::Relationship(own))
    }
}

fn hash_of(algorithm: &'static str, hash_value: String) -> Hash {
    Hash { kind: "Hash", algorithm, hash_value }
}

fn name_of(party: &Party) -> &str {
    match party {
        Party::Person { name, .. } | Party::Organization(name) => name,
    }
}
