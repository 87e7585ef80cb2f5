//! Statements on `families`.

use super::{Family, New};
use crate::{
    cache::Seen,
    clock::Micros,
    id::{ClientId, FamilyId, MountId, SessionId, UserId},
    refusal::Result,
};
use latchstring_db::{Row, Tx};

/// Inserts a family whose first token is number 1.
pub async fn insert(tx: &mut Tx, new: &New, now: Micros) -> Result<()> {
    tx.exec(
        "INSERT INTO families (id, session_id, grant_id, user_id, client_id, mount_id, profile, counter, used_at,
                               audiences, claims, idle_us, idle_at, ends_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11, $12, $13, $8)",
        &[
            &new.id.0,
            &new.session.map(|s| s.0),
            &new.grant.map(|g| g.0),
            &new.user.0,
            &new.client.map(|c| c.0),
            &new.mount.0,
            &new.profile.word(),
            &now,
            &new.audiences.to_string(),
            &serde_json::to_string(&new.claims)?,
            &new.idle_us,
            &new.idle_us.map(|idle| now + idle),
            &new.ends_at,
        ],
    )
    .await?;
    Ok(())
}

fn family(row: &Row) -> Result<Family> {
    let profile: String = row.get(6)?;
    Ok(Family {
        id: FamilyId(row.get(0)?),
        session: row.get::<Option<uuid::Uuid>>(1)?.map(SessionId),
        user: UserId(row.get(2)?),
        client: row.get::<Option<uuid::Uuid>>(3)?.map(ClientId),
        counter: row.get(4)?,
        used_at: row.get(5)?,
        fixed: profile == "fixed",
        audiences: serde_json::from_str(&row.get::<String>(7)?)?,
        claims: serde_json::from_str(&row.get::<String>(8)?)?,
        idle_at: row.get(9)?,
        ends_at: row.get(10)?,
        ended_at: row.get(11)?,
        mount: MountId(row.get(12)?),
        seen: None,
    })
}

/// Uses token `counter` of a living family of a mount: a rotating one moves on to the next. `None`: it is not there, over, or has
/// moved on.
pub async fn spend(
    tx: &mut Tx,
    id: FamilyId,
    mount: MountId,
    counter: i64,
    now: Micros,
) -> Result<Option<Family>> {
    let row = tx
        .one(
        "UPDATE families SET counter = counter + CASE WHEN profile = 'rotating' THEN 1 ELSE 0 END, used_at = $3,
                idle_at = CAST($3 AS BIGINT) + idle_us
          WHERE id = $1 AND counter = $2 AND mount_id = $4 AND ended_at IS NULL
            AND (idle_at IS NULL OR idle_at > $3) AND (ends_at IS NULL OR ends_at > $3)
      RETURNING id, session_id, user_id, client_id, counter, used_at, profile, audiences, claims, idle_at, ends_at,
                ended_at, mount_id, (SELECT rev FROM users WHERE id = families.user_id),
                (SELECT signed_in_at FROM users WHERE id = families.user_id)",
        &[&id.0, &counter, &now, &mount.0],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let rev: Option<i64> = row.get(13)?;
    let signed_in_at = row.get(14)?;
    Ok(Some(Family { seen: rev.map(|rev| Seen { rev, signed_in_at }), ..family(&row)? }))
}

/// A family.
pub async fn find(tx: &mut Tx, id: FamilyId) -> Result<Option<Family>> {
    tx.one(
        "SELECT id, session_id, user_id, client_id, counter, used_at, profile, audiences, claims, idle_at, ends_at,
                ended_at, mount_id
           FROM families WHERE id = $1",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(family)
    .transpose()
}

/// Ends a family.
pub async fn end(tx: &mut Tx, id: FamilyId, now: Micros, reason: &str) -> Result<()> {
    tx.exec(
        "UPDATE families SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL",
        &[&id.0, &now, &reason],
    )
    .await?;
    Ok(())
}

/// Ends the session that families hang off; `false` when it had ended before.
pub async fn end_owner(tx: &mut Tx, session: SessionId, user: UserId, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE sessions SET ended_at = $3, end_reason = 'reused'
              WHERE id = $1 AND user_id = $2 AND ended_at IS NULL",
            &[&session.0, &user.0, &now],
        )
        .await?;
    Ok(n == 1)
}

/// Ends the families of a session; gives how many.
pub async fn end_of_session(tx: &mut Tx, session: SessionId, now: Micros, reason: &str) -> Result<u64> {
    let n = tx
        .exec(
            "UPDATE families SET ended_at = $2, end_reason = $3 WHERE session_id = $1 AND ended_at IS NULL",
            &[&session.0, &now, &reason],
        )
        .await?;
    Ok(n)
}

/// Ends every family of a user, those of grants too.
pub async fn end_of_user(tx: &mut Tx, user: UserId, now: Micros, reason: &str) -> Result<()> {
    tx.exec(
        "UPDATE families SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL",
        &[&user.0, &now, &reason],
    )
    .await?;
    Ok(())
}

/// Ends every family of a user but those of one session.
pub async fn end_others_of_user(
    tx: &mut Tx,
    user: UserId,
    but: SessionId,
    now: Micros,
    reason: &str,
) -> Result<()> {
    tx.exec(
        "UPDATE families SET ended_at = $3, end_reason = $4
          WHERE user_id = $1 AND (session_id IS NULL OR session_id <> $2) AND ended_at IS NULL",
        &[&user.0, &but.0, &now, &reason],
    )
    .await?;
    Ok(())
}

/// A proof was given again: access tokens of the session's families say so from the next refresh on.
pub async fn set_claims(tx: &mut Tx, session: SessionId, claims: &str) -> Result<()> {
    tx.exec(
        "UPDATE families SET claims = $2 WHERE session_id = $1 AND ended_at IS NULL",
        &[&session.0, &claims],
    )
    .await?;
    Ok(())
}

/// Ends every family of the realm.
pub async fn end_of_realm(tx: &mut Tx, now: Micros, reason: &str) -> Result<()> {
    tx.exec("UPDATE families SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL", &[&now, &reason])
        .await?;
    Ok(())
}
