//! `completions` and `man`: the command line, written for a shell and for `man`.

use cg_attest::code::Code;
use clap::{Args as ClapArgs, Command};
use clap_complete::Shell;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The shell that completes
    shell: Shell,
}

/// Prints the completions of `command` for a shell.
pub(crate) fn run(args: &Args, command: &mut Command, printer: &Printer) -> Result<ExitStatus, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, "cg-attest", &mut text);
    printer.data(&text)?;
    Ok(ExitStatus::Accepted)
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  cg-attest man verify | man -l -
  cg-attest man verify > /usr/local/share/man/man1/cg-attest-verify.1")]
pub(crate) struct ManArgs {
    /// The command whose page it is, for example `sbom validate`; without one, all pages follow each other
    command: Vec<String>,
}

/// Prints the manual page of a command of `root`, or all of them.
pub(crate) fn man(args: &ManArgs, mut root: Command, printer: &Printer) -> Result<ExitStatus, CliError> {
    root.build();
    let mut command = &root;
    for word in &args.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            let error = CliError::usage(Code::Usage, format!("there is no command {:?}", args.command.join(" ")));
            error.hint("`cg-attest --help` lists all commands")
        })?;
    }
    let mut text = Vec::new();
    let pages = if args.command.is_empty() { with_all_below(command) } else { vec![command] };
    for page in pages {
        clap_mangen::Man::new(page.clone()).render(&mut text).map_err(CliError::internal)?;
    }
    printer.data(&text)?;
    Ok(ExitStatus::Accepted)
}

fn with_all_below(command: &Command) -> Vec<&Command> {
    let below = command.get_subcommands().filter(|command| command.get_name() != "help");
    std::iter::once(command).chain(below.flat_map(with_all_below)).collect()
}
