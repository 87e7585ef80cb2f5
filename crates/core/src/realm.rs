//! A realm: one isolated population with its own database, keys, settings and users. Everything hangs off it, so one
//! process can serve one realm or thousands through the same code.

pub mod store;

use crate::{
    cache::Cache,
    clock::{Micros, SECOND},
    ended::{EndedSet, Ending, feed::Feed},
    ground::Ground,
    hash::HashPool,
    id::{MountId, SessionId},
    key::{self, Purpose, Ring, Rings},
    limit::{self, Limiter, Rule, proving::Proving},
    mount::{self, Mounts},
    refusal::{Fault, Result},
    settings::{self, Settings},
};
use arc_swap::{ArcSwap, ArcSwapOption};
use latchstring_db::{Db, MigrateError};
use latchstring_look::brand::{Brand, LookSettings};
use latchstring_proto::password::Params;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

pub use store::Dev;

/// Why a realm does not open. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The schema can't be brought up to date.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database was sealed under another secret.
    #[error(
        "this database was sealed under another secret. Start with the LATCHSTRING_SECRET that it was made with; \
         without it, sealed values (signing keys, client secrets) can't be read"
    )]
    OtherSecret,
    /// A development database is not for production.
    #[error(
        "this database was made by `latchstring dev` and may hold test accounts and a guessable set-up. \
         Point LATCHSTRING_DATABASE at a new one for `latchstring serve`"
    )]
    DevDatabase,
    /// A production database is not for development.
    #[error(
        "this database belongs to `latchstring serve`. `latchstring dev` would show its mail to anyone on this \
         machine: point LATCHSTRING_DATABASE at another file"
    )]
    ServeDatabase,
    /// The issuer changed.
    #[error(
        "this database has the issuer {stored}, but LATCHSTRING_URL is {given}. Apps and tokens know the old one: \
         set LATCHSTRING_URL back, or start once with --accept-new-url if the address really changed"
    )]
    OtherIssuer {
        /// The issuer in the database.
        stored: String,
        /// The one from the configuration.
        given: String,
    },
    /// There is no realm yet.
    #[error("the database is empty. Start the server once; it sets the database up")]
    Empty,
    /// The server has not brought it up to date yet.
    #[error(
        "the database has schema {found}, and this program works on {needed}. Start the server of this version once; \
         it brings the database up to date"
    )]
    OlderSchema {
        /// The number of its newest migration.
        found: i64,
        /// The number of the newest one that we know.
        needed: i64,
    },
    /// A statement or key failed.
    #[error(transparent)]
    Core(#[from] crate::Error),
}

impl OpenError {
    /// Whether trying again later can help.
    pub fn is_unavailable(&self) -> bool {
        match self {
            _ if self.turned_away().is_some() => false,
            OpenError::Migrate(MigrateError::Db(e)) => e.is_unavailable(),
            OpenError::Core(e) => e.kind() == Some(crate::Kind::DatabaseAway),
            _ => false,
        }
    }

    /// That PostgreSQL answers and does not let us in, with what it said: the URL is to be corrected. Opening begins with
    /// a look at the migrations, so that it is found there.
    pub fn turned_away(&self) -> Option<&latchstring_db::Error> {
        match self {
            OpenError::Migrate(MigrateError::Db(e @ latchstring_db::Error::TurnedAway(_))) => Some(e),
            _ => None,
        }
    }
}

/// A look that was made, and of which settings.
struct Dressed {
    rev: i64,
    look: LookSettings,
    brand: Arc<Brand>,
}

/// A look that a newer node has let pass and this one can't read is no reason to stay away.
fn brand(look: &LookSettings) -> Brand {
    let (brand, wrong) = Brand::as_far_as_possible(look);
    for wrong in wrong {
        tracing::error!(setting = wrong.param, says = %wrong.says, "a part of the look is not usable; ours serves");
    }
    brand
}

/// What a realm is opened with.
pub struct Opening {
    /// Its database.
    pub db: Db,
    /// Clock, randomness, keys.
    pub ground: Ground,
    /// The password pool.
    pub hash: Arc<HashPool>,
    /// The public origin and default issuer, character for character.
    pub issuer: String,
    /// Whether this is `latchstring dev`.
    pub dev: bool,
    /// Whether a changed issuer is taken.
    pub accept_new_url: bool,
    /// A sorted file of breached password hashes, if there is one.
    pub breached: Option<Arc<dyn Breached>>,
    /// Where addresses are, if that is known here.
    pub places: Option<Arc<dyn Places>>,
}

