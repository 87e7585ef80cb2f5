//! Attempts: one sign-in, sign-up, recovery, step-up or proof of an address in progress. Pages, the JSON API and every
//! dialect's resources are views of them. An attempt is a row; each step takes the row, looks at what is offered,
//! applies its proof, and completes when nothing is outstanding.

pub mod begin;
pub mod claim;
pub mod code;
pub mod complete;
pub(crate) mod credentials;
pub mod exchange;
pub mod link;
pub mod mailed;
pub(crate) mod new_device;
pub mod new_password;
pub mod password;
pub mod prove;
pub mod store;

use crate::{
    audit::Source,
    browser::{self, NewCookie},
    clock::{DAY, HOUR, Micros},
    family,
    id::{
        AttemptId, AuditId, BrowserId, CredentialId, FamilyId, IdentifierId, InvitationId, MountId,
        SessionId, UserId,
    },
    identifier::Identifier,
    mount::Mount,
    realm::Realm,
    refusal::{Kind, Refusal, Result},
    secret::Keyed,
    token::mint::Tokens,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What is attempted. A sign-in and a sign-up can turn into one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptKind {
    /// Get in.
    SignIn,
    /// Make an account.
    SignUp,
    /// Get back in and set a new password.
    Recover,
    /// Prove again, within a session.
    StepUp,
    /// Prove an address and make it the account's.
    Verify,
}

impl AttemptKind {
    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            AttemptKind::SignIn => "sign_in",
            AttemptKind::SignUp => "sign_up",
            AttemptKind::Recover => "recover",
            AttemptKind::StepUp => "step_up",
            AttemptKind::Verify => "verify",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::SignIn, Self::SignUp, Self::Recover, Self::StepUp, Self::Verify]
            .into_iter()
            .find(|k| k.word() == word)
    }
}

/// A step that an attempt takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The password.
    Password,
    /// A code (or the link of the same mail); it has to be asked for first.
    Code,
    /// A password to have from now on.
    NewPassword,
    /// The code of the second factor; it has to be asked for first.
    Factor,
}

impl Step {
    /// The word that faces show.
    pub fn word(self) -> &'static str {
        match self {
            Step::Password => "password",
            Step::Code => "code",
            Step::NewPassword => "new_password",
            Step::Factor => "factor",
        }
    }
}

/// What comes out at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sink {
    /// A session held by the browser's cookie.
    Cookie,
    /// Access and refresh tokens.
    Tokens,
    /// A code that is carried back to an app, which makes tokens of it: see [`exchange`].
    Redirect,
}

impl Sink {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Sink::Cookie => "cookie",
            Sink::Tokens => "tokens",
            Sink::Redirect => "redirect",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Cookie, Self::Tokens, Self::Redirect].into_iter().find(|s| s.word() == word)
    }
}

/// Where an attempt with [`Sink::Redirect`] leads. The face that began it has checked every place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redirect {
    /// Where the code is carried: the app itself, or the face, which goes on to the app.
    pub to: String,
    /// The app, where it ends.
    pub ends_at: String,
    /// Where it leads in place of that when nothing is handed out: an address was confirmed.
    pub confirmed: Option<String>,
    /// The same when one of two confirmations was given.
    pub half: Option<String>,
    /// What the code is bound to: RFC 7636.
    pub challenge: Option<CodeChallenge>,
    /// What the face wants to know again at the exchange.
    pub state: String,
}

/// A code challenge (RFC 7636, 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChallenge {
    /// As sent.
    pub text: String,
    /// Whether it is the verifier itself.
    pub plain: bool,
}

/// Who may go on with an attempt. Each binding has a handle of its own kind, which works on it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The browser that began it.
    Browser(BrowserId),
    /// Whoever holds the attempt's handle.
    Bearer,
    /// The client that began it, with the attempt's handle (Auth0's `mfa_token`).
    Client(uuid::Uuid),
}

/// A proof that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// RFC 8176: `pwd`, `otp`; `link` for a mailed link.
    pub method: String,
    /// When.
    pub at: Micros,
    /// Whether it was the second factor.
    #[serde(default)]
    pub second: bool,
}

/// When the second factor of a user who has one is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Before there is a session.
    #[default]
    Before,
    /// As a task of a session at the first level, for faces that serve it.
    Task,
}

