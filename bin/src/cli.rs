//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{completions, explain, get, inspect, tree, verify, verify_blob};
use crate::printer::ColorChoice;

/// May I run this image? Verifies signatures, SBOMs and provenance of container images, per platform.
#[derive(Debug, Parser)]
#[command(name = "cg-attest", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit: 0 accepted · 1 refused · 2 usage or policy · 3 undecided · 4 a bug")]
pub(crate) struct Cli {
    /// When to colour text
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(crate) color: ColorChoice,
    /// Say every request and answer on stderr
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify images: one matrix of every platform × every requirement, and a verdict
    Verify(Box<verify::Args>),
    /// Verify a file: a signature, or an attestation with --type, in a Sigstore bundle
    VerifyBlob(Box<verify_blob::Args>),
    /// Print a verified attestation: its predicate, statement, envelope or bundle
    Get(Box<get::Args>),
    /// Show everything that is attached to an image and its platforms, unverified
    Tree(Box<tree::Args>),
    /// Decode what is attached: who claims to have signed what, and when, unverified
    Inspect(Box<inspect::Args>),
    /// Show a verification and three refusals, on an image made for it: no network, no account
    Demo,
    /// Say what a reason code means and what to do about it
    Explain(explain::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
}
