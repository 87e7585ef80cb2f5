//! What a mount of this dialect is set to: the body of its row. `latchstring dialect supabase init` writes it.

use serde::{Deserialize, Serialize};

/// The settings of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where people are led when a request names no place, or none that may be.
    pub site_url: String,
    /// Other places where people may be led: addresses with `*` (within a segment) and `**` (over segments).
    pub redirects: Vec<String>,
    /// Seconds that access tokens live: 60 to 3600.
    pub jwt_seconds: i64,
    /// Whether sign-up and sign-in by e-mail are offered.
    pub email: bool,
    /// Whether a new address has to be confirmed from the mailbox before, too.
    pub double_confirm: bool,
    /// Whether a password may be changed only with a mailed nonce when the sign-in is not fresh. Where it may not, the
    /// current password does too.
    pub secure_password_change: bool,
    /// Whether back ends that sign tokens with an imported key are let in as admins.
    pub admit_signed_admins: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site_url: String::new(),
            redirects: Vec::new(),
            jwt_seconds: 3_600,
            email: true,
            double_confirm: true,
            secure_password_change: false,
            admit_signed_admins: false,
        }
    }
}
