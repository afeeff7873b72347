//! Executables: the build information of Go, the dependency list of `cargo auditable`.

mod file;
mod go;
mod go_info;
mod go_version;
mod rust;
mod section;

pub(super) use file::Executable;
