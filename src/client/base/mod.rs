//! What an image is built on: named, verified under its own policy, compared by layers.

mod cells;
mod named;
mod verify;

pub use verify::BaseRequest;
