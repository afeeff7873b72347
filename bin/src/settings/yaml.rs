//! YAML files as JSON, for what people write by hand and programs sign as JSON.
//!
//! What could be read in two ways is refused, as it is in JSON: repeated keys,
//! several documents, merge keys, tags. Plain words mean what apko takes them to
//! mean (YAML's core schema, and octal numbers as Go writes them); a number with a
//! point is a text, because `1.10` is a version and not 1.1.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

/// Lists and maps inside each other.
const DEEPEST: usize = 64;

/// Values in one file, those that aliases repeat counted each time.
const MOST: usize = 1_000_000;

/// The one document of a file; where it is not one, the line and why.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut reading = Reading { events: Parser::new_from_str(text), anchors: HashMap::new(), left: MOST };
    let (mut document, mut event) = (Value::Null, reading.next()?);
    while event.0 != Event::StreamEnd {
        match &event.0 {
            Event::StreamStart | Event::DocumentEnd => {}
            Event::DocumentStart(_) if document.is_null() => {
                let first = reading.next()?;
                document = reading.value(first, 0)?;
            }
            _ => return Err(at(event.1, "it goes on after its end: wanted one document")),
        }
        event = reading.next()?;
    }
    Ok(document)
}

struct Reading<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// What aliases stand for, with how many values that is.
    anchors: HashMap<usize, (Value, usize)>,
    left: usize,
}

impl<'a> Reading<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(error.to_string()),
            None => Err("it ends in the middle".to_owned()),
        }
    }

    /// The value that begins with an event.
    fn value(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(at(span, &format!("it is deeper than {DEEPEST}")));
        }
        let before = self.left;
        self.take(1, span)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, None) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, None) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, None) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let (value, count) = self.anchors.get(&anchor).cloned().ok_or_else(|| at(span, "it names itself"))?;
                self.take(count, span)?;
                (value, 0)
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) => {
                return Err(at(span, "it has a tag (!), which is not read"));
            }
            _ => return Err(at(span, "wanted a value")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), before - self.left));
        }
        Ok(value)
    }

    fn list(&mut self, depth: usize) -> Result<Value, String> {
        let mut list = Vec::new();
        loop {
            let event = self.next()?;
            if event.0 == Event::SequenceEnd {
                return Ok(Value::Array(list));
            }
            list.push(self.value(event, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, String> {
        let mut map = Map::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Object(map)),
                Event::Scalar(text, style, _, None) if style != ScalarStyle::Plain || text != "<<" => text.into_owned(),
                Event::Scalar(..) => return Err(at(span, "it merges a map (<<), which is not read")),
                _ => return Err(at(span, "wanted a text as key")),
            };
            let event = self.next()?;
            let value = self.value(event, depth + 1)?;
            if map.insert(key.clone(), value).is_some() {
                return Err(at(span, &format!("a second {key:?} in one map")));
            }
        }
    }

    fn take(&mut self, count: usize, span: Span) -> Result<(), String> {
        self.left = self.left.checked_sub(count).ok_or_else(|| at(span, &format!("it has more than {MOST} values")))?;
        Ok(())
    }
}

fn at(span: Span, why: &str) -> String {
    format!("line {}: {why}", span.start.line())
}

/// A word without quotes is what it looks like.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::from),
    }
}

/// A whole number: decimal, or octal or hexadecimal as in Go.
fn number(text: &str) -> Option<i64> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let with = |digits: &str, radix| {
        let good = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let value = good.then(|| i64::from_str_radix(digits, radix).ok()).flatten()?;
        Some(if plain.len() < text.len() { -value } else { value })
    };
    match plain.split_at_checked(2) {
        Some(("0x", digits)) => with(digits, 16),
        Some(("0o", digits)) => with(digits, 8),
        _ if plain.len() > 1 && plain.starts_with('0') => with(plain, 8),
        _ => with(plain, 10),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_configuration_is_what_it_says() {
        let text = "\
# An image.
contents:
  repositories:
    - https://packages.wolfi.dev/os
  packages: [wolfi-base, 'app=1.10-r0', \"zlib~1.3\"]
entrypoint: {command: /usr/bin/app --port 80}
environment:
  VERSION: 1.10
  EMPTY: ''
  YES: yes
accounts:
  run-as: 65532
  users: &users [{username: app, uid: 0x10, ok: true}]
  again: *users
paths:
  - {path: /data, permissions: 0o755}
  - {path: /more, permissions: 0755}
note: |
  two
  lines
nothing:
";
        let wanted = json!({
            "contents": {
                "repositories": ["https://packages.wolfi.dev/os"],
                "packages": ["wolfi-base", "app=1.10-r0", "zlib~1.3"],
            },
            "entrypoint": { "command": "/usr/bin/app --port 80" },
            "environment": { "VERSION": "1.10", "EMPTY": "", "YES": "yes" },
            "accounts": {
                "run-as": 65532,
                "users": [{ "username": "app", "uid": 16, "ok": true }],
                "again": [{ "username": "app", "uid": 16, "ok": true }],
            },
            "paths": [{ "path": "/data", "permissions": 493 }, { "path": "/more", "permissions": 493 }],
            "note": "two\nlines\n",
            "nothing": null,
        });
        assert_eq!(read(text), Ok(wanted));
        assert_eq!(read("--- \n{\"a\": [1, -2]}\n...\n"), Ok(json!({ "a": [1, -2] })));
        assert_eq!(read("# nothing\n"), Ok(Value::Null));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_where_it_is() {
        assert!(read("a: 1\nb: 2\n").is_ok());
        for (text, why) in [
            ("a: 1\na: 2\n", "line 2: a second \"a\" in one map"),
            ("a: 1\n---\nb: 2\n", "line 2: it goes on after its end: wanted one document"),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", "line 3: it merges a map (<<), which is not read"),
            ("a: !!binary x\n", "line 1: it has a tag (!), which is not read"),
            ("a: 1\n[b]: 2\n", "line 2: wanted a text as key"),
            ("a: &x [*x]\n", "line 1: it names itself"),
        ] {
            assert_eq!(read(text).as_ref().map_err(String::as_str), Err(why), "{text}");
        }
        assert!(read("a: [1\n").is_err() && read("a: 1\n b: 2\n").is_err() && read("a: *x\n").is_err());
    }

    #[test]
    fn what_is_small_and_means_much_ends() {
        let deep = |depth: usize| read(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).map(drop);
        assert_eq!((deep(DEEPEST), deep(DEEPEST + 2).is_err()), (Ok(()), true));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let level = |n: usize| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
        (1..5).for_each(|n| bomb.push_str(&level(n)));
        assert!(read(&bomb).is_ok());
        bomb.push_str(&level(5));
        assert_eq!(read(&bomb), Err(format!("line 6: it has more than {MOST} values")));
    }
}
