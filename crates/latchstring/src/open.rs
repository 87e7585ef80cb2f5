//! Opening a database for a command, beside a server that may be running on it.

use crate::{commands::dev, config::Config, failure::Failure, process};
use latchstring_core::{
    MIGRATIONS,
    clock::{Clock, Micros, SECOND, SystemClock},
    ground::Ground,
    hash::HashPool,
    random::SystemRandom,
    realm::{Breached, OpenError, Realm},
    seal::Keys,
};
use latchstring_db::{Db, Options};
use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, path::Path, sync::Arc, time::Duration};

/// How the database is opened. A server locks its SQLite file; a command does not.
pub(crate) fn options(config: &Config, lock: bool) -> Options {
    let options = Options { lock, ..Options::default() };
    Options { pool: config.pool.unwrap_or(options.pool), ..options }
}

/// Sees, before a server makes anything, that its database has a place. The folder of the default one is made; another
/// that is missing is more likely mistyped.
pub(crate) fn place(config: &Config) -> Result<(), Failure> {
    if config.database_is_default()
        && let Some(file) = config.database_file()
        && let Some(folder) = file.parent()
    {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| {
            Failure::usage(format!(
                "the folder {} can't be made: {e}. Start in a folder of yours, or choose a place with \
                 LATCHSTRING_DATABASE",
                folder.display()
            ))
        })?;
    }
    Ok(Db::place(config.database())?)
}

/// Opens the database of a command, which must be there.
pub(crate) async fn database(config: &Config) -> Result<Db, Failure> {
    if let Some(file) = config.database_file()
        && std::fs::metadata(&file).map_or(true, |meta| meta.is_file() && meta.len() == 0)
    {
        return Err(missing(&file));
    }
    // A busy server hands SQLite's lock from one transaction to the next, and we only get it by luck.
    for _ in 0..5 {
        match Db::open(config.database(), Options { pool: 2, readers: 1, ..options(config, false) }).await {
            Err(latchstring_db::OpenError::InUse { .. }) => {
                tokio::time::sleep(Duration::from_millis(200)).await
            }
            opened => return Ok(opened?),
        }
    }
    Ok(Db::open(config.database(), options(config, false)).await?)
}

fn missing(file: &Path) -> Failure {
    Failure::usage(format!(
        "there is no database at {}. Start the server once, or set LATCHSTRING_DATABASE as the server has it",
        file.display()
    ))
}

/// How far this machine's clock may be off the database server's. Nodes tell each other what has ended by the time, and a
/// second passes in between.
const SKEW: Micros = 2 * SECOND;

/// By how much this machine's clock is ahead of the database server's, beyond what asking took; `None`: not by too much, or
/// they are one clock.
pub(crate) async fn skew(db: &Db) -> Result<Option<Micros>, latchstring_db::Error> {
    let mut best: Option<Micros> = None;
    // The first look may have had to connect.
    for _ in 0..3 {
        let before = SystemClock.now();
        let Some(there) = db.clock().await? else { return Ok(None) };
        let after = SystemClock.now();
        best = match (best, off(before, there, after)) {
            (_, None) => return Ok(None),
            (Some(best), Some(off)) if best.abs() < off.abs() => Some(best),
            (_, off) => off,
        };
    }
    Ok(best)
}

/// By how much a clock that was asked between two looks at ours is behind it, if that is too much.
fn off(before: Micros, there: Micros, after: Micros) -> Option<Micros> {
    let ahead = if there < before {
        before - there
    } else if there > after {
        after - there
    } else {
        0
    };
    (ahead.abs() > SKEW).then_some(ahead)
}

/// What is said of a clock that is off.
pub(crate) fn says_skew(ahead: Micros) -> String {
    let (seconds, side) = (ahead.abs() as f64 / SECOND as f64, if ahead > 0 { "ahead of" } else { "behind" });
    format!("this machine's clock is {seconds:.1} seconds {side} the database server's")
}

/// How that is mended.
pub(crate) const MEND_CLOCKS: &str =
    "have both machines follow a time server (systemd-timesyncd, chrony), and look with `timedatectl`";

/// The newest migration that this program knows.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

/// The root secret: the configured one, or the one that `dev` made beside its database.
pub(crate) fn keys(config: &Config) -> Result<Keys, Failure> {
    let parse =
        |text: &str, place: &str| Keys::parse(text).map_err(|e| Failure::usage(format!("{place}: {e}")));
    if let Some(secret) = &config.secret {
        return parse(&secret.text, &secret.place.to_string());
    }
    let path = dev::secret_path(config);
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&zeroize::Zeroizing::new(text), &path.display().to_string()),
        Err(_) => Err(Failure::usage(
            "LATCHSTRING_SECRET is not set, and there is no development secret beside the database. \
             Set LATCHSTRING_SECRET or LATCHSTRING_SECRET_FILE as the server has it",
        )),
    }
}

/// Opens the realm in a database that a server has set up, as whichever kind of server that was.
pub(crate) async fn realm(config: &Config) -> Result<Realm, Failure> {
    let db = database(config).await?;
    let keys = Arc::new(keys(config)?);
    // A password that a command sets obeys the same rules as elsewhere.
    let breached = config.breached_file.as_deref().map(crate::breached::open).transpose()?;
    realm_in(config, db, keys, breached).await.map_err(|error| {
        let away = error.is_unavailable();
        let mut failure = Failure::from(error);
        if away {
            failure.text.push_str(". Is the database server up, and reachable from here?");
        }
        failure
    })
}

/// [`realm`], in a database that is open.
pub(crate) async fn realm_in(
    config: &Config,
    db: Db,
    keys: Arc<Keys>,
    breached: Option<Arc<dyn Breached>>,
) -> Result<Realm, OpenError> {
    let random = Arc::new(SystemRandom::default());
    let hash = HashPool::new(config.hash_threads.unwrap_or_else(process::cores).min(2), 16, random.clone());
    let hash = Arc::new(hash.map_err(|e| {
        latchstring_core::Error::from(latchstring_core::refusal::Fault::new("threads can't be started", e))
    })?);
    let ground = Ground::new(Arc::new(SystemClock), random, keys);
    Realm::attach(db, ground, hash, breached).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_only_beyond_what_asking_took() {
        let s = SECOND;
        for (before, there, after, ahead) in [
            (100 * s, 100 * s, 100 * s, None),
            (100 * s, 98 * s, 100 * s, None),
            (100 * s, 97 * s, 100 * s, Some(3 * s)),
            (100 * s, 103 * s, 100 * s, Some(-3 * s)),
            // It took ten seconds to ask: who knows when in between it was read.
            (100 * s, 109 * s, 110 * s, None),
            (100 * s, 113 * s, 110 * s, Some(-3 * s)),
        ] {
            assert_eq!(off(before, there, after), ahead, "{before} {there} {after}");
        }
        assert_eq!(says_skew(-3 * s), "this machine's clock is 3.0 seconds behind the database server's");
    }
}
