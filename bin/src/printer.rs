//! The only writer: stdout is data, stderr is talk.

use std::io::{IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use cg_attest::code::Code;

use crate::bars::Bars;
use crate::error::CliError;

/// Columns of a usual terminal: what is meant to be looked at fits them.
pub(crate) const WIDTH: usize = 80;

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
        written.map_err(|error| {
            let error = CliError::undecided(Code::FileUnreadable, format!("stdout: {error}"));
            error.hint("not all of the output was written, so nothing counts as said")
        })
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

    /// Text for people: on a terminal, long sentences are broken between words. Elsewhere lines stay whole, for
    /// `grep` and for logs.
    pub(crate) fn fitted(&self, text: String) -> String {
        if std::io::stdout().is_terminal() { fit(&text) } else { text }
    }

    /// Writes one line of talk.
    pub(crate) fn note(&self, text: &str) {
        let text = if std::io::stderr().is_terminal() { fit(text) } else { text.to_owned() };
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

/// Breaks lines of prose that are wider than a terminal between words, but not within `code`, which is to be copied.
/// What is lined up in columns has more than one blank between words, and stays.
fn fit(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if line.trim().contains("  ") { out.push_str(line) } else { fit_line(line, indent + 2, &mut out) }
    }
    out
}

fn fit_line(line: &str, indent: usize, out: &mut String) {
    let mut rest = line;
    let mut start = 0;
    while let Some(at) = place_to_break(rest, start) {
        out.push_str(&rest[..at]);
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        rest = &rest[at + 1..];
        start = indent;
    }
    out.push_str(rest);
}

/// The blank where a line that begins at a column is broken, if it is too long: the last one that fits, else the first
/// one. Colours take no room.
fn place_to_break(line: &str, start: usize) -> Option<usize> {
    let (mut column, mut in_color, mut in_code, mut last) = (start, false, false, None);
    for (at, c) in line.trim_end_matches('\n').char_indices() {
        match c {
            '\u{1b}' => in_color = true,
            'm' if in_color => in_color = false,
            _ if in_color => {}
            _ => {
                in_code ^= c == '`';
                if column >= WIDTH
                    && let Some(last) = last
                {
                    return Some(last);
                }
                // A label is not torn from what it is a label of.
                if c == ' ' && !in_code && column >= start + 20 {
                    last = Some(at);
                }
                column += 1;
            }
        }
    }
    last.filter(|_| column > WIDTH)
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
    use super::{escape, fit};

    #[test]
    fn long_sentences_are_broken_between_words_and_nothing_else_is() {
        let words = "word ".repeat(30);
        let fitted = fit(&format!("  → {}\n", words.trim_end()));
        assert!(fitted.lines().all(|line| line.chars().count() <= 80), "{fitted}");
        assert_eq!(fitted.split_whitespace().count(), 31);
        assert!(fitted.lines().skip(1).all(|line| line.starts_with("    word")) && fitted.ends_with("word\n"));
        let (short, long) = ("a\n\n  b c\n", "x".repeat(100));
        let table = format!("{}   ok   ok\n", "name ".repeat(20));
        for whole in [short, &format!("  found  {long}\n"), &format!("wanted {long}\n"), &table] {
            assert_eq!(fit(whole), whole);
        }
        let code = format!("  → see what follows here `cg-attest tree {long} -o json` for it all\n");
        assert_eq!(fit(&code).lines().map(|line| line.matches('`').count()).collect::<Vec<_>>(), [0, 2, 0]);
        // Colours take no room.
        let colored = format!("{}\u{1b}[1m\u{1b}[31mred\u{1b}[0m\n", "word ".repeat(15));
        assert_eq!(fit(&colored), colored);
    }

    #[test]
    fn what_could_act_on_a_terminal_is_escaped() {
        assert_eq!(escape("plain é ✓"), "plain é ✓");
        assert_eq!(escape("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(escape("a\nb\r\t\u{7}"), "a\\nb\\r\\t\\u{7}");
        assert_eq!(escape("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(escape("\u{9b}31m"), "\\u{9b}31m");
    }
}
