//! One measured value and its limit, on one line.

use std::fmt;
use std::time::Duration;

/// What stands over the lines.
pub(crate) const HEAD: &str = "number                                                      measured       limit  ratio";

/// A measured value and what it may be.
pub(crate) struct Number {
    name: String,
    measured: f64,
    limit: Limit,
    unit: &'static str,
}

enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Number {
    pub(crate) fn at_most(name: impl Into<String>, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { name: name.into(), measured, limit: Limit::AtMost(limit), unit }
    }

    pub(crate) fn at_least(name: impl Into<String>, measured: f64, limit: f64, unit: &'static str) -> Self {
        Self { name: name.into(), measured, limit: Limit::AtLeast(limit), unit }
    }

    /// Whether the limit is kept. What is not a number keeps none.
    pub(crate) fn holds(&self) -> bool {
        match self.limit {
            Limit::AtMost(limit) => self.measured <= limit,
            Limit::AtLeast(limit) => self.measured >= limit,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, measured, limit, unit } = self;
        let (sign, limit) = match limit {
            Limit::AtMost(limit) => ('≤', limit),
            Limit::AtLeast(limit) => ('≥', limit),
        };
        let value = |value: f64| if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.2}") };
        let (measured_text, limit_text) = (value(*measured), format!("{sign} {}", value(*limit)));
        let verdict = if self.holds() { "ok" } else { "MISSED" };
        write!(f, "{name:<56} {measured_text:>8} {unit:<2} {limit_text:>8}  {:>5.2}  {verdict}", measured / limit)
    }
}

/// The middle one of some times, in milliseconds.
pub(crate) fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    milliseconds(times[times.len() / 2])
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The peak of resident memory of this process, in kB.
pub(crate) fn peak_of_this_process() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    // What the kernel calls kB is 1024 bytes.
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1.024
}
