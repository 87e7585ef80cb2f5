//! What has ended. Revocations are rows of `ended`, written in the transaction that ends; every node polls them five
//! times a second (on PostgreSQL sooner, when it hears of one) into a set in memory, which is looked at on each session
//! and token check. Rows live until no token from before can be inside its lifetime any more.

pub mod feed;
pub mod store;

use crate::{
    clock::{Micros, SECOND, Stopwatch},
    ground::Ground,
    id::{BrowserId, EndedId, SessionId, UserId},
    page,
    refusal::Result,
};
use latchstring_db::Tx;
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};
use uuid::Uuid;

/// What sort of thing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndedKind {
    /// A session, with everything issued from it.
    Session,
    /// Everything of a user from before `number` (Unix microseconds).
    User,
    /// The cookie of a browser before generation `number`.
    Browser,
    /// Everything of a client from before `number`.
    Client,
    /// Everything of the realm from before `number`.
    Realm,
}

impl EndedKind {
    /// The word that is stored and published.
    pub fn word(self) -> &'static str {
        match self {
            EndedKind::Session => "session",
            EndedKind::User => "user",
            EndedKind::Browser => "browser",
            EndedKind::Client => "client",
            EndedKind::Realm => "realm",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Session, Self::User, Self::Browser, Self::Client, Self::Realm]
            .into_iter()
            .find(|k| k.word() == word)
    }
}

/// Where PostgreSQL says that rows have come, on commit: a trigger of the schema does it.
pub const CHANNEL: &str = "latchstring_ended";

/// One thing that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The row's id.
    pub id: EndedId,
    /// What sort of thing.
    pub kind: EndedKind,
    /// Which.
    pub object: Uuid,
    /// A time or a generation, by kind.
    pub number: i64,
    /// When.
    pub at: Micros,
    /// Until when the row matters.
    pub keep_until: Micros,
}

impl Ending {
    /// A session ended.
    pub fn session(ground: &Ground, session: SessionId, keep: Micros) -> Self {
        Self::new(ground, EndedKind::Session, session.0, 0, keep)
    }

    /// Everything of a user from before `valid_after` ended.
    pub fn user(ground: &Ground, user: UserId, valid_after: Micros, keep: Micros) -> Self {
        Self::new(ground, EndedKind::User, user.0, valid_after, keep)
    }

    /// Everything of the realm from before `valid_after` ended.
    pub fn realm(ground: &Ground, valid_after: Micros, keep: Micros) -> Self {
        Self::new(ground, EndedKind::Realm, Uuid::nil(), valid_after, keep)
    }

    /// The cookie of a browser changed: those before `generation` are dead.
    pub fn browser(ground: &Ground, browser: BrowserId, generation: i64) -> Self {
        // Only caches have to learn it, and they keep nothing for longer than a minute.
        Self::new(ground, EndedKind::Browser, browser.0, generation, 300 * SECOND)
    }

    fn new(ground: &Ground, kind: EndedKind, object: Uuid, number: i64, keep: Micros) -> Self {
        let at = ground.now();
        Self { id: EndedId::new(at, ground.random()), kind, object, number, at, keep_until: at + keep }
    }
}

/// Writes an ending, inside the transaction that ends. After its commit the caller hands it to [`EndedSet::apply`],
/// so that this node refuses at once and does not wait for its own poll.
pub async fn write(tx: &mut Tx, ending: &Ending) -> Result<()> {
    store::insert(tx, ending).await
}

const SHARDS: usize = 16;

#[derive(Default)]
struct Shard {
    sessions: HashMap<Uuid, Micros>,
    numbers: HashMap<(EndedKind, Uuid), (i64, Micros)>,
}

/// The set in memory.
pub struct EndedSet {
    shards: [RwLock<Shard>; SHARDS],
    /// Everything of the realm from before is dead. Apart from the rest: each check looks at it.
    realm: AtomicI64,
    /// Runs for as long as the set is there; [`EndedSet::polled`] is read off it.
    watch: Stopwatch,
    /// When the last completed poll began, in microseconds by the watch; -1 before the first.
    polled: AtomicI64,
    /// The time of the last completed poll; 0 before the first, which reads all that matters.
    last: AtomicI64,
    polls: AtomicU64,
}

impl Default for EndedSet {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            realm: AtomicI64::new(0),
            watch: Stopwatch::start(),
            polled: AtomicI64::new(-1),
            last: AtomicI64::new(0),
            polls: AtomicU64::new(0),
        }
    }
}

/// A poll reads again what is younger than this before the one before it: a transaction may commit a row after
/// younger ones were seen, and clocks of nodes differ by up to two seconds.
const OVERLAP: Micros = 10 * SECOND;
/// Now and then a poll looks back farther: several statements may follow the row, and on PostgreSQL each may wait for a
/// lock for as long as its timeout allows (15 s).
const FAR_OVERLAP: Micros = 60 * SECOND;
/// Every so many polls: each five seconds. All of them would read the endings of a busy minute five times a second.
const FAR_EVERY: u64 = 25;
/// After so long without a poll the set is not trusted.
const STALE: Duration = Duration::from_millis(700);

impl EndedSet {
    fn shard(&self, id: Uuid) -> &RwLock<Shard> {
        &self.shards[usize::from(id.as_bytes()[15]) % SHARDS]
    }

    /// Takes note of endings.
    pub fn apply(&self, endings: &[Ending]) {
        for e in endings {
            if e.kind == EndedKind::Realm {
                self.realm.fetch_max(e.number, Ordering::AcqRel);
                continue;
            }
            let mut shard = self.shard(e.object).write();
            if e.kind == EndedKind::Session {
                shard.sessions.insert(e.object, e.keep_until);
            } else {
                let slot = shard.numbers.entry((e.kind, e.object)).or_insert((e.number, e.keep_until));
                slot.0 = slot.0.max(e.number);
                slot.1 = slot.1.max(e.keep_until);
            }
        }
    }