/// What an attempt remembers that no statement asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Body {
    /// Whether a sign-in with an unknown address may turn into a sign-up.
    pub or_sign_up: bool,
    /// The name to give a new account.
    pub name: Option<String>,
    /// The invitation that is used.
    pub invitation: Option<InvitationId>,
    /// The guest who becomes a person.
    pub guest: Option<UserId>,
    /// The session within which this happens.
    pub within: Option<SessionId>,
    /// The address was proven and belongs to nobody: a new account follows.
    pub proven_new: bool,
    /// The user has a second factor, which is outstanding.
    pub factor: bool,
    /// When the second factor is asked for.
    pub second_factor: SecondFactor,
    /// A new password has been set in this attempt.
    pub password_set: bool,
    /// Whether `sign_ups_by_address` has counted the account that comes of this.
    pub counted: bool,
    /// Where its pages lead at the end: checked when it began.
    pub return_to: Option<String>,
    /// Where its code goes.
    pub redirect: Option<Redirect>,
    /// Until when its code is good, once it is out.
    pub code_until: Option<Micros>,
    /// Metadata of a new account's own.
    pub data: Option<serde_json::Value>,
    /// Others have asked for the same address with other words: what was typed is nobody's.
    pub contested: bool,
    /// The kind whose mail and challenge it has, where that is another than its own.
    pub asks: Option<AttemptKind>,
    /// It signed up with a password before its address was proven.
    pub claimed: bool,
    /// A back end has drawn its code and link, and sends them by itself.
    pub vouched: bool,
    /// A new account may do without a password: the app asks for one when it wants.
    pub no_password: bool,
    /// The account's password went when the address was proven, and a new one is set first.
    pub set_password: bool,
    /// The face serves no tasks: a sign-in that has some is refused.
    pub no_tasks: bool,
    /// A new address is confirmed from the one before, too: what has been so far.
    pub both: Option<Both>,
}

/// Which of two addresses have been confirmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// The one that the account has.
    pub current: bool,
    /// The one that it shall have.
    pub next: bool,
}

/// An attempt as stored.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// What is attempted.
    pub kind: AttemptKind,
    /// Who may go on with it.
    pub binding: Binding,
    pub(crate) handle: Option<Vec<u8>>,
    /// What comes out.
    pub sink: Sink,
    /// Whether steps are taken.
    pub open: bool,
    /// Who it turned out to be: set by a proof, never by what was typed.
    pub user: Option<UserId>,
    /// The revision of the user's credentials that was checked.
    pub auth_rev: Option<i64>,
    /// What was typed.
    pub identifier: Option<Identifier>,
    /// The proofs so far.
    pub proofs: Vec<Proof>,
    /// What else it remembers.
    pub body: Body,
    /// The session that came out.
    pub session: Option<SessionId>,
    /// When it began.
    pub created_at: Micros,
    /// Until when it is open or, once completed, readable.
    pub expires_at: Micros,
}

/// An open attempt is given up after so long.
pub const OPEN: Micros = HOUR;
/// A completed attempt is readable for so long, and unable to act.
pub const READABLE: Micros = DAY;

impl Attempt {
    /// An open attempt of nobody yet, in which nothing was typed and nothing proven.
    pub(crate) fn new(
        draw: &Draw,
        kind: AttemptKind,
        binding: Binding,
        handle: Option<&Keyed>,
        sink: Sink,
    ) -> Self {
        Self {
            id: draw.attempt,
            kind,
            binding,
            handle: handle.map(|h| h.hashed().0.to_vec()),
            sink,
            open: true,
            user: None,
            auth_rev: None,
            identifier: None,
            proofs: Vec::new(),
            body: Body::default(),
            session: None,
            created_at: draw.now,
            expires_at: draw.now + OPEN,
        }
    }

