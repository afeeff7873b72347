//! What was verified about an image, held against what is in it: the paved path
//! of those who read layers, as [`client`](crate::client) is of those who do not.

mod check;
mod layers;
mod reader;

pub use check::{CheckReport, CheckedImage, Silent, Witness, check};
pub use layers::read_layers;
pub use reader::Reader;
