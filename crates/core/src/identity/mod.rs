//! Identities: who a user is at an upstream.

pub mod store;

use crate::{
    clock::Micros,
    id::{IdentityId, UserId},
};

/// Most bytes of what an upstream says of somebody.
pub const CLAIMS_BYTES: usize = 16 * 1024;
/// Most bytes of a subject. OpenID Connect Core 1.0, 2: "It MUST NOT exceed 255 ASCII characters in length"; others are
/// not bound by that.
pub const SUBJECT_BYTES: usize = 500;

/// An identity.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// Whose.
    pub user: UserId,
    /// The name of the connection.
    pub connection: String,
    /// Who they are there.
    pub subject: String,
    /// What was said of them there: a JSON object.
    pub claims: String,
    /// When it was linked.
    pub created_at: Micros,
    /// When they last came by it.
    pub used_at: Option<Micros>,
}
