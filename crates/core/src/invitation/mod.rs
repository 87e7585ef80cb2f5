//! Invitations: a mailed link that lets one address make an account.

pub mod store;

use crate::{
    clock::Micros,
    id::InvitationId,
    identifier::{Identifier, IdentifierKind},
    realm::Realm,
    refusal::{Kind, Result},
    secret::Keyed,
};

/// An invitation.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// For whom.
    pub address: Identifier,
    /// Who invited.
    pub invited_by: String,
    /// When.
    pub created_at: Micros,
    /// Until when it is good.
    pub expires_at: Micros,
    /// When it was used.
    pub accepted_at: Option<Micros>,
    /// When it was taken back.
    pub revoked_at: Option<Micros>,
    pub(crate) hash: Vec<u8>,
}

impl Invitation {
    /// `pending`, `accepted`, `revoked` or `expired`.
    pub fn state(&self, now: Micros) -> &'static str {
        match self {
            i if i.accepted_at.is_some() => "accepted",
            i if i.revoked_at.is_some() => "revoked",
            i if i.expires_at <= now => "expired",
            _ => "pending",
        }
    }
}

/// The pending invitation of a secret.
pub async fn look(realm: &Realm, text: &str) -> Result<Invitation> {
    let secret = Keyed::parse(text).ok_or(Kind::InvitationUnusable)?;
    let id = InvitationId(secret.id);
    let found = realm.db().read(async |tx| store::find(tx, id).await).await?;
    let now = realm.now();
    found
        .filter(|i| secret.hashed().matches(&i.hash) && i.state(now) == "pending")
        .ok_or_else(|| Kind::InvitationUnusable.into())
}

pub(crate) fn address(typed: String, normal: String) -> Identifier {
    Identifier { kind: IdentifierKind::Email, typed, normal }
}