/// Looks a password up among breached ones. Pluggable: a file, a service.
pub trait Breached: Send + Sync + 'static {
    /// Whether the password is known to attackers.
    fn contains(&self, password: &str) -> bool;
}

/// Says where an address of a network is, as people call the place. Pluggable: a file, a service.
pub trait Places: Send + Sync + 'static {
    /// “Zürich”, if that is known.
    fn of(&self, address: std::net::IpAddr) -> Option<String>;
}

/// What a realm is made of, once its database was looked at.
struct Loading {
    db: Db,
    ground: Ground,
    hash: Arc<HashPool>,
    issuer: String,
    dev: Option<Dev>,
    mount: MountId,
    breached: Option<Arc<dyn Breached>>,
    places: Option<Arc<dyn Places>>,
}

struct Inner {
    db: Db,
    ground: Ground,
    hash: Arc<HashPool>,
    issuer: Arc<str>,
    dev: Option<Dev>,
    mount: MountId,
    settings: ArcSwap<(i64, Settings)>,
    /// What follows from the settings for pages and mails: made when it is first asked for.
    brand: ArcSwapOption<Dressed>,
    rings: ArcSwap<Rings>,
    mounts: ArcSwap<Mounts>,
    ended: EndedSet,
    feed: Feed,
    limiter: Limiter,
    cache: Cache,
    proving: Proving,
    touched: Mutex<HashMap<SessionId, Micros>>,
    breached: Option<Arc<dyn Breached>>,
    places: Option<Arc<dyn Places>>,
}

/// A realm. Cheap to clone.
#[derive(Clone)]
pub struct Realm(Arc<Inner>);

impl Realm {
    /// Opens a realm: migrates, checks the secret and the marks, loads settings and keys.
    pub async fn open(opening: Opening) -> Result<Realm, OpenError> {
        opening.db.migrate(crate::MIGRATIONS).await?;
        // The usual start finds all as it should be, and writes nothing.
        let found = opening.db.read(async |tx| store::find(tx).await).await?;
        let found = match found.filter(|found| found.fits(&opening)) {
            Some(found) => found,
            None => store::prepare(&opening).await?,
        };
        let Opening { db, ground, hash, issuer, breached, places, .. } = opening;
        let (dev, mount) = (found.dev(), found.mount);
        let loading = Loading { db, ground, hash, issuer, dev, mount, breached, places };
        let realm = Self::load(loading).await?;
        realm.ring(Purpose::Native).await?;
        Ok(realm)
    }

    /// Opens a realm beside its server, as a command does: issuer and kind are what the database says. Nothing is
    /// written, and nothing migrated: a server of the version before may be at work.
    pub async fn attach(
        db: Db,
        ground: Ground,
        hash: Arc<HashPool>,
        breached: Option<Arc<dyn Breached>>,
    ) -> Result<Realm, OpenError> {
        let needed = crate::MIGRATIONS.last().map_or(0, |migration| migration.number);
        match db.schema().await.map_err(MigrateError::from)? {
            None => return Err(OpenError::Empty),
            Some(found) if found < needed => return Err(OpenError::OlderSchema { found, needed }),
            Some(found) if found > needed => {
                return Err(MigrateError::NewerThanBinary { found, known: needed }.into());
            }
            Some(_) => {}
        }
        let found = db.read(async |tx| store::find(tx).await).await?.ok_or(OpenError::Empty)?;
        found.check_secret(&ground.keys)?;
        let (dev, mount, issuer) = (found.dev(), found.mount, found.issuer);
        // No command tells where anybody is.
        Self::load(Loading { db, ground, hash, issuer, dev, mount, breached, places: None }).await
    }

