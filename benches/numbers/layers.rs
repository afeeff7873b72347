//! Reading the layers of an image: how fast beside inflating and hashing alone,
//! and how time and memory grow with the bytes.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cg_attest::image::{ImageDocument, ImageName, Manifest, Repository};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Layout, Pull as _};
use cg_attest::scan;
use cg_attest::testing::{ImageBuilder, LayerBuilder};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::number::{Number, median, peak_of_this_process};
use crate::scene;

/// The first argument of a process that is measured, or that `benches/peers` asks.
pub(crate) const CHILD: &str = "layers-of";

const FILES: usize = 2000;
/// Bytes of one file in the smallest image, which so has 64 MB.
const BYTES: usize = 32_000;
const ROUNDS: usize = 5;

const MEMORY_MB: f64 = 64.0;
const BYTES_A_PATH: f64 = 200.0;

pub(crate) fn run() -> Vec<Number> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let image = |times: usize| {
        let path = folder.path().join(times.to_string());
        write(&path, times);
        measured(&path)
    };
    let [one, two, four] = [1, 2, 4].map(image);
    // A file that is read whole is small here; the database is the largest.
    let allowed = MEMORY_MB + FILES as f64 * BYTES_A_PATH / 1e6;
    vec![
        Number::at_least("layers, rate beside gunzip and two SHA-256, 256 MB", four.rate(), 0.6, "×"),
        Number::at_most("layers, time for 2 × the bytes", two.scan / one.scan, 2.2, "×"),
        Number::at_most("layers, time for 4 × the bytes", four.scan / one.scan, 4.4, "×"),
        Number::at_most("layers, memory for 256 MB", four.memory, allowed, "MB"),
        Number::at_most("layers, memory for 4 × the bytes", four.memory / one.memory, 1.2, "×"),
    ]
}

/// Writes a layout with one image of one layer: text, as compressible as programs are.
fn write(path: &Path, times: usize) {
    let mut words = Words(0x9e37_79b9_7f4a_7c15);
    let mut layer = LayerBuilder::new().file("lib/apk/db/installed", database());
    for number in 0..FILES {
        layer = layer.file(&format!("usr/share/words/{number:04}"), words.text(BYTES * times));
    }
    let platforms = cg_attest::image::Platform::new("linux", "amd64", None);
    let image = ImageBuilder::new().platforms(platforms).layers([layer.gzip()]).build();
    let (layout, context) = (Layout::create(path).expect("a layout"), Context::new(Limits::default()));
    let pushed = scene::runtime().block_on(image.upload.push(&layout, &context, &anywhere()));
    pushed.expect("a layout takes everything");
}

fn database() -> String {
    let package = |n| format!("P:package-{n}\nV:1.{n}-r0\nA:x86_64\nL:MIT\nF:usr/bin\nR:package-{n}\n\n");
    (0..100).map(package).collect()
}

/// Words without a pattern, the same ones in every run.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(&format!("{:x}", self.next() % 40_000));
            text.push(if self.next().is_multiple_of(12) { '\n' } else { ' ' });
        }
        text.truncate(length);
        text
    }
}

/// What a child says of a layout: milliseconds, and MB above a process that reads nothing.
struct Measured {
    floor: f64,
    scan: f64,
    memory: f64,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.floor / self.scan
    }
}

fn measured(layout: &Path) -> Measured {
    let [_, _, empty] = asked(&["nothing"]);
    let path = layout.to_str().expect("a path of letters");
    let [_, _, busy] = asked(&["memory", path]);
    let [floor, scan, _] = asked(&["time", path]);
    Measured { floor, scan, memory: (busy - empty) / 1000.0 }
}

/// The three numbers that a child prints.
fn asked(arguments: &[&str]) -> [f64; 3] {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program).arg(CHILD).args(arguments).output().expect("a process");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().expect("three numbers")
}

/// `nothing`, `memory LAYOUT` or `time LAYOUT`: prints the milliseconds of
/// inflating and hashing, those of reading for packages, and the peak in kB.
pub(crate) fn child(arguments: &[String]) -> ExitCode {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (floor, scan) = match arguments[..] {
        ["nothing"] => (0.0, 0.0),
        ["memory", layout] => (0.0, Opened::at(layout).scan().as_secs_f64() * 1000.0),
        ["time", layout] => Opened::at(layout).in_turns(),
        _ => {
            eprintln!("wanted: {CHILD} nothing | memory LAYOUT | time LAYOUT");
            return ExitCode::from(2);
        }
    };
    println!("{floor:.2} {scan:.2} {}", peak_of_this_process());
    ExitCode::SUCCESS
}

/// A layout with one image in it, of one platform or of which the first is read.
struct Opened {
    path: String,
    layout: Layout,
    manifest: Manifest,
    runtime: tokio::runtime::Runtime,
}

impl Opened {
    fn at(path: &str) -> Self {
        let (layout, runtime) = (Layout::open(path).expect("a layout"), scene::runtime());
        let mut digest = layout.images()[0].descriptor.digest.clone();
        let manifest = loop {
            let name = ImageName::Digest(digest);
            let context = Context::new(Limits::default());
            let fetched = runtime.block_on(layout.manifest(&context, &anywhere(), &name));
            let blob = fetched.expect("a layout").expect("what it lists").blob;
            match ImageDocument::parse(blob, None).expect("an image") {
                ImageDocument::Manifest(manifest) => break manifest,
                ImageDocument::Index(index) => digest = index.manifests()[0].digest.clone(),
                _ => panic!("neither an image nor an index"),
            }
        };
        Self { path: path.to_owned(), layout, manifest, runtime }
    }

    /// The medians of both, in turns, so that whatever else the machine does meets both.
    fn in_turns(&self) -> (f64, f64) {
        let (mut floor, mut scan) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            floor.push(self.inflate_and_hash());
            scan.push(self.scan());
        }
        (median(&mut floor), median(&mut scan))
    }

    fn scan(&self) -> Duration {
        let begin = Instant::now();
        let (context, repository) = (Context::new(Limits::default()), anywhere());
        let options = scan::Options::new();
        let scanning = scan::image(&self.layout, &context, &repository, &self.manifest, &options);
        let contents = self.runtime.block_on(scanning).expect("an image that can be read");
        assert!(!contents.packages.is_empty(), "nothing was found");
        begin.elapsed()
    }

    /// What no reader of layers can do without, on one core: both digests of every layer.
    fn inflate_and_hash(&self) -> Duration {
        let begin = Instant::now();
        for layer in self.manifest.layers() {
            let path = Path::new(&self.path).join("blobs/sha256").join(layer.digest.hex());
            let file = BufReader::with_capacity(256 << 10, File::open(path).expect("a layer"));
            let (mut compressed, mut inflated) = (Sha256::new(), Sha256::new());
            let mut decoder = MultiGzDecoder::new(Hashing { inner: file, hasher: &mut compressed });
            let mut buffer = vec![0; 128 << 10];
            loop {
                let count = decoder.read(&mut buffer).expect("gzip");
                if count == 0 {
                    break;
                }
                inflated.update(&buffer[..count]);
            }
            drop(decoder);
            assert_eq!(hex(compressed.finalize().as_slice()), layer.digest.hex());
            std::hint::black_box(inflated.finalize());
        }
        begin.elapsed()
    }
}

/// Hashes what is read through it.
struct Hashing<'a, R> {
    inner: R,
    hasher: &'a mut Sha256,
}

impl<R: std::io::Read> std::io::Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A layout is one repository, whatever it is called.
fn anywhere() -> Repository {
    "localhost/layout".parse().expect("a name")
}
