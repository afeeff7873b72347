//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    attach, attest, check, completions, diff, explain, get, inspect, provenance, sandbox, sbom, sign, sign_blob, tree,
    trust, verify, verify_blob,
};
use crate::printer::ColorChoice;

/// May I run this image? Verifies signatures, SBOMs and provenance of container images, per platform.
#[derive(Debug, Parser)]
#[command(name = "cg-attest", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit: 0 accepted · 1 refused · 2 usage or policy · 3 undecided · 4 a bug")]
pub(crate) struct Cli {
    /// When to colour text
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, display_order = 900)]
    pub(crate) color: ColorChoice,
    /// Say every request and answer on stderr
    #[arg(short, long, global = true, display_order = 901)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    // First what reads, then what writes, then what helps.
    /// Verify images: one matrix of every platform × every requirement, and a verdict
    Verify(Box<verify::Args>),
    /// Verify a file: a signature, or an attestation with --type, in a Sigstore bundle
    VerifyBlob(Box<verify_blob::Args>),
    /// Print a verified attestation: its predicate, statement, envelope or bundle
    Get(Box<get::Args>),
    /// Print the SBOM of one platform: the attached and verified one, or one made from what is in the layers
    Sbom(Box<sbom::Args>),
    /// Show where an image comes from: verified provenance beside the certificate that signed it
    Provenance(Box<provenance::Args>),
    /// Compare what is signed about an image with what is in it: packages, platform, layers, annotations
    Check(Box<check::Args>),
    /// Show what tells two images apart, per platform: packages, licences, configuration, provenance
    Diff(Box<diff::Args>),
    /// Show everything that is attached to an image and its platforms, unverified
    Tree(Box<tree::Args>),
    /// Decode what is attached: who claims to have signed what, and when, unverified
    Inspect(Box<inspect::Args>),
    /// Sign an image: the index and every platform
    Sign(Box<sign::Args>),
    /// Sign SBOMs, provenance and other statements about an image, each for its own platform
    Attest(Box<attest::Args>),
    /// Attach bundles that were signed elsewhere to the image that they are about
    Attach(Box<attach::Args>),
    /// Sign a file: a Sigstore bundle that cosign, sigstore-go and sigstore-python verify
    SignBlob(Box<sign_blob::Args>),
    /// Show what is trusted and which services sign, with expiry and what to do
    Trust(Box<trust::Args>),
    /// Say what a reason code means and what to do about it
    Explain(explain::Args),
    /// Show a verification and three refusals, on an image made for it: no network, no account
    Demo,
    /// Run a virtual Sigstore and a registry on this machine, to test signing without an account
    Sandbox(sandbox::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
}
