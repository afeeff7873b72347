//! One file per command, or a folder.

pub(crate) mod attach;
pub(crate) mod attest;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
mod demo_evidence;
pub(crate) mod diff;
mod diff_sides;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod inspect;
mod produce;
pub(crate) mod provenance;
mod provenance_generate;
pub(crate) mod sandbox;
pub(crate) mod sbom;
pub(crate) mod sign;
pub(crate) mod sign_blob;
pub(crate) mod tree;
pub(crate) mod trust;
pub(crate) mod verify;
pub(crate) mod verify_blob;

use clap::CommandFactory as _;

use crate::cli::{Cli, Command};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Runs a command.
pub(crate) fn run(cli: Cli, printer: &Printer) -> Result<ExitStatus, CliError> {
    match cli.command {
        Command::Verify(args) => block_on(verify::run(*args, printer)),
        Command::VerifyBlob(args) => block_on(verify_blob::run(&args, printer)),
        Command::SignBlob(args) => block_on(async move { sign_blob::run(&args, printer).await }),
        Command::Tree(args) => block_on(tree::run(*args, printer)),
        Command::Trust(args) => block_on(async move { trust::run(&args, printer).await }),
        Command::Inspect(args) => block_on(inspect::run(*args, printer)),
        Command::Check(args) => block_on(check::run(*args, printer)),
        Command::Get(args) => block_on(get::run(*args, printer)),
        Command::Sbom(args) => block_on(sbom::run(*args, printer)),
        Command::Diff(args) => block_on(diff::run(*args, printer)),
        Command::Sign(args) => block_on(sign::run(*args, printer)),
        Command::Attest(args) => block_on(attest::run(*args, printer)),
        Command::Attach(args) => block_on(attach::run(*args, printer)),
        Command::Provenance(args) => block_on(provenance::run(*args, printer)),
        Command::Demo => block_on(demo::run(printer)),
        Command::Sandbox(args) => block_on(sandbox::run(&args, printer)),
        Command::Explain(args) => explain::run(&args, printer),
        Command::Completions(args) => completions::run(&args, &mut Cli::command(), printer),
        Command::Man(args) => completions::man(&args, Cli::command(), printer),
    }
}

fn block_on<F: Future<Output = Result<ExitStatus, CliError>>>(work: F) -> Result<ExitStatus, CliError> {
    // One worker carries the connections; what computes has threads of its own, as many as there are cores. With a worker
    // for each core, each would have an arena of the allocator, and of the bytes that pass through each some are kept.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().map_err(CliError::internal)?;
    runtime.block_on(work)
}
