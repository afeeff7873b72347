//! `WWW-Authenticate`: what a registry asks its clients for (RFC 9110, section 11.6.1).

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// Name and password on every request.
    Basic,
    /// A token, from the token service at `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The challenges that we understand, from every header value, in order.
/// Malformed ones and other schemes are left out.
pub(super) fn parse<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    values.into_iter().flat_map(parse_value).collect()
}

fn parse_value(value: &str) -> Vec<Challenge> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = value.trim_start();
    while !rest.is_empty() {
        let (word, after) = take_token(rest);
        if word.is_empty() {
            // Not a token: a stray comma is skipped, anything else ends the reading.
            match rest.strip_prefix(',') {
                Some(after) => rest = after.trim_start(),
                None => break,
            }
            continue;
        }
        let after_space = after.trim_start();
        match (after_space.strip_prefix('='), found.last_mut()) {
            // `name=value` belongs to the scheme before it.
            (Some(text), Some((_, parameters))) => {
                let Some((text, after)) = take_value(text.trim_start()) else { break };
                parameters.push((word.to_ascii_lowercase(), text));
                rest = after.trim_start();
            }
            (Some(_), None) => break,
            (None, _) => {
                found.push((word.to_ascii_lowercase(), Vec::new()));
                rest = after_space;
            }
        }
    }
    found.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, &parameters)).collect()
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let parameter = |name: &str| {
        let mut values = parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        // A parameter given twice means nothing certain.
        values.next().filter(|value| !value.is_empty() && values.next().is_none())
    };
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: parameter("realm")?,
            service: parameter("service"),
            scope: parameter("scope"),
        }),
        _ => None,
    }
}

fn take_token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// A quoted string or a bare word, and what follows it.
fn take_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Some servers leave out the quotes around a URL: everything up to a comma or space.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn real_headers_are_understood() {
        let cgr = r#"Bearer realm="https://cgr.dev/token",service="cgr.dev",scope="repository:chainguard/static:pull""#;
        let wanted = bearer("https://cgr.dev/token", Some("cgr.dev"), Some("repository:chainguard/static:pull"));
        assert_eq!(parse([cgr]), [wanted]);
        let spaced = r#"bearer Realm = "https://a/t" , scope="repository:a:pull,push""#;
        assert_eq!(parse([spaced]), [bearer("https://a/t", None, Some("repository:a:pull,push"))]);
        assert_eq!(parse([r#"Basic realm="x", charset="UTF-8""#]), [Challenge::Basic]);
        assert_eq!(parse(["Bearer realm=https://a/t,service=a"]), [bearer("https://a/t", Some("a"), None)]);
    }

    #[test]
    fn several_challenges_in_one_or_more_headers() {
        let both = r#"Basic realm="a, Bearer realm=\"x\"", Negotiate, Bearer realm="https://a/t",service="s""#;
        assert_eq!(parse([both]), [Challenge::Basic, bearer("https://a/t", Some("s"), None)]);
        assert_eq!(parse(["Negotiate", "Basic"]), [Challenge::Basic]);
    }

    #[test]
    fn malformed_headers_give_nothing_to_act_on() {
        for bad in
            ["", "Bearer", r#"Bearer realm="https://a"#, r#"realm="x""#, r#"Bearer realm="a",realm="b""#, "é", ",,,"]
        {
            assert_eq!(parse([bad]), [], "{bad}");
        }
    }
}
