//! Minting of tokens that we sign.

use crate::{
    cache::{Checked, Identity, Made, Signed},
    clock::{Micros, SECOND},
    family::{self, Claims, Family},
    id::{FamilyId, MountId, SessionId, UserId},
    key::Purpose,
    limit::Rule,
    random::bytes,
    realm::Realm,
    refusal::Result,
    secret::Hidden,
    session,
    settings::Settings,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde::Serialize;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The client id of our own API's callers.
pub const BUILT_IN_CLIENT: &str = "latchstring";
/// RFC 9068, 2.1: the `typ` of JWT access tokens.
pub const ACCESS_TYP: &str = "at+jwt";
/// The `typ` of signed identity headers.
pub const IDENTITY_TYP: &str = "identity+jwt";

/// The claims of a native access token: RFC 9068, 2.2.
#[derive(Serialize)]
struct Access<'a> {
    iss: &'a str,
    sub: UserId,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    sid: Option<SessionId>,
    auth_time: i64,
    acr: &'static str,
    amr: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tasks: &'a [String],
}

/// What an access token says.
pub struct Subject<'a> {
    /// Who.
    pub user: UserId,
    /// By which session.
    pub session: Option<SessionId>,
    /// When a proof was last given, in Unix seconds.
    pub auth_time: i64,
    /// How.
    pub amr: &'a [String],
    /// Level of assurance.
    pub assurance: i64,
}

impl<'a> Subject<'a> {
    /// The subject of a session.
    pub fn of_session(signed: &'a Signed) -> Self {
        Self {
            user: signed.user,
            session: Some(signed.session),
            auth_time: signed.auth_at / SECOND,
            amr: &signed.methods,
            assurance: signed.assurance,
        }
    }

    /// The subject of a checked token.
    pub fn of_token(checked: &'a Checked) -> Self {
        Self {
            user: checked.sub,
            session: checked.sid,
            auth_time: checked.auth_time,
            amr: &checked.amr,
            assurance: if checked.acr == acr(2) { 2 } else { 1 },
        }
    }

    /// The subject of a family.
    pub fn of_family(family: &'a Family) -> Self {
        Self {
            user: family.user,
            session: family.session,
            auth_time: family.claims.auth_time,
            amr: &family.claims.amr,
            assurance: family.claims.assurance,
        }
    }
}

/// Our names for levels of assurance, as `acr` shows them.
pub fn acr(assurance: i64) -> &'static str {
    if assurance >= 2 { "aal2" } else { "aal1" }
}

/// An access token and how long it lives.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The compact JWT.
    pub token: Hidden,
    /// Seconds.
    pub expires_in: i64,
}

/// Mints a native access token: EdDSA, audience = issuer.
pub fn access(realm: &Realm, subject: &Subject<'_>) -> Result<AccessToken> {
    access_with_tasks(realm, subject, &[])
}

/// [`access`] for a session that waits for something: the token says so, and only faces that serve the task take it.
pub fn access_with_tasks(realm: &Realm, subject: &Subject<'_>, tasks: &[String]) -> Result<AccessToken> {
    let seconds = realm.settings().1.token.access_seconds;
    let token = sign(realm, subject, tasks, ACCESS_TYP, &audience(realm, tasks), seconds)?;
    Ok(AccessToken { token: token.into(), expires_in: seconds })
}

/// For whom an access token is. Verifiers that know nothing of tasks know audiences: one whose session waits for
/// something is for our own faces alone.
pub fn audience(realm: &Realm, tasks: &[String]) -> String {
    let waits = if tasks.is_empty() { "" } else { "#tasks" };
    format!("{}{waits}", realm.issuer())
}

/// How long a signed identity header lives, in seconds.
const IDENTITY_SECONDS: i64 = 60;

