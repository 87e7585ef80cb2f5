//! Links. A link that travelled by mail is never spent by a GET: the page behind it has a button. Opened in the
//! browser that began the attempt it goes on with it; opened anywhere else it offers to go on *there*, with an attempt
//! of its own, and never completes somebody else's.

use super::{
    Attempt, AttemptKind, Binding, Body, Caller, Draw, Outcome, SecondFactor, Sink, complete,
    password_at_sign_up, prove,
};
use crate::{
    browser::{self, NewCookie},
    challenge::{self, Challenge, Purpose},
    id::AttemptId,
    identifier::{Identifier, IdentifierKind},
    limit::Rule,
    mail::masked,
    realm::Realm,
    refusal::{Kind, Result},
    secret::Keyed,
    user,
};

/// What a link is for, to be shown before it is used.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What it is for.
    pub purpose: Purpose,
    /// The address that it came to.
    pub address: String,
    /// Whether this browser began the attempt.
    pub here: bool,
    /// Whether it can be used in this browser at all.
    pub usable_here: bool,
    /// The app that it leads back to.
    pub ends_at: Option<String>,
    /// The address, masked, of the account that is to have this one, where it may be somebody else's (A060).
    pub account: Option<String>,
}

/// Looks at a link without using it.
pub async fn look(realm: &Realm, caller: &Caller, token: &str) -> Result<Looked> {
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    let link = Keyed::parse(token).ok_or(Kind::LinkUnusable)?;
    let challenge = challenge::look(realm.db(), &link, realm.now()).await?.ok_or(Kind::LinkUnusable)?;
    let away = away(realm, &challenge).await?;
    let account = match away.as_ref().filter(|_| challenge.purpose == Purpose::Verify).and_then(|a| a.user) {
        None => None,
        Some(user) => {
            let full = realm.db().read(async |tx| user::store::full(tx, user).await).await?;
            full.as_ref().and_then(|full| full.email()).map(|email| masked(&email.typed))
        }
    };
    let away = away.and_then(|attempt| attempt.body.redirect);
    let here = away.is_some() || own(realm, caller, &challenge).await?.is_some();
    Ok(Looked {
        purpose: challenge.purpose,
        address: challenge.typed.clone(),
        here,
        usable_here: here || elsewhere(challenge.purpose).is_some(),
        ends_at: away.map(|away| away.ends_at),
        account,
    })
}

/// The attempt of the challenge, if it leads back to an app: whoever follows the link is led there, and nothing of it
/// reaches whoever began it, unless they follow the link themself or hold what its code is bound to.
async fn away(realm: &Realm, challenge: &Challenge) -> Result<Option<Attempt>> {
    let Some(id) = challenge.attempt else { return Ok(None) };
    let now = realm.now();
    let attempt = realm.db().read(async |tx| super::store::find(tx, id, now).await).await?;
    Ok(attempt.filter(|attempt| attempt.open && attempt.sink == Sink::Redirect))
}

/// The attempt of the challenge, if this caller holds it.
async fn own(realm: &Realm, caller: &Caller, challenge: &Challenge) -> Result<Option<AttemptId>> {
    let Some(id) = challenge.attempt else { return Ok(None) };
    match super::load(realm, caller, id).await {
        Ok(attempt) if attempt.open => Ok(Some(id)),
        Ok(_) => Ok(None),
        Err(e) if e.kind() == Some(Kind::AttemptUnknown) => Ok(None),
        Err(e) => Err(e),
    }
}

/// What a link does in another browser than the one that began: proofs within a session have no meaning there.
fn elsewhere(purpose: Purpose) -> Option<AttemptKind> {
    match purpose {
        Purpose::SignIn => Some(AttemptKind::SignIn),
        Purpose::SignUp => Some(AttemptKind::SignUp),
        Purpose::Recover => Some(AttemptKind::Recover),
        Purpose::StepUp | Purpose::Verify | Purpose::VerifyCurrent | Purpose::Factor => None,
    }
}

