//! The older form: layers of images at the tags `.sig` and `.att` (cosign,
//! `SIGNATURE_SPEC.md`), for registries and controllers that know no other.

mod apply;
mod image;
mod layer;
mod plan;

pub use layer::LegacyLayer;
pub(super) use layer::tag_of;
pub(super) use plan::FoundLayers;
pub use plan::LayerStep;
