//! Statements on `attempts`.

use super::{Attempt, AttemptKind, Binding, Body, READABLE, Sink};
use crate::{
    clock::Micros,
    id::{AttemptId, BrowserId, MountId, SessionId, UserId},
    identifier::{Identifier, IdentifierKind},
    refusal::{Fault, Result},
};
use latchstring_db::{Row, Tx};

/// Inserts an open attempt.
pub async fn insert(tx: &mut Tx, attempt: &Attempt, mount: MountId) -> Result<()> {
    let (binding, bound_to) = match attempt.binding {
        Binding::Browser(id) => ("browser", Some(id.0)),
        Binding::Bearer => ("bearer", None),
        Binding::Client(id) => ("client", Some(id)),
    };
    let identifier = attempt.identifier.as_ref();
    tx.exec(
        "INSERT INTO attempts (id, kind, mount_id, state, binding, bound_to, handle, sink, user_id, auth_rev,
                               identifier_kind, identifier_typed, identifier_normal, proofs, body, rev, created_at,
                               expires_at)
         VALUES ($1, $2, $3, 'open', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, $16)",
        &[
            &attempt.id.0,
            &attempt.kind.word(),
            &mount.0,
            &binding,
            &bound_to,
            &attempt.handle,
            &attempt.sink.word(),
            &attempt.user.map(|u| u.0),
            &attempt.auth_rev,
            &identifier.map(|i| i.kind.word()),
            &identifier.map(|i| i.typed.clone()),
            &identifier.map(|i| i.normal.clone()),
            &serde_json::to_string(&attempt.proofs)?,
            &serde_json::to_string(&attempt.body)?,
            &attempt.created_at,
            &attempt.expires_at,
        ],
    )
    .await?;
    Ok(())
}

fn from_row(row: &Row) -> Result<Attempt> {
    let odd = || Fault::bug("a stored attempt can't be read");
    let kind: String = row.get(1)?;
    let binding: String = row.get(3)?;
    let bound_to: Option<uuid::Uuid> = row.get(4)?;
    let sink: String = row.get(6)?;
    let identifier = match row.get::<Option<String>>(9)? {
        Some(kind) => Some(Identifier {
            kind: IdentifierKind::parse(&kind).ok_or_else(odd)?,
            typed: row.get(10)?,
            normal: row.get(11)?,
        }),
        None => None,
    };
    let body: Body = serde_json::from_str(&row.get::<String>(13)?)?;
    Ok(Attempt {
        id: AttemptId(row.get(0)?),
        kind: AttemptKind::parse(&kind).ok_or_else(odd)?,
        open: row.get::<String>(2)? == "open",
        binding: match (binding.as_str(), bound_to) {
            ("browser", Some(id)) => Binding::Browser(BrowserId(id)),
            ("client", Some(id)) => Binding::Client(id),
            ("bearer", None) => Binding::Bearer,
            _ => return Err(odd().into()),
        },
        handle: row.get(5)?,
        sink: Sink::parse(&sink).ok_or_else(odd)?,
        user: row.get::<Option<uuid::Uuid>>(7)?.map(UserId),
        auth_rev: row.get(8)?,
        identifier,
        proofs: serde_json::from_str(&row.get::<String>(12)?)?,
        body,
        session: row.get::<Option<uuid::Uuid>>(14)?.map(SessionId),
        created_at: row.get(15)?,
        expires_at: row.get(16)?,
    })
}