/// Uses a link. Gives, beside the outcome, a cookie for a browser that had none or whose cookie would end too early.
pub async fn follow(realm: &Realm, caller: &Caller, token: &str) -> Result<(Outcome, Option<NewCookie>)> {
    realm.limit_address(Rule::CodesByAddress, &caller.source).await?;
    let link = Keyed::parse(token).ok_or(Kind::LinkUnusable)?;
    let challenge = challenge::look(realm.db(), &link, realm.now()).await?.ok_or(Kind::LinkUnusable)?;
    let away = away(realm, &challenge).await?;
    let own = own(realm, caller, &challenge).await?;
    let mut caller = caller.clone();
    let mut cookie = None;
    if away.is_some() && caller.browser.is_none() {
        // A password may have to be set before it leads back: in this browser, and in no other.
        let (known, new) = browser::create(realm, caller.source.user_agent.as_deref()).await?;
        caller.browser = Some(known);
        cookie = Some(new);
    }
    let fresh = match own {
        _ if away.is_some() => None,
        Some(_) => None,
        None => {
            let kind = elsewhere(challenge.purpose).ok_or(Kind::LinkUnusable)?;
            if caller.browser.is_none() {
                let (known, new) = browser::create(realm, caller.source.user_agent.as_deref()).await?;
                caller.browser = Some(known);
                cookie = Some(new);
            }
            Some(begin_here(realm, &caller, kind, &challenge)?)
        }
    };
    let draw = Draw::new(realm);
    let now = draw.now;
    let mount = caller.mount_id(realm);
    let kit = complete::Kit::new(realm, &caller);
    let at_sign_up = password_at_sign_up(realm);
    let shown = caller.browser.clone();
    let (done, finished, prolonged) = realm
        .db()
        .write(async move |tx| -> Result<(Attempt, complete::Finished, bool)> {
            kit.start();
            let challenge = challenge::spend_link(tx, &link, now).await?;
            let second = challenge.purpose == Purpose::Factor;
            let mut prolonged = false;
            let mut attempt = match &fresh {
                None if away.is_some() => {
                    let (id, browser) = (challenge.attempt, caller.browser.as_ref());
                    let (Some(id), Some(browser)) = (id, browser) else {
                        return Err(Kind::LinkUnusable.into());
                    };
                    let mut attempt = super::store::lock(tx, id, now).await?.ok_or(Kind::LinkUnusable)?;
                    super::store::bind(tx, id, browser.id).await?;
                    attempt.binding = Binding::Browser(browser.id);
                    prolonged = browser::store::prolong(tx, browser.id, attempt.expires_at).await?;
                    attempt
                }
                Some(fresh) => {
                    prolonged = super::put(tx, fresh, mount).await?;
                    fresh.clone()
                }
                None => {
                    let id = challenge.attempt.ok_or(Kind::LinkUnusable)?;
                    let step = if second { super::Step::Factor } else { super::Step::Code };
                    super::take(tx, &caller, id, step, at_sign_up, now).await?
                }
            };
            prove::address(tx, &kit, &mut attempt, &challenge, prove::By::Link, second, now).await?;
            let finished = complete::finish(tx, &kit, &draw, &mut attempt).await?;
            Ok((attempt, finished, prolonged))
        })
        .await?;
    if let Some(known) = shown.filter(|_| prolonged) {
        cookie = Some(NewCookie { secret: known.shown, expires_at: done.expires_at });
    }
    Ok((finished.hand_out(realm, done)?, cookie))
}

/// An attempt of this browser's own. Nothing that the other one typed (a name, an invitation) is taken over: it may
/// have been begun by somebody who only knew the address.
fn begin_here(realm: &Realm, caller: &Caller, kind: AttemptKind, challenge: &Challenge) -> Result<Attempt> {
    let browser = caller.browser.as_ref().ok_or(Kind::LinkUnusable)?;
    let draw = Draw::new(realm);
    Ok(Attempt {
        identifier: Some(Identifier {
            kind: IdentifierKind::Email,
            typed: challenge.typed.clone(),
            normal: challenge.normal.clone(),
        }),
        body: Body {
            // A link of a sign-in that went to nobody's address was a sign-up link.
            or_sign_up: challenge.user.is_none(),
            second_factor: SecondFactor::Before,
            ..Body::default()
        },
        ..Attempt::new(&draw, kind, Binding::Browser(browser.id), None, Sink::Cookie)
    })
}
