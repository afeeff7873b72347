//! Where referrers are listed on a registry without the referrers API.

use crate::digest::Digest;
use crate::image::ImageName;

/// The fallback tag (distribution specification 1.1, referrers tag schema): at
/// most 64 digits, which a longer digest has to be cut to.
pub(crate) fn fallback_tag(digest: &Digest) -> ImageName {
    ImageName::Tag(format!("{}-{:.64}", digest.algorithm().as_str(), digest.hex()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_tag_is_no_longer_than_a_tag() {
        let short = Digest::sha256(b"");
        assert_eq!(fallback_tag(&short), ImageName::Tag(short.tag("")));
        let long = Digest::compute(crate::digest::Algorithm::Sha512, b"");
        assert_eq!(fallback_tag(&long), ImageName::Tag(format!("sha512-{}", &long.hex()[..64])));
    }
}
