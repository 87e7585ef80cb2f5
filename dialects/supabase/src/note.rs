//! What this dialect remembers of a user beside what `core` knows: an annotation of kind [`KIND`]. Everything else in
//! the vendor's user object is a view of the account.

use serde::{Deserialize, Serialize};

/// The annotation's kind.
pub const KIND: &str = "supabase";

/// The annotation. Members that are unset are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Note {
    /// The PostgreSQL role in tokens, where it is not `authenticated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When the user was invited, in Unix microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_at: Option<i64>,
}
