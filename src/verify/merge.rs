//! The same signature in two formats is one piece of evidence.

use super::Assessed;

/// Merges verified candidates of one target that have the same signature: the
/// one whose log inclusion is proven stays, and names the other's place. One
/// that failed is never merged, so garbage cannot stand in for the genuine one.
pub(super) fn merge(candidates: Vec<Assessed>) -> Vec<Assessed> {
    let mut kept: Vec<Assessed> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let twin = kept.iter_mut().find(|other| {
            other.target == candidate.target
                && other.signature.is_some()
                && other.signature == candidate.signature
                && other.verified.is_some()
                && candidate.verified.is_some()
        });
        match twin {
            None => kept.push(candidate),
            Some(twin) => {
                // What was cut from a copy must not be missing from the one that stays.
                let rank = |c: &Assessed| {
                    let bundle = c.verified.as_ref();
                    let evidence = bundle.map_or(0, |b| b.times().len() + b.logs().len());
                    (c.accepted.is_some(), bundle.is_some_and(|b| b.is_proven()), evidence)
                };
                let other = if rank(&candidate) > rank(twin) { std::mem::replace(twin, candidate) } else { candidate };
                twin.also_at.push(other.origin);
                twin.also_at.extend(other.also_at);
                twin.also_at.retain(|place| *place != twin.origin);
                twin.also_at.sort();
                twin.also_at.dedup();
            }
        }
    }
    kept
}
