//! The keys of a mount, as the vendor's apps carry them: `sb_publishable_…` and `sb_secret_…`, and the older kind, JWTs
//! that say `anon` or `service_role`. All are rows of the realm's API keys: taking one back works at once, and a JWT
//! that merely says `service_role` opens nothing.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use latchstring_core::{id::ApiKeyId, secret::Keyed};
use serde::Deserialize;
use uuid::Uuid;

/// What apps carry: it names them and opens nothing.
pub const ANON: &str = "anon";
/// What back ends carry: it manages the realm's users.
pub const SERVICE: &str = "service_role";
/// What the service role may do.
pub const SERVICE_PERMISSIONS: &[&str] =
    &["users:read", "users:write", "invitations:read", "invitations:write"];

const PUBLISHABLE: &str = "sb_publishable_";
const SECRET: &str = "sb_secret_";

/// Whether a bearer is a key of the newer kind.
pub fn is_opaque(text: &str) -> bool {
    text.starts_with(PUBLISHABLE) || text.starts_with(SECRET)
}

/// The text of a key of the newer kind.
pub fn opaque(role: &str, secret: &Keyed) -> zeroize::Zeroizing<String> {
    let prefix = if role == SERVICE { SECRET } else { PUBLISHABLE };
    zeroize::Zeroizing::new(format!("{prefix}{}", *secret.text()))
}

#[derive(Deserialize)]
struct Named {
    jti: Option<Uuid>,
    role: Option<String>,
    sub: Option<serde_json::Value>,
}

/// The id of the key that a bearer names. Nothing is checked: the key's row says whether the text as a whole is right.
pub fn id_of(text: &str) -> Option<ApiKeyId> {
    if let Some(rest) = text.strip_prefix(SECRET).or_else(|| text.strip_prefix(PUBLISHABLE)) {
        // One that can't be read is a wrong key all the same, and no token.
        return Some(ApiKeyId(Keyed::parse(rest).map_or(Uuid::nil(), |secret| secret.id)));
    }
    let mut parts = text.split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    if payload.len() > 1_000 {
        return None;
    }
    let payload = B64.decode(payload).ok()?;
    let named: Named = serde_json::from_slice(&payload).ok()?;
    // Users' tokens have a `sub`, and those of other back ends no id of ours.
    let role = matches!(named.role.as_deref(), Some(ANON | SERVICE)) && named.sub.is_none();
    role.then_some(named.jti).flatten().map(ApiKeyId)
}

/// What a key of a mount looks like, by its row: those of the older kind have an end, and the others have none.
pub fn form(role: &str, ends: bool) -> &'static str {
    match (ends, role) {
        (true, _) => "JWT",
        (false, SERVICE) => "secret",
        (false, _) => "publishable",
    }
}