    async fn load(loading: Loading) -> Result<Realm, OpenError> {
        let Loading { db, ground, hash, issuer, dev, mount, breached, places } = loading;
        let (rev, body) = db
            .read(async |tx| settings::store::load(tx).await)
            .await?
            .ok_or_else(|| crate::Error::from(Fault::bug("the settings row is missing")))?;
        let settings = Settings::from_json(&body)?.opened(&ground.keys)?;
        let rings = key::load(&db, &ground, mount).await?;
        let mounts = db.read(async |tx| mount::store::all(tx).await).await?;
        let realm = Realm(Arc::new(Inner {
            db,
            ground,
            hash,
            issuer: issuer.into(),
            dev,
            mount,
            brand: ArcSwapOption::empty(),
            settings: ArcSwap::from_pointee((rev, settings)),
            rings: ArcSwap::from_pointee(rings),
            mounts: ArcSwap::from_pointee(Mounts::new(mounts)),
            ended: EndedSet::default(),
            feed: Feed::default(),
            limiter: Limiter::default(),
            cache: Cache::default(),
            proving: Proving::default(),
            touched: Mutex::default(),
            breached,
            places,
        }));
        realm.follow().await?;
        Ok(realm)
    }

    /// The realm's database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Clock, randomness, keys.
    pub fn ground(&self) -> &Ground {
        &self.0.ground
    }

    /// The time now.
    pub fn now(&self) -> Micros {
        self.0.ground.now()
    }

    /// The password pool.
    pub fn hash(&self) -> &HashPool {
        &self.0.hash
    }

    /// The issuer of native tokens, and the public origin.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Where pages may lead somebody at the end: to a path of our own, or to an origin that the settings list. Anything
    /// else is nowhere.
    pub fn may_return_to(&self, text: &str) -> Option<String> {
        let settings = self.settings();
        let listed = settings.1.origins.iter().map(String::as_str);
        latchstring_proto::return_to::check(text, self.issuer(), listed)
    }

    /// Whether this is a realm of `latchstring dev`.
    pub fn is_dev(&self) -> bool {
        self.0.dev.is_some()
    }

    /// What permits things that are for development only.
    pub fn dev(&self) -> Option<Dev> {
        self.0.dev
    }

