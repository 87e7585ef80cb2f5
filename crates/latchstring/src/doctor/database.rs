//! The database: there, writable, of our version, sealed under our secret, of the right kind.

use crate::{
    config::Config,
    failure::{LET_IN, chain},
    finding::Finding,
    open,
};
use latchstring_core::{
    realm::{OpenError, Realm},
    seal::Keys,
};
use latchstring_db::Db;
use std::{path::Path, sync::Arc, time::Duration};

const CHECK: &str = "database";

/// Longest time to wait for a database server.
const WAIT: Duration = Duration::from_secs(10);

/// Looks, and gives the realm if it opens.
pub(super) async fn look(config: &Config) -> (Vec<Finding>, Option<Realm>) {
    match tokio::time::timeout(WAIT, inside(config)).await {
        Ok((finding, realm)) => {
            let mut findings = vec![finding];
            if let Some(realm) = &realm {
                findings.extend(clock(realm).await);
            }
            (findings, realm)
        }
        Err(_) => (vec![away(config, "it did not answer within ten seconds")], None),
    }
}

/// Whether this machine and a database server have the same time.
async fn clock(realm: &Realm) -> Option<Finding> {
    let ahead = open::skew(realm.db()).await.ok()??;
    let why = "nodes tell each other what has ended by the time; the server does not start like this";
    Some(Finding::bad(CHECK, open::says_skew(ahead), why, open::MEND_CLOCKS))
}

fn away(config: &Config, why_not: &str) -> Finding {
    let says = format!("{}: {why_not}", config.database_shown());
    let why = "everything is in it; while it is away the server answers 503";
    Finding::bad(
        CHECK,
        says,
        why,
        "see that it runs, that its address is right, and that this machine may reach it",
    )
}

async fn inside(config: &Config) -> (Finding, Option<Realm>) {
    let shown = config.database_shown();
    if let Some(file) = config.database_file()
        && std::fs::metadata(&file).map_or(true, |meta| meta.is_file() && meta.len() == 0)
    {
        return (not_yet(config, &file), None);
    }
    let db = match open::database(config).await {
        Ok(db) => db,
        Err(failure) => {
            let why = "everything is in it, and the server needs to write to it";
            return (Finding::bad(CHECK, failure.text, why, "do what the message says"), None);
        }
    };
    let found = match db.schema().await {
        Ok(found) => found,
        Err(error @ latchstring_db::Error::TurnedAway(_)) => {
            let why = "the server does not start without it";
            return (Finding::bad(CHECK, format!("{shown}: {}", chain(&error)), why, LET_IN), None);
        }
        Err(error) => return (away(config, &chain(&error)), None),
    };
    let newest = open::newest();
    match found {
        None => return (Finding::good(CHECK, format!("{shown} is empty; the first start sets it up")), None),
        Some(found) if found > newest => {
            let says = format!("{shown} has schema {found}, and this program knows up to {newest}");
            let why = "a newer version has worked on it; the older one could spoil what it does not know";
            return (Finding::bad(CHECK, says, why, "start the newer version"), None);
        }
        Some(found) if found < newest => {
            // Looking further would migrate it.
            let says = format!("{shown} has schema {found}; the next start brings it to {newest}");
            let why = "migrations only go forward";
            return (
                Finding::weak(CHECK, says, why, "make a backup first: latchstring backup before.db"),
                None,
            );
        }
        Some(_) => {}
    }
    let Ok(keys) = open::keys(config) else {
        // The secret is a finding of its own.
        return (Finding::good(CHECK, format!("{shown} answers, with schema {newest}")), None);
    };
    match opened(config, db, keys).await {
        Ok(realm) if realm.is_dev() && super::means_production(config) => (development(&shown), Some(realm)),
        Ok(realm) if realm.is_dev() => {
            let says = format!("{shown} was made by `latchstring dev`; it is writable, with schema {newest}");
            (Finding::good(CHECK, says), Some(realm))
        }
        Ok(realm) => match issuer(config, &realm) {
            Some(finding) => (finding, Some(realm)),
            None => (Finding::good(CHECK, format!("{shown} is writable, with schema {newest}")), Some(realm)),
        },
        Err(error) if error.is_unavailable() => (away(config, &chain(&error)), None),
        Err(error) => {
            let why = "the server does not start on it";
            (
                Finding::bad(CHECK, format!("{shown}: {}", chain(&error)), why, "do what the message says"),
                None,
            )
        }
    }
}

async fn opened(config: &Config, db: Db, keys: Keys) -> Result<Realm, OpenError> {
    open::realm_in(config, db, Arc::new(keys), None).await
}

fn development(shown: &str) -> Finding {
    let why = "it may hold test accounts, and its secret lay on a development machine; `latchstring serve` refuses it";
    let mend = "point LATCHSTRING_DATABASE at a new one for production";
    Finding::bad(CHECK, format!("{shown} was made by `latchstring dev`"), why, mend)
}

fn issuer(config: &Config, realm: &Realm) -> Option<Finding> {
    let url = config.url.as_deref().filter(|url| *url != realm.issuer())?;
    let says = format!("its issuer is {}, and LATCHSTRING_URL is {url}", realm.issuer());
    let why = "apps and tokens know the old one; the server does not start";
    let mend = "set LATCHSTRING_URL back, or start once with --accept-new-url if the address really changed";
    Some(Finding::bad(CHECK, says, why, mend))
}

/// No file yet: whether the first start can make one.
fn not_yet(config: &Config, file: &Path) -> Finding {
    if let Err(error) = Db::place(config.database())
        && !config.database_is_default()
    {
        let why = "the server keeps everything there, and does not start without it";
        return Finding::bad(CHECK, chain(&error), why, "do what the message says");
    }
    let folder = file.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let access = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK);
    match access {
        Ok(()) => {
            Finding::good(CHECK, format!("{} is not there yet; the first start makes it", file.display()))
        }
        Err(e) => {
            let says =
                format!("{} is not there, and {} can't be written: {e}", file.display(), folder.display());
            let mend =
                "give the folder to the user who runs the server, or choose another LATCHSTRING_DATABASE";
            Finding::bad(CHECK, says, "the server keeps everything there", mend)
        }
    }
}
