//! Small pieces of text that several commands print.

/// A number of bytes, the way people say it: `468 B`, `12.3 kB`, `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    let mut value = bytes;
    for unit in ["kB", "MB", "GB"] {
        // One digit after the point, in whole numbers: a float would not be exact.
        let tenths = value.saturating_add(50) / 100;
        if bytes < 1000 {
            return format!("{bytes} B");
        }
        if tenths < 10_000 || unit == "GB" {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        value /= 1000;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short_and_rounded() {
        let cases = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12.3 kB"), (999_949, "999.9 kB")];
        for (bytes, text) in cases.into_iter().chain([(1_000_000, "1.0 MB"), (2_500_000_000_000, "2500.0 GB")]) {
            assert_eq!(size(bytes), text);
        }
    }
}
