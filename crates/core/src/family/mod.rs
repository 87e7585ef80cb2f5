//! Families of refresh tokens. A token is derived, never stored: version ‖ family ‖ counter ‖ MAC. Rotation is one
//! UPDATE of the counter. The token before the newest gives the same successor within a window (a lost answer, two
//! tabs); anything older is theft and ends the family.

pub mod store;

use crate::{
    cache::Seen,
    clock::Micros,
    ground::Ground,
    id::{ClientId, FamilyId, GrantId, MountId, SessionId, UserId},
    realm::Realm,
    refusal::{Kind, Result},
    seal::{Keys, MacPurpose},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

/// How a family's tokens rotate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Each use gives the next one.
    Rotating,
    /// The token stays the same (Firebase).
    Fixed,
}

impl Profile {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Profile::Rotating => "rotating",
            Profile::Fixed => "fixed",
        }
    }
}

/// What is copied into each access token of a family, so that a refresh reads one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// When a proof was last given, in Unix seconds.
    pub auth_time: i64,
    /// How (RFC 8176 values).
    pub amr: Vec<String>,
    /// Level of assurance.
    pub assurance: i64,
    /// What has to be done before the session may be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
}

/// A family to insert.
#[derive(Debug, Clone)]
pub struct New {
    /// Its id.
    pub id: FamilyId,
    /// The session it hangs off.
    pub session: Option<SessionId>,
    /// Or the grant.
    pub grant: Option<GrantId>,
    /// Whose.
    pub user: UserId,
    /// For which client.
    pub client: Option<ClientId>,
    /// At which mount.
    pub mount: MountId,
    /// How its tokens rotate.
    pub profile: Profile,
    /// Audience → scopes.
    pub audiences: serde_json::Value,
    /// What goes into access tokens.
    pub claims: Claims,
    /// Ends when unused for so long.
    pub idle_us: Option<Micros>,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
}

/// A stored family.
#[derive(Debug, Clone)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// The session it hangs off.
    pub session: Option<SessionId>,
    /// Whose.
    pub user: UserId,
    /// For which client.
    pub client: Option<ClientId>,
    /// At which mount: its tokens are good there alone.
    pub mount: MountId,
    /// The number of the newest token.
    pub counter: i64,
    /// When it was last used: of a rotating family, when the newest token came to be.
    pub used_at: Micros,
    /// How its tokens rotate.
    pub fixed: bool,
    /// Audience → scopes.
    pub audiences: serde_json::Value,
    /// What goes into access tokens.
    pub claims: Claims,
    /// Ends when unused.
    pub idle_at: Option<Micros>,
    /// Ends in any case.
    pub ends_at: Option<Micros>,
    /// Ended.
    pub ended_at: Option<Micros>,
    /// How its user stood when a token of it was used.
    pub seen: Option<Seen>,
}

const VERSION: u8 = 1;
/// Makes leaked tokens findable by secret scanners.
const PREFIX: &str = "lsr_";
const RAW: usize = 1 + 16 + 8 + 32;
const ENCODED: usize = (RAW * 4).div_ceil(3);

/// A parsed refresh token whose MAC was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The family.
    pub family: FamilyId,
    /// Its number in the family.
    pub counter: i64,
}

impl Token {
    /// The token's text.
    pub fn text(&self, keys: &Keys) -> Zeroizing<String> {
        let mut raw = [0u8; RAW];
        raw[0] = VERSION;
        raw[1..17].copy_from_slice(self.family.0.as_bytes());
        raw[17..25].copy_from_slice(&self.counter.to_be_bytes());
        let mac = keys.mac(MacPurpose::Refresh, &[&raw[..25]]);
        raw[25..].copy_from_slice(&mac);
        Zeroizing::new(format!("{PREFIX}{}", B64.encode(raw)))
    }

    /// Reads a token; `None` when it is not one of ours. No look at the database.
    pub fn parse(keys: &Keys, text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        if encoded.len() != ENCODED {
            return None;
        }
        let mut raw = [0u8; RAW];
        if B64.decode_slice(encoded, &mut raw).ok()? != RAW || raw[0] != VERSION {
            return None;
        }
        if !keys.mac_matches(MacPurpose::Refresh, &[&raw[..25]], &raw[25..]) {
            return None;
        }
        let counter = i64::from_be_bytes(raw[17..25].try_into().ok()?);
        Some(Self { family: FamilyId(Uuid::from_slice(&raw[1..17]).ok()?), counter })
    }
}

