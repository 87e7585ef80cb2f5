//! Notices: what an account's owner is told by mail, and the link in it for whoever did not do it.
//!
//! The link carries a ticket that is bound to the account and to the address that it went to. Those of one account form
//! a chain: whoever was told earlier wins over whoever was told later, since the account may have come into other hands
//! in between. See [`crate::account::not_me`].

use crate::{
    audit::Source,
    clock::{DAY, Micros},
    ground::Ground,
    id::{AuditId, UserId},
    identifier::Stored,
    limit::{self, Rate, Rule},
    mail::{self, Held, How, Letter, Says, What},
    outbox,
    realm::{Places, Realm},
    refusal::Result,
    secret::{Hashed, Keyed},
    settings::Settings,
    ticket,
};
use latchstring_db::Tx;
use latchstring_look::Language;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the tickets of such links are for.
pub const NOT_ME: &str = "not_me";
/// How long they are good for.
pub const GOOD_FOR: Micros = 7 * DAY;

/// What such a ticket says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Body {
    /// What was told.
    pub what: String,
    /// The address that it was told to, as it was stored.
    pub typed: String,
    /// Its normal form.
    pub normal: String,
}

/// A notice that waits for its transaction.
#[derive(Debug, Clone)]
pub struct Prepared {
    user: UserId,
    job: outbox::Prepared,
    ticket: Option<(Hashed, String, serde_json::Value)>,
    at: Micros,
    limit: Option<([u8; 32], Rate)>,
}

impl Prepared {
    /// Writes it, with the change that it tells of, unless the like was told often enough today. The caller has taken
    /// the user's row.
    pub async fn put(&self, tx: &mut Tx) -> Result<()> {
        if let Some((key, rate)) = self.limit
            && limit::store::take(tx, key, rate, self.at).await?.is_err()
        {
            return Ok(());
        }
        if let Some((hash, about, body)) = &self.ticket {
            let new = ticket::New {
                hash: *hash,
                purpose: NOT_ME,
                user: Some(self.user),
                about: Some(about),
                body,
                expires_at: self.at + GOOD_FOR,
            };
            ticket::put(tx, new, self.at).await?;
        }
        outbox::put(tx, &self.job).await
    }
}

