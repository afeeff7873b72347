//! What is in an image: its layers as a stream, and the packages in them.

mod archive;
mod assemble;
mod beside;
mod contents;
mod docker_archive;
mod entries;
mod error;
mod feed;
mod file;
mod file_list;
mod folder;
mod history;
mod image;
mod inflate;
mod layer;
mod options;
mod package;
mod path;
mod progress;
mod readers;
mod select;
mod sums;
mod tree;

pub use contents::{Contents, Coverage, FileFacts, Hidden, LayerFacts, Problem};
pub use docker_archive::DockerArchive;
pub use error::{LayerError, ScanError};
pub use file::file;
pub use file_list::FileList;
pub use folder::folder;
pub use image::image;
pub use options::Options;
pub use package::{Claim, Ecosystem, OperatingSystem, Package, SourcePackage};
pub use progress::Progress;
