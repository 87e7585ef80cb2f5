//! Links that let somebody in: mailed with an invitation, or drawn for a back end that writes to its users by itself.

use super::users::{self, Merge, NewSecret, NewUser, Update};
use crate::{
    annotation,
    attempt::{
        AttemptKind, Caller, Redirect,
        mailed::{self, Drawn},
    },
    audit::{self, Actor, Entry},
    identifier::{self, Identifier},
    realm::Realm,
    refusal::{Kind, Result},
    secret::Password,
    user::{self, Full, ProfileChange},
};
use serde_json::{Map, Value};

/// What a link does.
#[derive(Debug, Clone)]
pub enum For {
    /// Confirms the address of a new account, which has this password then.
    SignUp(Option<Password>),
    /// Lets a new user in, who sets a password later.
    Invite,
    /// Signs in.
    SignIn,
    /// Signs in to set a new password.
    Recover,
}

impl For {
    fn word(&self) -> &'static str {
        match self {
            For::SignUp(_) => "sign_up",
            For::Invite => "invite",
            For::SignIn => "sign_in",
            For::Recover => "recover",
        }
    }

    /// An invited account is there already, so that its link signs in.
    fn kind(&self) -> AttemptKind {
        match self {
            For::SignUp(_) => AttemptKind::SignUp,
            For::Invite | For::SignIn => AttemptKind::SignIn,
            For::Recover => AttemptKind::Recover,
        }
    }
}

/// For whom, and where it leads.
#[derive(Debug, Clone)]
pub struct To {
    /// The address.
    pub address: Identifier,
    /// Metadata of a new account's own; of one that waits for its address to be confirmed, by the member.
    pub data: Map<String, Value>,
    /// What a kind of mount notes about the user.
    pub note: Option<annotation::Note>,
    /// Where the link leads.
    pub redirect: Redirect,
}

impl To {
    fn ask(&self, kind: AttemptKind, vouched: bool) -> mailed::Ask {
        mailed::Ask {
            kind,
            address: self.address.clone(),
            or_sign_up: false,
            data: None,
            vouched,
            redirect: self.redirect.clone(),
        }
    }
}

/// Whoever has an address.
async fn find(realm: &Realm, address: &Identifier) -> Result<Option<Full>> {
    realm
        .db()
        .read(async |tx| -> Result<Option<Full>> {
            match identifier::store::find(tx, address.kind, &address.normal).await? {
                Some(stored) => user::store::full(tx, stored.user).await,
                None => Ok(None),
            }
        })
        .await
}

/// An account whose address waits to be confirmed: the one that there is, or a new one.
async fn waiting(
    realm: &Realm,
    actor: &Actor,
    caller: &Caller,
    to: &To,
    found: Option<Full>,
    password: Option<Password>,
) -> Result<Full> {
    let (actor, source) = (actor.clone(), &caller.source);
    match found {
        Some(full) if full.email().is_some_and(identifier::Stored::is_good) => {
            Err(Kind::IdentifierTaken.param("email").into())
        }
        Some(full) => {
            let own = Some(to.data.clone()).filter(|data| !data.is_empty());
            let change =
                Update { merge: Merge { own, public: None }, note: to.note.clone(), ..Update::default() };
            users::update(realm, actor, source, full.user.id, change).await
        }
        None => {
            let new = NewUser {
                email: Some(to.address.clone()),
                secret: password.map(NewSecret::Password),
                profile: ProfileChange {
                    meta_own: Some(Value::Object(to.data.clone())),
                    ..ProfileChange::default()
                },
                note: to.note.clone(),
                ..NewUser::default()
            };
            users::create(realm, actor, source, new).await
        }
    }
}

/// Whoever gets a link is told apart from whoever is signed in by it: each is a row of its own.
async fn record(realm: &Realm, actor: Actor, caller: &Caller, full: &Full, what: &For) -> Result<()> {
    let ground = realm.ground();
    let entry = Entry::new(ground.audit_id(), ground.now(), "link.drawn", actor)
        .on("user", full.user.id.0)
        .detail(serde_json::json!({ "for": what.word() }))
        .from(&caller.source);
    realm.db().write(async move |tx| -> Result<()> { audit::write(tx, entry.clone()).await }).await
}

/// Makes an account for an address that has none which is confirmed, and mails a link that lets its owner in.
pub async fn invite(realm: &Realm, actor: Actor, caller: &Caller, to: To) -> Result<Full> {
    let found = find(realm, &to.address).await?;
    // What there is stays as it is.
    let to = To { data: if found.is_some() { Map::new() } else { to.data.clone() }, ..to };
    let full = waiting(realm, &actor, caller, &to, found, None).await?;
    record(realm, actor, caller, &full, &For::Invite).await?;
    mailed::invite(realm, caller, to.ask(AttemptKind::SignIn, true)).await?;
    Ok(full)
}

/// Draws a link and a code without mailing them: whoever gets them is let in. Gives also whose they are.
pub async fn draw(realm: &Realm, actor: Actor, caller: &Caller, to: To, what: For) -> Result<(Full, Drawn)> {
    let found = find(realm, &to.address).await?;
    let full = match (&what, found) {
        (For::SignIn | For::Recover, found) => found.ok_or(Kind::NotFound.param("email"))?,
        (For::SignUp(password), found) => {
            waiting(realm, &actor, caller, &to, found, password.clone()).await?
        }
        (For::Invite, found) => {
            let to = To { data: if found.is_some() { Map::new() } else { to.data.clone() }, ..to.clone() };
            waiting(realm, &actor, caller, &to, found, None).await?
        }
    };
    let code = &realm.settings().1.code;
    // A back end's own mail may be read later than one that somebody has just asked for.
    let seconds = match what {
        For::SignUp(_) | For::Invite => code.invitation_seconds,
        For::SignIn | For::Recover => code.seconds,
    };
    // Before the link is there, so that there is none without a word of it.
    record(realm, actor, caller, &full, &what).await?;
    let drawn = mailed::draw(realm, caller, to.ask(what.kind(), true), seconds).await?;
    Ok((full, drawn))
}