/// Uses a refresh token at `mount`. Gives the family and the token to hand out, which a lost answer may make the same again.
pub async fn refresh(
    realm: &Realm,
    mount: MountId,
    text: &str,
    window: Micros,
    source: &crate::audit::Source,
) -> Result<(Family, Token)> {
    let ground = realm.ground();
    let token = Token::parse(&ground.keys, text).ok_or(Kind::RefreshUnusable)?;
    let now = ground.now();
    let keep = realm.longest_token();
    let prepared = Prepared { ground: ground.clone(), mount, now, keep, window, source: source.clone() };
    let (family, endings) = realm
        .db()
        .write(async move |tx| -> Result<(Outcome, Vec<crate::ended::Ending>)> {
            prepared.refresh(tx, token).await
        })
        .await?;
    realm.apply(&endings);
    match family {
        Outcome::Usable(family, counter) => {
            let token = Token { family: family.id, counter };
            Ok((*family, token))
        }
        Outcome::Reused => Err(Kind::RefreshReused.into()),
    }
}

enum Outcome {
    Usable(Box<Family>, i64),
    Reused,
}

struct Prepared {
    ground: Ground,
    mount: MountId,
    now: Micros,
    keep: Micros,
    window: Micros,
    source: crate::audit::Source,
}

impl Prepared {
    async fn refresh(
        &self,
        tx: &mut latchstring_db::Tx,
        token: Token,
    ) -> Result<(Outcome, Vec<crate::ended::Ending>)> {
        if let Some(family) = store::spend(tx, token.family, self.mount, token.counter, self.now).await? {
            let counter = family.counter;
            return Ok((Outcome::Usable(Box::new(family), counter), Vec::new()));
        }
        // Another mount's token is none here, and being shown in the wrong place is no theft.
        let Some(family) = store::find(tx, token.family).await?.filter(|family| family.mount == self.mount)
        else {
            return Err(Kind::RefreshUnusable.into());
        };
        let over = family.ended_at.is_some()
            || family.ends_at.is_some_and(|at| at <= self.now)
            || family.idle_at.is_some_and(|at| at <= self.now);
        if over {
            return Err(Kind::RefreshUnusable.into());
        }
        if !family.fixed && token.counter + 1 == family.counter && self.now - family.used_at <= self.window {
            // Whoever comes with the token before gets the successor that by construction nobody has used yet.
            let counter = family.counter;
            return Ok((Outcome::Usable(Box::new(family), counter), Vec::new()));
        }
        // Older, or from a future that a restored backup has forgotten: somebody has a copy. All of it ends.
        let mut endings = Vec::new();
        store::end(tx, family.id, self.now, "reused").await?;
        if let Some(session) = family.session {
            endings =
                crate::family::end_session(tx, &self.ground, &family, session, self.keep, self.now).await?;
        }
        let entry = crate::audit::Entry::new(
            self.ground.audit_id(),
            self.now,
            "refresh_token.reused",
            crate::audit::Actor::Anonymous,
        )
        .on("user", family.user.0)
        .detail(serde_json::json!({ "family": family.id, "session": family.session }))
        .from(&self.source);
        crate::audit::write(tx, entry).await?;
        Ok((Outcome::Reused, endings))
    }
}

/// Ends the session that a stolen family hangs off, with its other families. (Written here and not by
/// [`crate::session::end`]: a family stands on a lower floor than a session.)
async fn end_session(
    tx: &mut latchstring_db::Tx,
    ground: &Ground,
    family: &Family,
    session: SessionId,
    keep: Micros,
    now: Micros,
) -> Result<Vec<crate::ended::Ending>> {
    if !store::end_owner(tx, session, family.user, now).await? {
        return Ok(Vec::new());
    }
    store::end_of_session(tx, session, now, "reused").await?;
    let ending = crate::ended::Ending::session(ground, session, keep);
    crate::ended::write(tx, &ending).await?;
    Ok(vec![ending])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_token_is_derived_and_can_not_be_altered() {
        let keys = Keys::parse(&Keys::generate(&SystemRandom::default())).expect("keys");
        let token = Token { family: FamilyId(Uuid::from_u128(9)), counter: 3 };
        let text = token.text(&keys);
        assert_eq!(
            *text,
            *token.text(&keys),
            "the same token has the same text, so a lost answer can be given again"
        );
        assert_eq!(Token::parse(&keys, &text), Some(token));
        for i in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).expect("ascii");
            assert_eq!(Token::parse(&keys, &altered), None, "character {i} was changed unseen");
        }
        assert_eq!(Token::parse(&keys, ""), None);
        assert_eq!(Token::parse(&keys, &"lsr_".repeat(1000)), None);
    }
}
