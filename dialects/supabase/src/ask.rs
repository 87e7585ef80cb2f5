//! A request as this face sees it: the mount, what the request shows of who calls, and its body.

use crate::{error::Fail, keys, settings::Settings, token::Claims};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::{HeaderMap, request::Parts};
use latchstring_core::{
    Kind,
    account::Me,
    api_key,
    attempt::Caller,
    audit::{Actor, Source},
    clock::SECOND,
    id::{SessionId, UserId},
    mount::Mount,
    realm::Realm,
    token::check::{self, Holds},
};
use latchstring_web::{App, At, Ctx, body};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A request's context at a mount.
pub struct Ask {
    /// The realm.
    pub realm: Realm,
    /// The mount.
    pub mount: Arc<Mount>,
    /// What it is set to.
    pub settings: Arc<Settings>,
    /// Where the request came from.
    pub source: Source,
    /// Its headers, for the few that this face reads by itself.
    pub headers: HeaderMap,
    ctx: Ctx,
}

impl FromRequestParts<App> for Ask {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fail> {
        let At { mount, .. } = parts.extensions.get::<At>().cloned().ok_or(Kind::NotFound)?;
        let ctx = Ctx::from_request_parts(parts, app).await?;
        let settings = mount.settings().map_err(Fail::from)?;
        // The language that a browser reads; what a back end reads is no matter.
        let source = ctx.caller().await?.source;
        Ok(Self { realm: ctx.realm.clone(), mount, settings, source, headers: parts.headers.clone(), ctx })
    }
}

impl Ask {
    /// Whoever goes on with an attempt here. Cookies mean nothing to this face.
    pub fn caller(&self) -> Caller {
        Caller { mount: Some(self.mount.clone()), source: self.source.clone(), ..Caller::default() }
    }

    fn bearer(&self) -> Result<&str, Fail> {
        self.ctx.bearer_token().ok().flatten().ok_or_else(Fail::no_bearer)
    }

    /// The user whose access token came. The session is looked at each time: what has ended is refused at once.
    pub async fn user(&self) -> Result<Me, Fail> {
        let token = self.bearer()?;
        if keys::is_opaque(token) {
            return Err(Fail::bad_jwt("invalid claim: missing sub claim"));
        }
        let verified = check::verify_at::<Claims>(&self.realm, self.mount.id, token)
            .map_err(|_| Fail::bad_jwt("invalid JWT: unable to parse or verify signature"))?;
        let claims = &verified.claims;
        let Some(user) = claims.sub.as_deref() else {
            return Err(Fail::bad_jwt("invalid claim: missing sub claim"));
        };
        let user: UserId =
            user.parse().map_err(|_| Fail::bad_jwt("invalid claim: sub claim must be a UUID"))?;
        let session: SessionId = claims.session_id.ok_or_else(Fail::no_session)?.into();
        let ours = claims.iss == self.mount.issuer && claims.aud == crate::token::AUDIENCE && verified.ends;
        if !ours {
            return Err(Fail::bad_jwt("invalid JWT: wrong issuer or audience"));
        }
        let said = claims.amr.first().map_or(verified.iat, |amr| amr.timestamp).saturating_mul(SECOND);
        let auth_at = match check::session_holds(&self.realm, &verified, user, session).await? {
            Holds::No => return Err(Fail::no_session()),
            Holds::Yes => said,
            // Who holds an imported key may say that it was just now.
            Holds::Since(at) => at.min(said),
        };
        Ok(Me { user, session, browser: None, auth_at })
    }

    /// The back end that manages the realm, with a permission.
    pub async fn admin(&self, permission: &'static str) -> Result<Actor, Fail> {
        let token = self.bearer()?;
        if let Some(id) = keys::id_of(token) {
            let key = api_key::check_at(&self.realm, &self.source, self.mount.id, Some(id), token).await?;
            if key.role.as_deref() != Some(keys::SERVICE) {
                return Err(Kind::PermissionMissing.into());
            }
            api_key::must(&self.realm, &key, &self.source, permission).await?;
            return Ok(key.actor());
        }
        let verified = check::verify_at::<Claims>(&self.realm, self.mount.id, token)
            .map_err(|_| Fail::bad_jwt("invalid JWT: unable to parse or verify signature"))?;
        // Ours never say so: a service role is a key of ours or is signed by one that was imported. That one may sign
        // our tokens too, and a user's is a user's whatever its role.
        let claims = &verified.claims;
        let admin = matches!(claims.role.as_deref(), Some("service_role" | "supabase_admin"))
            && claims.session_id.is_none();
        match verified.by_imported.filter(|_| admin && self.settings.admit_signed_admins) {
            Some(key) => Ok(Actor::SigningKey(key.0)),
            None => Err(Kind::PermissionMissing.into()),
        }
    }
}

/// A JSON body. Unknown members are ignored, as the vendor's SDK asks: it sends more than it means.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Fail;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fail> {
        let bytes = body::read(request).await?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes).map(Self).map_err(|e| {
            let says = body::explain(&e).detail.says.unwrap_or_default();
            Fail::new(400, "bad_json", format!("Could not parse request body as JSON: {says}"))
        })
    }
}

/// A member that says something: an empty text is none, as at the vendor's.
pub fn given<T: AsRef<str>>(text: Option<T>) -> Option<T> {
    text.filter(|text| !text.as_ref().is_empty())
}
