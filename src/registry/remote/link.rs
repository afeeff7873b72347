//! `Link`: where the next page is (RFC 8288).

/// The target of the first link whose relation is `next`, from every header value.
pub(super) fn next<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    values.into_iter().find_map(next_in)
}

fn next_in(value: &str) -> Option<&str> {
    let mut rest = value.trim_start();
    loop {
        let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (is_next, after) = parameters(after);
        if is_next {
            return Some(target);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// Whether the parameters at the beginning of `text` say `rel=next`, and what follows them.
fn parameters(text: &str) -> (bool, &str) {
    let mut is_next = false;
    let mut rest = text.trim_start();
    while let Some(parameter) = rest.strip_prefix(';') {
        let end = end_of_parameter(parameter);
        let (name, value) = parameter[..end].split_once('=').unwrap_or((&parameter[..end], ""));
        let relations = value.trim().trim_matches('"');
        is_next |= name.trim().eq_ignore_ascii_case("rel")
            && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
        rest = parameter[end..].trim_start();
    }
    (is_next, rest)
}

/// Where a parameter ends: at a semicolon or comma outside quotes.
fn end_of_parameter(text: &str) -> usize {
    let mut quoted = false;
    let end = text.bytes().position(|b| {
        quoted ^= b == b'"';
        !quoted && matches!(b, b';' | b',')
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_links() {
        assert_eq!(next([r#"</v2/a/referrers/x?n=1>; rel="next""#]), Some("/v2/a/referrers/x?n=1"));
        assert_eq!(next(["</a>;rel=next"]), Some("/a"));
        assert_eq!(
            next([r#"</a>; title="x, <b>; y"; rel="prev first", </c?a=1,2>; rel="last NEXT""#]),
            Some("/c?a=1,2")
        );
        assert_eq!(next([r#"</a>; rel="prev""#, r#"</b>; rel="next""#]), Some("/b"));
    }

    #[test]
    fn other_links_are_no_next_page() {
        for text in
            ["", "</a>", r#"</a>; rel="prev""#, "/a; rel=next", r#"</a>; title="rel=next""#, r#"</a; rel="next""#]
        {
            assert_eq!(next([text]), None, "{text}");
        }
    }
}
