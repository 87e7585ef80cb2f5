//! What can go wrong, sorted by what the caller can do about it.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

/// A lower error, kept as the source.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// A failed statement or transaction. Statement texts are part of it, values never are.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server is away, the connection was lost, the pool ran dry, the disk is full or broken.
    /// Nothing was committed, with one exception: when the connection, or the disk, failed during COMMIT itself,
    /// nobody knows.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// PostgreSQL answers, and does not let us in: no such role, password or database. While a program runs this may pass
    /// like any other absence, so that it counts as unavailable; at its start the URL is to be corrected.
    #[error("PostgreSQL does not let us in")]
    TurnedAway(#[source] Cause),
    /// The queue of waiting write transactions is full.
    #[error("too many transactions are waiting for the database")]
    Busy,
    /// The transaction lost against concurrent ones each time it was tried.
    #[error("the transaction collided with others at each try")]
    Conflict,
    /// The transaction was given up and rolled back: an earlier statement had failed, the closure
    /// panicked, or it awaited something other than its `Tx`. The log has the reason.
    #[error("the transaction was given up and rolled back")]
    Aborted,
    /// The database refused a statement.
    #[error("a statement failed ({code}): {sql}")]
    Sql {
        /// SQLSTATE, or the extended result code of SQLite.
        code: Box<str>,
        /// The text of the statement.
        sql: &'static str,
        /// What the database said, without values.
        source: Cause,
    },
    /// A column does not hold what the caller asked for.
    #[error("column {index}: {reason}")]
    Decode {
        /// Position in the row, from 0.
        index: usize,
        /// What was expected and what was found.
        reason: Box<str>,
    },
    /// This engine cannot do that; the text says what to do instead.
    #[error("{0}")]
    Unsupported(&'static str),
}

impl Error {
    /// Whether the same call may succeed later: the answer to the outside is 503, not 500.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TurnedAway(_) | Self::Busy | Self::Conflict)
    }

    pub(crate) fn unavailable(why: impl Into<Cause>) -> Self {
        Self::Unavailable(why.into())
    }

    pub(crate) fn misuse(sql: &'static str, why: impl Into<Cause>) -> Self {
        Self::Sql { code: "misuse".into(), sql, source: why.into() }
    }

    /// Sorts an error of SQLite. Its messages name tables, columns and constraints, but no values.
    pub(crate) fn sqlite(error: rusqlite::Error, sql: &'static str) -> Self {
        use rusqlite::ErrorCode as Code;
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                Code::DiskFull
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::FileLockingProtocolFailed
                | Code::OutOfMemory => Self::Unavailable(Box::new(error)),
                _ => {
                    Self::Sql { code: failure.extended_code.to_string().into(), sql, source: Box::new(error) }
                }
            },
            rusqlite::Error::SqlInputError { error: failure, .. } => {
                Self::Sql { code: failure.extended_code.to_string().into(), sql, source: Box::new(error) }
            }
            _ => Self::misuse(sql, error),
        }
    }
}

/// The server's own words. `DETAIL` is left out: it quotes the values of the row.
#[derive(Debug)]
pub(crate) struct Said(String);

impl Said {
    pub(crate) fn new(error: &tokio_postgres::error::DbError) -> Self {
        let mut text = format!("{}: {}", error.severity(), error.message());
        if let Some(constraint) = error.constraint() {
            text.push_str(" (constraint ");
            text.push_str(constraint);
            text.push(')');
        }
        Self(text)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Said {}

/// Why a database could not be opened. The texts are for the person who starts the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names no database.
    #[error(
        "the database URL is not usable: {0}. Write sqlite:path/to/file.db or postgres://user@host/database"
    )]
    BadUrl(String),
    /// The folder of the file is not there. It is not made: a mistyped path would be a new, empty database.
    #[error(
        "there is no folder {} for the database {}. Make it (mkdir -p {}) and give it to the user who runs the server, or choose another place with LATCHSTRING_DATABASE",
        folder.display(), path.display(), folder.display()
    )]
    NoFolder {
        /// The file that was to be opened.
        path: PathBuf,
        /// The folder that is missing.
        folder: PathBuf,
    },
    /// The path is a folder's.
    #[error(
        "the database {} is a folder. Name a file in LATCHSTRING_DATABASE, such as sqlite:{}",
        path.display(), path.join("latchstring.db").display()
    )]
    IsFolder {
        /// The path that was given.
        path: PathBuf,
    },
    /// The file or its folder cannot be created or written.
    #[error(
        "cannot write the database file {}: {why}. Give its folder to the user who runs the server, or choose another place with LATCHSTRING_DATABASE",
        path.display()
    )]
    NotWritable {
        /// The file that was to be opened.
        path: PathBuf,
        /// What the operating system said.
        why: String,
    },
    /// Another process holds the database.
    #[error(
        "the database {} is in use by another process. Stop the other server, or give this one a database of its own",
        path.display()
    )]
    InUse {
        /// The file that was to be opened.
        path: PathBuf,
    },
    /// The file exists but is something else.
    #[error(
        "the file {} is not an SQLite database, or is damaged. Move it away, restore a backup, or choose another place with LATCHSTRING_DATABASE",
        path.display()
    )]
    NotADatabase {
        /// The file that was to be opened.
        path: PathBuf,
    },
    /// The database answered with an error.
    #[error("the database could not be opened")]
    Db(#[from] Error),
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer version of the program has already migrated this database.
    #[error(
        "the database is newer than this program: it has migration {found}, this program knows up to {known}. Start the newer version, or restore a backup from before the upgrade"
    )]
    NewerThanBinary {
        /// Highest number in the database.
        found: i64,
        /// Highest number in this program.
        known: i64,
    },
    /// A migration that was already applied has another text now.
    #[error(
        "migration {number} ({name}) was changed after it had been applied to this database. Applied migrations are never edited: undo the change and add a new one"
    )]
    Changed {
        /// Number of the migration.
        number: i64,
        /// Its name in the database.
        name: String,
    },
    /// The list skips a number, has one twice, or a number lies below one that was already applied.
    #[error(
        "migration {number} ({name}) is out of order: numbers ascend, and a new one lies above all applied ones"
    )]
    OutOfOrder {
        /// Number of the migration.
        number: i64,
        /// Its name.
        name: String,
    },
    /// The database answered with an error.
    #[error("a migration failed")]
    Db(#[from] Error),
}
