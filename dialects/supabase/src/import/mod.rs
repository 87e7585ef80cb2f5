//! Taking the users of a Supabase project over: from a dump or from its live database.
//!
//! A dump is read once, to its end, before anything is written: one that is cut or broken changes nothing. Users and
//! identities stand in it in whichever order; both are sorted by the user's id, so that each user meets their identities in
//! bounded memory, and the database is filled in the order of its keys.

mod live;

use crate::{
    dump::{self, Broken},
    rows::{self, FROM, IN_IDENTITIES, IN_USERS, Left, Mapped, Raw, TABLES},
    sort::{RUN, Sorted, Sorter},
};
use futures_util::future::join_all;
use latchstring_core::{
    admin::import::{self as bulk, BATCH, Fate, Incoming, Part, Run, Why},
    audit::Actor,
    identifier::Identifier,
    realm::Realm,
};
use latchstring_db::{Db, Engine};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc::{self, Sender};
use uuid::Uuid;

/// Where users come from.
pub enum Origin {
    /// A dump in `pg_dump`'s plain format.
    Dump(Box<dyn Read + Send>),
    /// The project's database.
    Live(Db),
}

/// How far it is, for those who look on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of the dump that have been read.
    pub read: AtomicU64,
    /// Users that have been found.
    pub found: AtomicU64,
    /// Users whose fate is known.
    pub done: AtomicU64,
}

/// What became of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Whether it was only looked.
    pub dry_run: bool,
    /// Users that were taken.
    pub users: u64,
    /// Among them, those who came with a password.
    pub passwords: u64,
    /// Identities that were taken.
    pub identities: u64,
    /// Users who are here already, from an earlier run.
    pub already_here: u64,
    /// Rows of both tables that were not taken.
    pub not_taken: u64,
    /// The same, and parts of rows, by reason.
    pub left: BTreeMap<String, u64>,
    /// Those of these reasons for which a part of a user is left who is taken all the same.
    pub left_of_taken: BTreeSet<String>,
    /// Rows of the vendor's other tables, none of which is taken.
    pub other_tables: BTreeMap<String, u64>,
}

/// Why it ended before its end. What was taken until then stays, and is found by the next run.
#[derive(Debug)]
pub enum Failed {
    /// The dump is not usable.
    Broken(Broken),
    /// There is no such table in it.
    NoTable,
    /// A temporary file could not be written.
    Temporary(io::Error),
    /// The project's database does not let itself be read.
    Source(latchstring_db::Error),
    /// Ours failed.
    Core(latchstring_core::Error),
    /// Somebody wanted it to end.
    Stopped,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Broken(broken) => broken.fmt(f),
            Failed::NoTable => f.write_str(
                "there is no table auth.users in it, with its data. \
                 Dump with: pg_dump --data-only --table auth.users --table auth.identities",
            ),
            Failed::Temporary(error) => write!(
                f,
                "a temporary file can't be written: {error}. TMPDIR names a folder with room for the dump"
            ),
            Failed::Source(_) => f.write_str("the database to import from can't be read"),
            Failed::Core(_) => f.write_str("our own database failed"),
            Failed::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Failed::Source(error) => Some(error),
            Failed::Core(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        Failed::Broken(broken)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Failed::Temporary(error)
    }
}

impl From<latchstring_core::Error> for Failed {
    fn from(error: latchstring_core::Error) -> Self {
        Failed::Core(error)
    }
}

/// Takes everybody over, or only looks who would be. `on_left` hears of each row, or part of one, that is not taken.
pub async fn run(
    realm: &Realm,
    actor: Actor,
    origin: Origin,
    dry: bool,
    progress: &Arc<Progress>,
    on_left: &mut (dyn FnMut(&Left) + Send),
) -> Result<Summary, Failed> {
    let run = Run::new(actor, FROM, dry);
    let summary = Summary { dry_run: dry, ..Summary::default() };
    let names = dry.then(|| Sorter::new(RUN));
    let lanes = if realm.db().engine() == Engine::Postgres { 3 } else { 1 };
    let mut desk =
        Desk { realm, run, progress: progress.clone(), summary, on_left, names, waiting: Vec::new(), lanes };
    let (sender, mut found) = mpsc::channel(2);
    let reading = match origin {
        Origin::Dump(reader) => {
            let progress = progress.clone();
            let read = move || of_dump(reader, &progress, &sender, RUN);
            tokio::task::spawn_blocking(read)
        }
        Origin::Live(db) => {
            let progress = progress.clone();
            tokio::spawn(async move { live::read(&db, &progress, &sender).await })
        }
    };
    let mut failed = None;
    while let Some(found) = found.recv().await {
        if let Err(error) = desk.take(found).await {
            failed = Some(error);
            break;
        }
    }
    if failed.is_none() {
        failed = desk.settle().await.err();
    }
    // Whoever still reads learns that nobody listens.
    drop(found);
    let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error).into()));
    if let Some(error) = failed {
        return Err(error);
    }
    desk.summary.other_tables = read?;
    desk.doubles()?;
    Ok(desk.summary)
}

