//! The `cg-attest` command.

fn main() {}
