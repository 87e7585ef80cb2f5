//! Statements on `sessions`.

use super::{New, SessionKind, Shown};
use crate::{
    clock::Micros,
    id::{BrowserId, ClientId, SessionId, UserId},
    refusal::Result,
};
use latchstring_db::{Param, Row, Tx};

/// Inserts a session.
pub async fn insert(tx: &mut Tx, new: &New, now: Micros) -> Result<()> {
    let kind = if new.kind == SessionKind::Browser { "browser" } else { "token" };
    tx.exec(
        "INSERT INTO sessions (id, user_id, kind, browser_id, client_id, mount_id, auth_at, methods, assurance, tasks,
                               claims, user_agent, address, idle_us, active_at, ends_at, rev, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $7, $15, 1, $7)",
        &[
            &new.id.0,
            &new.user.0,
            &kind,
            &new.browser.map(|b| b.0),
            &new.client.map(|c| c.0),
            &new.mount.0,
            &now,
            &serde_json::to_string(&new.methods)?,
            &new.assurance,
            &serde_json::to_string(&new.tasks)?,
            &new.claims.to_string(),
            &new.user_agent,
            &new.address,
            &new.idle_us,
            &new.ends_at,
        ],
    )
    .await?;
    Ok(())
}

fn shown(row: &Row) -> Result<Shown> {
    Ok(Shown {
        id: SessionId(row.get(0)?),
        user: UserId(row.get(1)?),
        kind: row.get(2)?,
        browser: row.get::<Option<uuid::Uuid>>(3)?.map(BrowserId),
        created_at: row.get(4)?,
        auth_at: row.get(5)?,
        active_at: row.get(6)?,
        ends_at: row.get(7)?,
        idle_us: row.get(8)?,
        methods: serde_json::from_str(&row.get::<String>(9)?)?,
        assurance: row.get(10)?,
        tasks: serde_json::from_str(&row.get::<String>(11)?)?,
        user_agent: row.get(12)?,
        address: row.get(13)?,
    })
}

/// A session that has not been ended.
pub async fn find(tx: &mut Tx, id: SessionId) -> Result<Option<Shown>> {
    tx.one(
        "SELECT id, user_id, kind, browser_id, created_at, auth_at, active_at, ends_at, idle_us, methods, assurance,
                tasks, user_agent, address
           FROM sessions WHERE id = $1 AND ended_at IS NULL",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(shown)
    .transpose()
}

/// A user's sessions that have not been ended, newest first.
pub async fn of_user(tx: &mut Tx, user: UserId, most: i64) -> Result<Vec<Shown>> {
    tx.all(
        "SELECT id, user_id, kind, browser_id, created_at, auth_at, active_at, ends_at, idle_us, methods, assurance,
                tasks, user_agent, address
           FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT $2",
        &[&user.0, &most],
    )
    .await?
    .iter()
    .map(shown)
    .collect()
}

/// The sessions of a browser that have not been ended, newest first.
pub async fn of_browser(tx: &mut Tx, browser: BrowserId) -> Result<Vec<Shown>> {
    tx.all(
        "SELECT id, user_id, kind, browser_id, created_at, auth_at, active_at, ends_at, idle_us, methods, assurance,
                tasks, user_agent, address
           FROM sessions WHERE browser_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 50",
        &[&browser.0],
    )
    .await?
    .iter()
    .map(shown)
    .collect()
}

fn ids(rows: &[Row]) -> Result<Vec<SessionId>> {
    rows.iter().map(|row| Ok(SessionId(row.get(0)?))).collect()
}

/// Ends one session.
pub async fn end_one(
    tx: &mut Tx,
    user: UserId,
    id: SessionId,
    now: Micros,
    reason: &str,
) -> Result<Vec<SessionId>> {
    ids(&tx
        .all(
            "UPDATE sessions SET ended_at = $3, end_reason = $4
              WHERE id = $1 AND user_id = $2 AND ended_at IS NULL RETURNING id",
            &[&id.0, &user.0, &now, &reason],
        )
        .await?)
}

/// Ends all sessions of a user but one.
pub async fn end_others(
    tx: &mut Tx,
    user: UserId,
    but: SessionId,
    now: Micros,
    reason: &str,
) -> Result<Vec<SessionId>> {
    ids(&tx
        .all(
            "UPDATE sessions SET ended_at = $3, end_reason = $4
              WHERE user_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id",
            &[&user.0, &but.0, &now, &reason],
        )
        .await?)
}

/// Ends all sessions of a user.
pub async fn end_all(tx: &mut Tx, user: UserId, now: Micros, reason: &str) -> Result<Vec<SessionId>> {
    ids(&tx
        .all(
            "UPDATE sessions SET ended_at = $2, end_reason = $3
              WHERE user_id = $1 AND ended_at IS NULL RETURNING id",
            &[&user.0, &now, &reason],
        )
        .await?)
}

/// Live sessions of a user in a browser: a new sign-in of the same person there replaces them.
pub async fn of_user_in_browser(tx: &mut Tx, user: UserId, browser: BrowserId) -> Result<Vec<SessionId>> {
    ids(&tx
        .all(
            "SELECT id FROM sessions WHERE browser_id = $1 AND user_id = $2 AND ended_at IS NULL",
            &[&browser.0, &user.0],
        )
        .await?)
}

/// The sessions of a user beyond the newest `most`.
pub async fn surplus(tx: &mut Tx, user: UserId, most: i64) -> Result<Vec<SessionId>> {
    ids(&tx
        .all(
            "SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY id DESC LIMIT 50 OFFSET $2",
            &[&user.0, &most],
        )
        .await?)
}

/// A proof was given again: raises what the session stands for. `false` when it has ended meanwhile, or its time is over:
/// a proof that was under way does not bring it back.
pub async fn proved(
    tx: &mut Tx,
    id: SessionId,
    now: Micros,
    methods: &str,
    assurance: i64,
    tasks: &str,
) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE sessions SET auth_at = $2, methods = $3, assurance = $4, tasks = $5, active_at = $2, rev = rev + 1
              WHERE id = $1 AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > $2)
                AND (idle_us IS NULL OR active_at + idle_us > $2)",
            &[&id.0, &now, &methods, &assurance, &tasks],
        )
        .await?;
    Ok(n == 1)
}