/// What a reader finds.
enum Found {
    Users(Vec<Mapped>),
    Left(Vec<Left>),
}

/// Gathers what was found into batches.
struct Batches<'a> {
    to: &'a Sender<Found>,
    progress: &'a Progress,
    users: Vec<Mapped>,
    weight: usize,
    providers: HashSet<String>,
}

/// Bytes of rows that make a batch full before there are [`BATCH`] users in it: a few are in memory at once.
const HEAVY: usize = 8 * 1024 * 1024;
/// Most providers of one import: each makes a connection.
const PROVIDERS: usize = 100;

impl<'a> Batches<'a> {
    fn new(to: &'a Sender<Found>, progress: &'a Progress) -> Self {
        Self { to, progress, users: Vec::with_capacity(BATCH), weight: 0, providers: HashSet::new() }
    }

    /// A user with their identities. Gives what is to be sent, if anything.
    fn user(&mut self, row: Raw, identities: Vec<Raw>) -> Option<Found> {
        self.progress.found.fetch_add(1, Ordering::Relaxed);
        self.weight += row.weight() + identities.iter().map(Raw::weight).sum::<usize>();
        match rows::user(row, identities) {
            Err(left) => {
                self.progress.done.fetch_add(1, Ordering::Relaxed);
                Some(Found::Left(left))
            }
            Ok(mut user) => {
                self.bound(&mut user);
                self.users.push(user);
                (self.users.len() == BATCH || self.weight > HEAVY).then(|| self.rest())
            }
        }
    }

    fn rest(&mut self) -> Found {
        self.weight = 0;
        Found::Users(std::mem::replace(&mut self.users, Vec::with_capacity(BATCH)))
    }

    /// Leaves identities of more providers than any project has.
    fn bound(&mut self, user: &mut Mapped) {
        let mut at = 0;
        while at < user.incoming.identities.len() {
            let name = &user.incoming.identities[at].connection;
            if self.providers.contains(name)
                || (self.providers.len() < PROVIDERS && self.providers.insert(name.clone()))
            {
                at += 1;
                continue;
            }
            user.incoming.identities.remove(at);
            let row = user.identities.remove(at);
            user.left.push(row.left("too_many_providers", "there are more than 100 providers"));
        }
    }

    fn send(&self, found: Found) -> Result<(), Failed> {
        self.to.blocking_send(found).map_err(|_| Failed::Stopped)
    }
}

