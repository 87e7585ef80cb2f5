//! Statements on `users`, and the joins that sign-in and lists need.

use super::{Full, ProfileChange, Status, User, UserKind};
use crate::{
    clock::Micros,
    id::{MountId, UserId},
    identifier::{self, IdentifierKind, REALM_SPACE},
    page::AT_ONCE,
    refusal::Result,
};
use latchstring_db::{Param, Row, Tx};

fn from_row(row: &Row) -> Result<User> {
    let kind: String = row.get(1)?;
    let status: String = row.get(2)?;
    let json =
        |index: usize| -> Result<serde_json::Value> { Ok(serde_json::from_str(&row.get::<String>(index)?)?) };
    Ok(User {
        id: UserId(row.get(0)?),
        kind: if kind == "guest" { UserKind::Guest } else { UserKind::Person },
        status: if status == "active" { Status::Active } else { Status::Banned },
        status_until: row.get(3)?,
        status_reason: row.get(4)?,
        name: row.get(5)?,
        given_name: row.get(6)?,
        family_name: row.get(7)?,
        picture: row.get(8)?,
        locale: row.get(9)?,
        meta_public: json(10)?,
        meta_private: json(11)?,
        meta_own: json(12)?,
        valid_after: row.get(13)?,
        auth_rev: row.get(14)?,
        rev: row.get(15)?,
        created_at: row.get(16)?,
        updated_at: row.get(17)?,
        signed_in_at: row.get(18)?,
        delete_after: row.get(19)?,
    })
}

/// A user by id.
pub async fn find(tx: &mut Tx, id: UserId) -> Result<Option<User>> {
    tx.one(
        "SELECT id, kind, status, status_until, status_reason, name, given_name, family_name, picture, locale,
                meta_public, meta_private, meta_own, valid_after, auth_rev, rev, created_at, updated_at, signed_in_at,
                delete_after
           FROM users WHERE id = $1",
        &[&id.0],
    )
    .await?
    .as_ref()
    .map(from_row)
    .transpose()
}

/// A user with identifiers.
pub async fn full(tx: &mut Tx, id: UserId) -> Result<Option<Full>> {
    let Some(user) = find(tx, id).await? else { return Ok(None) };
    let identifiers = identifier::store::of_user(tx, id).await?;
    let has_password = crate::credential::store::password(tx, id).await?.is_some();
    Ok(Some(Full { user, identifiers, has_password }))
}

/// What a sign-in has to know of whoever has an identifier: one statement, the same for everybody.
pub struct SignIn {
    /// Whose identifier it is.
    pub user: UserId,
    /// The credentials' revision.
    pub auth_rev: i64,
    /// Whether they are banned.
    pub banned: bool,
    /// The password hash.
    pub phc: Option<String>,
    /// The identifier as stored: where mail goes.
    pub typed: String,
    /// Whether this very identifier is proven or asserted.
    pub good: bool,
}

/// Who signs in with this identifier.
pub async fn for_sign_in(
    tx: &mut Tx,
    kind: IdentifierKind,
    normal: &str,
    now: Micros,
) -> Result<Option<SignIn>> {
    let row = tx
        .one(
            "SELECT u.id, u.auth_rev, u.status, u.status_until, c.secret, i.typed, i.proven_at, i.asserted_at
               FROM identifiers i
               JOIN users u ON u.id = i.user_id
          LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password'
              WHERE i.space = $1 AND i.kind = $2 AND i.normal = $3",
            &[&REALM_SPACE, &kind.word(), &normal],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let status: String = row.get(2)?;
    let until: Option<i64> = row.get(3)?;
    Ok(Some(SignIn {
        user: UserId(row.get(0)?),
        auth_rev: row.get(1)?,
        banned: status != "active" && until.is_none_or(|until| until > now),
        phc: row.get(4)?,
        typed: row.get(5)?,
        good: row.get::<Option<i64>>(6)?.is_some() || row.get::<Option<i64>>(7)?.is_some(),
    }))
}

/// Inserts a user; `false` when there is one of that id.
pub async fn insert(tx: &mut Tx, id: UserId, kind: UserKind, now: Micros) -> Result<bool> {
    let kind = if kind == UserKind::Guest { "guest" } else { "person" };
    let n = tx
        .exec(
            "INSERT INTO users (id, kind, status, meta_public, meta_private, meta_own, valid_after, auth_rev, rev,
                                created_at, updated_at)
             VALUES ($1, $2, 'active', '{}', '{}', '{}', 0, 1, 1, $3, $3) ON CONFLICT (id) DO NOTHING",
            &[&id.0, &kind, &now],
        )
        .await?;
    Ok(n == 1)
}

