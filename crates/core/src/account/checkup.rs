//! What the owner of an account should look at: what is not as it should be, and what has changed lately.

use super::Me;
use crate::{
    audit::{self, Row},
    clock::{DAY, Micros},
    id::v7_floor,
    realm::Realm,
    refusal::Result,
    session,
    user::{Full, UserKind},
};
use std::cmp::Reverse;

/// A session that was not used for so long is probably forgotten.
pub const UNUSED: Micros = 90 * DAY;
/// Changes from before that are no news.
pub const RECENT: Micros = 7 * DAY;
/// Changes that are shown, or more if they are of more kinds.
pub const MOST: usize = 5;

/// The changes that an owner should know of, as the audit trail calls them.
const CHANGES: [&str; 11] = [
    "password.changed",
    "password.reset",
    "password.set",
    "email.changed",
    "email.put_back",
    "email.lost",
    "username.changed",
    "device.new",
    "user.deletion_begun",
    "user.deletion_kept",
    "user.not_me",
];

/// What there is to look at.
#[derive(Debug, Clone, Default)]
pub struct Checkup {
    /// The address has never been proven, nor has anybody vouched for it.
    pub unproven: bool,
    /// There is no password, where accounts have one.
    pub no_password: bool,
    /// Sessions that were not used for [`UNUSED`].
    pub unused: usize,
    /// What has changed lately, newest first.
    pub changes: Vec<Row>,
}

impl Checkup {
    /// Whether nothing asks to be mended.
    pub fn is_in_order(&self) -> bool {
        !self.unproven && !self.no_password && self.unused == 0
    }
}

/// Looks an account over. Guests have nothing to look after.
pub async fn look(realm: &Realm, me: &Me, full: &Full) -> Result<Checkup> {
    if full.user.kind == UserKind::Guest {
        return Ok(Checkup::default());
    }
    let now = realm.now();
    let user = me.user;
    let (sessions, changes) = realm
        .db()
        .read(async |tx| -> Result<(Vec<session::Shown>, Vec<Row>)> {
            let sessions = session::store::of_user(tx, user, 1_000).await?;
            let since = v7_floor(now - RECENT);
            let mut kinds = Vec::with_capacity(CHANGES.len());
            for action in CHANGES {
                kinds.push(audit::store::changes(tx, user.0, action, since, MOST as i64).await?);
            }
            Ok((sessions, newest(kinds)))
        })
        .await?;
    let unused = |s: &&session::Shown| s.lives(now) && s.id != me.session && now - s.active_at > UNUSED;
    Ok(Checkup {
        unproven: full.email().is_some_and(|email| !email.is_good()),
        no_password: realm.settings().1.password.required && !full.has_password,
        unused: sessions.iter().filter(unused).count(),
        changes,
    })
}

/// The newest of each kind, however many others have come after it: whoever makes a great change must not be able to hide
/// it behind small ones. Then the newest of all.
fn newest(kinds: Vec<Vec<Row>>) -> Vec<Row> {
    let (mut shown, mut rest) = (Vec::new(), Vec::new());
    for kind in kinds {
        let mut rows = kind.into_iter();
        shown.extend(rows.next());
        rest.extend(rows);
    }
    rest.sort_by_key(|row| Reverse(row.id));
    rest.truncate(MOST.saturating_sub(shown.len()));
    shown.append(&mut rest);
    shown.sort_by_key(|row| Reverse(row.id));
    shown
}
