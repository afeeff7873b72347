//! The bytes of a layer: inflated, counted and hashed as they pass.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::LayerError;
use super::archive::Source;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::registry::Context;

/// Bytes inflated and hashed in one go: they stay in the processor's cache.
const BUFFER: usize = 128 << 10;

/// Bytes that a layer may have before its ratio counts: small ones of zeros are honest.
const SMALL: u64 = 16 << 20;

/// The largest window of a zstd frame, as a power of two: 32 MiB. The specification
/// asks for 8 MiB; image builders use no more (RFC 8878, section 3.1.1.1.2).
const ZSTD_WINDOW: u32 = 25;

/// How a layer is compressed. Its first bytes decide, as in container runtimes;
/// the diff_id in the configuration says whether that was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    Plain,
    Gzip,
    Zstd,
}

/// A bound that all layers of an image share.
#[derive(Debug, Clone, Default)]
pub(super) struct Total(Arc<AtomicU64>);

impl Total {
    /// Adds `count`, unless that is more than `limit`.
    pub(super) fn add(&self, count: u64, limit: u64) -> bool {
        self.0.fetch_add(count, Ordering::Relaxed).saturating_add(count) <= limit
    }
}

/// The uncompressed bytes of a layer.
pub(super) struct Inflated<R: BufRead> {
    decoder: Decoder<R>,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    hasher: Hasher,
    context: Context,
    total: Total,
}

enum Decoder<R: BufRead> {
    Plain(Counted<R>),
    /// Every member: a reader of the first alone would see another layer (scenario L-12).
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
    Zstd(Box<zstd::Decoder<'static, Counted<R>>>),
}

impl<R: BufRead> Inflated<R> {
    /// `diff_id` is the digest that the inflated bytes should have; `total` counts them over all layers.
    pub(super) fn new(mut compressed: R, algorithm: Algorithm, context: &Context, total: &Total) -> io::Result<Self> {
        let compression = Compression::of(compressed.fill_buf()?);
        let counted = Counted { inner: compressed, count: 0 };
        let decoder = match compression {
            Compression::Plain => Decoder::Plain(counted),
            Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(counted))),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(counted)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Decoder::Zstd(Box::new(decoder))
            }
        };
        Ok(Self {
            decoder,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            hasher: Hasher::new(algorithm),
            context: context.clone(),
            total: total.clone(),
        })
    }

    /// Reads what is left, and gives the digest of everything. Only here is it
    /// certain that the layer was the blob that its digest names.
    pub(super) fn finish(mut self) -> io::Result<Digest> {
        while !self.fill()?.is_empty() {
            self.start = self.end;
        }
        Ok(self.hasher.finish())
    }

    fn check(&self, count: usize) -> Result<(), LayerError> {
        let limits = self.context.limits();
        if !self.total.add(count as u64, limits.layer_bytes) {
            return Err(LayerError::Limit { what: "bytes in all layers", limit: limits.layer_bytes });
        }
        let (inflated, compressed) = (self.hasher.size() + count as u64, self.decoder.consumed());
        if inflated > SMALL && inflated > compressed.saturating_mul(limits.layer_ratio) {
            return Err(LayerError::Limit { what: "times its compressed size", limit: limits.layer_ratio });
        }
        if self.context.remaining().is_none() {
            return Err(LayerError::Time);
        }
        Ok(())
    }
}

impl<R: BufRead> Source for Inflated<R> {
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            let count = self.decoder.read(&mut self.buffer)?;
            self.check(count).map_err(io::Error::other)?;
            self.hasher.update(&self.buffer[..count]);
            (self.start, self.end) = (0, count);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Compression {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame, or one that may be skipped before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

impl<R: BufRead> Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
        }
    }

    /// Compressed bytes used so far.
    fn consumed(&self) -> u64 {
        match self {
            Self::Plain(inner) => inner.count,
            Self::Gzip(decoder) => decoder.get_ref().count,
            Self::Zstd(decoder) => decoder.get_ref().count,
        }
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count += count as u64;
        self.inner.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::limits::Limits;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
    }

    fn inflate(compressed: &[u8], limits: Limits) -> io::Result<Digest> {
        Inflated::new(compressed, Algorithm::Sha256, &Context::new(limits), &Total::default())?.finish()
    }

    #[test]
    fn every_member_and_frame_is_read() {
        let wanted = Digest::sha256(b"one and two");
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 3).expect("memory");
        for layer in [
            b"one and two".to_vec(),
            gzip(b"one and two"),
            [gzip(b"one "), gzip(b""), gzip(b"and two")].concat(),
            frame(b"one and two"),
            [frame(b"one "), vec![0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7], frame(b"and two")].concat(),
        ] {
            assert_eq!(inflate(&layer, Limits::default()).expect("a layer"), wanted);
        }
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_an_error() {
        for whole in [gzip(b"hello"), zstd::encode_all(&b"hello"[..], 3).expect("memory")] {
            assert!(inflate(&whole, Limits::default()).is_ok());
            assert!(inflate(&whole[..whole.len() - 1], Limits::default()).is_err());
            assert!(inflate(&[&whole[..], b"junk"].concat(), Limits::default()).is_err());
        }
    }

    #[test]
    fn bombs_end_at_a_limit() {
        let limit = |layer: &[u8], limits: Limits| {
            let error = inflate(layer, limits).err()?;
            match error.get_ref().and_then(|inner| inner.downcast_ref::<LayerError>()) {
                Some(LayerError::Limit { what, .. }) => Some(*what),
                other => panic!("{other:?} {error}"),
            }
        };
        let zeros = gzip(&[0; 1 << 20]).repeat(17);
        assert_eq!(limit(&zeros, Limits { layer_ratio: 1100, ..Limits::default() }), None);
        assert_eq!(limit(&zeros, Limits::default()), Some("times its compressed size"));
        let zstd = zstd::encode_all(&vec![0; 17 << 20][..], 3).expect("memory");
        assert_eq!(limit(&zstd, Limits::default()), Some("times its compressed size"));
        let few = |layer_bytes| Limits { layer_bytes, ..Limits::default() };
        assert_eq!(limit(&gzip(b"hello"), few(5)), None);
        assert_eq!(limit(&gzip(b"hello"), few(4)), Some("bytes in all layers"));
        assert_eq!(limit(b"hello", few(4)), Some("bytes in all layers"));
    }
}