/// An app that a user has signed in with.
pub struct App {
    /// Its User-Agent.
    pub user_agent: Option<String>,
    /// Its client.
    pub client: Option<ClientId>,
    /// Whether its session was ended by the user from another.
    pub thrown_out: bool,
}

/// With what apps a user has signed in before, newest first. Not those whose sessions were ended because somebody else may
/// have had them.
pub async fn apps_of_user(tx: &mut Tx, user: UserId, but: SessionId, since: Micros) -> Result<Vec<App>> {
    let rows = tx
        .all(
            "SELECT user_agent, client_id, end_reason FROM sessions
              WHERE user_id = $1 AND id <> $2 AND kind = 'token' AND created_at >= $3
                AND (ended_at IS NULL OR end_reason IN ('signed_out', 'replaced', 'surplus', 'expired', 'ended_by_owner'))
              ORDER BY id DESC LIMIT 100",
            &[&user.0, &but.0, &since],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(App {
                user_agent: row.get(0)?,
                client: row.get::<Option<uuid::Uuid>>(1)?.map(ClientId),
                thrown_out: row.get::<Option<String>>(2)?.as_deref() == Some("ended_by_owner"),
            })
        })
        .collect()
}

/// The session waits for these from now on. The caller has taken its row.
pub async fn set_tasks(tx: &mut Tx, id: SessionId, tasks: &[String]) -> Result<()> {
    tx.exec("UPDATE sessions SET tasks = $2 WHERE id = $1", &[&id.0, &serde_json::to_string(tasks)?]).await?;
    Ok(())
}

/// Takes the row of a user's session until the transaction ends, if it lives: until then nobody ends it.
pub async fn lock(tx: &mut Tx, id: SessionId, user: UserId, now: Micros) -> Result<Option<Shown>> {
    tx.one(
        "UPDATE sessions SET rev = rev + 1
          WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND (ends_at IS NULL OR ends_at > $3)
            AND (idle_us IS NULL OR active_at + idle_us > $3)
      RETURNING id, user_id, kind, browser_id, created_at, auth_at, active_at, ends_at, idle_us, methods, assurance,
                tasks, user_agent, address",
        &[&id.0, &user.0, &now],
    )
    .await?
    .as_ref()
    .map(shown)
    .transpose()
}

/// Notes last uses.
pub async fn touch(tx: &mut Tx, uses: &[(SessionId, Micros)]) -> Result<()> {
    let args: Vec<[&dyn Param; 2]> = uses.iter().map(|(id, at)| [&id.0 as &dyn Param, at]).collect();
    let rows: Vec<&[&dyn Param]> = args.iter().map(<[_; 2]>::as_slice).collect();
    tx.many(
        "UPDATE sessions SET active_at = $2 WHERE id = $1 AND active_at < $2 AND ended_at IS NULL",
        &rows,
    )
    .await?;
    Ok(())
}

/// Linked identities that were set before the address was proven go with the rest.
pub async fn evict_identities(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM identities WHERE user_id = $1 AND set_proven = FALSE", &[&user.0]).await?;
    Ok(())
}

/// Ends every session of the realm.
pub async fn end_of_realm(tx: &mut Tx, now: Micros, reason: &str) -> Result<()> {
    tx.exec("UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL", &[&now, &reason])
        .await?;
    Ok(())
}