/// A user from elsewhere.
pub struct Imported<'a> {
    /// The id.
    pub id: UserId,
    /// Person or guest.
    pub kind: UserKind,
    /// Banned, and until when: `Some(None)` is until it is lifted.
    pub banned: Option<Option<Micros>>,
    /// JSON.
    pub meta_public: &'a str,
    /// JSON.
    pub meta_own: &'a str,
    /// When the account was made there.
    pub created_at: Micros,
    /// When it last changed there.
    pub updated_at: Micros,
    /// When they last signed in there.
    pub signed_in_at: Option<Micros>,
}

/// Inserts users from elsewhere; gives how many: those whose id is there already are not.
pub async fn insert_imported(tx: &mut Tx, users: &[Imported<'_>]) -> Result<u64> {
    let status = users
        .iter()
        .map(|user| {
            let kind = if user.kind == UserKind::Guest { "guest" } else { "person" };
            let status = if user.banned.is_some() { "banned" } else { "active" };
            (kind, status, user.banned.flatten())
        })
        .collect::<Vec<_>>();
    let rows: Vec<[&dyn Param; 9]> = users
        .iter()
        .zip(&status)
        .map(|(user, (kind, status, until))| -> [&dyn Param; 9] {
            [
                &user.id.0,
                kind,
                status,
                until,
                &user.meta_public,
                &user.meta_own,
                &user.created_at,
                &user.updated_at,
                &user.signed_in_at,
            ]
        })
        .collect();
    let rows: Vec<&[&dyn Param]> = rows.iter().map(|row| &row[..]).collect();
    Ok(tx
        .many(
            "INSERT INTO users (id, kind, status, status_until, meta_public, meta_private, meta_own, valid_after,
                                auth_rev, rev, created_at, updated_at, signed_in_at)
             VALUES ($1, $2, $3, $4, $5, '{}', $6, 0, 1, 1, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
            &rows,
        )
        .await?)
}

/// Those among `ids` that there are, and when they were made.
pub async fn known(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<(UserId, Micros)>> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let args: Vec<&dyn Param> =
            (0..AT_ONCE).map(|n| &some[n.min(some.len() - 1)].0 as &dyn Param).collect();
        let rows = tx
            .all(
                "SELECT id, created_at FROM users
                  WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                              $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36,
                              $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50)",
                &args,
            )
            .await?;
        for row in rows {
            found.push((UserId(row.get(0)?), row.get(1)?));
        }
    }
    Ok(found)
}

/// Tells PostgreSQL how large the tables are that hold users.
pub async fn analyze(tx: &mut Tx) -> Result<()> {
    for statement in ["ANALYZE users", "ANALYZE identifiers", "ANALYZE identities"] {
        tx.exec(statement, &[]).await?;
    }
    Ok(())
}

/// A sign-in whose user's row is taken.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn {
    /// The time from which a new session counts: now, or the end of everything before, if that came while this sign-in
    /// waited for the row (or by a node whose clock is ahead). Whoever takes the row later is later.
    pub begun: Micros,
    /// When the account is to be deleted, if it is: the session waits for that to be decided.
    pub delete_after: Option<Micros>,
    /// Sessions from before are dead.
    pub valid_after: Micros,
}

impl SignedIn {
    /// What a session that begins now has to wait for.
    pub fn tasks(&self) -> Vec<String> {
        self.delete_after.iter().map(|_| super::DELETION_PENDING.to_owned()).collect()
    }
}

