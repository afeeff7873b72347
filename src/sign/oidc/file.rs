//! A token in a file.
#![expect(clippy::disallowed_methods, reason = "token files are read here and nowhere else, with a bound")]

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::TokenError;

/// Bytes of a token file.
const MAX_BYTES: u64 = 64 << 10;

/// What is in the file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, TokenError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(TokenError::Malformed("its file cannot be opened")),
    };
    let mut text = Zeroizing::new(String::new());
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    match read {
        Ok(bytes) if bytes as u64 <= MAX_BYTES => Ok(Some(text)),
        Ok(_) => Err(TokenError::Malformed("its file is too long")),
        Err(_) => Err(TokenError::Malformed("its file cannot be read as text")),
    }
}
