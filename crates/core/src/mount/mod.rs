//! Mounts: where a face of a realm can be reached, and what differs between faces. This release has the native one.

/// How much a face reveals about which accounts exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enumeration {
    /// Text, status, headers, mails and timing class do not depend on whether an account exists.
    Strict,
    /// Reveals what a vendor's SDK needs, under the same limits.
    Vendor,
}
