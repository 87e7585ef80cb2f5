//! The vendor's user object: a view of the account.

use crate::{
    ask::Ask,
    error::Fail,
    note::{self, Note},
    role,
    token::AUDIENCE,
};
use latchstring_core::{
    clock::Micros,
    id::UserId,
    identifier::{self, Identifier, IdentifierKind, Stored},
    identity::{self, Identity as Upstream},
    user::{self, Full, UserKind},
};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use std::sync::Arc;
use uuid::Uuid;

/// A user.
#[derive(Debug, Clone, Serialize)]
pub struct User {
    pub(crate) id: UserId,
    pub(crate) aud: &'static str,
    pub(crate) role: String,
    pub(crate) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invited_at: Option<String>,
    pub(crate) phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone_confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirmation_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovery_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) new_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email_change_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reauthentication_sent_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_sign_in_at: Option<String>,
    pub(crate) app_metadata: Value,
    pub(crate) user_metadata: Value,
    pub(crate) identities: Vec<Identity>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) banned_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted_at: Option<String>,
    pub(crate) is_anonymous: bool,
}

/// How somebody signs in, as the vendor lists it.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    identity_id: Uuid,
    id: String,
    user_id: UserId,
    identity_data: Value,
    provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_sign_in_at: Option<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// RFC 3339, to the microsecond.
pub fn time(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at).map(|at| at.to_string()).unwrap_or_default()
}

/// Since when an address counts as confirmed.
fn confirmed(email: &Stored) -> Option<Micros> {
    email.proven_at.or(email.asserted_at)
}

/// A user, with what the vendor's view shows beside.
pub struct Found {
    /// The account.
    pub full: Full,
    /// What this dialect remembers of them.
    pub note: Note,
    /// Who they are at upstreams.
    pub identities: Vec<Upstream>,
    /// The address that they are about to change to, and since when.
    pub new_email: Option<(String, Micros)>,
}

/// Reads a user; `None` when there is none of that id.
pub async fn find(ask: &Ask, id: UserId) -> Result<Option<Found>, Fail> {
    let (mount, now) = (ask.mount.id, ask.realm.now());
    let found = ask
        .realm
        .db()
        .read(async |tx| {
            let Some(noted) = user::store::noted(tx, id, note::KIND, mount, now).await? else {
                return Ok(None);
            };
            let identities =
                if noted.has_identities { identity::store::of_user(tx, id).await? } else { Vec::new() };
            let note = Note::parse(noted.note.as_deref());
            let found = Found { full: noted.full, note, identities, new_email: noted.new_email };
            Ok::<_, latchstring_core::Error>(Some(found))
        })
        .await?;
    Ok(found)
}

/// Reads the user of a token.
pub async fn load(ask: &Ask, id: UserId) -> Result<Found, Fail> {
    let gone = || Fail::new(403, "user_not_found", "User from sub claim in JWT does not exist");
    find(ask, id).await?.ok_or_else(gone)
}

/// Whether anybody has an address, whether or not it is confirmed.
pub async fn is_there(ask: &Ask, address: &Identifier) -> Result<bool, Fail> {
    let found = ask
        .realm
        .db()
        .read(async |tx| identifier::store::find(tx, IdentifierKind::Email, &address.normal).await)
        .await?;
    Ok(found.is_some())
}

/// Whether an address is somebody's.
pub async fn is_taken(ask: &Ask, address: &Identifier) -> Result<bool, Fail> {
    let found = ask
        .realm
        .db()
        .read(async |tx| identifier::store::find(tx, IdentifierKind::Email, &address.normal).await)
        .await?;
    Ok(found.is_some_and(|found| found.is_good()))
}

impl User {
    /// What a sign-up is answered with while the address waits to be confirmed: the same whether or not there is an
    /// account, but for the identity, where the face may tell.
    pub fn waiting(id: UserId, at: Micros, email: &str, mut data: Value, with_identity: bool) -> Self {
        let at = time(at);
        claims(&mut data, id, email, false);
        let identity = Identity {
            identity_id: note::derived_id(id, "email"),
            id: id.to_string(),
            user_id: id,
            identity_data: data.clone(),
            provider: "email".into(),
            last_sign_in_at: Some(at.clone()),
            created_at: at.clone(),
            updated_at: at.clone(),
            email: Some(email.to_owned()),
        };
        Self {
            id,
            aud: AUDIENCE,
            role: AUDIENCE.to_owned(),
            email: email.to_owned(),
            email_confirmed_at: None,
            invited_at: None,
            phone: String::new(),
            phone_confirmed_at: None,
            confirmation_sent_at: Some(at.clone()),
            confirmed_at: None,
            recovery_sent_at: None,
            new_email: None,
            email_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata: json!({ "provider": "email", "providers": ["email"] }),
            user_metadata: data,
            identities: if with_identity { vec![identity] } else { Vec::new() },
            created_at: at.clone(),
            updated_at: at,
            banned_until: None,
            deleted_at: None,
            is_anonymous: false,
        }
    }

