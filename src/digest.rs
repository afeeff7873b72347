//! Content digests, and the proof that bytes match one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256, Sha512};

use crate::code::Code;

/// A digest algorithm that this crate computes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256, what almost every image uses.
    Sha256,
    /// SHA-512, registered by the OCI image specification.
    Sha512,
}

impl Algorithm {
    /// The name as it stands before the colon of a digest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A content digest, `sha256:<64 lower-case hex digits>` or `sha512:<128>`.
///
/// The text is checked on construction, so a digest can be put into a URL or a
/// path as it is (scenario H-15 of the threat list).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a digest: wanted sha256:<64 lower-case hex digits> or sha512:<128>")]
pub struct DigestError {
    text: String,
}

impl DigestError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::ReferenceInvalid
    }
}

impl Digest {
    /// The SHA-256 digest of `bytes`.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::compute(Algorithm::Sha256, bytes)
    }

    /// The digest of `bytes` under `algorithm`.
    #[must_use]
    pub fn compute(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The lower-case hex digits after the colon.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The digest itself.
    #[cfg(feature = "sign")]
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        unhex(&self.hex).expect("the text was checked when the digest was made")
    }

    /// The tag under which this digest's evidence is stored: `sha256-<hex>` for
    /// the OCI referrers fallback, with `.sig` or `.att` for the legacy layout.
    #[must_use]
    pub fn tag(&self, suffix: &str) -> String {
        format!("{}-{}{suffix}", self.algorithm.as_str(), self.hex)
    }

    /// The first twelve hex digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError { text: text.chars().take(160).collect() };
        let (name, hex) = text.split_once(':').ok_or_else(wrong)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(wrong()),
        };
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if hex.len() != algorithm.hex_len() || !hex.bytes().all(lower_hex) {
            return Err(wrong());
        }
        Ok(Self { algorithm, hex: hex.to_owned() })
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Hashes bytes as they arrive.
#[derive(Debug, Clone)]
pub struct Hasher {
    state: HasherState,
    size: u64,
}

#[derive(Debug, Clone)]
enum HasherState {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hasher that has seen nothing yet.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha256 => HasherState::Sha256(Sha256::new()),
            Algorithm::Sha512 => HasherState::Sha512(Sha512::new()),
        };
        Self { state, size: 0 }
    }

    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len() as u64);
        match &mut self.state {
            HasherState::Sha256(hasher) => hasher.update(bytes),
            HasherState::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// How many bytes were added.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of everything added.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.state {
            HasherState::Sha256(hasher) => Digest { algorithm: Algorithm::Sha256, hex: hex(&hasher.finalize()) },
            HasherState::Sha512(hasher) => Digest { algorithm: Algorithm::Sha512, hex: hex(&hasher.finalize()) },
        }
    }
}

/// Lower-case hex digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    digits.map(|nibble| char::from(DIGITS[usize::from(nibble)])).collect()
}

/// The bytes of an even number of hex digits, of either case; `None` for anything else.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// Bytes whose size and digest were checked against what was asked for.
///
/// Only [`VerifiedBlob::check`] and [`VerifiedBlob::of`] make one: whoever
/// holds it knows that these are the bytes the digest names.
///
/// ```compile_fail
/// use cg_attest::digest::{Digest, VerifiedBlob};
/// let digest = Digest::sha256(b"one");
/// let forged = VerifiedBlob { digest, bytes: b"another".to_vec().into() };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedBlob {
    digest: Digest,
    bytes: Arc<[u8]>,
}

/// The bytes are not the ones that the digest names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The size differs from the descriptor's.
    #[error("wanted {wanted} bytes for {digest}, found {found}")]
    Size {
        /// The digest asked for.
        digest: Digest,
        /// The size in the descriptor, in bytes.
        wanted: u64,
        /// The size received, in bytes.
        found: u64,
    },
    /// The digest of the bytes differs.
    #[error("wanted {wanted}, the bytes received have {found}")]
    Digest {
        /// The digest asked for.
        wanted: Digest,
        /// The digest of the bytes received.
        found: Digest,
    },
}

impl BlobError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::DigestMismatch
    }
}

impl VerifiedBlob {
    /// Checks `bytes` against a digest and, where the descriptor gives one, a size.
    ///
    /// # Errors
    /// When the size or the digest differs.
    pub fn check(bytes: Vec<u8>, wanted: &Digest, size: Option<u64>) -> Result<Self, BlobError> {
        let found_size = bytes.len() as u64;
        if let Some(size) = size
            && size != found_size
        {
            return Err(BlobError::Size { digest: wanted.clone(), wanted: size, found: found_size });
        }
        let found = Digest::compute(wanted.algorithm(), &bytes);
        if found != *wanted {
            return Err(BlobError::Digest { wanted: wanted.clone(), found });
        }
        Ok(Self { digest: found, bytes: bytes.into() })
    }

    /// Takes `bytes` under their own SHA-256 digest: for what is named by its
    /// content and nothing else, such as a local file or a tag's manifest.
    #[must_use]
    pub fn of(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::sha256(&bytes), bytes: bytes.into() }
    }

    /// The digest that the bytes were checked against.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl fmt::Debug for VerifiedBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedBlob({}, {} bytes)", self.digest, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_whole_or_not_at_all() {
        assert_eq!(unhex("00fFa0"), Some(vec![0, 255, 160]));
        assert_eq!(unhex(&hex(&[0, 255, 160])), Some(vec![0, 255, 160]));
        assert_eq!(unhex(""), Some(Vec::new()));
        for bad in ["0", "0g", "+1", "é"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_digest_is_parsed_strictly() {
        let hex = "a".repeat(64);
        let good: Digest = format!("sha256:{hex}").parse().expect("a good digest");
        assert_eq!(good.to_string(), format!("sha256:{hex}"));
        assert_eq!(good.tag(".sig"), format!("sha256-{hex}.sig"));
        let upper = "A".repeat(64);
        let long = "a".repeat(65);
        for bad in ["", "sha256", "sha256:", "sha256:../../x", "md5:00"] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        for bad in [format!("sha256:{upper}"), format!("sha256:{long}"), format!("sha512:{hex}")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_blob_is_checked_for_size_and_digest() {
        let digest = Digest::sha256(b"hello");
        assert!(VerifiedBlob::check(b"hello".to_vec(), &digest, Some(5)).is_ok());
        assert!(VerifiedBlob::check(b"hello".to_vec(), &digest, None).is_ok());
        let size = VerifiedBlob::check(b"hello".to_vec(), &digest, Some(6));
        assert!(matches!(size, Err(BlobError::Size { wanted: 6, found: 5, .. })));
        let other = VerifiedBlob::check(b"jello".to_vec(), &digest, Some(5));
        assert!(matches!(other, Err(BlobError::Digest { .. })));
        let sha512 = Digest::compute(Algorithm::Sha512, b"hello");
        assert!(VerifiedBlob::check(b"hello".to_vec(), &sha512, Some(5)).is_ok());
    }
}
