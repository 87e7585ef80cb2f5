//! What follows when the credentials of an account change, whoever changed them: the same for all.

use crate::{
    browser, challenge,
    clock::Micros,
    ended::Ending,
    family,
    ground::Ground,
    id::{BrowserId, SessionId, UserId},
    notice,
    refusal::Result,
    session::{self, Which},
    user,
};
use latchstring_db::Tx;

/// The credentials of a user changed, in a transaction that has taken the user's row.
pub(crate) struct Changed<'a> {
    /// Whose.
    pub user: UserId,
    /// The session that goes on: of whoever changed them and proved who they are.
    pub keep: Option<SessionId>,
    /// The browser that stays known, beside that session.
    pub here: Option<BrowserId>,
    /// Why sessions and families end, as a stable word.
    pub reason: &'static str,
    /// For how long endings matter.
    pub longest_token: i64,
    /// The mail that tells the owner.
    pub notice: Option<&'a notice::Prepared>,
}

impl<'a> Changed<'a> {
    /// A change that no session outlives, and of which nobody is told.
    pub(crate) fn all(user: UserId, reason: &'static str, longest_token: i64) -> Self {
        Self { user, keep: None, here: None, reason, longest_token, notice: None }
    }

    /// The same, telling the owner by mail.
    pub(crate) fn telling(mut self, notice: Option<&'a notice::Prepared>) -> Self {
        self.notice = notice;
        self
    }

    /// Voids what was proven or sent before, forgets browsers, ends sessions and families, and puts the mail into the
    /// outbox. Gives the new revision of the credentials, and the endings, which the caller applies after the commit.
    /// `now` is the time from which a session that the caller opens counts: what ends is from before it.
    pub(crate) async fn apply(self, tx: &mut Tx, ground: &Ground, now: Micros) -> Result<(i64, Vec<Ending>)> {
        let auth_rev = user::store::bump_auth(tx, self.user).await?;
        challenge::store::void_of_user(tx, self.user, now).await?;
        let endings = match self.keep {
            None => {
                session::end_everything(tx, ground, self.user, self.reason, now, self.longest_token).await?
            }
            Some(keep) => {
                let others = Which::Others(keep);
                let endings =
                    session::end(tx, ground, self.user, others, self.reason, now, self.longest_token).await?;
                // Grants too: whoever knew the old password may have given some.
                family::store::end_others_of_user(tx, self.user, keep, now, self.reason).await?;
                // Whoever knew the old password has signed in with browsers of their own; this one stays known.
                browser::store::forget_user(tx, self.user).await?;
                endings
            }
        };
        if let Some(here) = self.here {
            browser::store::know(tx, here, self.user, now).await?;
        }
        if let Some(notice) = self.notice {
            notice.put(tx).await?;
        }
        Ok((auth_rev, endings))
    }
}