/// With what something was done.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// A browser.
    Browser(&'a Source),
    /// An app.
    App(&'a Source),
    /// One of the two.
    Device(&'a Source),
    /// Somebody else's machine, which is nothing to the reader.
    Operator,
}

impl<'a> By<'a> {
    /// A browser, or an app.
    pub fn held(source: &'a Source, by_browser: bool) -> Self {
        if by_browser { Self::Browser(source) } else { Self::App(source) }
    }

    fn device(self) -> Option<(Option<String>, Held)> {
        let (source, held) = match self {
            Self::Browser(source) => (source, Held::Browser),
            Self::App(source) => (source, Held::App),
            Self::Device(source) => (source, Held::Device),
            Self::Operator => return None,
        };
        Some((source.user_agent.clone(), held))
    }

    /// “Zürich (192.0.2.7)”: the place if it is known, and the address, which whoever looks into it needs.
    fn place(self, places: Option<&Arc<dyn Places>>) -> Option<String> {
        let address = match self {
            Self::Browser(source) | Self::App(source) | Self::Device(source) => source.address?,
            Self::Operator => return None,
        };
        Some(match places.and_then(|places| places.of(address)) {
            Some(place) => format!("{place} ({address})"),
            None => address.to_string(),
        })
    }
}

/// What telling takes, gathered before a transaction opens.
#[derive(Clone)]
pub struct Teller {
    ground: Ground,
    settings: Arc<(i64, Settings)>,
    issuer: String,
    places: Option<Arc<dyn Places>>,
}

impl Teller {
    /// The realm's.
    pub fn of(realm: &Realm) -> Self {
        let (ground, issuer) = (realm.ground().clone(), realm.issuer().to_owned());
        Self { ground, settings: realm.settings(), issuer, places: realm.places().cloned() }
    }

    /// A notice to one of the account's addresses, in its owner's language. Only one that is known to be theirs gets
    /// the link: whoever reads the mail of another has no say over the account (invariant 9).
    pub fn prepare(
        &self,
        to: &Stored,
        language: Option<Language>,
        what: What,
        by: By<'_>,
    ) -> Result<Prepared> {
        self.prepare_linked(to, language, what, by, to.is_good())
    }

    /// [`Teller::prepare`] without the link, for an address that has to give way to an older one.
    pub fn prepare_plain(
        &self,
        to: &Stored,
        language: Option<Language>,
        what: What,
        by: By<'_>,
    ) -> Result<Prepared> {
        self.prepare_linked(to, language, what, by, false)
    }

    fn prepare_linked(
        &self,
        to: &Stored,
        language: Option<Language>,
        what: What,
        by: By<'_>,
        linked: bool,
    ) -> Result<Prepared> {
        let at = self.ground.now();
        let secret = Keyed::new(crate::id::v7(at, self.ground.random()), self.ground.random());
        let link = linked.then(|| format!("{}/verify?not_me={}", self.issuer, *secret.text()));
        let body = Body { what: what.word().into(), typed: to.typed.clone(), normal: to.normal.clone() };
        let ticket = match link {
            Some(_) => Some((secret.hashed(), to.normal.clone(), serde_json::to_value(body)?)),
            None => None,
        };
        let limit = self.limit_of(to.user, &what);
        let how = How { at, device: by.device(), place: by.place(self.places.as_ref()) };
        let says = Says::Happened { event: what, how, not_me: link.map(Into::into) };
        let letter = Letter::new(&to.typed, language, says);
        let job = outbox::prepare(&self.ground, mail::JOB, &letter)?;
        Ok(Prepared { user: to.user, job, ticket, at, limit })
    }

    /// How often somebody is told of such a thing in a day: whoever is signed in must not flood a mailbox, nor hide what
    /// matters in a flood. That the address was changed is always told, and goes to another address each time; the
    /// password, which takes a proof to change, is told of four times as often as the rest.
    fn limit_of(&self, user: UserId, what: &What) -> Option<([u8; 32], Rate)> {
        let rule = Rule::NoticesByUser;
        let rate = self.settings.1.rule(rule);
        let rate = match what {
            What::Email(_) => return None,
            What::Password | What::PasswordByOperator => {
                Rate { burst: rate.burst.saturating_mul(4), per_seconds: rate.per_seconds }
            }
            _ => rate,
        };
        let counted = [user.0.as_bytes().as_slice(), what.word().as_bytes()].concat();
        Some((limit::key(&self.ground.keys, rule, &counted), rate))
    }

    /// The id of an audit row that tells of the same.
    pub(crate) fn audit_id(&self) -> AuditId {
        self.ground.audit_id()
    }

    /// [`Teller::prepare`], written at once.
    pub async fn tell(
        &self,
        tx: &mut Tx,
        to: &Stored,
        language: Option<Language>,
        what: What,
        by: By<'_>,
    ) -> Result<()> {
        self.prepare(to, language, what, by)?.put(tx).await
    }
}

/// Whoever reads the mail of `normal` has taken the account in hand again: links that went there have nothing left to
/// mend, and would only undo what comes after.
pub async fn settle(tx: &mut Tx, user: UserId, normal: &str) -> Result<()> {
    ticket::store::delete_about(tx, user, NOT_ME, normal).await
}

/// The account goes back to the address `normal`, which it had at `since`: links that went elsewhere after that are
/// those of the hands that it was in.
pub async fn go_back(tx: &mut Tx, user: UserId, normal: &str, since: Micros) -> Result<()> {
    ticket::store::delete_others(tx, user, NOT_ME, normal, since).await
}

/// Since when at least the account had the address `normal` before, as far as links that are still good tell.
pub async fn had(tx: &mut Tx, user: UserId, normal: &str, now: Micros) -> Result<Option<Micros>> {
    ticket::store::oldest(tx, user, NOT_ME, normal, now).await
}

/// While an account waits for its end, links are good for as long as it can be kept: whoever takes it back must not come
/// too late for it.
pub async fn wait(tx: &mut Tx, user: UserId, until: Micros) -> Result<()> {
    ticket::store::last_until(tx, user, NOT_ME, until).await
}
