//! Typed ids: a session's id can't be passed where a user's is meant.

use crate::{clock::Micros, random::Random};
use uuid::Uuid;

/// A fresh UUIDv7 (RFC 9562, 5.7): time-ordered, so that rows of busy tables are written at one end.
/// Not a secret.
pub fn v7(now: Micros, random: &dyn Random) -> Uuid {
    let mut tail = [0; 10];
    random.fill(&mut tail);
    let millis = u64::try_from(now / 1000).unwrap_or(0);
    // RFC 9562, 6.2, method 3: the microseconds within the millisecond keep ids of one millisecond in order.
    let fraction = u16::try_from((now % 1000).unsigned_abs() * 4096 / 1000).unwrap_or(0);
    tail[0] = (fraction >> 8) as u8;
    tail[1] = (fraction & 0xff) as u8;
    uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
}

/// The lowest id that [`v7`] can have made at `at`, or in its millisecond.
pub fn v7_floor(at: Micros) -> Uuid {
    let millis = u64::try_from(at / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh, time-ordered id.
            pub fn new(now: Micros, random: &dyn Random) -> Self {
                Self(v7(now, random))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A person or guest.
    UserId,
    /// A cookie jar or native install.
    BrowserId,
    /// One sign-in, sign-up, recovery, step-up or link in progress.
    AttemptId,
    /// A code or link that we sent, or a ceremony that we began.
    ChallengeId,
    /// A session.
    SessionId,
    /// A chain of refresh tokens.
    FamilyId,
    /// An OAuth application.
    ClientId,
    /// Where a face of a realm can be reached.
    MountId,
    /// A key ring.
    RingId,
    /// A signing key.
    KeyId,
    /// An API key.
    ApiKeyId,
    /// An identifier: an e-mail address, phone number, username or wallet.
    IdentifierId,
    /// A credential.
    CredentialId,
    /// A second factor.
    FactorId,
    /// An invitation.
    InvitationId,
    /// A job of the outbox.
    JobId,
    /// An audit row.
    AuditId,
    /// A row of `ended`.
    EndedId,
    /// What a user allowed a client.
    GrantId,
    /// An upstream that people are signed in through.
    ConnectionId,
    /// Who a user is at an upstream.
    IdentityId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn ids_of_one_millisecond_are_ordered() {
        let random = SystemRandom::default();
        let ids: Vec<_> = (0..900).map(|i| v7(1_700_000_000_000_000 + i, &random)).collect();
        assert!(ids.is_sorted(), "ids must sort by the time at which they were made");
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
