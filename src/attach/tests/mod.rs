//! Attaching, against a registry over HTTP, memory and layouts.

mod broken;
mod conflicts;
mod legacy;
mod registries;
mod scene;
mod writers;
