//! RFC 6749, 4.3, for the textbook app: `POST /token` answers a user name and a password with a JWT of the plainest
//! kind. Off unless the realm turns it on, and refused to whoever needs more than a password.

use crate::{
    attempt::{Caller, new_device, password},
    audit::{self, Actor, Entry},
    clock::SECOND,
    factor,
    id::{SessionId, UserId},
    identifier::Identifier,
    key::Purpose,
    limit::Rule,
    notice::Teller,
    random::bytes,
    realm::Realm,
    refusal::{Fault, Kind, Refusal, Result},
    secret::Password,
    session::{self, SessionKind},
    user,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use latchstring_proto::jose::{Alg, SigningKey};
use serde::Serialize;

/// What the textbook app reads: no `aud`, since it checks none.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: UserId,
    iat: i64,
    exp: i64,
    jti: &'a str,
    sid: SessionId,
}

/// A token for the textbook app.
pub struct Granted {
    /// The compact JWT.
    pub token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// Answers a user name and a password with a token. A session stands behind it, so that it shows in the account and
/// in the revocation feed.
pub async fn grant(realm: &Realm, caller: &Caller, username: &str, password: Password) -> Result<Granted> {
    let settings = realm.settings();
    let endpoint = &settings.1.token_endpoint;
    if !endpoint.enabled {
        return Err(Kind::FeatureOff.into());
    }
    realm.limit_address(Rule::TokensByAddress, &caller.source).await?;
    let identifier = Identifier::any(username).unwrap_or_else(|_| Identifier::nobody(username));
    let checked = password::check(realm, caller, &identifier, password).await?;
    let ground = realm.ground().clone();
    let now = ground.now();
    let life = Realm::micros(endpoint.seconds);
    let new = session::New {
        id: SessionId::new(now, ground.random()),
        user: checked.user,
        kind: SessionKind::Token,
        browser: None,
        client: None,
        mount: realm.mount(),
        methods: vec!["pwd".into()],
        assurance: 1,
        tasks: Vec::new(),
        claims: serde_json::json!({}),
        user_agent: caller.source.user_agent.clone(),
        address: caller.source.address.map(|a| a.to_string()),
        idle_us: None,
        ends_at: Some(now + life),
    };
    let token = sign(realm, endpoint, &new).await?;
    let entry = Entry::new(ground.audit_id(), now, "session.began", Actor::User(checked.user.0))
        .on("user", checked.user.0)
        .from(&caller.source);
    let refused = Entry::new(ground.audit_id(), now, "sign_in.refused", Actor::Anonymous)
        .on("user", checked.user.0)
        .from(&caller.source)
        .refused();
    let (teller, source) = (Teller::of(realm), caller.source.clone());
    let most = settings.1.session.max_per_user;
    let keep = realm.longest_token();
    let endings = realm
        .db()
        .write(async move |tx| -> Result<Vec<crate::ended::Ending>> {
            let user = user::store::find(tx, checked.user).await?;
            let task = if !checked.good {
                Some("prove_address")
            } else if user.as_ref().is_some_and(|u| u.delete_after.is_some()) {
                // Whoever begins a deletion moves the revision: one that is begun after this line is found below.
                Some(user::DELETION_PENDING)
            } else if !factor::store::of_user(tx, checked.user).await?.is_empty() {
                Some("second_factor")
            } else {
                None
            };
            if let Some(task) = task {
                if user.is_none_or(|u| u.auth_rev != checked.auth_rev) {
                    return Err(Kind::CredentialsWrong.into());
                }
                // The password was right: that is no failure, and whoever is refused for more has it in their trail.
                checked.clear(tx).await?;
                audit::write(
                    tx,
                    refused.clone().detail(serde_json::json!({ "method": "pwd", "task": task })),
                )
                .await?;
                return Err(Refusal::new(Kind::TaskOutstanding).reason(task).keep().into());
            }
            let signed = user::store::sign_in(tx, checked.user, checked.auth_rev, now).await?;
            let signed = signed.ok_or(Kind::CredentialsWrong)?;
            if let Some((old, phc)) = &checked.upgrade {
                crate::credential::store::upgrade(tx, checked.user, old, phc).await?;
            }
            checked.clear(tx).await?;
            session::store::insert(tx, &new, signed.begun).await?;
            new_device::tell(tx, &teller, checked.user, &signed, &new, &source, now).await?;
            let mut endings = Vec::new();
            for old in session::store::surplus(tx, checked.user, most).await? {
                let which = session::Which::One(old);
                endings.extend(session::end(tx, &ground, checked.user, which, "replaced", now, keep).await?);
            }
            let detail =
                serde_json::json!({ "session": new.id, "methods": ["pwd"], "face": "token_endpoint" });
            audit::write(tx, entry.clone().detail(detail)).await?;
            Ok(endings)
        })
        .await?;
    realm.apply(&endings);
    Ok(Granted { token, expires_in: life / SECOND })
}

async fn sign(
    realm: &Realm,
    endpoint: &crate::settings::TokenEndpointSettings,
    session: &session::New,
) -> Result<String> {
    let now = realm.now();
    let iat = now / SECOND;
    let jti = B64.encode(bytes::<16>(realm.ground().random()));
    let claims = Claims {
        iss: realm.issuer(),
        sub: session.user,
        iat,
        exp: iat + endpoint.seconds,
        jti: &jti,
        sid: session.id,
    };
    let fault = |e| Fault::new("a token could not be signed", e);
    if endpoint.alg == "HS256" {
        let secret = endpoint.secret.as_deref().ok_or_else(|| {
            Kind::SettingInvalid
                .param("token_endpoint.secret")
                .says("HS256 needs a secret of at least 32 bytes.")
        })?;
        // The textbook app's key is its setting's text, as UTF-8.
        let key = SigningKey::hs256(secret.as_bytes()).map_err(fault)?;
        return Ok(key.sign(Some("JWT"), &claims).map_err(fault)?);
    }
    let alg = Alg::parse(&endpoint.alg).ok_or(Fault::bug("a checked setting has an unknown algorithm"))?;
    let ring = realm.ring(Purpose::TokenEndpoint(alg)).await?;
    ring.sign(now, "JWT", &claims)
}
