//! What this dialect remembers of a user beside what `core` knows: an annotation of kind [`KIND`]. Everything else in
//! the vendor's user object is a view of the account.

use latchstring_core::{admin::export::Outgoing, id::UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    /// The phone number of an imported user, without the `+`: there is no sign-in by phone yet, and it must not be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// When that was confirmed, in Unix microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_confirmed_at: Option<i64>,
    /// Whether there is an identity of provider `email`, where that is not as [`email_identity`] would have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_identity: Option<bool>,
    /// A back end has made the user: the metadata is what it said, without what the vendor's own sign-up adds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_back_end: bool,
    /// When the user was deleted and the id kept, in Unix microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<i64>,
}

impl Note {
    /// The note that an annotation holds; an empty one where there is none, or it can't be read.
    pub fn parse(body: Option<&str>) -> Self {
        body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default()
    }

    /// Whether a user has an identity of provider `email`.
    pub fn has_email_identity(&self, has_email: bool, has_password: bool, others: bool) -> bool {
        has_email && self.email_identity.unwrap_or_else(|| email_identity(has_password, others))
    }

    /// [`Note::has_email_identity`] of somebody who leaves.
    pub(crate) fn has_email_identity_of(&self, user: &Outgoing) -> bool {
        let (password, others) = (user.secret.is_some(), !user.identities.is_empty());
        self.has_email_identity(user.full.email().is_some(), password, others)
    }
}

/// The id of the identity of provider `email` or `phone`, which is a view of the user and has no row: the same for a user
/// each time, and nobody else's.
pub fn derived_id(user: UserId, provider: &str) -> Uuid {
    let mut id = *user.0.as_bytes();
    // The name fills the first bytes, so that the version and variant stay what they are.
    for (byte, letter) in id.iter_mut().zip(provider.bytes().take(6)) {
        *byte ^= letter;
    }
    Uuid::from_bytes(id)
}

/// Whether somebody with an address has an identity of provider `email`, as the vendor has it: whoever signed up by their
/// address has one, and whoever only ever came by another provider has none.
pub fn email_identity(has_password: bool, others: bool) -> bool {
    has_password || !others
}
