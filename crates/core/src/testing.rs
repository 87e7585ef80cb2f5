//! For tests: a realm on a database of its own, its clock and mailbox, and visitors who do what people do. Not for
//! programs.

use crate::{
    account::{self, Me},
    admin,
    attempt::{
        self, Attempt, AttemptKind, Caller, Completed, Outcome, Sink, Step,
        begin::{Begin, Begun, Within},
    },
    audit::{Actor, Source},
    browser,
    cache::Signed,
    clock::{Micros, TestClock},
    ground::Ground,
    hash::HashPool,
    id::{AttemptId, UserId},
    identifier::Identifier,
    jobs,
    mail::{Mail, Mailbox},
    random::SystemRandom,
    realm::{OpenError, Opening, Realm},
    refusal::{Error, Kind, Result},
    seal::Keys,
    secret::{Keyed, Password},
    settings::{self, Settings},
    token::mint::Tokens,
    user::{self, Full},
};
use latchstring_db::{Db, testing::TestDb};
use parking_lot::Mutex;
use std::sync::Arc;

/// Where [`TestRealm`]'s clock starts: the first of January 2026, 00:00 UTC.
pub const START: Micros = 1_767_225_600_000_000;
/// The issuer of a [`TestRealm`].
pub const ISSUER: &str = "https://id.northwind.example";
/// A password that any policy takes.
pub const PASSWORD: &str = "copper kettle seven lanterns";
/// Another one.
pub const OTHER_PASSWORD: &str = "walnut harbour nineteen violins";

/// A realm on a database of its own, which goes when this is dropped.
pub struct TestRealm {
    /// The realm.
    pub realm: Realm,
    /// Its clock, which only the test moves.
    pub clock: Arc<TestClock>,
    /// Where its mail arrives once [`TestRealm::deliver`] was called.
    pub mailbox: Arc<Mailbox>,
    /// Its root secret.
    pub secret: zeroize::Zeroizing<String>,
    /// Its database.
    pub db: TestDb,
}

impl TestRealm {
    /// A realm with the default settings, but for hashes that cost next to nothing.
    pub async fn new() -> Self {
        Self::opened_as(false, ISSUER).await
    }

    /// [`TestRealm::new`] of `latchstring dev`, or not, at this address.
    pub async fn opened_as(dev: bool, issuer: &str) -> Self {
        Self::opened_by(|opening| (opening.dev, opening.issuer) = (dev, issuer.into())).await
    }

    /// [`TestRealm::new`], opened with another configuration.
    pub async fn opened_by(change: impl FnOnce(&mut Opening)) -> Self {
        let db = TestDb::new(crate::MIGRATIONS).await;
        let clock = Arc::new(TestClock::at(START));
        let secret = Keys::generate(&SystemRandom::default());
        let mut opening = opening(db.db.clone(), clock.clone(), &secret);
        change(&mut opening);
        let realm = Realm::open(opening).await.expect("a fresh realm opens");
        let test = Self { realm, clock, mailbox: Arc::default(), secret, db };
        test.set(|s| {
            s.password.memory_kib = 64;
            s.password.passes = 1;
        })
        .await;
        test
    }

    /// [`TestRealm::new`] with other settings.
    pub async fn with(change: impl Fn(&mut Settings) + Send + Sync + 'static) -> Self {
        let test = Self::new().await;
        test.set(change).await;
        test
    }

    /// Changes settings in the database and in force. They are not checked: tests may go beyond what operators may.
    pub async fn set(&self, change: impl Fn(&mut Settings) + Send + Sync + 'static) {
        let now = self.realm.now();
        let (rev, settings) = self
            .realm
            .db()
            .write(async move |tx| -> Result<(i64, Settings)> {
                let (rev, body) = settings::store::lock(tx, now).await?;
                let mut settings = Settings::from_json(&body)?;
                change(&mut settings);
                settings::store::save(tx, &serde_json::to_string(&settings)?).await?;
                Ok((rev, settings))
            })
            .await
            .expect("settings can be written");
        let settings = settings.opened(&self.realm.ground().keys).expect("own seal");
        self.realm.use_settings(rev, settings);
    }

    /// What [`Realm::open`] takes to open the same realm once more.
    pub async fn opening(&self) -> Opening {
        opening(self.db.reopen().await, self.clock.clone(), &self.secret)
    }

