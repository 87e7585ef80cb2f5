//! Sorting PostgreSQL's errors.

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};

use crate::Error;
use crate::error::Said;

/// What an error means for the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The statement's own fault.
    Statement,
    /// Another transaction won: run again.
    Conflict,
    /// The connection is gone or useless: run again on another one, if nothing was committed.
    Lost,
    /// The prepared statement no longer fits the schema: likewise.
    Stale,
}

pub(super) fn fault(error: &tokio_postgres::Error, closed: bool, writes: bool) -> Fault {
    let Some(db) = error.as_db_error() else {
        let io = std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        return if closed || error.is_closed() || io { Fault::Lost } else { Fault::Statement };
    };
    let code = db.code();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        Fault::Conflict
    } else if is_away(db) || writes && *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        // Read-only where we may write: the primary has become a standby.
        Fault::Lost
    } else if *code == SqlState::FEATURE_NOT_SUPPORTED && db.message().contains("cached plan")
        || *code == SqlState::INVALID_SQL_STATEMENT_NAME
    {
        Fault::Stale
    } else {
        Fault::Statement
    }
}

/// The server stops or starts.
fn is_away(db: &DbError) -> bool {
    let code = db.code().code();
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03")
}

/// An error of a statement.
pub(super) fn statement(error: tokio_postgres::Error, fault: Fault, sql: &'static str) -> Error {
    let Some(db) = error.as_db_error() else {
        return match fault {
            Fault::Lost => Error::unavailable(error),
            // Encoding, decoding: our side.
            _ => Error::misuse(sql, error),
        };
    };
    let code = db.code().code();
    let said = Said::new(db);
    // Out of disk, memory or connections; cancelled by a timeout; waited for a lock too long.
    let unavailable =
        fault == Fault::Lost || code.starts_with("53") || matches!(code, "57014" | "55P03" | "58030");
    match fault {
        Fault::Conflict => Error::Conflict,
        _ if unavailable => Error::unavailable(said),
        _ => Error::Sql { code: code.into(), sql, source: Box::new(said) },
    }
}

/// An error while connecting: whatever it is, the database cannot be used now.
pub(super) fn connecting(error: tokio_postgres::Error) -> Error {
    if let Some(db) = error.as_db_error() {
        let said = Said::new(db);
        return if is_turned_away(db) { Error::TurnedAway(said.into()) } else { Error::unavailable(said) };
    }
    // The driver has no public kinds. What the network does comes with an I/O error, and a connection that ended with
    // no cause at all; what is left is that the URL does not do for this server: it asks for a password and there is
    // none, or for TLS and the server has none.
    match std::error::Error::source(&error) {
        Some(cause) if !cause.is::<std::io::Error>() => Error::TurnedAway(error.into()),
        _ => Error::unavailable(error),
    }
}

/// Role, password or `pg_hba.conf` (class 28), no such database, or one that the role may not enter.
fn is_turned_away(db: &DbError) -> bool {
    let code = db.code();
    code.code().starts_with("28")
        || *code == SqlState::INVALID_CATALOG_NAME
        || *code == SqlState::INSUFFICIENT_PRIVILEGE
}

pub(super) fn pool(error: PoolError) -> Error {
    match error {
        PoolError::Backend(error) => connecting(error),
        PoolError::Timeout(_) => Error::unavailable("no connection to PostgreSQL became free in time"),
        PoolError::Closed => Error::unavailable("the database was shut down"),
        other => Error::unavailable(other),
    }
}