    /// The view of an account.
    pub fn of(found: &Found) -> Self {
        let Found { full, note, identities: upstreams, new_email } = found;
        let user = &full.user;
        let email = full.email();
        let confirmed_at = email.and_then(confirmed).map(time);
        let mut identities: Vec<Identity> = upstreams.iter().map(Identity::upstream).collect();
        if let Some(email) = email
            && note.has_email_identity(true, full.has_password, !upstreams.is_empty())
        {
            identities.insert(0, Identity::email(full, email));
        }
        let first_is_own = identities.first().is_some_and(|identity| identity.provider == "email");
        let phone = note.phone.clone().unwrap_or_default();
        let mut app_metadata = user.meta_public.clone();
        let mut providers: Vec<&str> = identities.iter().map(|identity| identity.provider.as_str()).collect();
        if !phone.is_empty() {
            providers.push("phone");
        }
        if let (Some(first), Some(app)) = (providers.first(), app_metadata.as_object_mut()) {
            app.insert("provider".into(), json!(first));
            app.insert("providers".into(), json!(providers));
        }
        let mut user_metadata = user.meta_own.clone();
        if let Some(email) = email
            && !note.by_back_end
        {
            claims(&mut user_metadata, user.id, &email.typed, confirmed_at.is_some());
            if let Some(own) = identities.first_mut().filter(|_| first_is_own) {
                own.identity_data = user_metadata.clone();
            }
        }
        let phone_confirmed_at = note.phone_confirmed_at.map(time);
        Self {
            id: user.id,
            aud: AUDIENCE,
            // An import may bring one that would pass every policy.
            role: note.role.clone().filter(|name| role::may_be(name)).unwrap_or_else(|| AUDIENCE.to_owned()),
            email: email.map(|email| email.typed.clone()).unwrap_or_default(),
            email_confirmed_at: confirmed_at.clone(),
            invited_at: note.invited_at.map(time),
            phone,
            phone_confirmed_at: phone_confirmed_at.clone(),
            confirmation_sent_at: None,
            confirmed_at: confirmed_at.or(phone_confirmed_at),
            recovery_sent_at: None,
            new_email: new_email.as_ref().map(|(typed, _)| typed.clone()),
            email_change_sent_at: new_email.as_ref().map(|(_, at)| time(*at)),
            reauthentication_sent_at: None,
            last_sign_in_at: user.signed_in_at.map(time),
            app_metadata,
            user_metadata,
            identities,
            created_at: time(user.created_at),
            updated_at: time(user.updated_at),
            banned_until: banned_until(full),
            deleted_at: note.deleted_at.map(time),
            is_anonymous: user.kind == UserKind::Guest,
        }
    }
}

/// A user as sessions show them, rendered: tokens say some of it again. Kept in memory, for who refreshes.
pub struct View {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) role: String,
    pub(crate) app_metadata: Box<RawValue>,
    pub(crate) user_metadata: Box<RawValue>,
    pub(crate) is_anonymous: bool,
    whole: Box<RawValue>,
}

impl View {
    /// The user, as it was rendered.
    pub fn shown<S: serde::Serializer>(view: &Arc<Self>, to: S) -> Result<S::Ok, S::Error> {
        view.whole.serialize(to)
    }

    fn of(user: &User) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: user.id,
            email: user.email.clone(),
            phone: user.phone.clone(),
            role: user.role.clone(),
            app_metadata: to_raw_value(&user.app_metadata)?,
            user_metadata: to_raw_value(&user.user_metadata)?,
            is_anonymous: user.is_anonymous,
            whole: to_raw_value(user)?,
        })
    }

    /// Reads the user of a session.
    pub async fn load(ask: &Ask, id: UserId) -> Result<Arc<Self>, Fail> {
        let found = load(ask, id).await?;
        let view = Arc::new(Self::of(&User::of(&found)).map_err(latchstring_core::Error::from)?);
        // A change of address ends by itself, and nothing says when.
        if found.new_email.is_none() {
            let bytes = view.whole.get().len()
                + view.app_metadata.get().len()
                + view.user_metadata.get().len()
                + size_of::<Self>();
            let (now, seen) = (ask.realm.now(), found.full.user.seen());
            ask.realm.cache().keep_view(ask.mount.id, id, seen, now, bytes, view.clone());
        }
        Ok(view)
    }
}

/// What the vendor's own sign-up puts into the metadata; apps read it.
fn claims(metadata: &mut Value, user: UserId, email: &str, verified: bool) {
    let Some(own) = metadata.as_object_mut() else { return };
    own.insert("sub".into(), json!(user));
    own.insert("email".into(), json!(email));
    own.insert("email_verified".into(), json!(verified));
    own.insert("phone_verified".into(), json!(false));
}

/// Until when, for a ban; one without an end ends in a hundred years, as the vendor's do.
fn banned_until(full: &Full) -> Option<String> {
    const CENTURY: Micros = 100 * 365 * latchstring_core::clock::DAY;
    let user = &full.user;
    let banned = user.status == user::Status::Banned;
    banned.then(|| time(user.status_until.unwrap_or(user.created_at + CENTURY)))
}

impl Identity {
    fn upstream(identity: &Upstream) -> Self {
        let data: Value = serde_json::from_str(&identity.claims).unwrap_or_default();
        Self {
            identity_id: identity.id.0,
            id: identity.subject.clone(),
            user_id: identity.user,
            email: data["email"].as_str().map(ToOwned::to_owned),
            identity_data: data,
            provider: identity.connection.clone(),
            last_sign_in_at: identity.used_at.map(time),
            created_at: time(identity.created_at),
            updated_at: time(identity.used_at.unwrap_or(identity.created_at)),
        }
    }

    fn email(full: &Full, email: &Stored) -> Self {
        debug_assert_eq!(email.kind, IdentifierKind::Email);
        let user = &full.user;
        Self {
            identity_id: note::derived_id(user.id, "email"),
            id: user.id.to_string(),
            user_id: user.id,
            identity_data: json!({
                "sub": user.id, "email": email.typed, "email_verified": confirmed(email).is_some(),
                "phone_verified": false,
            }),
            provider: "email".into(),
            last_sign_in_at: user.signed_in_at.map(time),
            created_at: time(user.created_at),
            updated_at: time(user.updated_at),
            email: Some(email.typed.clone()),
        }
    }
}