/// An attempt that is open or still readable.
pub async fn find(tx: &mut Tx, id: AttemptId, now: Micros) -> Result<Option<Attempt>> {
    tx.one(
        "SELECT id, kind, state, binding, bound_to, handle, sink, user_id, auth_rev, identifier_kind, identifier_typed,
                identifier_normal, proofs, body, session_id, created_at, expires_at
           FROM attempts WHERE id = $1 AND expires_at > $2",
        &[&id.0, &now],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// Takes an open attempt's row until the transaction ends.
pub async fn lock(tx: &mut Tx, id: AttemptId, now: Micros) -> Result<Option<Attempt>> {
    tx.one(
        "UPDATE attempts SET rev = rev + 1 WHERE id = $1 AND state = 'open' AND expires_at > $2
      RETURNING id, kind, state, binding, bound_to, handle, sink, user_id, auth_rev, identifier_kind, identifier_typed,
                identifier_normal, proofs, body, session_id, created_at, expires_at",
        &[&id.0, &now],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// [`lock`] for an attempt that was begun at a mount.
pub async fn lock_at(tx: &mut Tx, id: AttemptId, mount: MountId, now: Micros) -> Result<Option<Attempt>> {
    tx.one(
        "UPDATE attempts SET rev = rev + 1 WHERE id = $1 AND mount_id = $3 AND state = 'open' AND expires_at > $2
      RETURNING id, kind, state, binding, bound_to, handle, sink, user_id, auth_rev, identifier_kind, identifier_typed,
                identifier_normal, proofs, body, session_id, created_at, expires_at",
        &[&id.0, &now, &mount.0],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// An attempt goes on in this browser.
pub async fn bind(tx: &mut Tx, id: AttemptId, browser: BrowserId) -> Result<()> {
    tx.exec("UPDATE attempts SET binding = 'browser', bound_to = $2 WHERE id = $1", &[&id.0, &browser.0])
        .await?;
    Ok(())
}

/// An attempt's code is out: whoever shows it goes on, until `expires_at`.
pub async fn hand_over(tx: &mut Tx, id: AttemptId, handle: &[u8], expires_at: Micros) -> Result<()> {
    tx.exec(
        "UPDATE attempts SET binding = 'bearer', bound_to = NULL, handle = $2, expires_at = $3 WHERE id = $1",
        &[&id.0, &handle.to_vec(), &expires_at],
    )
    .await?;
    Ok(())
}

/// The newest change of address that a user has under way at a mount: one of the user's own, or one of a back end's.
pub async fn change_of_email(
    tx: &mut Tx,
    user: UserId,
    mount: MountId,
    vouched: bool,
    now: Micros,
) -> Result<Option<Attempt>> {
    let rows = tx.all(
        "SELECT id, kind, state, binding, bound_to, handle, sink, user_id, auth_rev, identifier_kind, identifier_typed,
                identifier_normal, proofs, body, session_id, created_at, expires_at
           FROM attempts
          WHERE user_id = $1 AND mount_id = $2 AND kind = 'verify' AND state = 'open' AND expires_at > $3
          ORDER BY id DESC LIMIT 8",
        &[&user.0, &mount.0, &now],
    )
    .await?;
    for row in &rows {
        let attempt = from_row(row)?;
        if attempt.body.vouched == vouched {
            return Ok(Some(attempt));
        }
    }
    Ok(None)
}

/// A user changes their address to another one than before: what was sent for that one is void.
pub async fn cancel_changes(tx: &mut Tx, user: UserId, mount: MountId) -> Result<()> {
    tx.exec(
        "UPDATE attempts SET state = 'cancelled'
          WHERE user_id = $1 AND mount_id = $2 AND kind = 'verify' AND state = 'open'",
        &[&user.0, &mount.0],
    )
    .await?;
    Ok(())
}

/// What others typed who have asked for a code for the same address and can still use it.
pub async fn rivals(tx: &mut Tx, normal: &str, now: Micros) -> Result<Vec<Body>> {
    let rows = tx
        .all(
            "SELECT a.body FROM challenges c JOIN attempts a ON a.id = c.attempt_id
              WHERE c.purpose IN ('sign_in', 'sign_up') AND c.normal = $1 AND c.spent_at IS NULL AND c.expires_at > $2
              ORDER BY c.id DESC LIMIT 8",
            &[&normal, &now],
        )
        .await?;
    rows.iter().map(|row| Ok(serde_json::from_str(&row.get::<String>(0)?)?)).collect()
}

/// Writes back what a step changed.
pub async fn save(tx: &mut Tx, attempt: &Attempt) -> Result<()> {
    tx.exec(
        "UPDATE attempts SET kind = $2, user_id = $3, auth_rev = $4, proofs = $5, body = $6 WHERE id = $1",
        &[
            &attempt.id.0,
            &attempt.kind.word(),
            &attempt.user.map(|u| u.0),
            &attempt.auth_rev,
            &serde_json::to_string(&attempt.proofs)?,
            &serde_json::to_string(&attempt.body)?,
        ],
    )
    .await?;
    Ok(())
}

/// Closes an attempt with its result: readable from now on, unable to act.
pub async fn complete(tx: &mut Tx, attempt: &Attempt, session: SessionId, now: Micros) -> Result<()> {
    tx.exec(
        "UPDATE attempts SET state = 'completed', session_id = $2, completed_at = $3, expires_at = $4 WHERE id = $1",
        &[&attempt.id.0, &session.0, &now, &(now + READABLE)],
    )
    .await?;
    Ok(())
}

/// Gives an attempt up.
pub async fn cancel(tx: &mut Tx, id: AttemptId) -> Result<()> {
    tx.exec("UPDATE attempts SET state = 'cancelled' WHERE id = $1 AND state = 'open'", &[&id.0]).await?;
    Ok(())
}

/// Gives every open attempt up.
pub async fn cancel_all(tx: &mut Tx) -> Result<()> {
    tx.exec("UPDATE attempts SET state = 'cancelled' WHERE state = 'open'", &[]).await?;
    Ok(())
}
