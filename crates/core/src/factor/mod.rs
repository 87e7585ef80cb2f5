//! Second factors. This release has the mailed code as the only kind, and no face that enrols one: the model is tried
//! by tests before passkeys and TOTP fill it.

pub mod store;

use crate::id::{FactorId, IdentifierId};

/// A confirmed second factor of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// What sort (`email`).
    pub kind: String,
    /// The address that gets the code.
    pub identifier: Option<IdentifierId>,
}