/// Takes the user's row and notes the sign-in, only if the credentials are still the ones that were checked and the
/// user is not banned. `None`: they changed meanwhile.
pub async fn sign_in(tx: &mut Tx, id: UserId, auth_rev: i64, now: Micros) -> Result<Option<SignedIn>> {
    let row = tx
        .one(
            "UPDATE users SET signed_in_at = $3
              WHERE id = $1 AND auth_rev = $2 AND (status = 'active' OR (status_until IS NOT NULL AND status_until <= $3))
          RETURNING valid_after, delete_after",
            &[&id.0, &auth_rev, &now],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let valid_after: Micros = row.get(0)?;
    Ok(Some(SignedIn { begun: now.max(valid_after), delete_after: row.get(1)?, valid_after }))
}

/// The account is to be deleted then, or (with `None`) no more; `false` when it already is as asked. The caller has
/// taken the user's row.
pub async fn set_delete_after(tx: &mut Tx, id: UserId, at: Option<Micros>) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE users SET delete_after = $2
              WHERE id = $1 AND (delete_after IS NULL) <> (CAST($2 AS BIGINT) IS NULL)",
            &[&id.0, &at],
        )
        .await?;
    Ok(n == 1)
}

/// Deletes nobody before `until`.
pub async fn put_off_deletions(tx: &mut Tx, until: Micros) -> Result<()> {
    tx.exec(
        "UPDATE users SET delete_after = $1 WHERE delete_after IS NOT NULL AND delete_after < $1",
        &[&until],
    )
    .await?;
    Ok(())
}

/// Users whose time to keep the account is over, some of them, in the order of these times and after one of them. Not
/// whom an operator keeps out meanwhile: the address would be free again, and the ban forgotten.
pub async fn due_for_deletion(
    tx: &mut Tx,
    now: Micros,
    after: (Micros, UserId),
    most: i64,
) -> Result<Vec<(Micros, UserId)>> {
    let rows = tx
        .all(
            "SELECT delete_after, id FROM users
              WHERE delete_after IS NOT NULL AND delete_after <= $1 AND delete_after >= $2
                AND (delete_after > $2 OR id > $3)
                AND (status = 'active' OR (status_until IS NOT NULL AND status_until <= $1))
              ORDER BY delete_after, id LIMIT $4",
            &[&now, &after.0, &after.1.0, &most],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get(0)?, UserId(row.get(1)?)))).collect()
}

/// [`lock`], if the account is still due: whoever keeps it meanwhile, or bans its owner, takes the row too.
pub async fn lock_due(tx: &mut Tx, id: UserId, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE users SET rev = rev + 1, updated_at = $2
              WHERE id = $1 AND delete_after IS NOT NULL AND delete_after <= $2
                AND (status = 'active' OR (status_until IS NOT NULL AND status_until <= $2))",
            &[&id.0, &now],
        )
        .await?;
    Ok(n == 1)
}

/// Takes the user's row: rules over several of their rows come after. Gives the credentials' revision.
pub async fn lock(tx: &mut Tx, id: UserId, now: Micros) -> Result<Option<i64>> {
    let row = tx
        .one(
            "UPDATE users SET rev = rev + 1, updated_at = $2 WHERE id = $1 RETURNING auth_rev",
            &[&id.0, &now],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(row.get(0)?),
        None => None,
    })
}

/// Takes the user's row, if the revision is still the one that was read.
pub async fn lock_seen(tx: &mut Tx, id: UserId, rev: i64, now: Micros) -> Result<bool> {
    let n = tx
        .exec(
            "UPDATE users SET rev = rev + 1, updated_at = $3 WHERE id = $1 AND rev = $2",
            &[&id.0, &rev, &now],
        )
        .await?;
    Ok(n == 1)
}

/// The credentials changed: whatever was checked against the ones before is void.
pub async fn bump_auth(tx: &mut Tx, id: UserId) -> Result<i64> {
    let row = tx
        .one("UPDATE users SET auth_rev = auth_rev + 1 WHERE id = $1 RETURNING auth_rev", &[&id.0])
        .await?
        .ok_or(crate::refusal::Fault::bug("a locked user is gone"))?;
    Ok(row.get(0)?)
}

/// Tokens and sessions from before `at` are dead.
pub async fn set_valid_after(tx: &mut Tx, id: UserId, at: Micros) -> Result<()> {
    tx.exec("UPDATE users SET valid_after = $2 WHERE id = $1 AND valid_after < $2", &[&id.0, &at]).await?;
    Ok(())
}

/// Bans a user, or lifts the ban.
pub async fn set_status(
    tx: &mut Tx,
    id: UserId,
    banned: bool,
    until: Option<Micros>,
    reason: Option<&str>,
) -> Result<()> {
    let status = if banned { "banned" } else { "active" };
    tx.exec(
        "UPDATE users SET status = $2, status_until = $3, status_reason = $4 WHERE id = $1",
        &[&id.0, &status, &until, &reason],
    )
    .await?;
    Ok(())
}

