//! What the files of a layout are called (OCI image-spec, `image-layout.md`).

use crate::digest::Digest;

/// The file that says that a folder is a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The file that lists what is in a layout.
pub(super) const INDEX: &str = "index.json";

/// The name of a blob inside a layout.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex())
}
