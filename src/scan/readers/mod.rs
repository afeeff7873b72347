//! Package readers, one file each: what a database or a file of an image says
//! about the packages in it.
//!
//! # How to add one
//!
//! 1. Write a file here with a unit struct and `impl Reader for` it.
//!    [`Reader::wants`] is asked once about every regular file of every layer,
//!    with its path, mode, size and first bytes: keep it cheap, and decide by
//!    path (`file.path`), by magic number (`file.head`) or by mode, whatever tells
//!    the files of the ecosystem. An ELF reader wants `file.is_elf()`.
//! 2. [`Reader::read`] gets the whole file and pushes [`Fact`]s: a [`Package`](crate::scan::Package)
//!    becomes one by `facts.push(package)?`. It is pure: bytes in, facts out. It runs while the layer
//!    is streamed and before anybody knows whether the file is visible in the
//!    image; what turns out to be hidden is dropped afterwards. `found_in` and
//!    `layer` of a package are filled in by the caller.
//! 3. What is malformed is an [`Unreadable`]: the document then says that it is
//!    incomplete and the command fails. Push what could be read before that. A
//!    file that merely looks like one of yours is no error: push nothing.
//! 4. Every loop and every nested container has a bound: content is hostile.
//!    The content is at most `Limits::whole_file` bytes, and a larger file is
//!    reported as incomplete without asking the reader.
//! 5. Add it to [`all`]. If readers disagree about a file (a jar and its
//!    `pom.properties`), they are one reader.
//! 6. Where facts of several files belong together (a dpkg status file and its
//!    lists), give them a variant of [`Fact`] and join them in `beside.rs`.

mod apk;
mod apko;
mod bytes;
mod dotnet;
mod dpkg;
mod executable;
mod java;
mod melange;
mod names;
mod npm;
mod os_release;
mod php;
mod python;
mod reader;
mod rpm;
mod ruby;
#[cfg(test)]
mod testing;

pub(super) use dpkg::kept as kept_by_dpkg;
pub(crate) use reader::{Fact, Facts, File, HEAD, Reader, Unreadable, all};