    /// The same realm as another node has it: the same data and clock, a memory of its own.
    pub async fn node(&self) -> Realm {
        self.try_open(|_| ()).await.expect("a second node opens")
    }

    /// Opens the same database with another configuration.
    pub async fn try_open(&self, change: impl FnOnce(&mut Opening)) -> Result<Realm, OpenError> {
        let mut opening = self.opening().await;
        change(&mut opening);
        Realm::open(opening).await
    }

    /// Does all jobs that are due: mail arrives in the mailbox.
    pub async fn deliver(&self) {
        deliver(&self.realm, &self.mailbox).await;
    }

    /// Somebody with a browser that has no cookie yet.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.realm.clone(), self.mailbox.clone(), Sink::Cookie)
    }

    /// Somebody with an app that wants tokens and knows no cookies.
    pub fn app(&self) -> Visitor {
        Visitor::new(self.realm.clone(), self.mailbox.clone(), Sink::Tokens)
    }

    /// Somebody who has made an account with `email` and `password` and is signed in.
    pub async fn sign_up(&self, email: &str, password: &str) -> Visitor {
        let visitor = self.visitor();
        visitor.sign_up(email, password).await;
        visitor
    }

    /// Somebody with a fresh browser who has signed in by `who` (an address or username) and `password`.
    pub async fn sign_in(&self, who: &str, password: &str) -> Visitor {
        let visitor = self.visitor();
        visitor.sign_in(who, password).await;
        visitor
    }

    /// The account that has `who` (an address or username).
    pub async fn find(&self, who: &str) -> Option<Full> {
        let who = Identifier::any(who).expect("an identifier");
        self.realm
            .db()
            .read(async |tx| -> Result<Option<Full>> {
                match crate::identifier::store::find(tx, who.kind, &who.normal).await? {
                    Some(stored) => user::store::full(tx, stored.user).await,
                    None => Ok(None),
                }
            })
            .await
            .expect("users can be read")
    }

    /// The id of the account that has `who`.
    pub async fn id_of(&self, who: &str) -> UserId {
        self.find(who).await.expect("there is such an account").user.id
    }

    /// An account made by an operator; `asserted` says whether they vouch for the address.
    pub async fn admin_user(&self, email: &str, asserted: bool, password: Option<&str>) -> Full {
        let new = admin::users::NewUser {
            email: Some(Identifier::email(email).expect("an address")),
            email_asserted: asserted,
            secret: password.map(|p| admin::users::NewSecret::Password(secret(p))),
            ..admin::users::NewUser::default()
        };
        admin::users::create(&self.realm, Actor::Operator, &Source::default(), new).await.expect("a new user")
    }

    /// The actions of the audit trail about a user, oldest first.
    pub async fn audited(&self, user: UserId) -> Vec<String> {
        let rows = crate::audit::list(self.realm.db(), Some(user.0), None, 1_000).await.expect("audit").0;
        rows.into_iter().rev().map(|row| row.action).collect()
    }

    /// Password hashes computed so far.
    pub fn hashes(&self) -> u64 {
        self.realm.hash().figures().done
    }

    /// Statements executed so far.
    pub fn statements(&self) -> u64 {
        self.realm.db().statements()
    }
}

/// What a realm is opened with in tests.
pub fn opening(db: Db, clock: Arc<TestClock>, secret: &str) -> Opening {
    let random = Arc::new(SystemRandom::default());
    let keys = Arc::new(Keys::parse(secret).expect("a usable secret"));
    Opening {
        db,
        ground: Ground::new(clock, random.clone(), keys),
        hash: Arc::new(HashPool::new(2, 2_000, random).expect("threads")),
        issuer: ISSUER.into(),
        dev: false,
        accept_new_url: false,
        breached: None,
        places: None,
    }
}

async fn deliver(realm: &Realm, mailbox: &Mailbox) {
    let holder = realm.ground().audit_id().0;
    while jobs::work(realm, mailbox, holder).await.expect("jobs") > 0 {}
}

/// A password as typed.
pub fn secret(text: &str) -> Password {
    Password::new(text.to_owned())
}

/// An address or username.
pub fn who(text: &str) -> Identifier {
    Identifier::any(text).expect("an address or username")
}

