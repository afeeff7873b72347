//! Attaching evidence to an image, so that everybody finds it and a second run
//! changes nothing.
//!
//! 1. [`Subjects::resolve`]: one request for what a reference names; from here
//!    on there are only digests.
//! 2. [`Attacher::plan`]: what is attached is read and verified, and for every
//!    bundle it is decided whether it is written, left out or replaces another.
//!    Whoever signs looks before that ([`Attacher::survey`]), so that nothing is
//!    signed twice, and plans with what was seen ([`Attacher::plan_after`]).
//! 3. [`Attacher::apply`]: blobs, then manifests, then what lists them; so a
//!    run that breaks off leaves nothing that is listed and not there. Then
//!    everything is read back and verified (promise 9), and only then is
//!    something that was replaced deleted.
//!
//! Whoever signs and attaches in one go has [`Attacher::missing`], [`Signed::of`] and
//! [`Attacher::plan_signed`] around these, so that a second run signs only what is missing.
//! Whoever only wants to know what that would be has [`Attacher::preview`], for which nobody signs.
//!
//! Only what our own verifier accepted can be attached: a
//! [`SignedBundle`](crate::sign::SignedBundle).

mod apply;
mod attacher;
mod error;
mod existing;
mod fallback;
mod legacy;
mod plan;
mod preview;
mod produce;
mod raw;
mod referrer;
mod subjects;
mod survey;
mod tag;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod timing;

pub use apply::{Attached, Replaced, Superseded};
pub use attacher::{Attacher, AttacherBuilder, Conflict, ConflictError};
pub use error::AttachError;
pub use existing::Existing;
pub use legacy::{LayerStep, LegacyLayer};
pub use plan::{Action, Plan, PlannedTarget, Step};
pub use preview::{Outlook, Preview, PreviewedDraft, PreviewedForm, Seen};
pub use produce::{Drafted, Form, FormError, ProduceError, Signed, There};
pub use subjects::{Subject, Subjects};
pub use survey::{Survey, Wanted};
pub use timing::Timing;