/// A guest becomes a person.
pub async fn make_person(tx: &mut Tx, id: UserId) -> Result<bool> {
    Ok(tx.exec("UPDATE users SET kind = 'person' WHERE id = $1 AND kind = 'guest'", &[&id.0]).await? == 1)
}

/// Changes the profile.
pub async fn change(tx: &mut Tx, id: UserId, change: &ProfileChange) -> Result<()> {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    // A flag beside each value: NULL is a value here ("take it away").
    let flag = |value: &Option<Option<String>>| value.is_some();
    let value = |value: &Option<Option<String>>| value.clone().flatten();
    tx.exec(
        "UPDATE users SET
                name = CASE WHEN $2 THEN $3 ELSE name END,
                given_name = CASE WHEN $4 THEN $5 ELSE given_name END,
                family_name = CASE WHEN $6 THEN $7 ELSE family_name END,
                picture = CASE WHEN $8 THEN $9 ELSE picture END,
                locale = CASE WHEN $10 THEN $11 ELSE locale END,
                meta_own = COALESCE($12, meta_own),
                meta_public = COALESCE($13, meta_public),
                meta_private = COALESCE($14, meta_private)
          WHERE id = $1",
        &[
            &id.0,
            &flag(&change.name),
            &value(&change.name),
            &flag(&change.given_name),
            &value(&change.given_name),
            &flag(&change.family_name),
            &value(&change.family_name),
            &flag(&change.picture),
            &value(&change.picture),
            &flag(&change.locale),
            &value(&change.locale),
            &json(&change.meta_own),
            &json(&change.meta_public),
            &json(&change.meta_private),
        ],
    )
    .await?;
    Ok(())
}

/// Deletes a user with all that hangs off it and all that names them. Sessions and families go too; their ends are in
/// `ended`.
pub async fn delete(tx: &mut Tx, id: UserId) -> Result<bool> {
    tx.exec("DELETE FROM families WHERE user_id = $1", &[&id.0]).await?;
    // Those in which they proved who they are. One that somebody only began with their address stays for its hour: that
    // it went would tell that there was an account.
    tx.exec("DELETE FROM attempts WHERE user_id = $1", &[&id.0]).await?;
    tx.exec("DELETE FROM invitations WHERE accepted_by = $1", &[&id.0]).await?;
    tx.exec("DELETE FROM challenges WHERE user_id = $1", &[&id.0]).await?;
    // An account that is made later with the same id inherits nothing.
    tx.exec("DELETE FROM annotations WHERE object_id = $1", &[&id.0]).await?;
    Ok(tx.exec("DELETE FROM users WHERE id = $1", &[&id.0]).await? == 1)
}

/// A page of users with identifiers by age, oldest first, after a user: one statement.
pub async fn page(tx: &mut Tx, after: Option<UserId>, limit: i64) -> Result<Vec<Full>> {
    let after = after.map_or(uuid::Uuid::nil(), |id| id.0);
    let rows = tx
        .all(
            "SELECT u.id, u.kind, u.status, u.status_until, u.status_reason, u.name, u.given_name, u.family_name,
                    u.picture, u.locale, u.meta_public, u.meta_private, u.meta_own, u.valid_after, u.auth_rev, u.rev,
                    u.created_at, u.updated_at, u.signed_in_at, u.delete_after, c.id,
                    i.id, i.user_id, i.kind, i.typed, i.normal, i.is_primary, i.proven_at, i.asserted_at
               FROM (SELECT * FROM users WHERE id > $1 ORDER BY id LIMIT $2) u
          LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password'
          LEFT JOIN identifiers i ON i.user_id = u.id
              ORDER BY u.id, i.id",
            &[&after, &limit],
        )
        .await?;
    gathered(&rows)
}

/// One user from each run of joined rows.
fn gathered(rows: &[Row]) -> Result<Vec<Full>> {
    let mut users: Vec<Full> = Vec::new();
    for row in rows {
        let id = UserId(row.get(0)?);
        if users.last().is_none_or(|last| last.user.id != id) {
            let has_password = row.get::<Option<uuid::Uuid>>(20)?.is_some();
            users.push(Full { user: from_row(row)?, identifiers: Vec::new(), has_password });
        }
        if row.get::<Option<uuid::Uuid>>(21)?.is_some()
            && let Some(last) = users.last_mut()
        {
            last.identifiers.push(identifier::store::stored(row, 21)?);
        }
    }
    Ok(users)
}

