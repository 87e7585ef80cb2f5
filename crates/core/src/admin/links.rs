//! Links that let somebody in: mailed with an invitation, or drawn for a back end that writes to its users by itself.

use super::users::{self, NewSecret, NewUser};
use crate::{
    annotation,
    attempt::{
        AttemptKind, Caller, Redirect,
        credentials::Changed,
        mailed::{self, Drawn, Side},
    },
    audit::{self, Actor, Entry, Source},
    credential,
    ended::Ending,
    id::CredentialId,
    identifier::{self, Identifier, Stored},
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
    /// Confirms, from one of two mailboxes, that the account has another address from now on.
    ChangeEmail {
        /// Which address.
        new: Identifier,
        /// From which mailbox.
        side: Side,
        /// Whether the other one confirms it too.
        both: bool,
    },
}

impl For {
    fn word(&self) -> &'static str {
        match self {
            For::SignUp(_) => "sign_up",
            For::Invite => "invite",
            For::SignIn => "sign_in",
            For::Recover => "recover",
            For::ChangeEmail { .. } => "change_email",
        }
    }

    /// An invited account is there already, so that its link signs in.
    fn kind(&self) -> AttemptKind {
        match self {
            For::SignUp(_) => AttemptKind::SignUp,
            For::Invite | For::SignIn => AttemptKind::SignIn,
            For::Recover => AttemptKind::Recover,
            For::ChangeEmail { .. } => AttemptKind::Verify,
        }
    }
}

/// For whom, and where it leads.
#[derive(Debug, Clone)]
pub struct To {
    /// The address.
    pub address: Identifier,
    /// Metadata of a new account's own.
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
    what: &For,
    found: Option<Full>,
) -> Result<Full> {
    let (actor, source) = (actor.clone(), &caller.source);
    let password = match what {
        For::SignUp(password) => password.clone().map(NewSecret::Password),
        _ => None,
    };
    let data = Value::Object(to.data.clone());
    match found {
        Some(full) if full.email().is_some_and(Stored::is_good) => {
            Err(Kind::IdentifierTaken.param("email").into())
        }
        Some(full) => {
            // An invitation that is sent once more leaves what the first one said.
            let again = matches!(what, For::Invite);
            renew(realm, actor, source, full, password, (data, again), to.note.clone()).await
        }
        None => {
            let new = NewUser {
                email: Some(to.address.clone()),
                secret: password,
                profile: ProfileChange { meta_own: Some(data), ..ProfileChange::default() },
                note: to.note.clone(),
                ..NewUser::default()
            };
            users::create(realm, actor, source, new).await
        }
    }
}

/// Makes an account that waits ready for whom the back end means. Whoever signed up with the address before had proven
/// nothing (invariant 9): their password goes, also where the proof would let it stay if they gave it themself.
async fn renew(
    realm: &Realm,
    actor: Actor,
    source: &Source,
    full: Full,
    password: Option<NewSecret>,
    (data, again): (Value, bool),
    note: Option<annotation::Note>,
) -> Result<Full> {
    let renamed = ProfileChange { meta_own: Some(data), ..ProfileChange::default() };
    renamed.check()?;
    let words: Vec<&str> = full.identifiers.iter().map(|i| i.typed.as_str()).collect();
    let prepared = users::prepare(realm, password, &words).await?;
    let ground = realm.ground().clone();
    let now = ground.now();
    let (id, keep) = (full.user.id, realm.longest_token());
    let row = CredentialId::new(now, ground.random());
    let entry = Entry::new(ground.audit_id(), now, "user.changed", actor).on("user", id.0).from(source);
    let (full, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Full, Vec<Ending>)> {
            user::store::lock(tx, id, now).await?.ok_or(Kind::RevChanged)?;
            let all = identifier::store::of_user(tx, id).await?;
            // Somebody may have proven it meanwhile.
            if identifier::email(&all).is_none_or(Stored::is_good) {
                return Err(Kind::IdentifierTaken.param("email").into());
            }
            // What a stranger said is no first invitation's word.
            let kept = again && !credential::store::is_claim(tx, id).await?;
            credential::store::evict_unproven(tx, id).await?;
            if let Some((phc, set_by)) = &prepared {
                credential::store::set_password(tx, row, id, phc, *set_by, false, now).await?;
            }
            if !kept {
                user::store::change(tx, id, &renamed).await?;
            }
            if let Some(note) = &note {
                annotation::merge(tx, id.0, note).await?;
            }
            let (_, endings) = Changed::all(id, "password_set", keep).apply(tx, &ground, now).await?;
            audit::write(tx, entry.clone()).await?;
            Ok((user::store::full(tx, id).await?.ok_or(Kind::RevChanged)?, endings))
        })
        .await?;
    realm.apply(&endings);
    Ok(full)
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
    let full = waiting(realm, &actor, caller, &to, &For::Invite, found).await?;
    record(realm, actor, caller, &full, &For::Invite).await?;
    mailed::invite(realm, caller, to.ask(AttemptKind::SignIn, true)).await?;
    Ok(full)
}

/// Draws a link and a code without mailing them: whoever gets them is let in. Gives also whose they are.
pub async fn draw(realm: &Realm, actor: Actor, caller: &Caller, to: To, what: For) -> Result<(Full, Drawn)> {
    let found = find(realm, &to.address).await?;
    let full = match &what {
        For::SignIn | For::Recover | For::ChangeEmail { .. } => found.ok_or(Kind::NotFound.param("email"))?,
        For::SignUp(_) | For::Invite => waiting(realm, &actor, caller, &to, &what, found).await?,
    };
    let code = &realm.settings().1.code;
    // A back end's own mail may be read later than one that somebody has just asked for.
    let seconds = match what {
        For::SignUp(_) | For::Invite => code.invitation_seconds,
        For::SignIn | For::Recover | For::ChangeEmail { .. } => code.seconds,
    };
    // Before the link is there, so that there is none without a word of it.
    record(realm, actor, caller, &full, &what).await?;
    let drawn = match &what {
        For::ChangeEmail { new, side, both } => {
            mailed::draw_change(realm, caller, &full, new.clone(), *side, *both, to.redirect).await?
        }
        _ => mailed::draw(realm, caller, to.ask(what.kind(), true), seconds).await?,
    };
    Ok((full, drawn))
}
