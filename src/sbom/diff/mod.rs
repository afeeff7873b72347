//! What tells two images apart. Pure: documents and contents in, differences out.

mod configuration;
mod difference;
mod side;
mod version;
mod vulnerabilities;

pub use configuration::SettingChange;
pub use difference::{Difference, Licenses, PackageChange, PackageEntry, Packages, ProvenanceChange, Sets, diff};
pub use side::{Executables, Side};
pub use version::{Direction, direction};
pub use vulnerabilities::{ReportError, Vulnerabilities, Vulnerability, VulnerabilityReport};