/// A page of users one of whose identifiers begins with `prefix` (a normal form), in the order of identifiers, after
/// an identifier. Gives each user with the identifier that was found; one statement.
pub async fn search(tx: &mut Tx, prefix: &str, after: &str, limit: i64) -> Result<Vec<(Full, String)>> {
    // A range instead of LIKE: the same on both databases, and served by the index. U+10FFFF sorts after any text
    // that goes on from the prefix.
    let end = format!("{prefix}\u{10FFFF}");
    let rows = tx
        .all(
            "SELECT u.id, u.kind, u.status, u.status_until, u.status_reason, u.name, u.given_name, u.family_name,
                    u.picture, u.locale, u.meta_public, u.meta_private, u.meta_own, u.valid_after, u.auth_rev, u.rev,
                    u.created_at, u.updated_at, u.signed_in_at, u.delete_after, c.id,
                    i.id, i.user_id, i.kind, i.typed, i.normal, i.is_primary, i.proven_at, i.asserted_at, f.normal
               FROM (SELECT id, user_id, normal FROM identifiers
                      WHERE normal >= $1 AND normal < $2 AND normal > $3 ORDER BY normal LIMIT $4) f
               JOIN users u ON u.id = f.user_id
          LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password'
          LEFT JOIN identifiers i ON i.user_id = u.id
              ORDER BY f.normal, f.id, i.id",
            &[&prefix, &end, &after, &limit],
        )
        .await?;
    // Somebody may be found by several identifiers, one run of rows each.
    let key = |row: &Row| Some((row.get::<String>(29).ok()?, row.get::<uuid::Uuid>(0).ok()?));
    let mut found = Vec::new();
    for run in rows.chunk_by(|a, b| key(a) == key(b)) {
        let normal: String = run[0].get(29)?;
        found.extend(gathered(run)?.into_iter().map(|full| (full, normal.clone())));
    }
    Ok(found)
}

/// How many users there are, or have an identifier that fits one of two patterns.
pub async fn count(tx: &mut Tx, patterns: Option<&[String; 2]>) -> Result<i64> {
    let [one, other] = [0, 1].map(|n| patterns.map(|patterns| patterns[n].as_str()));
    let row = tx
        .one(
            "SELECT count(*) FROM users
              WHERE CAST($1 AS TEXT) IS NULL
                 OR id IN (SELECT user_id FROM identifiers
                            WHERE normal LIKE $1 ESCAPE '!' OR normal LIKE $2 ESCAPE '!')",
            &[&one, &other],
        )
        .await?;
    Ok(row.map(|row| row.get(0)).transpose()?.unwrap_or_default())
}

