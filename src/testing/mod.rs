//! What tests need instead of the network. It mints evidence and serves it; it
//! has no constructor of a verified value and no bypass.

mod registry;

pub use registry::{Answer, Auth, Fault, RecordedRequest, ReferrersApi, Registry, TokenService};
