//! `explain`: what a reason code means.

use cg_attest::code::Code;
use clap::Args as ClapArgs;

use crate::error::CliError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The code, as reports print it; without one, all codes are listed
    code: Option<String>,
}

/// Prints what a code means, or the list of codes.
pub(crate) fn run(args: &Args, printer: &Printer) -> Result<ExitStatus, CliError> {
    let Some(text) = &args.code else {
        let width = Code::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or(0);
        let lines: String = Code::ALL.iter().map(|c| format!("{:width$}  {}\n", c.as_str(), c.meaning())).collect();
        printer.data(lines.as_bytes())?;
        return Ok(ExitStatus::Accepted);
    };
    let code: Code = text.parse().map_err(|e| {
        let similar: Vec<&str> = Code::ALL
            .iter()
            .map(|c| c.as_str())
            .filter(|c| text.split('-').any(|word| word.len() > 2 && c.contains(word)))
            .collect();
        let hint = if similar.is_empty() {
            "`cg-attest explain` lists all codes".to_owned()
        } else {
            format!("similar: {}", similar.join(", "))
        };
        CliError::usage(Code::Usage, e).hint(hint)
    })?;
    let text = format!("{code}\n\n  {}\n\nWhat to do\n\n  {}\n", code.meaning(), code.remedy());
    printer.data(printer.fitted(text).as_bytes())?;
    Ok(ExitStatus::Accepted)
}
