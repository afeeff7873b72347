//! Paragraphs of fields (deb822).

/// A paragraph: fields in their order, the lines of a value joined by line ends.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Paragraph {
    fields: Vec<(String, String)>,
}

impl Paragraph {
    /// The value of a field; names are not case-sensitive.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first line of the value of a field.
    pub(super) fn line(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| value.lines().next()).map(str::trim).filter(|line| !line.is_empty())
    }
}

/// Calls `each` with every paragraph and the number of the line after it, until it fails.
/// `keep` says which fields are kept.
pub(super) fn paragraphs<E: From<String>>(
    text: &str,
    keep: impl Fn(&str) -> bool,
    mut each: impl FnMut(&Paragraph, usize) -> Result<(), E>,
) -> Result<(), E> {
    let mut paragraph = Paragraph::default();
    let mut seen = false;
    let mut kept = false;
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.trim().is_empty() {
            if seen {
                each(&paragraph, number)?;
            }
            (paragraph, seen, kept) = (Paragraph::default(), false, false);
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if !seen {
                return Err(format!("line {number}: it continues nothing").into());
            }
            if let Some((_, value)) = paragraph.fields.last_mut().filter(|_| kept) {
                value.push('\n');
                value.push_str(line.trim());
            }
            continue;
        }
        let field = line.split_once(':').filter(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']));
        let Some((name, value)) = field else { return Err(format!("line {number}: wanted a field").into()) };
        seen = true;
        kept = keep(name);
        if kept {
            if paragraph.get(name).is_some() {
                return Err(format!("line {number}: a second {name} in one paragraph").into());
            }
            paragraph.fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    if seen { each(&paragraph, text.lines().count()) } else { Ok(()) }
}
