//! Access tokens and sessions in the vendor's form.

use crate::{ask::Ask, error::Fail, user};
use latchstring_core::{
    attempt::{Grant, Outcome},
    clock::SECOND,
    family::{Claims as Proofs, Family},
    id::{SessionId, UserId},
    token::mint,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The audience of all tokens, and the PostgreSQL role of a user who has no other.
pub const AUDIENCE: &str = "authenticated";

/// How and when somebody proved who they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Amr {
    /// The vendor's word.
    pub method: String,
    /// In Unix seconds.
    #[serde(default)]
    pub timestamp: i64,
}

/// What this face reads of an access token.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: Option<String>,
    /// The PostgreSQL role.
    pub role: Option<String>,
    /// For whom.
    #[serde(default)]
    pub aud: String,
    /// By whom.
    #[serde(default)]
    pub iss: String,
    /// By which session.
    pub session_id: Option<Uuid>,
    /// How.
    #[serde(default)]
    pub amr: Vec<Amr>,
}

#[derive(Serialize)]
struct Access<'a> {
    iss: &'a str,
    sub: UserId,
    aud: &'a str,
    exp: i64,
    iat: i64,
    email: &'a str,
    phone: &'a str,
    app_metadata: &'a RawValue,
    user_metadata: &'a RawValue,
    role: &'a str,
    aal: &'static str,
    amr: Vec<Amr>,
    session_id: SessionId,
    is_anonymous: bool,
}

/// A session as the SDK keeps it.
#[derive(Serialize)]
pub struct Session {
    /// The access token.
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds.
    pub expires_in: i64,
    /// In Unix seconds.
    pub expires_at: i64,
    /// The refresh token.
    pub refresh_token: String,
    /// Whose.
    #[serde(serialize_with = "user::View::shown")]
    pub user: Arc<user::View>,
}

/// The vendor's words for our methods (RFC 8176).
fn amr(proofs: &Proofs) -> Vec<Amr> {
    let word = |method: &str| {
        match method {
            "pwd" => "password",
            "guest" => "anonymous",
            other => other,
        }
        .to_owned()
    };
    // Newest first; the level stands in `aal`.
    let methods = proofs.amr.iter().rev().filter(|method| *method != "mfa");
    methods.map(|method| Amr { method: word(method), timestamp: proofs.auth_time }).collect()
}

/// The session that came of an attempt, unless something is outstanding: a second factor.
pub async fn signed_in(ask: &Ask, outcome: Outcome) -> Result<Session, Fail> {
    match outcome.completed.and_then(|completed| completed.grant) {
        Some(grant) => granted(ask, grant).await,
        None => Err(Fail::new(401, "insufficient_aal", "A second factor is needed")),
    }
}

async fn granted(ask: &Ask, grant: Grant) -> Result<Session, Fail> {
    let view = user::View::load(ask, grant.user).await?;
    session(ask, view, grant.session, &grant.claims, grant.refresh).await
}

/// The session of a refresh token that was used.
pub async fn refreshed(ask: &Ask, family: &Family, refresh: Zeroizing<String>) -> Result<Session, Fail> {
    let session_id = family.session.ok_or_else(|| Fail::from(latchstring_core::Kind::RefreshUnusable))?;
    let known = family.seen.and_then(|seen| ask.realm.cache().view(ask.mount.id, family.user, seen));
    let view = match known {
        Some(view) => view,
        None => user::View::load(ask, family.user).await?,
    };
    session(ask, view, session_id, &family.claims, refresh).await
}

async fn session(
    ask: &Ask,
    view: Arc<user::View>,
    session_id: SessionId,
    proofs: &Proofs,
    refresh_token: Zeroizing<String>,
) -> Result<Session, Fail> {
    let iat = ask.realm.now() / SECOND;
    let expires_in = ask.settings.jwt_seconds.clamp(60, 3_600);
    let claims = Access {
        iss: &ask.mount.issuer,
        sub: view.id,
        aud: AUDIENCE,
        exp: iat + expires_in,
        iat,
        email: &view.email,
        phone: &view.phone,
        app_metadata: &view.app_metadata,
        user_metadata: &view.user_metadata,
        role: &view.role,
        aal: mint::acr(proofs.assurance),
        amr: amr(proofs),
        session_id,
        is_anonymous: view.is_anonymous,
    };
    let access_token = mint::access_at(&ask.realm, ask.mount.id, &claims).await?.to_string();
    Ok(Session {
        access_token,
        token_type: "bearer",
        expires_in,
        expires_at: iat + expires_in,
        refresh_token: refresh_token.to_string(),
        user: view,
    })
}
