//! Challenges: a code and a link that we sent. Found by id through the link, by their attempt, or as the newest live
//! one for (purpose, address). Each is good once, for a few tries, for ten minutes at most.

pub mod store;

use crate::{
    clock::Micros,
    ground::Ground,
    id::{AttemptId, ChallengeId, MountId, UserId},
    random,
    realm::Dev,
    refusal::{Kind, Result},
    seal::MacPurpose,
    secret::Keyed,
};
use latchstring_db::Tx;

/// What proving an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sign in.
    SignIn,
    /// Make an account.
    SignUp,
    /// Get back into an account and set a new password.
    Recover,
    /// Prove again who you are.
    StepUp,
    /// Add or change an address of an account.
    Verify,
    /// Agree, from the address before, to a change of it.
    VerifyCurrent,
    /// The second factor.
    Factor,
}

impl Purpose {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::SignUp => "sign_up",
            Purpose::Recover => "recover",
            Purpose::StepUp => "step_up",
            Purpose::Verify => "verify",
            Purpose::VerifyCurrent => "verify_current",
            Purpose::Factor => "factor",
        }
    }

    /// Reads the stored word.
    pub fn parse(word: &str) -> Option<Self> {
        use Purpose as P;
        [P::SignIn, P::SignUp, P::Recover, P::StepUp, P::Verify, P::VerifyCurrent, P::Factor]
            .into_iter()
            .find(|p| p.word() == word)
    }
}

/// The domain of people who exist in automated tests alone. `.example` is nobody's (RFC 2606, 2), so that no such
/// address is ever a mailbox, and `serve` takes names below it for examples that were copied.
pub const TEST_DOMAIN: &str = "test.example";
/// The code that they all get.
pub const TEST_CODE: &str = "424242";

/// The fixed code of an address for tests, so that these need not read mail. Only development has such.
fn test_code(_: Dev, address: &str) -> Option<&'static str> {
    let (_, domain) = address.rsplit_once('@')?;
    (domain == TEST_DOMAIN).then_some(TEST_CODE)
}

/// A challenge made before the transaction: the code and the link in clear (for the mail), their hashes for the row.
pub struct Fresh {
    /// The row's id.
    pub id: ChallengeId,
    /// Six digits.
    pub code: zeroize::Zeroizing<String>,
    /// What the link carries.
    pub link: Keyed,
    pub(crate) code_mac: [u8; 32],
    pub(crate) link_hash: [u8; 32],
}

impl Fresh {
    /// Draws a code and a link for `address` (its normal form).
    pub fn new(ground: &Ground, purpose: Purpose, address: &str, dev: Option<Dev>) -> Self {
        let id = ChallengeId::new(ground.now(), ground.random());
        let code = match dev.and_then(|dev| test_code(dev, address)) {
            Some(code) => code.to_owned(),
            None => random::six_digits(ground.random()),
        };
        let code = zeroize::Zeroizing::new(code);
        let link = Keyed::new(id.0, ground.random());
        let code_mac =
            ground.keys.mac(MacPurpose::Code, &[id.0.as_bytes(), purpose.word().as_bytes(), code.as_bytes()]);
        let link_hash = link.hashed().0;
        Self { id, code, link, code_mac, link_hash }
    }
}

/// A stored challenge.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Its id.
    pub id: ChallengeId,
    /// What it is for.
    pub purpose: Purpose,
    /// The address as stored: where the mail went.
    pub typed: String,
    /// Its normal form.
    pub normal: String,
    /// The account that the address belonged to when it was sent.
    pub user: Option<UserId>,
    /// The attempt that it belongs to.
    pub attempt: Option<AttemptId>,
    /// The revision of the user's credentials when it was sent: it is void once they change.
    pub auth_rev: Option<i64>,
    pub(crate) code: Vec<u8>,
    pub(crate) link: Vec<u8>,
    /// Until when it is good.
    pub expires_at: Micros,
    /// Whether it has been used or replaced.
    pub spent_at: Option<Micros>,
}

/// How to find the challenge that a code is for.
#[derive(Debug, Clone, Copy)]
pub enum Find<'a> {
    /// By its attempt, for what that attempt needs now: a code of its first step is none of its second.
    Attempt(AttemptId, Purpose),
    /// By the address alone, as some dialects do, among those of a mount.
    Address(MountId, Purpose, &'a str),
}

/// What trying a code found.
#[derive(Debug)]
pub enum Tried {
    /// It was right, and the challenge is spent.
    Right(Box<Challenge>),
    /// It was wrong, and there is one try less; the account that the message went to, if there is one.
    Wrong(Option<UserId>),
}

/// Tries a code. The caller refuses a wrong one with `.keep()`, so that the try stays counted.
pub async fn try_code(
    tx: &mut Tx,
    ground: &Ground,
    find: Find<'_>,
    code: &str,
    now: Micros,
) -> Result<Tried> {
    let found = match find {
        Find::Attempt(attempt, purpose) => {
            store::take_try_of_attempt(tx, attempt, purpose.word(), now).await?
        }
        Find::Address(mount, purpose, normal) => {
            store::take_try_of_address(tx, mount, purpose.word(), normal, now).await?
        }
    };
    let Some(challenge) = found else { return Ok(Tried::Wrong(None)) };
    let parts: [&[u8]; 3] = [challenge.id.0.as_bytes(), challenge.purpose.word().as_bytes(), code.as_bytes()];
    if !ground.keys.mac_matches(MacPurpose::Code, &parts, &challenge.code) {
        return Ok(Tried::Wrong(challenge.user));
    }
    // Two right codes at once: the row is ours since the try was taken, and only one finds it unspent.
    if !store::spend(tx, challenge.id, now).await? {
        return Ok(Tried::Wrong(challenge.user));
    }
    Ok(Tried::Right(Box::new(challenge)))
}

/// Looks at the challenge of a link, without using it.
pub async fn look(db: &latchstring_db::Db, link: &Keyed, now: Micros) -> Result<Option<Challenge>> {
    let id = ChallengeId(link.id);
    let found = db.read(async |tx| store::find(tx, id).await).await?;
    Ok(found.filter(|c| usable(c, link, now)))
}

/// Uses the link of a challenge, once.
pub async fn spend_link(tx: &mut Tx, link: &Keyed, now: Micros) -> Result<Challenge> {
    let challenge = store::find(tx, ChallengeId(link.id)).await?.filter(|c| usable(c, link, now));
    let Some(challenge) = challenge else { return Err(Kind::LinkUnusable.into()) };
    if !store::spend(tx, challenge.id, now).await? {
        return Err(Kind::LinkUnusable.into());
    }
    Ok(challenge)
}

fn usable(challenge: &Challenge, link: &Keyed, now: Micros) -> bool {
    link.hashed().matches(&challenge.link) && challenge.spent_at.is_none() && challenge.expires_at > now
}