/// The signed identity header that forward-auth hands to an app behind a proxy. Its own `typ`: no face of ours takes it
/// for an access token. The one made before is given again for the first half of its life, so that a page with fifty
/// pictures costs one signature.
pub fn identity(realm: &Realm, subject: &Subject<'_>, made: &Made) -> Result<Arc<Identity>> {
    let now = realm.now();
    let rings = realm.rings().rev;
    let young = |i: &Identity| i.rings == rings && now - i.made_at < IDENTITY_SECONDS * SECOND / 2;
    if let Some(identity) = made.identity.load_full().filter(|i| young(i)) {
        return Ok(identity);
    }
    let token = sign(realm, subject, &[], IDENTITY_TYP, realm.issuer(), IDENTITY_SECONDS)?;
    let identity = Arc::new(Identity { token: token.into(), made_at: now, rings });
    made.identity.store(Some(identity.clone()));
    Ok(identity)
}

fn sign(
    realm: &Realm,
    subject: &Subject<'_>,
    tasks: &[String],
    typ: &str,
    audience: &str,
    seconds: i64,
) -> Result<String> {
    let now = realm.now();
    let ring = realm.native_ring()?;
    let jti = B64.encode(bytes::<16>(realm.ground().random()));
    let iat = now / SECOND;
    let claims = Access {
        iss: realm.issuer(),
        sub: subject.user,
        aud: audience,
        exp: iat + seconds,
        iat,
        jti: &jti,
        client_id: BUILT_IN_CLIENT,
        sid: subject.session,
        auth_time: subject.auth_time,
        acr: acr(subject.assurance),
        amr: subject.amr,
        tasks,
    };
    ring.sign(now, typ, &claims)
}

/// The native family of a new session: what was proven is copied from it, and it lives no longer.
pub fn family(
    id: FamilyId,
    session: &session::New,
    issuer: &str,
    settings: &Settings,
    now: Micros,
) -> family::New {
    // Unused no longer than the session itself may be.
    let idle = settings.token.refresh_idle_seconds.min(settings.session.idle_seconds);
    family::New {
        id,
        session: Some(session.id),
        grant: None,
        user: session.user,
        client: session.client,
        mount: session.mount,
        profile: family::Profile::Rotating,
        audiences: serde_json::json!({ issuer: [] }),
        claims: Claims {
            auth_time: now / SECOND,
            amr: session.methods.clone(),
            assurance: session.assurance,
            tasks: session.tasks.clone(),
        },
        idle_us: Some(Realm::micros(idle)),
        ends_at: session.ends_at,
    }
}

/// What a client with tokens gets.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token.
    pub refresh: Zeroizing<String>,
}

/// Uses a refresh token: a new access token, and the next refresh token.
pub async fn refresh(realm: &Realm, text: &str, source: &crate::audit::Source) -> Result<(Family, Tokens)> {
    let (family, refresh) = refresh_at(realm, realm.mount(), text, source).await?;
    let access = access_with_tasks(realm, &Subject::of_family(&family), &family.claims.tasks)?;
    Ok((family, Tokens { access, refresh }))
}

/// Uses a refresh token at a mount, which makes the access token by itself. Gives the next refresh token.
pub async fn refresh_at(
    realm: &Realm,
    mount: MountId,
    text: &str,
    source: &crate::audit::Source,
) -> Result<(Family, Zeroizing<String>)> {
    realm.limit_address(Rule::TokensByAddress, source).await?;
    let window = Realm::micros(realm.settings().1.token.refresh_window_seconds);
    let (family, token) = family::refresh(realm, mount, text, window, source).await?;
    if let Some(session) = family.session {
        realm.touch(session, realm.now());
    }
    let refresh = token.text(&realm.ground().keys);
    Ok((family, refresh))
}

/// Signs claims of a mount's own form as an access token, by the mount's ring.
pub async fn access_at(realm: &Realm, mount: MountId, claims: &impl Serialize) -> Result<Hidden> {
    let ring = realm.ring_of(mount, Purpose::Access).await?;
    Ok(ring.sign(realm.now(), "JWT", claims)?.into())
}