    /// The steps that are offered now; any one of them leads on. They depend on proofs alone, never on whether an
    /// account exists for what was typed.
    pub fn offers(&self, password_at_sign_up: bool) -> Vec<Step> {
        if !self.open || self.body.code_until.is_some() {
            return Vec::new();
        }
        let first = self.proofs.iter().any(|p| !p.second);
        let factor = self.body.factor && self.body.second_factor == SecondFactor::Before;
        match self.kind {
            AttemptKind::SignIn if !first => vec![Step::Password, Step::Code],
            // A password was right, but the address it hangs on has never been proven.
            AttemptKind::SignIn if self.user.is_none() => vec![Step::Code],
            AttemptKind::SignIn if self.body.set_password && !self.body.password_set => {
                vec![Step::NewPassword]
            }
            AttemptKind::SignIn if factor => vec![Step::Factor],
            AttemptKind::SignUp if !first => vec![Step::Code],
            AttemptKind::SignUp
                if password_at_sign_up && !self.body.no_password && !self.body.password_set =>
            {
                vec![Step::NewPassword]
            }
            AttemptKind::Recover if !first => vec![Step::Code],
            AttemptKind::Recover if !self.body.password_set => vec![Step::NewPassword],
            AttemptKind::Recover if factor => vec![Step::Factor],
            AttemptKind::StepUp if factor && !self.proofs.iter().any(|p| p.second) => vec![Step::Factor],
            AttemptKind::StepUp if !factor && !first => vec![Step::Password, Step::Code],
            AttemptKind::Verify if !first || self.body.both.is_some_and(|b| !(b.current && b.next)) => {
                vec![Step::Code]
            }
            _ => Vec::new(),
        }
    }

    /// Refuses a step that is not offered.
    pub fn must_offer(&self, step: Step, password_at_sign_up: bool) -> Result<()> {
        if !self.open {
            return Err(Kind::AttemptClosed.into());
        }
        let offers = self.offers(password_at_sign_up);
        if offers.contains(&step) {
            return Ok(());
        }
        let mut refusal = Refusal::new(Kind::StepNotOffered).param(step.word());
        for offer in offers {
            refusal = refusal.reason(offer.word());
        }
        Err(refusal.into())
    }

    /// The kind whose mail and challenge it has.
    pub fn asks(&self) -> AttemptKind {
        self.body.asks.unwrap_or(self.kind)
    }

    pub(crate) fn prove(&mut self, method: &str, at: Micros, second: bool) {
        self.proofs.push(Proof { method: method.to_owned(), at, second });
    }

    /// RFC 8176 values of the proofs, each once.
    pub fn methods(&self) -> Vec<String> {
        let mut methods: Vec<String> = Vec::new();
        for proof in &self.proofs {
            // A mailed link is possession of the mailbox like a mailed code; `link` is no registered value.
            let method = if proof.method == "link" { "otp" } else { &proof.method };
            if !methods.iter().any(|m| m == method) {
                methods.push(method.to_owned());
            }
        }
        if self.two_factors(&[]) {
            methods.push("mfa".into());
        }
        methods
    }

    /// Whether the second proof stands beside one of another kind, in this attempt or `before` it in the session. The
    /// only second factor there is goes to the mailbox: after a first step by mail it proves the same thing again, and
    /// whoever reads the mail has both.
    pub fn two_factors(&self, before: &[String]) -> bool {
        let other = |method: &str| method == "pwd";
        self.proofs.iter().any(|p| p.second)
            && (self.proofs.iter().any(|p| !p.second && other(&p.method)) || before.iter().any(|m| other(m)))
    }
}

/// Who calls: the browser by its cookie, the holder of a handle, or nobody in particular.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The browser whose cookie came with the request.
    pub browser: Option<browser::Known>,
    /// The attempt's handle.
    pub handle: Option<Keyed>,
    /// The authenticated client.
    pub client: Option<uuid::Uuid>,
    /// The mount at which they call, where it is not the native one.
    pub mount: Option<Arc<Mount>>,
    /// Where the request came from.
    pub source: Source,
}

impl Caller {
    /// The id of the mount at which they call.
    pub fn mount_id(&self, realm: &Realm) -> MountId {
        self.mount.as_ref().map_or(realm.mount(), |mount| mount.id)
    }

    /// Whether the caller may go on with `attempt`.
    pub fn holds(&self, attempt: &Attempt) -> bool {
        let handle = || match (&self.handle, &attempt.handle) {
            (Some(shown), Some(stored)) => shown.id == attempt.id.0 && shown.hashed().matches(stored),
            _ => false,
        };
        match attempt.binding {
            Binding::Browser(id) => self.browser.as_ref().is_some_and(|b| b.id == id),
            Binding::Bearer => handle(),
            Binding::Client(id) => self.client == Some(id) && handle(),
        }
    }
}

