//! A document is read in one way, whatever the media type it is served with,
//! and keeps the bytes that it was read from.

#![no_main]

use cg_attest::digest::VerifiedBlob;
use cg_attest::image::{ImageDocument, media};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let blob = VerifiedBlob::of(bytes.to_vec());
    let declared = [None, Some(media::INDEX), Some(media::MANIFEST), Some(media::DOCKER_INDEX), Some("text/html")];
    let mut kinds = Vec::new();
    for media_type in declared {
        let Ok(document) = ImageDocument::parse(blob.clone(), media_type) else { continue };
        assert_eq!(document.blob().bytes(), bytes);
        kinds.push(matches!(document, ImageDocument::Index(_)));
        if let ImageDocument::Index(index) = &document
            && let Ok(platforms) = index.platforms()
        {
            assert!(platforms.len() <= index.manifests().len());
            assert!(platforms.iter().all(|(platform, _)| !platform.is_unknown()));
        }
        let listed = document.referrer_descriptor();
        assert_eq!((&listed.digest, listed.size), (blob.digest(), blob.size()));
    }
    assert!(kinds.windows(2).all(|pair| pair[0] == pair[1]), "an index and a manifest at once (scenario H-05)");
});
