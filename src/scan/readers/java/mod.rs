//! Java: archives, the archives in them, and what their manifests and Maven files say.

mod archive;
mod file_name;
mod identity;
mod manifest;
mod pom;
#[cfg(test)]
mod tests;
mod zip;

pub(super) use archive::Archive;
