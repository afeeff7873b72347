//! The only writer: stdout is data, stderr is talk.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use cg_attest::code::Code;

use crate::bars::Bars;
use crate::error::CliError;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// Writes to stdout and stderr.
#[derive(Debug)]
pub(crate) struct Printer {
    colored: bool,
    /// Whether stderr is only ours: a terminal, and not a log.
    can_redraw: bool,
}

/// What a text means. Colour only repeats what the words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Doubt,
    Strong,
    Quiet,
    Plain,
}

impl Printer {
    pub(crate) fn new(choice: ColorChoice, verbose: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
                std::io::stdout().is_terminal() && !set("NO_COLOR") && !is_dumb
            }
        };
        Self { colored, can_redraw: std::io::stderr().is_terminal() && !is_dumb && !verbose }
    }

    /// How far a scan is, drawn on stderr where that is a terminal.
    pub(crate) fn bars(&self) -> Bars {
        if self.can_redraw { Bars::drawn() } else { Bars::hidden() }
    }

    /// Whether text goes out with colours.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    /// Writes data. What did not arrive was not said: a closed or full stdout is never a success (scenario A-13).
    pub(crate) fn data(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        written.map_err(|error| CliError::undecided(Code::FileUnreadable, format!("stdout: {error}")))
    }

    /// Writes a document byte for byte. Only on a terminal it is made safe to
    /// look at and ends with a line end: nobody computes a digest there.
    pub(crate) fn document(&self, bytes: &[u8]) -> Result<(), CliError> {
        if !std::io::stdout().is_terminal() {
            return self.data(bytes);
        }
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<String> = text.lines().map(escape).collect();
        self.data((lines.join("\n") + "\n").as_bytes())
    }

    /// Writes one line of talk.
    pub(crate) fn note(&self, text: &str) {
        // There is nowhere left to say that stderr is closed.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes an error and what to do.
    pub(crate) fn error(&self, error: &CliError) {
        self.note(&format!("error[{}]: {}", error.code, escape(&error.message)));
        self.note(&format!("  → {}", error.hint.as_deref().map_or_else(|| error.code.remedy().to_owned(), escape)));
    }
}

/// Writes the library's events to stderr, without colours.
pub(crate) fn log_to_stderr() {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_target(false);
    // Set once, before any work; a second call would change nothing.
    let _ = log.with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG).try_init();
}

/// Paints a text if colours are on.
pub(crate) fn paint(colored: bool, tone: Tone, text: &str) -> String {
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Doubt => AnsiColor::Yellow.on_default(),
        Tone::Strong => Style::new().bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Plain => return text.to_owned(),
    };
    if colored { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Makes text from a registry or a certificate safe to print: control
/// characters, line ends and direction marks become visible escapes, so that
/// nobody can move the cursor, forge a line or hide a part (scenarios O-01 to O-03).
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if c.is_control() || hidden { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_could_act_on_a_terminal_is_escaped() {
        assert_eq!(escape("plain é ✓"), "plain é ✓");
        assert_eq!(escape("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(escape("a\nb\r\t\u{7}"), "a\\nb\\r\\t\\u{7}");
        assert_eq!(escape("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(escape("\u{9b}31m"), "\\u{9b}31m");
    }
}
