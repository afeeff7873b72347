//! One file per command.

pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod get;
pub(crate) mod inspect;
pub(crate) mod tree;
mod unverified;
pub(crate) mod verify;
pub(crate) mod verify_blob;

use crate::cli::{Cli, Command};
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Runs a command.
pub(crate) fn run(cli: Cli, printer: &Printer) -> Result<ExitStatus, CliError> {
    match cli.command {
        Command::Verify(args) => block_on(verify::run(*args, printer)),
        Command::VerifyBlob(args) => block_on(verify_blob::run(&args, printer)),
        Command::Tree(args) => block_on(tree::run(*args, printer)),
        Command::Inspect(args) => block_on(inspect::run(*args, printer)),
        Command::Get(args) => block_on(get::run(*args, printer)),
        Command::Demo => block_on(demo::run(printer)),
        Command::Explain(args) => explain::run(&args, printer),
        Command::Completions(args) => completions::run(&args, printer),
        Command::Man => completions::man(printer),
    }
}

fn block_on<F: Future<Output = Result<ExitStatus, CliError>>>(work: F) -> Result<ExitStatus, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::internal)?;
    runtime.block_on(work)
}