    /// The native mount.
    pub fn mount(&self) -> MountId {
        self.0.mount
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<(i64, Settings)> {
        self.0.settings.load_full()
    }

    /// How pages and mails look and speak, as the settings in force say.
    pub fn brand(&self) -> Arc<Brand> {
        let settings = self.0.settings.load();
        let made = self.0.brand.load();
        if let Some(made) = made.as_ref().filter(|made| made.rev == settings.0) {
            return made.brand.clone();
        }
        let brand = match made.as_ref().filter(|made| made.look == settings.1.look) {
            Some(made) => made.brand.clone(),
            None => Arc::new(brand(&settings.1.look)),
        };
        let made = Dressed { rev: settings.0, look: settings.1.look.clone(), brand: brand.clone() };
        self.0.brand.store(Some(Arc::new(made)));
        brand
    }

    /// Takes settings into force, unless newer ones are.
    pub fn use_settings(&self, rev: i64, settings: Settings) {
        let new = Arc::new((rev, settings));
        self.0.settings.rcu(|old| if old.0 < rev { new.clone() } else { old.clone() });
    }

    /// The key rings in force.
    pub fn rings(&self) -> Arc<Rings> {
        self.0.rings.load_full()
    }

    /// The ring of native tokens.
    pub fn native_ring(&self) -> Result<Arc<Ring>> {
        Ok(self.rings().get(Purpose::Native).cloned().ok_or(Fault::bug("the native key ring is missing"))?)
    }

    /// The native ring for `purpose`, made now if this is its first use.
    pub async fn ring(&self, purpose: Purpose) -> Result<Arc<Ring>> {
        self.ring_of(self.mount(), purpose).await
    }

    /// A mount's ring for `purpose`, made now if this is its first use.
    pub async fn ring_of(&self, mount: MountId, purpose: Purpose) -> Result<Arc<Ring>> {
        if let Some(ring) = self.rings().of(mount, purpose) {
            return Ok(ring.clone());
        }
        key::ensure(self.db(), self.ground(), mount, purpose).await?;
        self.reload_rings().await?;
        Ok(self
            .rings()
            .of(mount, purpose)
            .cloned()
            .ok_or(Fault::bug("a key ring was made and is not there"))?)
    }

    /// Reads key rings and mounts again.
    pub async fn reload_rings(&self) -> Result<()> {
        let rings = key::load(self.db(), self.ground(), self.mount()).await?;
        let mounts = self.db().read(async |tx| mount::store::all(tx).await).await?;
        self.0.mounts.store(Arc::new(Mounts::new(mounts)));
        self.0.rings.store(Arc::new(rings));
        Ok(())
    }

    /// Where dialects can be reached.
    pub fn mounts(&self) -> Arc<Mounts> {
        self.0.mounts.load_full()
    }

    /// What has ended.
    pub fn ended(&self) -> &EndedSet {
        &self.0.ended
    }

    /// The newest published endings, for readers of the feed.
    pub fn feed(&self) -> &Feed {
        &self.0.feed
    }

    /// Takes note of endings that this process has committed.
    pub fn apply(&self, endings: &[Ending]) {
        self.0.ended.apply(endings);
    }

    /// Cookies and tokens seen lately.
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// Cost of a password hash.
    pub fn hash_params(&self) -> Params {
        let p = &self.0.settings.load().1.password;
        Params { m_kib: p.memory_kib, t: p.passes, p: p.lanes }
    }

    /// The breached-password list, if there is one.
    pub fn breached(&self) -> Option<&Arc<dyn Breached>> {
        self.0.breached.as_ref()
    }

    /// Who knows where addresses are, if anybody does.
    pub fn places(&self) -> Option<&Arc<dyn Places>> {
        self.0.places.as_ref()
    }

    /// The limiter of this process, for metrics.
    pub fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// Proofs that this process is evaluating.
    pub fn proving(&self) -> &Proving {
        &self.0.proving
    }

    /// Takes one from a limit; refuses when there is none to take.
    pub async fn limit(&self, rule: Rule, value: &[u8]) -> Result<()> {
        let rate = self.0.settings.load().1.rule(rule);
        let key = limit::key(&self.ground().keys, rule, value);
        let now = self.now();
        let taken = if rule.shared() {
            self.db()
                .write(async move |tx| -> Result<Result<(), Micros>> {
                    limit::store::take(tx, key, rate, now).await
                })
                .await?
        } else {
            self.0.limiter.take(key, rate, now)
        };
        taken.map_err(|wait| limit::refused(rule, rate, wait).into())
    }

    /// [`Realm::limit`] by the address of the caller: one for an IPv4 address, one for an IPv6 /64.
    pub async fn limit_address(&self, rule: Rule, source: &crate::audit::Source) -> Result<()> {
        let Some(bucket) = source.bucket() else { return Ok(()) };
        self.limit(rule, bucket.as_bytes()).await
    }

    /// Remembers that a session was used; written to the database now and then, at most once a minute a session.
    pub fn touch(&self, session: SessionId, now: Micros) {
        let mut touched = self.0.touched.lock();
        // A bound, should the database be away for long: activity is a comfort, not a promise.
        if touched.len() < 100_000 {
            touched.insert(session, now);
        }
    }

    /// Takes what [`Realm::touch`] gathered.
    pub fn take_touched(&self) -> Vec<(SessionId, Micros)> {
        std::mem::take(&mut *self.0.touched.lock()).into_iter().collect()
    }

    /// Catches up with other nodes: endings, settings, keys. Called five times a second.
    pub async fn follow(&self) -> Result<()> {
        let now = self.now();
        self.0.ended.poll(self.db(), now).await?;
        let (settings_rev, rings_rev) = self.db().read(async |tx| store::revs(tx).await).await?;
        // Before the settings: a document of a newer node that can't be read must not keep this one from the keys.
        if rings_rev != self.0.rings.load().rev {
            self.reload_rings().await?;
            // Tokens that were checked lately are remembered by what they say; the key may have been taken back.
            self.0.cache.forget_tokens();
        }
        if settings_rev > self.0.settings.load().0
            && let Some((rev, body)) = self.db().read(async |tx| settings::store::load(tx).await).await?
        {
            self.use_settings(rev, Settings::from_json(&body)?.opened(&self.ground().keys)?);
        }
        Ok(())
    }

    /// Whether what is in memory may be trusted; if a poll is late, callers read the database instead.
    pub fn is_fresh(&self) -> bool {
        self.0.ended.is_fresh()
    }

    /// How long tokens of today's settings can live at most: rows of `ended` are kept so long.
    pub fn longest_token(&self) -> Micros {
        self.0.settings.load().1.longest_token()
    }

    /// Seconds of a setting as microseconds.
    pub fn micros(seconds: i64) -> Micros {
        seconds.saturating_mul(SECOND)
    }
}
