//! Opening the file: place, mode, lock, settings.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::{Error, OpenError};

/// The connection of the writer, and what must live as long as it does.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) lock: Option<File>,
}

/// Whether a database can lie there, as far as that shows without touching anything.
pub(super) fn place(path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Err(OpenError::IsFolder { path: path.to_owned() });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(|folder| (folder, folder.metadata())) {
        Some((folder, Err(error))) if error.kind() == io::ErrorKind::NotFound => {
            Err(OpenError::NoFolder { path: path.to_owned(), folder: folder.to_owned() })
        }
        // Whatever else is wrong shows when the file is opened.
        _ => Ok(()),
    }
}

pub(super) fn open(path: &Path, lock: bool) -> Result<Opened, OpenError> {
    let not_writable = |why: String| OpenError::NotWritable { path: path.to_owned(), why };
    let io = |error: io::Error| not_writable(error.to_string());
    place(path)?;
    let lock = if lock { Some(take_lock(path)?) } else { None };
    // SQLite would create the file with 0644; -wal and -shm take the mode of the file.
    // Opening a file without permission fails here with a clear reason.
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(io)?;

    let connection = connect(path).and_then(|connection| {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Takes the write lock once, so that a read-only folder shows now and not at the first sign-in.
        connection.execute_batch("BEGIN IMMEDIATE; SELECT count(*) FROM sqlite_schema; ROLLBACK")?;
        Ok(connection)
    });
    let connection = connection.map_err(|error| {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(Code::NotADatabase | Code::DatabaseCorrupt) => {
                OpenError::NotADatabase { path: path.to_owned() }
            }
            Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
                not_writable(error.to_string())
            }
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => OpenError::InUse { path: path.to_owned() },
            _ => OpenError::Db(Error::sqlite(error, "open")),
        }
    })?;
    Ok(Opened { connection, lock })
}

fn take_lock(path: &Path) -> Result<File, OpenError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let not_writable =
        |error: io::Error| OpenError::NotWritable { path: path.to_owned(), why: error.to_string() };
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&name).map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(not_writable(error)),
    }
}

/// A connection with the settings that all of ours have.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // No SQLITE_OPEN_CREATE: a file deleted under us is an error, not a fresh empty database.
    // No SQLITE_OPEN_URI: a path is a path.
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    // Without it SQLite compiles a statement anew whenever a parameter changes that a partial index could depend on:
    // measured at four times the cost of the whole statement.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 1000;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;",
    )?;
    Ok(connection)
}
