//! A bound on the names of dependencies in one file.

use super::Unreadable;

/// Names in one database; real ones have some ten thousand.
const MOST: usize = 1_000_000;

/// How many names a database may still have.
pub(super) struct NamesLeft(usize);

impl Default for NamesLeft {
    fn default() -> Self {
        Self(MOST)
    }
}

impl NamesLeft {
    /// Takes `count` names.
    pub(super) fn take(&mut self, count: usize) -> Result<(), Unreadable> {
        let left = self.0.checked_sub(count);
        self.0 = left.ok_or_else(|| Unreadable::new(format!("more than {MOST} dependencies")))?;
        Ok(())
    }
}