    /// Whether the session is known to have ended.
    pub fn session_ended(&self, session: SessionId) -> bool {
        self.shard(session.0).read().sessions.contains_key(&session.0)
    }

    /// Everything of this user from before this time is dead; 0 when nothing is known.
    pub fn user_valid_after(&self, user: UserId) -> Micros {
        self.number(EndedKind::User, user.0).max(self.realm.load(Ordering::Acquire))
    }

    /// The lowest generation of the browser's cookie that is not dead; 0 when nothing is known.
    pub fn browser_generation(&self, browser: BrowserId) -> i64 {
        self.number(EndedKind::Browser, browser.0)
    }

    fn number(&self, kind: EndedKind, object: Uuid) -> i64 {
        self.shard(object).read().numbers.get(&(kind, object)).map_or(0, |n| n.0)
    }

    /// Whether a poll was completed lately enough for the set to be trusted.
    pub fn is_fresh(&self) -> bool {
        self.lag().is_some_and(|lag| lag < STALE)
    }

    /// Time since the last completed poll began; `None` before the first.
    pub fn lag(&self) -> Option<Duration> {
        let polled = u64::try_from(self.polled.load(Ordering::Acquire)).ok()?;
        Some(self.watch.elapsed().saturating_sub(Duration::from_micros(polled)))
    }

    /// Reads what ended since the last poll.
    pub async fn poll(&self, db: &latchstring_db::Db, now: Micros) -> Result<()> {
        let began = i64::try_from(self.watch.elapsed().as_micros()).unwrap_or(i64::MAX);
        let far = self.polls.fetch_add(1, Ordering::Relaxed).is_multiple_of(FAR_EVERY);
        let overlap = if far { FAR_OVERLAP } else { OVERLAP };
        let since = (self.last.load(Ordering::Acquire) - overlap).max(0);
        let endings = db.read(async |tx| store::since(tx, since, now).await).await?;
        self.apply(&endings);
        self.last.store(now, Ordering::Release);
        self.polled.store(began, Ordering::Release);
        Ok(())
    }

    /// Forgets what no longer matters.
    pub fn forget(&self, now: Micros) {
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.sessions.retain(|_, until| *until > now);
            shard.numbers.retain(|_, (_, until)| *until > now);
        }
    }
}

/// A published ending: its position in the feed, and what ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Grows by one with each, without gaps, in commit order.
    pub position: i64,
    /// `session`, `user`, `client`, `realm`.
    pub kind: String,
    /// Which.
    pub object: Uuid,
    /// For other kinds than `session`: tokens from before this time (Unix microseconds) are dead.
    pub number: i64,
    /// When.
    pub at: Micros,
}

/// Gives positions to endings that have none, after their commit, so that a reader of the feed who has seen position
/// *n* has seen everything up to *n*. One sequencer at a time, by the lock on the counter's row.
pub async fn publish(db: &latchstring_db::Db) -> Result<u64> {
    if !db.read(async |tx| store::any_unplaced(tx).await).await? {
        return Ok(0);
    }
    db.write(async move |tx| -> Result<u64> {
        let mut position = store::lock_counter(tx).await?;
        let ids = store::unplaced(tx, 1_000).await?;
        let n = ids.len() as u64;
        for id in ids {
            position += 1;
            store::place(tx, id, position).await?;
        }
        store::set_counter(tx, position).await?;
        Ok(n)
    })
    .await
}

/// What the feed has after `position`, oldest first.
pub async fn after(db: &latchstring_db::Db, position: i64, most: i64) -> Result<Vec<Published>> {
    db.read(async |tx| store::after(tx, position, most).await).await
}

/// The position of the newest ending.
pub async fn position(db: &latchstring_db::Db) -> Result<i64> {
    db.read(async |tx| store::counter(tx).await).await
}

/// What still matters and is no newer than the snapshot: a page of it, oldest first.
#[derive(Debug)]
pub struct Snapshot {
    /// Follow the feed from here, once all pages are read.
    pub position: i64,
    /// The endings of this page.
    pub ended: Vec<Published>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<i64>,
}

/// Most endings in one page of a snapshot.
pub const SNAPSHOT: i64 = 10_000;

/// What still matters after a position: 0 for the first page, then each page's `next`.
pub async fn snapshot(db: &latchstring_db::Db, now: Micros, after: i64) -> Result<Snapshot> {
    db.read_slow(async move |tx| {
        // The position is read first: what comes meanwhile is in the list and will come again by the feed.
        let position = store::counter(tx).await?;
        let mut ended = store::live(tx, now, after, SNAPSHOT + 1).await?;
        let next = page::cut(&mut ended, SNAPSHOT).map(|last| last.position);
        Ok(Snapshot { position, ended, next })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_only_grows() {
        let set = EndedSet::default();
        let user = UserId(Uuid::from_u128(1));
        let e = |number| Ending {
            id: EndedId(Uuid::nil()),
            kind: EndedKind::User,
            object: user.0,
            number,
            at: 0,
            keep_until: 10,
        };
        set.apply(&[e(5), e(3)]);
        assert_eq!(set.user_valid_after(user), 5, "polls may bring older rows after younger ones");
        set.forget(11);
        assert_eq!(set.user_valid_after(user), 0);
    }

    #[test]
    fn nothing_is_trusted_before_the_first_poll() {
        assert!(!EndedSet::default().is_fresh());
    }
}
