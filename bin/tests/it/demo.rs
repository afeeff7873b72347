//! The README's first command.

use crate::support::command::cg_attest;

#[test]
fn the_demonstration_accepts_one_image_and_refuses_what_was_done_to_it() {
    let ran = cg_attest(["demo"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    let (before, reports) = ran.stdout.split_once("\n1. ").expect("the first caption");
    assert!(before.contains("Required are a signature, an SBOM of each platform, and provenance."), "{before}");
    let mut parts = vec![reports];
    for caption in ["\n2. ", "\n3. ", "\n4. "] {
        let (before, after) = parts.pop().and_then(|rest| rest.split_once(caption)).expect("a caption");
        parts.extend([before, after]);
    }
    for (part, verdict, says) in [
        (parts[0], "ACCEPTED", "linux/arm64    via-index   ok     ok"),
        (parts[1], "REFUSED", "linux/arm64 × spdx: invalid (sig-invalid)"),
        (parts[2], "REFUSED", "linux/arm64 × spdx: elsewhere (subject-mismatch)"),
        (parts[3], "REFUSED", "linux/arm64 × slsa: wrong-signer (identity-mismatch)"),
    ] {
        let verdicts = part.matches("ACCEPTED").count() + part.matches("REFUSED").count();
        assert!(verdicts == 1 && part.contains(verdict) && part.contains(says), "{part}");
        assert_eq!(part.matches(" × ").count(), usize::from(verdict == "REFUSED"), "one cell, and no other: {part}");
    }
}
