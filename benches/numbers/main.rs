//! The numbers that this project promises, each a count or a ratio taken in
//! one run, so that they hold on any machine. One line per number; the exit
//! status is 1 when a limit is missed.
//!
//! `cargo bench --features testing,layout,scan --bench numbers [-- NAME…]`, or `scripts/bench`.
//! Beside other programs: `benches/peers`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints numbers")]
#![expect(clippy::disallowed_methods, reason = "a program that measures time and starts itself again")]

mod bundle;
mod layers;
mod many;
mod memory;
mod number;
mod requests;
mod scene;

use std::process::ExitCode;

use number::Number;

/// A name to ask for, and what it measures.
type Bench = (&'static str, fn() -> Vec<Number>);

const BENCHES: &[Bench] = &[
    ("requests", requests::run),
    ("bundle", bundle::run),
    ("memory", memory::run),
    ("many", many::run),
    ("layers", layers::run),
];

fn main() -> ExitCode {
    // `cargo bench` adds `--bench` for harnesses that know it.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.split_first() {
        Some((first, rest)) if first == memory::CHILD => return memory::child(rest),
        Some((first, rest)) if first == layers::CHILD => return layers::child(rest),
        Some((first, rest)) if first == bundle::FILE => return bundle::file(rest),
        _ => {}
    }
    let known: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = arguments.iter().find(|argument| !known.contains(&argument.as_str())) {
        eprintln!("there is no {unknown:?} among {}", known.join(", "));
        return ExitCode::from(2);
    }
    let mut missed = 0;
    println!("{}", number::HEAD);
    for (name, run) in BENCHES {
        if !arguments.is_empty() && !arguments.iter().any(|argument| argument == name) {
            continue;
        }
        for number in run() {
            missed += usize::from(!number.holds());
            println!("{number}");
        }
    }
    if missed > 0 {
        eprintln!("{missed} missed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