/// What a test says about an answer that must be a refusal.
pub trait Refused {
    /// The refusal's kind; anything else fails the test.
    #[track_caller]
    fn refused(self) -> Kind;
}

impl<T> Refused for Result<T> {
    #[track_caller]
    fn refused(self) -> Kind {
        match self {
            Ok(_) => panic!("this must be refused"),
            Err(Error::Refused(refusal)) => refusal.kind,
            Err(Error::Fault(fault)) => panic!("this must be refused, and is a fault: {}", chain(&fault)),
        }
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Somebody with one browser (or app) who keeps what they are given: cookie, handle, tokens. Clones share it.
#[derive(Clone)]
pub struct Visitor {
    realm: Realm,
    mailbox: Arc<Mailbox>,
    sink: Sink,
    held: Arc<Mutex<Held>>,
}

#[derive(Default, Clone)]
struct Held {
    cookie: Option<zeroize::Zeroizing<String>>,
    handle: Option<Keyed>,
    client: Option<uuid::Uuid>,
    source: Source,
    tokens: Option<Tokens>,
    completed: Option<Completed>,
}

impl Visitor {
    fn new(realm: Realm, mailbox: Arc<Mailbox>, sink: Sink) -> Self {
        Self { realm, mailbox, sink, held: Arc::default() }
    }

    /// The same person with a copy of what they hold: what a thief has.
    #[must_use]
    pub fn copy(&self) -> Self {
        let held = Arc::new(Mutex::new(self.held.lock().clone()));
        Self { realm: self.realm.clone(), mailbox: self.mailbox.clone(), sink: self.sink, held }
    }

    /// The same visitor as another node sees them.
    #[must_use]
    pub fn at(&self, realm: &Realm) -> Self {
        Self { realm: realm.clone(), ..self.clone() }
    }

    /// Comes from this address from now on.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        self.held.lock().source.address = Some(address.parse().expect("an IP address"));
        self
    }

    /// Comes with this User-Agent from now on.
    #[must_use]
    pub fn with(self, user_agent: &str) -> Self {
        self.held.lock().source.user_agent = Some(user_agent.to_owned());
        self
    }

    /// Authenticates as this client from now on.
    #[must_use]
    pub fn client(self, client: uuid::Uuid) -> Self {
        self.held.lock().client = Some(client);
        self
    }

    /// The value of the cookie, if there is one.
    pub fn cookie(&self) -> Option<zeroize::Zeroizing<String>> {
        self.held.lock().cookie.clone()
    }

    /// Puts a cookie into the browser, as an attacker might.
    pub fn plant(&self, cookie: &str) {
        self.held.lock().cookie = Some(zeroize::Zeroizing::new(cookie.to_owned()));
    }

    /// The handle of the attempt that is bound to its bearer.
    pub fn handle(&self) -> Option<Keyed> {
        self.held.lock().handle.clone()
    }

    /// Holds this handle from now on.
    pub fn hold(&self, handle: Option<Keyed>) {
        self.held.lock().handle = handle;
    }

    /// The tokens that came out last.
    pub fn tokens(&self) -> Tokens {
        self.held.lock().tokens.clone().expect("tokens have been given")
    }

    /// What came out last.
    pub fn completed(&self) -> Completed {
        self.held.lock().completed.clone().expect("an attempt has been completed")
    }

    /// Who they are to a rule: what a face gathers from a request.
    pub async fn caller(&self) -> Caller {
        let held = self.held.lock().clone();
        let browser = match held.cookie {
            Some(cookie) => browser::check(&self.realm, &cookie).await.expect("cookies can be checked"),
            None => None,
        };
        Caller { browser, handle: held.handle, client: held.client, mount: None, source: held.source }
    }

    /// Who is signed in by the cookie.
    pub async fn signed(&self) -> Option<Arc<Signed>> {
        self.caller().await.browser.and_then(|b| b.signed)
    }

    /// The signed-in user: by cookie, else by access token.
    pub async fn me(&self) -> Option<Me> {
        if let Some(s) = self.signed().await {
            return Some(Me { user: s.user, session: s.session, browser: s.browser, auth_at: s.auth_at });
        }
        let tokens = self.held.lock().tokens.clone()?;
        let checked = crate::token::check::access(&self.realm, &tokens.access.token).await.ok()?;
        Some(Me {
            user: checked.sub,
            session: checked.sid?,
            browser: None,
            auth_at: checked.auth_time * crate::clock::SECOND,
        })
    }

    /// The session within which further proofs are given.
    pub async fn within(&self) -> Within {
        let me = self.me().await.expect("somebody is signed in");
        Within { session: me.session, user: me.user }
    }

    /// Begins what `begin` says.
    pub async fn try_begin(&self, begin: Begin) -> Result<Begun> {
        let begun = attempt::begin::begin(&self.realm, &self.caller().await, begin).await?;
        if let Some(cookie) = &begun.cookie {
            self.held.lock().cookie = Some(cookie.secret.text());
        }
        if begun.handle.is_some() {
            self.hold(begun.handle.clone());
        }
        self.take(&begun.outcome);
        Ok(begun)
    }

    /// Begins an attempt of `kind` for `who`.
    pub async fn begin(&self, kind: AttemptKind, who: &str) -> Attempt {
        let begin = Begin::new(kind, Some(self::who(who)), self.sink);
        self.try_begin(begin).await.expect("an attempt begins").outcome.attempt
    }

    /// Begins a step-up, or with an address the proof of it, within the session.
    pub async fn begin_within(&self, kind: AttemptKind, who: Option<&str>) -> Attempt {
        let begin =
            Begin { within: Some(self.within().await), ..Begin::new(kind, who.map(self::who), self.sink) };
        self.try_begin(begin).await.expect("an attempt begins").outcome.attempt
    }

    fn take(&self, outcome: &Outcome) {
        let Some(completed) = &outcome.completed else { return };
        let mut held = self.held.lock();
        if let Some(cookie) = &completed.cookie {
            held.cookie = Some(cookie.secret.text());
        }
        if completed.tokens.is_some() {
            held.tokens = completed.tokens.clone();
        }
        held.completed = Some(completed.clone());
    }

    fn taken(&self, result: Result<Outcome>) -> Result<Outcome> {
        result.inspect(|outcome| self.take(outcome))
    }

    /// Reads an attempt again.
    pub async fn load(&self, id: AttemptId) -> Result<Attempt> {
        attempt::load(&self.realm, &self.caller().await, id).await
    }

    /// The password step.
    pub async fn password(&self, id: AttemptId, password: &str) -> Result<Outcome> {
        let caller = self.caller().await;
        self.taken(attempt::password::password(&self.realm, &caller, id, secret(password)).await)
    }

    /// The new-password step.
    pub async fn new_password(&self, id: AttemptId, password: &str) -> Result<Outcome> {
        let caller = self.caller().await;
        self.taken(attempt::new_password::new_password(&self.realm, &caller, id, secret(password)).await)
    }

    /// Asks for a code.
    pub async fn send(&self, id: AttemptId) -> Result<()> {
        attempt::code::send(&self.realm, &self.caller().await, id).await
    }

    /// The code step.
    pub async fn code(&self, id: AttemptId, code: &str) -> Result<Outcome> {
        let caller = self.caller().await;
        self.taken(attempt::code::code(&self.realm, &caller, id, code).await)
    }

    /// Asks for a code, reads it in the mailbox of `address` and types it.
    pub async fn prove(&self, id: AttemptId, address: &str) -> Result<Outcome> {
        self.send(id).await?;
        let code = self.code_to(address).await;
        self.code(id, &code).await
    }

    /// Opens a mailed link and presses the button.
    pub async fn follow(&self, token: &str) -> Result<Outcome> {
        let caller = self.caller().await;
        let (outcome, cookie) = attempt::link::follow(&self.realm, &caller, token).await?;
        if let Some(cookie) = cookie {
            self.held.lock().cookie = Some(cookie.secret.text());
        }
        self.take(&outcome);
        Ok(outcome)
    }

    /// The newest mail to `address`, after everything due was delivered.
    pub async fn mail_to(&self, address: &str) -> Mail {
        deliver(&self.realm, &self.mailbox).await;
        self.mailbox.newest_to(address).unwrap_or_else(|| panic!("no mail has come to {address}"))
    }

    /// The code in the newest mail to `address`.
    pub async fn code_to(&self, address: &str) -> String {
        deliver(&self.realm, &self.mailbox).await;
        let mail = self.mailbox.newest_where(address, |mail| mail.code.is_some());
        mail.and_then(|mail| mail.code).expect("a mail with a code")
    }

    /// What the link in the newest mail to `address` carries.
    pub async fn link_to(&self, address: &str) -> String {
        self.carried(address, |link| !link.contains("not_me=")).await
    }

    /// What the link in the newest notice to `address` carries.
    pub async fn not_me_to(&self, address: &str) -> String {
        self.carried(address, |link| link.contains("not_me=")).await
    }

    async fn carried(&self, address: &str, wanted: impl Fn(&str) -> bool) -> String {
        deliver(&self.realm, &self.mailbox).await;
        let mail = self.mailbox.newest_where(address, |mail| mail.link.as_deref().is_some_and(&wanted));
        let link = mail.and_then(|mail| mail.link).expect("a mail with a link");
        link.split_once('=').expect("the link carries a token").1.to_owned()
    }

    /// Makes an account and is signed in.
    pub async fn sign_up(&self, email: &str, password: &str) {
        let attempt = self.begin(AttemptKind::SignUp, email).await;
        let outcome = self.prove(attempt.id, email).await.expect("the address is proven");
        if outcome.completed.is_none() {
            let at_sign_up = attempt::password_at_sign_up(&self.realm);
            assert_eq!(
                outcome.attempt.offers(at_sign_up),
                [Step::NewPassword],
                "what follows a proven address"
            );
            self.new_password(attempt.id, password).await.expect("the password is set");
        }
    }

    /// Signs in by password.
    pub async fn try_sign_in(&self, who: &str, password: &str) -> Result<Outcome> {
        let attempt = self.begin(AttemptKind::SignIn, who).await;
        self.password(attempt.id, password).await
    }

    /// Signs in by password; anything outstanding fails the test.
    pub async fn sign_in(&self, who: &str, password: &str) {
        let outcome = self.try_sign_in(who, password).await.expect("the password is right");
        assert!(outcome.completed.is_some(), "the password is enough");
    }

    /// Sets a new password by a mailed code.
    pub async fn recover(&self, email: &str, password: &str) {
        let attempt = self.begin(AttemptKind::Recover, email).await;
        self.prove(attempt.id, email).await.expect("the address is proven");
        self.new_password(attempt.id, password).await.expect("the password is set");
    }

    /// Gives the password again within the session.
    pub async fn step_up(&self, password: &str) {
        let attempt = self.begin_within(AttemptKind::StepUp, None).await;
        self.password(attempt.id, password).await.expect("the password is right");
    }

    /// Uses the refresh token that is held, and keeps what comes of it.
    pub async fn refresh(&self) -> Result<Tokens> {
        let refresh = self.tokens().refresh;
        let source = self.held.lock().source.clone();
        let (_, tokens) = crate::token::mint::refresh(&self.realm, &refresh, &source).await?;
        self.held.lock().tokens = Some(tokens.clone());
        Ok(tokens)
    }

    /// Signs out.
    pub async fn sign_out(&self) {
        let me = self.me().await.expect("somebody is signed in");
        let which = crate::session::Which::One(me.session);
        account::end_mine(&self.realm, &me, &Source::default(), which).await.expect("sign-out");
    }

    /// Takes a username.
    pub async fn take_username(&self, name: &str) -> Result<Full> {
        let me = self.me().await.expect("somebody is signed in");
        account::set_username(&self.realm, &me, &Source::default(), Some(name)).await
    }

    /// Whether cookie or access token (whichever they have) is still good.
    pub async fn is_in(&self) -> bool {
        self.me().await.is_some()
    }
}

impl Visitor {
    /// Makes a guest.
    pub async fn be_guest(&self) -> Result<Begun> {
        let begin = Begin { guest: true, ..Begin::new(AttemptKind::SignUp, None, self.sink) };
        self.try_begin(begin).await
    }

    /// Begins with an invitation's secret.
    pub async fn accept(&self, invitation: &str) -> Result<Begun> {
        let begin =
            Begin { invitation: Some(invitation.into()), ..Begin::new(AttemptKind::SignUp, None, self.sink) };
        self.try_begin(begin).await
    }
}
