//! The `cg-attest` command.

mod attestations;
mod bars;
mod cli;
mod commands;
mod error;
mod exit;
mod habits;
mod local;
mod printer;
mod render;
mod settings;

use crate::printer::Printer;

fn main() -> std::process::ExitCode {
    let cli = match cli::Cli::of_command_line() {
        Ok(cli) => cli,
        Err(error) => return exit::of_clap(&error),
    };
    let printer = Printer::new(cli.color, cli.verbose);
    if cli.verbose {
        printer::log_to_stderr();
    }
    match commands::run(cli, &printer) {
        Ok(status) => status.into(),
        Err(error) => {
            printer.error(&error);
            error.status.into()
        }
    }
}