/// Users of [`count`] in the order in which they were made, from the `offset`th on, each with what the mounts of one
/// kind have noted about them.
pub async fn numbered(
    tx: &mut Tx,
    patterns: Option<&[String; 2]>,
    kind: &str,
    oldest_first: bool,
    limit: i64,
    offset: i64,
) -> Result<Vec<(Full, Option<String>)>> {
    let [one, other] = [0, 1].map(|n| patterns.map(|patterns| patterns[n].as_str()));
    let args: [&dyn Param; 5] = [&one, &other, &kind, &limit, &offset];
    let rows = if oldest_first {
        tx.all(
            "SELECT p.id, u.kind, u.status, u.status_until, u.status_reason, u.name, u.given_name, u.family_name,
                    u.picture, u.locale, u.meta_public, u.meta_private, u.meta_own, u.valid_after, u.auth_rev, u.rev,
                    u.created_at, u.updated_at, u.signed_in_at, u.delete_after, c.id,
                    i.id, i.user_id, i.kind, i.typed, i.normal, i.is_primary, i.proven_at, i.asserted_at, n.body
               FROM (SELECT id, created_at FROM users
                      WHERE CAST($1 AS TEXT) IS NULL
                         OR id IN (SELECT user_id FROM identifiers
                                    WHERE normal LIKE $1 ESCAPE '!' OR normal LIKE $2 ESCAPE '!')
                      ORDER BY created_at, id LIMIT $4 OFFSET $5) p
               JOIN users u ON u.id = p.id
          LEFT JOIN credentials c ON c.user_id = p.id AND c.kind = 'password'
          LEFT JOIN identifiers i ON i.user_id = p.id
          LEFT JOIN annotations n ON n.object_id = p.id AND n.mount_kind = $3
              ORDER BY p.created_at, p.id, i.id",
            &args,
        )
        .await?
    } else {
        tx.all(
            "SELECT p.id, u.kind, u.status, u.status_until, u.status_reason, u.name, u.given_name, u.family_name,
                    u.picture, u.locale, u.meta_public, u.meta_private, u.meta_own, u.valid_after, u.auth_rev, u.rev,
                    u.created_at, u.updated_at, u.signed_in_at, u.delete_after, c.id,
                    i.id, i.user_id, i.kind, i.typed, i.normal, i.is_primary, i.proven_at, i.asserted_at, n.body
               FROM (SELECT id, created_at FROM users
                      WHERE CAST($1 AS TEXT) IS NULL
                         OR id IN (SELECT user_id FROM identifiers
                                    WHERE normal LIKE $1 ESCAPE '!' OR normal LIKE $2 ESCAPE '!')
                      ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5) p
               JOIN users u ON u.id = p.id
          LEFT JOIN credentials c ON c.user_id = p.id AND c.kind = 'password'
          LEFT JOIN identifiers i ON i.user_id = p.id
          LEFT JOIN annotations n ON n.object_id = p.id AND n.mount_kind = $3
              ORDER BY p.created_at DESC, p.id DESC, i.id",
            &args,
        )
        .await?
    };
    let mut found = Vec::new();
    for run in rows.chunk_by(|a, b| a.get::<uuid::Uuid>(0).ok() == b.get::<uuid::Uuid>(0).ok()) {
        let note: Option<String> = run[0].get(29)?;
        found.extend(gathered(run)?.into_iter().map(|full| (full, note.clone())));
    }
    Ok(found)
}

/// A user as a face shows them that has notes of its own.
pub struct Noted {
    /// The user with identifiers.
    pub full: Full,
    /// What mounts of the face's kind have noted, as JSON.
    pub note: Option<String>,
    /// Whether there are identities.
    pub has_identities: bool,
    /// The address that the user is about to change to, as typed, and since when.
    pub new_email: Option<(String, Micros)>,
}

/// [`full`] with what the mounts of one kind have noted, and what is under way at one: in one statement, for faces that
/// show all of it with each answer.
pub async fn noted(
    tx: &mut Tx,
    id: UserId,
    kind: &str,
    mount: MountId,
    now: Micros,
) -> Result<Option<Noted>> {
    let rows = tx
        .all(
            "SELECT u.id, u.kind, u.status, u.status_until, u.status_reason, u.name, u.given_name, u.family_name,
                    u.picture, u.locale, u.meta_public, u.meta_private, u.meta_own, u.valid_after, u.auth_rev, u.rev,
                    u.created_at, u.updated_at, u.signed_in_at, u.delete_after, c.id,
                    i.id, i.user_id, i.kind, i.typed, i.normal, i.is_primary, i.proven_at, i.asserted_at, n.body,
                    EXISTS (SELECT 1 FROM identities WHERE user_id = u.id), a.identifier_typed, a.created_at
               FROM users u
          LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password'
          LEFT JOIN identifiers i ON i.user_id = u.id
          LEFT JOIN annotations n ON n.object_id = u.id AND n.mount_kind = $2
          LEFT JOIN attempts a
                 ON a.id = (SELECT id FROM attempts
                             WHERE user_id = u.id AND mount_id = $3 AND kind = 'verify' AND state = 'open'
                               AND expires_at > $4
                             ORDER BY id DESC LIMIT 1)
              WHERE u.id = $1
              ORDER BY i.id",
            &[&id.0, &kind, &mount.0, &now],
        )
        .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let (note, has_identities): (Option<String>, bool) = (first.get(29)?, first.get(30)?);
    let new_email = match (first.get::<Option<String>>(31)?, first.get::<Option<i64>>(32)?) {
        (Some(typed), Some(at)) => Some((typed, at)),
        _ => None,
    };
    let full = gathered(&rows)?.into_iter().next();
    Ok(full.map(|full| Noted { full, note, has_identities, new_email }))
}