/// What a completed attempt hands out.
#[derive(Clone)]
pub struct Completed {
    /// Who.
    pub user: UserId,
    /// The session that came to be, or was proven again.
    pub session: SessionId,
    /// What has to be done before it may be used.
    pub tasks: Vec<String>,
    /// The browser's new cookie.
    pub cookie: Option<NewCookie>,
    /// Access and refresh tokens, at the native mount.
    pub tokens: Option<Tokens>,
    /// What any mount can make tokens of.
    pub grant: Option<Grant>,
}

/// What a session is held by where that is no cookie: a refresh token, and what access tokens of it say.
#[derive(Clone)]
pub struct Grant {
    /// Who.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The newest refresh token.
    pub refresh: zeroize::Zeroizing<String>,
    /// What access tokens say.
    pub claims: family::Claims,
}

/// What a step leads to.
#[derive(Clone)]
pub struct Outcome {
    /// The attempt afterwards.
    pub attempt: Attempt,
    /// What came out, if that was the last step.
    pub completed: Option<Completed>,
    /// Where it leads, if that is away from here.
    pub redirect: Option<zeroize::Zeroizing<String>>,
}

/// Whether new accounts need a password in this realm.
pub fn password_at_sign_up(realm: &Realm) -> bool {
    realm.settings().1.password.required
}

/// Reads an attempt for a caller who may go on with it.
pub async fn load(realm: &Realm, caller: &Caller, id: AttemptId) -> Result<Attempt> {
    let now = realm.now();
    let attempt = realm.db().read(async |tx| store::find(tx, id, now).await).await?;
    // Another's attempt and none at all are the same answer.
    attempt.filter(|a| caller.holds(a)).ok_or_else(|| Kind::AttemptUnknown.into())
}

/// Stores a new attempt. Its browser lives for as long: a cookie that ended before would leave it to nobody. Gives
/// whether the browser's life was prolonged, so that its cookie has to be sent again.
pub(crate) async fn put(
    tx: &mut latchstring_db::Tx,
    attempt: &Attempt,
    mount: crate::id::MountId,
) -> Result<bool> {
    store::insert(tx, attempt, mount).await?;
    match attempt.binding {
        Binding::Browser(id) => browser::store::prolong(tx, id, attempt.expires_at).await,
        Binding::Bearer | Binding::Client(_) => Ok(false),
    }
}

/// Takes an attempt's row within a transaction, for a caller who may go on with it, and refuses a step that is not
/// offered any more.
pub(crate) async fn take(
    tx: &mut latchstring_db::Tx,
    caller: &Caller,
    id: AttemptId,
    step: Step,
    password_at_sign_up: bool,
    now: Micros,
) -> Result<Attempt> {
    let attempt = store::lock(tx, id, now).await?.ok_or(Kind::AttemptClosed)?;
    if !caller.holds(&attempt) {
        return Err(Kind::AttemptUnknown.into());
    }
    attempt.must_offer(step, password_at_sign_up)?;
    Ok(attempt)
}

/// Everything random that a transaction of a step may need: drawn before it opens, since it may run twice.
#[derive(Clone)]
pub(crate) struct Draw {
    pub now: Micros,
    pub user: UserId,
    pub session: SessionId,
    pub family: FamilyId,
    pub identifier: IdentifierId,
    pub credential: CredentialId,
    pub audits: [AuditId; 4],
    pub attempt: AttemptId,
    /// 256 bits for the browser's new secret, for [`Draw::cookie_for`]; or for the code that is carried to an app.
    pub cookie: Keyed,
}

impl Draw {
    pub(crate) fn new(realm: &Realm) -> Self {
        let ground = realm.ground();
        let random = ground.random();
        let now = ground.now();
        Self {
            now,
            user: UserId::new(now, random),
            session: SessionId::new(now, random),
            family: FamilyId::new(now, random),
            identifier: IdentifierId::new(now, random),
            credential: CredentialId::new(now, random),
            audits: [0, 1, 2, 3].map(|i| AuditId::new(now + i, random)),
            attempt: AttemptId::new(now, random),
            cookie: Keyed::new(uuid::Uuid::nil(), random),
        }
    }

    /// The drawn secret, for an existing browser.
    pub(crate) fn cookie_for(&self, browser: BrowserId) -> Keyed {
        self.cookie.with_id(browser.0)
    }
}
