//! Points in time as values. Nothing here reads a clock.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::code::Code;

/// A point in time, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

/// A text that is not an RFC 3339 time, or a number outside the years 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: wanted RFC 3339, for example 2026-07-16T08:07:48Z")]
pub struct TimeError {
    text: String,
}

impl TimeError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::Usage
    }
}

impl Timestamp {
    /// The time `seconds` after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When the year would be outside 1 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        let wrong = |_| TimeError { text: seconds.to_string() };
        jiff::Timestamp::from_second(seconds).map(Self).map_err(wrong)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.as_second()
    }

    /// How long `earlier` was before this time; zero if it was not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or(Duration::ZERO)
    }

    pub(crate) fn from_jiff(time: jiff::Timestamp) -> Self {
        Self(time)
    }

    pub(crate) fn to_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

impl TryFrom<std::time::SystemTime> for Timestamp {
    type Error = TimeError;

    /// The time that the caller read from the system's clock; nothing here reads it.
    fn try_from(time: std::time::SystemTime) -> Result<Self, TimeError> {
        let wrong = |_| TimeError { text: format!("{time:?}") };
        jiff::Timestamp::try_from(time).map(Self).map_err(wrong)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many fractional digits as the time has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = |_| TimeError { text: text.chars().take(80).collect() };
        text.parse().map(Self).map_err(wrong)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Writes a duration the way people say it: `45 s`, `12 min`, `3 h`, `5 d`.
#[must_use]
pub fn human(duration: Duration) -> String {
    match duration.as_secs() {
        s @ 0..=119 => format!("{s} s"),
        s @ 120..=7199 => format!("{} min", s / 60),
        s @ 7200..=172_799 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// Reads a duration: whole numbers, each followed by `s`, `m`, `h`, `d` or `w`, for example `36h` or `1h30m`.
///
/// # Errors
/// When the text has another form, or the duration is zero or over a century.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let wrong = || DurationError { text: text.chars().take(40).collect() };
    let (mut total, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = rest.split_at(end);
        let mut unit = unit.chars();
        let seconds: u64 = match unit.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 604_800,
            _ => return Err(wrong()),
        };
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        total = count.checked_mul(seconds).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = unit.as_str();
    }
    if (1..=3_155_760_000).contains(&total) { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
}

/// A text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a duration: wanted whole numbers of s, m, h, d or w, and not zero, for example 90s, 1h30m or 30d"
)]
pub struct DurationError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        let time: Timestamp = "2026-07-16T08:07:48Z".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-07-16T08:07:48Z");
        assert_eq!(Timestamp::from_unix(time.unix()).expect("in range"), time);
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!(Timestamp::from_unix(i64::MAX).is_err());
    }

    #[test]
    fn durations_have_a_unit_and_are_not_zero() {
        assert_eq!(parse_duration("36h"), Ok(Duration::from_secs(129_600)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("3m0s"), Ok(Duration::from_secs(180)));
        for bad in ["", "h", "0h", "0m0s", "-3h", "+3h", "3", "3y", "1.5h", "1h30", "1h m", "500ms", "é"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        for long in ["99999999999999999999s", "18446744073709551615s1s", "5000w5000w"] {
            assert!(parse_duration(long).is_err(), "{long}");
        }
        assert_eq!(human(Duration::from_secs(10_800)), "3 h");
        assert_eq!(human(Duration::from_secs(119)), "119 s");
    }
}