/// Reads a dump, sorts it, and then hands on what stands in it.
fn of_dump(
    reader: Box<dyn Read + Send>,
    progress: &Progress,
    to: &Sender<Found>,
    run: usize,
) -> Result<BTreeMap<String, u64>, Failed> {
    let mut sorters = [Sorter::new(run), Sorter::new(run)];
    let mut batches = Batches::new(to, progress);
    let mut bytes = Vec::new();
    // What can't even be sorted is told at once, but not before the dump is known to be whole: a few at a time.
    let mut lost: Vec<Left> = Vec::new();
    let seen = dump::read(Counted { reader, progress }, TABLES, &mut |row| -> Result<(), Failed> {
        let raw = Raw::of_dump(&row);
        match raw.key() {
            Some(key) => {
                raw.encode(&mut bytes);
                sorters[row.table].add(key.as_bytes(), &bytes)?;
            }
            None => {
                let column = if row.table == IN_USERS { "id" } else { "user_id" };
                lost.push(raw.left("malformed", format!("{column} can't be read")));
                if lost.len() == BATCH {
                    batches.send(Found::Left(std::mem::take(&mut lost)))?;
                }
            }
        }
        Ok(())
    })?;
    if !seen.found[IN_USERS] {
        return Err(Failed::NoTable);
    }
    batches.send(Found::Left(lost))?;
    let [users, identities] = sorters;
    let mut identities = Rows::new(IN_IDENTITIES, identities.sorted()?)?;
    let mut users = Rows::new(IN_USERS, users.sorted()?)?;
    while let Some((id, row)) = users.next.take() {
        users.pull()?;
        while let Some((_, orphan)) = identities.take(|of| of < id)? {
            batches.send(Found::Left(vec![no_user(&orphan)]))?;
        }
        let mut of_user = Vec::new();
        while let Some((_, identity)) = identities.take(|of| of == id)? {
            if of_user.len() < 2 * bulk::IDENTITIES {
                of_user.push(identity);
            } else {
                let why = Why::TooManyIdentities;
                batches.send(Found::Left(vec![identity.left(why.code(), why.says())]))?;
            }
        }
        if let Some(found) = batches.user(row, of_user) {
            batches.send(found)?;
        }
        // The same id again, further down in the dump.
        while users.next.as_ref().is_some_and(|(next, _)| *next == id) {
            if let Some((_, again)) = users.next.take() {
                batches.send(Found::Left(vec![again.left("twice", "the id stands in the dump before")]))?;
            }
            users.pull()?;
        }
    }
    while let Some((_, orphan)) = identities.take(|_| true)? {
        batches.send(Found::Left(vec![no_user(&orphan)]))?;
    }
    let rest = batches.rest();
    batches.send(rest)?;
    Ok(seen.others)
}

fn no_user(identity: &Raw) -> Left {
    identity.left("no_user", "its user does not stand in the dump")
}

/// Sorted rows, with a look at the next one.
struct Rows {
    table: usize,
    sorted: Sorted,
    next: Option<(Uuid, Raw)>,
}

impl Rows {
    fn new(table: usize, sorted: Sorted) -> Result<Self, Failed> {
        let mut rows = Self { table, sorted, next: None };
        rows.pull()?;
        Ok(rows)
    }

    fn pull(&mut self) -> Result<(), Failed> {
        self.next = match self.sorted.next().transpose()? {
            None => None,
            Some((key, value)) => {
                let key = Uuid::from_slice(&key).ok();
                let row = Raw::decode(self.table, &value);
                Some(key.zip(row).ok_or_else(|| io::Error::other("a temporary file was changed"))?)
            }
        };
        Ok(())
    }

    fn take(&mut self, wanted: impl Fn(Uuid) -> bool) -> Result<Option<(Uuid, Raw)>, Failed> {
        if !self.next.as_ref().is_some_and(|(key, _)| wanted(*key)) {
            return Ok(None);
        }
        let taken = self.next.take();
        self.pull()?;
        Ok(taken)
    }
}

struct Counted<'a> {
    reader: Box<dyn Read + Send>,
    progress: &'a Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.progress.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Where batches are taken, counted and told of.
struct Desk<'a> {
    realm: &'a Realm,
    run: Run,
    progress: Arc<Progress>,
    summary: Summary,
    on_left: &'a mut (dyn FnMut(&Left) + Send),
    /// A dry run writes nothing that the next batch could meet: addresses are gathered, to find those that stand twice.
    names: Option<Sorter>,
    /// Batches that wait for others to be taken beside.
    waiting: Vec<(Vec<Incoming>, Vec<Rest>)>,
    /// How many are taken side by side: PostgreSQL works at each by itself, and SQLite has one writer.
    lanes: usize,
}

/// What is still needed of a user once `core` has the rest.
struct Rest {
    row: Raw,
    identities: Vec<Raw>,
    left: Vec<Left>,
    password: bool,
    email: Option<String>,
}

impl Rest {
    fn of(user: Mapped) -> (Incoming, Self) {
        let Mapped { incoming, row, identities, left } = user;
        let password = incoming.secret.is_some();
        let email = incoming.email.as_ref().map(|email| email.typed.clone());
        (incoming, Self { row, identities, left, password, email })
    }
}

/// What a dry run remembers of a user beside their address.
#[derive(Serialize, Deserialize)]
struct Named {
    left: Place,
    identities: Vec<Place>,
    password: bool,
}

/// Where a row is.
#[derive(Serialize, Deserialize)]
struct Place {
    line: Option<u64>,
    id: Option<Uuid>,
}

