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

/// A session that was not used for so long is probably forgotten.
pub const UNUSED: Micros = 90 * DAY;
/// Changes from before that are no news.
pub const RECENT: Micros = 7 * DAY;
/// Changes that are shown.
pub const MOST: i64 = 5;

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
            Ok((sessions, audit::store::changes(tx, user.0, since, MOST).await?))
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
