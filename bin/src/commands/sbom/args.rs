//! What `sbom` can be asked.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use cg_attest::code::Code;
use cg_attest::image::Platform;
use cg_attest::sbom;
use clap::Args as ClapArgs;

use crate::attestations::SIGNERS;
use crate::error::CliError;
use crate::settings::{EvidenceArgs, Wanted};

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(mut_arg("require", |arg| arg.visible_alias(None).hide(true)))]
#[command(after_help = "Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided or incomplete")]
#[command(after_long_help = "Examples:
  cg-attest sbom cgr.dev/chainguard/nginx --platform linux/arm64 > sbom.spdx.json
  cg-attest sbom --platform linux/arm64          (the OCI layout in this folder)
  cg-attest sbom docker.io/library/debian --source content --platform linux/amd64 -o table
  cg-attest sbom oci:app -o table --history     (and what layers brought that later layers hid)
  cg-attest sbom dir:rootfs --files              (with every file, as syft lists them)
  cg-attest sbom oci:app --platform all -o spdx3-json=sboms     (a document for each platform, and one of the index)
  cg-attest sbom registry.example/app --source attached --allow-unsigned --platform linux/amd64

Under a policy (a preset or flags) it is the attached and verified SBOM, as it was signed;
without one it is made from what is in the layers, and is as good as what they say.
Exit: 0 printed · 1 refused or absent · 2 usage or policy · 3 undecided or incomplete")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<SbomCommand>,
    /// NAME[:TAG|@DIGEST] in a registry, oci:FOLDER[:TAG|@DIGEST], docker-archive:FILE[:TAG] or dir:FOLDER; without it, the OCI layout in this folder
    #[arg(value_name = "IMAGE")]
    pub(super) image: Option<String>,
    /// The platform, or all of them, each into a file of its own; needed where the image has several
    #[arg(long, value_name = "PLATFORM|all")]
    pub(super) platform: Option<Wanted>,
    /// Where the SBOM comes from: attached (and verified), content (of the layers), or auto: attached under a policy
    #[arg(long, value_name = "SOURCE", default_value = "auto")]
    pub(super) source: From,
    /// Print the one that BuildKit attached, which nobody signed; nothing is verified
    #[arg(long, conflicts_with_all = SIGNERS)]
    pub(super) allow_unsigned: bool,
    /// What to print: spdx-json (SPDX 2.3), spdx3-json (SPDX 3.0.1) or table; with =PATH into that file or, with --platform all, that folder
    #[arg(short, long, value_name = "FORMAT[=PATH]", default_value = "spdx-json")]
    pub(super) output: Output,
    /// With -o table: also the packages that a layer brought and a later one removed or replaced
    #[arg(long)]
    pub(super) history: bool,
    /// Also list every file with its checksums (SHA-1 and SHA-256), in the package that owns it or else in the image
    #[arg(long)]
    pub(super) files: bool,
    /// Write to this file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub(super) output_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) evidence: EvidenceArgs,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum SbomCommand {
    /// Look for what is wrong with an SPDX document, 2.3 or 3.0: its shape, identifiers, relationships, licences, package URLs
    Validate {
        /// The document, - for stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum From {
    Auto,
    Attached,
    Content,
}

/// What is printed, and where to if not to stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Spdx(sbom::Format),
    Table,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').map_or((text, None), |(format, path)| (format, Some(path)));
        let format = match format {
            "table" => Format::Table,
            format => Format::Spdx(format.parse().map_err(|_| "wanted spdx-json, spdx3-json or table".to_owned())?),
        };
        match path {
            Some("") => Err("wanted a path after =".to_owned()),
            path => Ok(Self { format, path: path.map(PathBuf::from) }),
        }
    }
}

impl Args {
    /// What can be wrong without asking anybody.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let wrong = |message: &str| CliError::usage(Code::Usage, message);
        if self.history && self.output.format != Format::Table {
            return Err(wrong(
                "--history is about what the image does not show, and a document is about what it shows",
            )
            .hint("--history -o table"));
        }
        if self.files && (self.output.format == Format::Table || self.allow_unsigned || self.source == From::Attached) {
            return Err(wrong(
                "--files is about documents that are made from the layers: a signed one is printed as it is",
            )
            .hint("--source content --files"));
        }
        if self.output_file.is_some() && self.output.path.is_some() {
            return Err(wrong("--output-file and -o FORMAT=PATH name two files"));
        }
        if self.platform == Some(Wanted::All) && self.output.path.is_none() {
            let error = wrong("the documents of several platforms are several files, and no folder is named for them");
            return Err(error.hint("name one: --platform all -o spdx-json=FOLDER"));
        }
        Ok(())
    }

    /// The one platform that is asked for.
    pub(super) fn one(&self) -> Option<&Platform> {
        match &self.platform {
            Some(Wanted::One(platform)) => Some(platform),
            _ => None,
        }
    }

    /// The folder for the documents of all platforms, if these are asked for.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.output.path.as_deref().filter(|_| self.platform == Some(Wanted::All))
    }
}
