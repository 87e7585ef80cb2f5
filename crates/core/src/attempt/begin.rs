//! Beginning an attempt.

use super::{
    Attempt, AttemptKind, Binding, Body, Caller, Draw, Outcome, SecondFactor, Sink, complete, store,
};
use crate::{
    browser::{self, NewCookie},
    id::{BrowserId, SessionId, UserId},
    identifier::{Identifier, IdentifierKind},
    invitation,
    limit::Rule,
    realm::Realm,
    refusal::{Kind, Result},
    secret::{Hidden, Keyed},
    session,
    settings::SignUp,
    user,
};

/// Within which session an attempt happens.
#[derive(Debug, Clone, Copy)]
pub struct Within {
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
}

/// What somebody wants.
#[derive(Debug, Clone)]
pub struct Begin {
    /// What.
    pub kind: AttemptKind,
    /// What was typed.
    pub identifier: Option<Identifier>,
    /// What is to come out.
    pub sink: Sink,
    /// Whether a sign-in with an unknown address may turn into a sign-up.
    pub or_sign_up: bool,
    /// A name for a new account.
    pub name: Option<String>,
    /// An invitation's secret.
    pub invitation: Option<Hidden>,
    /// Sign up as a guest.
    pub guest: bool,
    /// Make the guest of this session a person.
    pub upgrade: bool,
    /// The session within which this happens (step-up, verify, upgrade).
    pub within: Option<Within>,
    /// When the second factor is asked for.
    pub second_factor: SecondFactor,
    /// Metadata of a new account's own.
    pub data: Option<serde_json::Value>,
    /// Where the pages of the attempt lead at the end, as somebody's link says. What [`Realm::may_return_to`] does not
    /// let through is not kept.
    pub return_to: Option<String>,
}

impl Begin {
    /// An attempt of `kind` with nothing else set.
    pub fn new(kind: AttemptKind, identifier: Option<Identifier>, sink: Sink) -> Self {
        Self {
            kind,
            identifier,
            sink,
            or_sign_up: false,
            name: None,
            invitation: None,
            guest: false,
            upgrade: false,
            within: None,
            second_factor: SecondFactor::Before,
            data: None,
            return_to: None,
        }
    }
}

/// What beginning gives beside the attempt.
#[derive(Clone)]
pub struct Begun {
    /// The attempt, and what came out if nothing was outstanding (a guest).
    pub outcome: Outcome,
    /// The handle of an attempt that is bound to its bearer.
    pub handle: Option<Keyed>,
    /// A cookie for a browser that had none, or whose cookie would end before the attempt.
    pub cookie: Option<NewCookie>,
    /// That browser.
    pub browser: Option<browser::Known>,
}

