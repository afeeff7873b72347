//! `completions` and `man`: the command line, written for a shell and for `man`.

use clap::{Args as ClapArgs, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The shell that completes
    shell: Shell,
}

/// Prints the completions for a shell.
pub(crate) fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cg-attest", &mut text);
    printer.data(&text)?;
    Ok(ExitStatus::Accepted)
}

/// Prints the manual page: the command, then each of its commands.
pub(crate) fn man(printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut text = Vec::new();
    let mut command = Cli::command();
    command.build();
    let pages = std::iter::once(&command).chain(command.get_subcommands().filter(|c| c.get_name() != "help"));
    for page in pages {
        clap_mangen::Man::new(page.clone()).render(&mut text).map_err(CliError::internal)?;
    }
    printer.data(&text)?;
    Ok(ExitStatus::Accepted)
}
