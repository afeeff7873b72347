//! What Maven puts into an archive: `pom.properties` and `pom.xml`.

use std::collections::HashMap;

/// The coordinates of a Maven artifact, and its licences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    /// The names of the licences, of which the user chooses.
    pub(super) licenses: Vec<String>,
}

/// Reads `pom.properties`, a file of `key=value` lines.
pub(super) fn properties(content: &[u8]) -> Coordinates {
    let mut found = Coordinates::default();
    for line in String::from_utf8_lossy(content).lines().map(str::trim) {
        let Some((key, value)) = line.split_once(['=', ':']).filter(|_| !line.starts_with(['#', '!'])) else {
            continue;
        };
        let field = match key.trim() {
            "groupId" => &mut found.group,
            "artifactId" => &mut found.artifact,
            "version" => &mut found.version,
            _ => continue,
        };
        value.trim().clone_into(field);
    }
    found
}

/// Elements below the root that are looked at; deeper ones are passed over.
const DEPTH: usize = 3;
/// Properties that stand for properties.
const STEPS: usize = 8;
/// Bytes of a value after its properties are filled in.
const LONGEST: usize = 4096;

/// Reads `pom.xml` (<https://maven.apache.org/pom.html>): what it says itself or
/// leaves to its parent's coordinates, with the properties that it defines filled in.
pub(super) fn project(content: &[u8]) -> Coordinates {
    let text = String::from_utf8_lossy(content);
    let mut values = HashMap::new();
    let mut licenses = Vec::new();
    elements(&text, |path, value| match path {
        ["project", "licenses", "license", "name"] => licenses.push(value),
        ["project", rest @ ..] if rest.len() <= 2 => {
            values.entry(rest.join("/")).or_insert(value);
        }
        _ => {}
    });
    let get = |name: &str| values.get(name).map_or("", String::as_str);
    let or_parent = |name: &str| if get(name).is_empty() { get(&format!("parent/{name}")) } else { get(name) };
    let filled = |value: &str| fill(value, &values).unwrap_or_default();
    Coordinates {
        group: filled(or_parent("groupId")),
        artifact: filled(get("artifactId")),
        version: filled(or_parent("version")),
        licenses,
    }
}

/// `value` with `${name}` replaced; `None` if one is not defined here.
fn fill(value: &str, values: &HashMap<String, String>) -> Option<String> {
    let mut value = value.to_owned();
    for _ in 0..STEPS {
        let Some((before, rest)) = value.split_once("${") else { return Some(value) };
        let (name, after) = rest.split_once('}')?;
        let own =
            name.strip_prefix("project.").or_else(|| name.strip_prefix("pom.")).map(|name| name.replace('.', "/"));
        let by = values.get(&own.unwrap_or_else(|| format!("properties/{name}")))?;
        if before.len() + by.len() + after.len() > LONGEST {
            return None;
        }
        value = format!("{before}{by}{after}");
    }
    None
}

/// Gives each element without children, of the upper levels, to `each`: its path from
/// the root and its text. XML as Maven writes it; entities of a document type are
/// not defined, so nothing grows.
fn elements(mut text: &str, mut each: impl FnMut(&[&str], String)) {
    let mut path = Vec::new();
    let mut depth = 0_usize;
    let mut value = String::new();
    while let Some(at) = text.find('<') {
        value.push_str(&text[..at]);
        text = &text[at..];
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")]
            .into_iter()
            .find_map(|(open, close)| Some((open, text.strip_prefix(open)?.split_once(close)?)));
        if let Some((open, (inner, rest))) = skipped {
            if open == "<![CDATA[" {
                value.push_str(inner);
            }
            text = rest;
            continue;
        }
        let Some(end) = tag_end(text) else { return };
        let tag = &text[1..end];
        text = &text[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            if depth <= DEPTH + 1 {
                // Only an element whose own text this is; a closed child has taken its away.
                if path.last().is_some_and(|open| *open == name.trim()) {
                    let text = unescaped(value.trim());
                    if !text.is_empty() {
                        each(&path, text);
                    }
                    path.pop();
                }
            }
            depth = depth.saturating_sub(1);
        } else if !tag.ends_with('/') {
            depth += 1;
            if depth <= DEPTH + 1 {
                path.push(tag.split_whitespace().next().unwrap_or_default());
            }
        }
        value.clear();
    }
}

/// Where the tag that `text` begins with ends; `>` in a quoted attribute does not count.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    text.bytes().position(|byte| {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        quote.is_none() && byte == b'>'
    })
}

fn unescaped(text: &str) -> String {
    let plain = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    plain.iter().fold(text.to_owned(), |text, (escaped, c)| text.replace(escaped, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POM: &str = r#"<?xml version="1.0"?><!-- <a> --><project a="x>y"><modelVersion>4.0.0</modelVersion>
        <parent><groupId>org.example</groupId><artifactId>up</artifactId><version>7</version></parent>
        <artifactId>app</artifactId><version>${revision}-${project.parent.version}</version><name/>
        <properties><revision>1.${minor}</revision><minor>2</minor></properties>
        <licenses><license><name>Apache &amp; Co</name></license><license><name>MIT</name></license></licenses>
        <dependencies><dependency><groupId>wrong</groupId><version>9</version><a><b><c>deep</c></b></a></dependency></dependencies>
        <build><plugins><plugin><artifactId>wrong</artifactId></plugin></plugins></build></project>"#;

    #[test]
    fn a_project_leaves_to_its_parent_what_it_does_not_say() {
        let found = project(POM.as_bytes());
        assert_eq!((found.group.as_str(), found.artifact.as_str()), ("org.example", "app"));
        assert_eq!(found.version, "1.2-7");
        assert_eq!(found.licenses, ["Apache & Co", "MIT"]);
    }

    #[test]
    fn what_is_not_defined_here_is_not_known() {
        for version in ["${other}", "${a", "${loop}"] {
            let text = POM.replace("${revision}", version).replace("<minor>", "<loop>${loop}${loop}</loop><minor>");
            assert_eq!(project(text.as_bytes()).version, "", "{version}");
        }
        for broken in ["", "<", "<a", "<a b='>", "</a></a>", "<!--", "<![CDATA[", "<a><a><a><a><a></a>"] {
            assert_eq!(project(broken.as_bytes()), Coordinates::default(), "{broken}");
        }
    }

    #[test]
    fn properties_are_lines() {
        let found = properties(b"# made\r\n! by\ngroupId=a.b\r\nartifactId = c\nversion:1\nother\n");
        assert_eq!((found.group.as_str(), found.artifact.as_str(), found.version.as_str()), ("a.b", "c", "1"));
    }
}
