//! Statements on `challenges`.

use super::{Challenge, Fresh, Purpose};
use crate::{
    clock::Micros,
    id::{AttemptId, ChallengeId, MountId, UserId},
    identifier::Identifier,
    refusal::{Fault, Result},
};
use latchstring_db::{Row, Tx};

/// What a new challenge belongs to.
pub struct Owner<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// Where the message goes.
    pub address: &'a Identifier,
    /// The account of that address.
    pub user: Option<UserId>,
    /// The attempt.
    pub attempt: Option<AttemptId>,
    /// The revision of the user's credentials.
    pub auth_rev: Option<i64>,
}

/// Inserts a challenge. Earlier ones of the same attempt and purpose are spent: only the newest is good. Those of other attempts
/// stay, or anybody who knows an address could void its owner's recovery by asking for another; how many there are is
/// bounded by the limit on messages, and the tries count over all of them.
pub async fn insert(
    tx: &mut Tx,
    fresh: &Fresh,
    owner: &Owner<'_>,
    tries: i64,
    now: Micros,
    expires_at: Micros,
) -> Result<()> {
    if let Some(attempt) = owner.attempt {
        tx.exec(
            "UPDATE challenges SET spent_at = $2 WHERE attempt_id = $1 AND purpose = $3 AND spent_at IS NULL",
            &[&attempt.0, &now, &owner.purpose.word()],
        )
        .await?;
    }
    tx.exec(
        "INSERT INTO challenges (id, purpose, channel, typed, normal, user_id, attempt_id, auth_rev, code, link, body,
                                 tries_left, created_at, expires_at)
         VALUES ($1, $2, 'email', $3, $4, $5, $6, $7, $8, $9, '{}', $10, $11, $12)",
        &[
            &fresh.id.0,
            &owner.purpose.word(),
            &owner.address.typed,
            &owner.address.normal,
            &owner.user.map(|u| u.0),
            &owner.attempt.map(|a| a.0),
            &owner.auth_rev,
            &fresh.code_mac,
            &fresh.link_hash,
            &tries,
            &now,
            &expires_at,
        ],
    )
    .await?;
    Ok(())
}

fn challenge(row: &Row) -> Result<Challenge> {
    let purpose: String = row.get(1)?;
    Ok(Challenge {
        id: ChallengeId(row.get(0)?),
        purpose: Purpose::parse(&purpose).ok_or(Fault::bug("a stored challenge has an unknown purpose"))?,
        typed: row.get(2)?,
        normal: row.get(3)?,
        user: row.get::<Option<uuid::Uuid>>(4)?.map(UserId),
        attempt: row.get::<Option<uuid::Uuid>>(5)?.map(AttemptId),
        auth_rev: row.get(6)?,
        code: row.get(7)?,
        link: row.get(8)?,
        expires_at: row.get(9)?,
        spent_at: row.get(10)?,
    })
}

/// Takes a try of the attempt's live challenge.
pub async fn take_try_of_attempt(
    tx: &mut Tx,
    attempt: AttemptId,
    purpose: &str,
    now: Micros,
) -> Result<Option<Challenge>> {
    tx.one(
        "UPDATE challenges SET tries_left = tries_left - 1
          WHERE attempt_id = $1 AND purpose = $2 AND spent_at IS NULL AND expires_at > $3 AND tries_left > 0
      RETURNING id, purpose, typed, normal, user_id, attempt_id, auth_rev, code, link, expires_at, spent_at",
        &[&attempt.0, &purpose, &now],
    )
    .await?
    .as_ref()
    .map(challenge)
    .transpose()
}

/// Takes a try of the newest live challenge for (purpose, address) whose attempt was begun at a mount and is held by
/// nobody: what somebody holds by a cookie or a handle goes on with these.
pub async fn take_try_of_address(
    tx: &mut Tx,
    mount: MountId,
    purpose: &str,
    normal: &str,
    now: Micros,
) -> Result<Option<Challenge>> {
    tx.one(
        "UPDATE challenges SET tries_left = tries_left - 1
          WHERE id = (SELECT c.id FROM challenges c JOIN attempts a ON a.id = c.attempt_id
                       WHERE c.purpose = $1 AND c.normal = $2 AND c.spent_at IS NULL AND c.expires_at > $3
                         AND a.mount_id = $4 AND a.handle IS NULL AND a.sink <> 'cookie'
                       ORDER BY c.id DESC LIMIT 1)
            AND spent_at IS NULL AND expires_at > $3 AND tries_left > 0
      RETURNING id, purpose, typed, normal, user_id, attempt_id, auth_rev, code, link, expires_at, spent_at",
        &[&purpose, &normal, &now, &mount.0],
    )
    .await?
    .as_ref()
    .map(challenge)
    .transpose()
}

/// A challenge by id.
pub async fn find(tx: &mut Tx, id: ChallengeId) -> Result<Option<Challenge>> {
    tx.one(
        "SELECT id, purpose, typed, normal, user_id, attempt_id, auth_rev, code, link, expires_at, spent_at
           FROM challenges WHERE id = $1",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(challenge)
    .transpose()
}

/// Marks it spent; `false` when it was.
pub async fn spend(tx: &mut Tx, id: ChallengeId, now: Micros) -> Result<bool> {
    let n = tx
        .exec("UPDATE challenges SET spent_at = $2 WHERE id = $1 AND spent_at IS NULL", &[&id.0, &now])
        .await?;
    Ok(n == 1)
}

/// Voids every live challenge of a user: their credentials changed.
pub async fn void_of_user(tx: &mut Tx, user: UserId, now: Micros) -> Result<()> {
    tx.exec("UPDATE challenges SET spent_at = $2 WHERE user_id = $1 AND spent_at IS NULL", &[&user.0, &now])
        .await?;
    Ok(())
}

/// Voids a user's pending recoveries: one was used, or they got in without.
pub async fn void_recoveries(tx: &mut Tx, user: UserId, now: Micros) -> Result<()> {
    tx.exec(
        "UPDATE challenges SET spent_at = $2 WHERE user_id = $1 AND purpose = 'recover' AND spent_at IS NULL",
        &[&user.0, &now],
    )
    .await?;
    Ok(())
}

/// Voids every live challenge.
pub async fn void_all(tx: &mut Tx, now: Micros) -> Result<()> {
    tx.exec("UPDATE challenges SET spent_at = $1 WHERE spent_at IS NULL", &[&now]).await?;
    Ok(())
}
