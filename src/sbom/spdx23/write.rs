//! Writing.

use std::io::{self, Write};

use super::model::{
    Annotation, Checksum, CreationInfo, Document, ExternalRef, ExtractedLicense, File, NOASSERTION, Package,
    Relationship, VerificationCode,
};
use crate::digest::hex;
use crate::sbom::each::Each;
use crate::sbom::graph::{self, Element, Graph, Kind, Party, Purpose, Relation, TOOL};
use crate::sbom::license;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// Writes a graph as the document of this namespace.
pub(in crate::sbom) fn write(graph: &Graph<'_>, namespace: &str, out: &mut dyn Write) -> io::Result<()> {
    let tool = format!("Tool: {TOOL}");
    let annotations = graph.problems.iter().map(|problem| Annotation {
        annotation_date: graph.created.as_str().into(),
        annotation_type: "OTHER",
        annotator: tool.as_str().into(),
        comment: problem.as_str().into(),
    });
    let licenses = || {
        graph.extracted.iter().map(|(id, text)| ExtractedLicense {
            license_id: id.into(),
            extracted_text: text.into(),
            name: NOASSERTION,
        })
    };
    let described = graph.elements.iter().take(1).map(|root| Relationship {
        spdx_element_id: DOCUMENT,
        relationship_type: "DESCRIBES",
        related_spdx_element: &root.id,
    });
    let document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: graph.name.as_str().into(),
        document_namespace: namespace.into(),
        creation_info: CreationInfo {
            created: graph.created.as_str().into(),
            creators: [tool.as_str().into()],
            license_list_version: license::list_version().into(),
        },
        comment: graph.comment.as_str().into(),
        packages: Each(|| graph.elements.iter().map(package)),
        files: (!graph.files.is_empty()).then_some(Each(|| graph.files.iter().map(file))),
        has_extracted_licensing_infos: graph.extracted.iter().next().map(|_| Each(licenses)),
        relationships: Each(|| {
            let relations = graph.relations.iter().map(|relation| relationship(graph, *relation));
            let files = graph.files.iter().map(|file| Relationship {
                spdx_element_id: &graph.elements[file.holder].id,
                relationship_type: "CONTAINS",
                related_spdx_element: &file.id,
            });
            described.clone().chain(relations).chain(files)
        }),
        annotations: annotations.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    Ok(())
}

fn package<'a>(element: &'a Element<'_>) -> Package<'a> {
    let text = |text: &'a Option<_>| text.as_deref().map(Into::into);
    let purl = element.purl.iter().map(|purl| ExternalRef {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl.as_ref().into(),
    });
    let sha256 = element.sha256.iter();
    let sha256 = sha256.map(|hex| Checksum { algorithm: "SHA256", checksum_value: hex.as_ref().into() });
    Package {
        id: element.id.as_str().into(),
        name: element.name.as_ref().into(),
        version_info: element.version.as_deref().map(Into::into),
        supplier: element.supplier.as_ref().map(|who| party(who).into()),
        originator: element.originator.as_ref().map(|who| party(who).into()),
        download_location: NOASSERTION,
        files_analyzed: element.verification_code.is_some(),
        package_verification_code: element.verification_code.as_deref().map(|value| VerificationCode { value }),
        checksums: sha256.collect(),
        homepage: element.homepage.as_deref().map(Into::into),
        source_info: text(&element.source_info),
        license_concluded: NOASSERTION,
        license_declared: element.license.as_deref().unwrap_or(NOASSERTION).into(),
        copyright_text: NOASSERTION,
        summary: element.summary.as_deref().map(Into::into),
        comment: text(&element.comment),
        external_refs: purl.collect(),
        primary_package_purpose: element.purpose.map(|purpose| match purpose {
            Purpose::Container => "CONTAINER",
            Purpose::File => "FILE",
            Purpose::OperatingSystem => "OPERATING_SYSTEM",
            Purpose::Source => "SOURCE",
        }),
    }
}

fn file<'a>(file: &'a graph::File<'_>) -> File<'a> {
    let checksum = |algorithm, sum: &[u8]| Checksum { algorithm, checksum_value: hex(sum).into() };
    File {
        id: &file.id,
        file_name: file.name(),
        checksums: [checksum("SHA1", &file.facts.sha1), checksum("SHA256", &file.facts.sha256)],
        license_concluded: NOASSERTION,
        license_info_in_files: [NOASSERTION],
        copyright_text: NOASSERTION,
    }
}

fn relationship<'a>(graph: &'a Graph<'_>, relation: Relation) -> Relationship<'a> {
    let id = |number: usize| graph.elements[number].id.as_str();
    Relationship {
        spdx_element_id: id(relation.from),
        relationship_type: match relation.kind {
            Kind::Contains => "CONTAINS",
            Kind::DependsOn => "DEPENDS_ON",
            Kind::GeneratedFrom => "GENERATED_FROM",
            Kind::VariantOf => "VARIANT_OF",
        },
        related_spdx_element: id(relation.to),
    }
}

fn party(party: &Party) -> String {
    match party {
        Party::Person { name, address } => format!("Person: {name} ({address})"),
        Party::Organization(name) => format!("Organization: {name}"),
    }
}