/// Begins an attempt. Whether an account exists for what was typed is neither looked up nor shown.
pub async fn begin(realm: &Realm, caller: &Caller, begin: Begin) -> Result<Begun> {
    realm.limit_address(Rule::AttemptsByAddress, &caller.source).await?;
    let settings = realm.settings();
    let sign_up = settings.1.sign_up;
    let mut body = Body {
        or_sign_up: begin.or_sign_up && sign_up == SignUp::Open,
        second_factor: begin.second_factor,
        return_to: begin.return_to.as_deref().and_then(|text| realm.may_return_to(text)),
        ..Body::default()
    };
    if let Some(name) = &begin.name {
        latchstring_proto::text::clean_line(name, 200)
            .map_err(|e| Kind::InputInvalid.param("name").says(e.to_string()))?;
        body.name = Some(name.clone());
    }
    if let Some(data) = &begin.data {
        user::ProfileChange { meta_own: Some(data.clone()), ..Default::default() }.check()?;
        body.data = Some(data.clone());
    }
    let mut identifier = begin.identifier.clone();
    let mut user = None;
    let mut auth_rev = None;
    let mut proofs = Vec::new();
    match begin.kind {
        AttemptKind::SignUp if begin.guest => {
            if !settings.1.guests {
                return Err(Kind::GuestsOff.into());
            }
            realm.limit_address(Rule::SignUpsByAddress, &caller.source).await?;
            body.counted = true;
            identifier = None;
        }
        AttemptKind::SignUp => {
            if !sign_up.admits(begin.invitation.is_some()) {
                return Err(Kind::SignUpClosed.into());
            }
            realm.limit_address(Rule::SignUpsByAddress, &caller.source).await?;
            body.counted = true;
            if let Some(text) = &begin.invitation {
                let invited = invitation::look(realm, text).await?;
                // The invitation is for its address, whatever the request says; its link came by mail to that
                // address and so proves it.
                identifier = Some(invited.address);
                body.invitation = Some(invited.id);
                proofs.push(super::Proof { method: "link".into(), at: realm.now(), second: false });
                body.proven_new = true;
            }
            if begin.upgrade {
                let (within, _) = living(realm, begin.within).await?;
                let guest = realm.db().read(async |tx| user::store::find(tx, within.user).await).await?;
                if guest.is_none_or(|u| u.kind != user::UserKind::Guest) {
                    return Err(Kind::InputInvalid
                        .param("upgrade")
                        .says("Only a guest can be upgraded.")
                        .into());
                }
                body.guest = Some(within.user);
                body.within = Some(within.session);
            }
            must_be_email(identifier.as_ref())?;
        }
        AttemptKind::Recover => must_be_email(identifier.as_ref())?,
        AttemptKind::SignIn => {
            if identifier.is_none() {
                return Err(missing_identifier());
            }
        }
        AttemptKind::StepUp | AttemptKind::Verify => {
            let (within, session) = living(realm, begin.within).await?;
            must_hold(caller, begin.sink, &session)?;
            // ASVS V7.5.1: an address opens the account, so an old session does not change it by itself.
            if begin.kind == AttemptKind::Verify
                && realm.now() - session.auth_at > Realm::micros(settings.1.session.fresh_seconds)
            {
                return Err(Kind::ReauthRequired.into());
            }
            let full = realm.db().read(async |tx| user::store::full(tx, within.user).await).await?;
            let full = full.ok_or(Kind::NotSignedIn)?;
            if begin.kind == AttemptKind::Verify {
                full.user.must_be_person()?;
            }
            user = Some(within.user);
            auth_rev = Some(full.user.auth_rev);
            body.within = Some(within.session);
            if begin.kind == AttemptKind::Verify {
                must_be_email(identifier.as_ref())?;
            } else {
                let email = full.email().filter(|e| e.is_good());
                identifier = email.map(|e| Identifier {
                    kind: IdentifierKind::Email,
                    typed: e.typed.clone(),
                    normal: e.normal.clone(),
                });
                // One who has a second factor proves that one: raising a session from the first level.
                let factors =
                    realm.db().read(async |tx| crate::factor::store::of_user(tx, within.user).await).await?;
                body.factor = !factors.is_empty();
            }
        }
    }

    let (browser, cookie) = match begin.sink {
        Sink::Tokens | Sink::Redirect => (None, None),
        Sink::Cookie => match caller.browser.clone() {
            Some(known) => (Some(known), None),
            None => {
                let (known, cookie) = browser::create(realm, caller.source.user_agent.as_deref()).await?;
                (Some(known), Some(cookie))
            }
        },
    };
    let draw = Draw::new(realm);
    let ground = realm.ground();
    let handle = (browser.is_none()).then(|| Keyed::new(draw.attempt.0, ground.random()));
    let binding = match (&browser, caller.client) {
        (Some(known), _) => Binding::Browser(known.id),
        (None, Some(client)) => Binding::Client(client),
        (None, None) => Binding::Bearer,
    };
    let attempt = Attempt {
        user,
        auth_rev,
        identifier,
        proofs,
        body,
        ..Attempt::new(&draw, begin.kind, binding, handle.as_ref(), begin.sink)
    };
    let mount = caller.mount_id(realm);
    let stored = attempt.clone();
    let prolonged =
        realm.db().write(async move |tx| -> Result<bool> { super::put(tx, &stored, mount).await }).await?;
    let cookie = match &browser {
        Some(known) if prolonged => {
            Some(NewCookie { secret: known.shown.clone(), expires_at: attempt.expires_at })
        }
        _ => cookie,
    };

    let mut outcome = Outcome { attempt, completed: None, redirect: None };
    // A guest, or somebody invited where no password is asked for: nothing is left to do.
    let invited = outcome.attempt.body.invitation.is_some();
    if begin.guest || (invited && outcome.attempt.offers(super::password_at_sign_up(realm)).is_empty()) {
        let mut caller = caller.clone();
        caller.browser = browser.clone();
        caller.handle = handle.clone();
        outcome = complete::at_once(realm, &caller, outcome.attempt).await?;
    }
    Ok(Begun { outcome, handle, cookie, browser })
}

/// The session within which something happens: it lives, and is whose it is said to be.
pub(super) async fn living(realm: &Realm, within: Option<Within>) -> Result<(Within, session::Shown)> {
    let within = within.ok_or(Kind::NotSignedIn)?;
    let session = realm.db().read(async |tx| session::store::find(tx, within.session).await).await?;
    match session {
        Some(s) if s.user == within.user && s.lives(realm.now()) => Ok((within, s)),
        _ => Err(Kind::NotSignedIn.into()),
    }
}

/// A session is raised by whoever holds it, in the way in which they hold it: one of a browser with a new cookie, since
/// the one before must not open more than it did.
fn must_hold(caller: &Caller, sink: Sink, session: &session::Shown) -> Result<()> {
    let wrong = |says: &'static str| Err(Kind::InputInvalid.param("sink").says(says).into());
    match (session.browser, sink) {
        (None, Sink::Tokens | Sink::Redirect) => Ok(()),
        (None, Sink::Cookie) => wrong("A session of tokens has no cookie: use the sink “tokens”."),
        (Some(_), Sink::Tokens | Sink::Redirect) => {
            wrong("A session of a browser changes its cookie: use the sink “cookie”.")
        }
        (Some(id), Sink::Cookie) if caller.browser.as_ref().is_some_and(|b| b.id == id) => Ok(()),
        (Some(_), Sink::Cookie) => Err(Kind::NotSignedIn.into()),
    }
}

fn missing_identifier() -> crate::Error {
    Kind::InputInvalid.param("identifier").says("An e-mail address or username is needed.").into()
}

fn must_be_email(identifier: Option<&Identifier>) -> Result<()> {
    match identifier {
        Some(i) if i.kind == IdentifierKind::Email => Ok(()),
        Some(_) => Err(Kind::EmailInvalid.param("identifier").says("An e-mail address is needed.").into()),
        None => Err(missing_identifier()),
    }
}

/// Gives an attempt up.
pub async fn cancel(realm: &Realm, caller: &Caller, id: crate::id::AttemptId) -> Result<()> {
    let attempt = super::load(realm, caller, id).await?;
    realm.db().write(async move |tx| -> Result<()> { store::cancel(tx, attempt.id).await }).await
}

/// The browser of a caller, if the attempt is bound to it.
pub(crate) fn bound_browser(caller: &Caller, attempt: &Attempt) -> Option<(BrowserId, i64)> {
    match (attempt.binding, &caller.browser) {
        (Binding::Browser(id), Some(known)) if known.id == id => Some((id, known.generation)),
        _ => None,
    }
}