impl Desk<'_> {
    async fn take(&mut self, found: Found) -> Result<(), Failed> {
        let users = match found {
            Found::Left(left) => {
                left.iter().for_each(|left| self.leave(left));
                return Ok(());
            }
            Found::Users(users) if users.is_empty() => return Ok(()),
            Found::Users(users) => users,
        };
        self.waiting.push(users.into_iter().map(Rest::of).unzip());
        if self.waiting.len() < self.lanes { Ok(()) } else { self.settle().await }
    }

    /// Takes the batches that wait, side by side.
    async fn settle(&mut self) -> Result<(), Failed> {
        let (incoming, rest): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        let takes = incoming.into_iter().map(|users| bulk::take(self.realm, &self.run, users));
        // Each to its end, also beside one that fails: what it took is told.
        let mut failed = None;
        for (rest, fates) in rest.iter().zip(join_all(takes).await) {
            let fates = match fates {
                Ok(fates) => fates,
                Err(error) => {
                    failed = failed.or(Some(error));
                    continue;
                }
            };
            self.progress.done.fetch_add(rest.len() as u64, Ordering::Relaxed);
            for (user, fate) in rest.iter().zip(&fates) {
                self.one(user, fate)?;
            }
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    fn one(&mut self, user: &Rest, fate: &Fate) -> Result<(), Failed> {
        match fate {
            Fate::Here => self.summary.already_here += 1,
            Fate::Not(why) => {
                self.leave(&user.row.left(why.code(), why.says()));
                user.identities.iter().for_each(|identity| self.leave(&rows::orphan(identity)));
            }
            Fate::Taken(parts) => {
                self.summary.users += 1;
                let mut password = user.password;
                let mut identities = vec![true; user.identities.len()];
                for (part, why) in parts {
                    match part {
                        Part::Password => {
                            password = false;
                            let left = user.row.left(why.code(), why.says());
                            self.leave(&Left { part: Some("password"), ..left });
                        }
                        Part::Identity(n) => {
                            identities[*n] = false;
                            self.leave(&user.identities[*n].left(why.code(), why.says()));
                        }
                    }
                }
                self.summary.passwords += u64::from(password);
                self.summary.identities += identities.iter().filter(|taken| **taken).count() as u64;
                user.left.iter().for_each(|left| self.leave(left));
                self.remember(user, password, &identities)?;
            }
        }
        Ok(())
    }

    fn leave(&mut self, left: &Left) {
        if left.part.is_none() {
            self.summary.not_taken += 1;
        }
        let name = format!("{}.{}", left.table, left.why);
        if left.part.is_some() {
            self.summary.left_of_taken.insert(name.clone());
        }
        *self.summary.left.entry(name).or_default() += 1;
        (self.on_left)(left);
    }

    fn remember(&mut self, user: &Rest, password: bool, identities: &[bool]) -> Result<(), Failed> {
        let (Some(names), Some(email)) = (&mut self.names, &user.email) else { return Ok(()) };
        let Ok(email) = Identifier::email(email) else { return Ok(()) };
        let place = |row: &Raw| {
            let left = row.left("", "");
            Place { line: left.line, id: left.id }
        };
        let taken = user.identities.iter().zip(identities).filter(|(_, taken)| **taken);
        let named = Named {
            left: place(&user.row),
            identities: taken.map(|(row, _)| place(row)).collect(),
            password,
        };
        let named = serde_json::to_vec(&named).map_err(io::Error::other)?;
        Ok(names.add(email.normal.as_bytes(), &named)?)
    }

    /// Tells of the addresses that stand in what a dry run would take for the second time. Identities are unique there.
    fn doubles(&mut self) -> Result<(), Failed> {
        let Some(names) = self.names.take() else { return Ok(()) };
        let mut last: Box<[u8]> = Box::default();
        for entry in names.sorted()? {
            let (name, value) = entry?;
            if name != last {
                last = name;
                continue;
            }
            let named: Named = serde_json::from_slice(&value).map_err(io::Error::other)?;
            self.summary.users -= 1;
            self.summary.passwords -= u64::from(named.password);
            self.summary.identities -= named.identities.len() as u64;
            let why = Why::EmailTaken;
            let tell = |at: &Place, table: usize, why: &'static str, says: &'static str| Left {
                table: TABLES[table].name,
                line: at.line,
                id: at.id,
                part: None,
                why,
                says: says.into(),
            };
            self.leave(&tell(&named.left, IN_USERS, why.code(), why.says()));
            for at in &named.identities {
                self.leave(&tell(at, IN_IDENTITIES, "user_not_taken", "its user is not taken"));
            }
        }
        Ok(())
    }
}
