//! rpm: the databases of Fedora, RHEL and their kin (SQLite) and of SUSE (ndb).

mod database;
mod header;
mod ndb;
mod sqlite;
#[cfg(test)]
mod tests;

pub(super) use database::Database;
