//! A *refusal* is an answer ("no, because"); a *fault* is our problem. Each face maps refusals by [`Class`],
//! exhaustively, with exceptions by [`Kind`].

use std::borrow::Cow;

/// The result of a rule.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $class:ident, $code:literal;)*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// The class that decides how faces answer.
            pub fn class(self) -> Class {
                match self { $(Kind::$kind => Class::$class,)* }
            }

            /// The stable name of the kind, as our own API and logs show it.
            pub fn code(self) -> &'static str {
                match self { $(Kind::$kind => $code,)* }
            }
        }
    };
}

/// What sort of refusal: what a client can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The input is not what it has to be.
    Invalid,
    /// The proof (password, code, link) is not right.
    ProofWrong,
    /// Who asks is not signed in, or shows no usable token or key.
    Unauthenticated,
    /// Who asks is known, and may not.
    Forbidden,
    /// The session is too old or too weak for this; proving again helps.
    StepUp,
    /// There is no such thing (or none that this caller may know of).
    NotFound,
    /// It exists already, or changed meanwhile.
    Conflict,
    /// It was there, and is over: expired, spent, ended.
    Gone,
    /// Too often; waiting helps.
    Limited,
    /// We can't just now; trying again helps.
    Unavailable,
    /// A refresh token or other grant that is not usable (RFC 6749, 5.2: `invalid_grant`).
    GrantUnusable,
    /// The feature is switched off here.
    Off,
}

kinds! {
    /// A member of the input is malformed; `param` names it.
    InputInvalid => Invalid, "invalid_input";
    /// Not an e-mail address that can receive mail.
    EmailInvalid => Invalid, "invalid_email";
    /// Not a usable username.
    UsernameInvalid => Invalid, "invalid_username";
    /// The new password is too weak; `reasons` say why.
    PasswordWeak => Invalid, "weak_password";
    /// A setting has a value that can't be used.
    SettingInvalid => Invalid, "invalid_setting";
    /// The hash can't be imported.
    HashUnusable => Invalid, "unusable_hash";
    /// Identifier and password don't match.
    CredentialsWrong => ProofWrong, "wrong_credentials";
    /// The code is not right, or no longer.
    CodeWrong => ProofWrong, "wrong_code";
    /// The link is not usable: unknown, spent or expired.
    LinkUnusable => Gone, "unusable_link";
    /// No attempt of that id is open to this caller.
    AttemptUnknown => NotFound, "unknown_attempt";
    /// The attempt is over.
    AttemptClosed => Gone, "closed_attempt";
    /// The attempt does not take that step now.
    StepNotOffered => Conflict, "step_not_offered";
    /// Another account has that identifier.
    IdentifierTaken => Conflict, "identifier_taken";
    /// New accounts can't be made here.
    SignUpClosed => Off, "sign_up_closed";
    /// The invitation is not usable.
    InvitationUnusable => Gone, "unusable_invitation";
    /// Guests are not admitted here.
    GuestsOff => Off, "guests_off";
    /// A guest has no identifier and no credential before becoming a person.
    NotForGuests => Forbidden, "not_for_guests";
    /// The password is right, and the address that it was typed with has never been confirmed.
    AddressUnproven => Forbidden, "unproven_address";
    /// The new password is the old one.
    PasswordSame => Invalid, "same_password";
    /// The account is banned.
    UserBanned => Forbidden, "user_banned";
    /// Not signed in.
    NotSignedIn => Unauthenticated, "not_signed_in";
    /// The session waits for something else first; `reasons` name the tasks.
    TaskOutstanding => Forbidden, "task_outstanding";
    /// Prove again who you are.
    ReauthRequired => StepUp, "reauthentication_required";
    /// The access token is not usable.
    TokenUnusable => Unauthenticated, "unusable_token";
    /// The refresh token is not usable.
    RefreshUnusable => GrantUnusable, "unusable_refresh_token";
    /// The refresh token was used before: its family has been ended.
    RefreshReused => GrantUnusable, "reused_refresh_token";
    /// The code that an app got is not usable: unknown, spent or expired.
    AuthCodeUnusable => GrantUnusable, "unusable_code";
    /// The verifier is not that of the code (RFC 7636, 4.6).
    CodeVerifierWrong => GrantUnusable, "wrong_code_verifier";
    /// The API key is not usable.
    ApiKeyUnusable => Unauthenticated, "unusable_api_key";
    /// The API key lacks a permission; `param` names it.
    PermissionMissing => Forbidden, "missing_permission";
    /// The request did not come from where it must.
    OriginRefused => Forbidden, "origin_refused";
    /// No such object.
    NotFound => NotFound, "not_found";
    /// The object changed since it was read.
    RevChanged => Conflict, "changed_meanwhile";
    /// It exists already.
    Exists => Conflict, "already_exists";
    /// The one-time set-up token is not usable.
    SetupUnusable => Gone, "unusable_setup_token";
    /// The last way to do this would be lost.
    LastOne => Conflict, "last_one";
    /// Too many requests of this sort.
    RateLimited => Limited, "rate_limited";
    /// Too many failed proofs; wait, or prove in another way.
    Throttled => Limited, "throttled";
    /// The password queue is full.
    HashQueueFull => Unavailable, "busy";
    /// The database is away or overloaded.
    DatabaseAway => Unavailable, "unavailable";
    /// This feature is switched off.
    FeatureOff => Off, "feature_off";
}

/// What belongs to a refusal beside its kind. Nothing here may be secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// The member of the input that is meant.
    pub param: Option<Cow<'static, str>>,
    /// A sentence for people, where the kind's own does not say enough.
    pub says: Option<Cow<'static, str>>,
    /// Stable words that tell which rule failed.
    pub reasons: Vec<Cow<'static, str>>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
    /// The limit that is reached.
    // In a box: every result of a rule would be as much larger.
    limit: Option<Box<Policy>>,
}

impl Detail {
    /// The limit that is reached.
    pub fn limit(&self) -> Option<Policy> {
        self.limit.as_deref().copied()
    }
}

/// A limit, as clients are told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Its name, as in the settings.
    pub name: &'static str,
    /// How many there are at once.
    pub quota: u32,
    /// In how many seconds they fill up again.
    pub window: i64,
}

/// A reason to say no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub kind: Kind,
    /// What belongs to it.
    pub detail: Detail,
    /// Whether the transaction in which it was made commits all the same.
    keep: bool,
}

impl Refusal {
    /// A plain refusal.
    pub fn new(kind: Kind) -> Self {
        Self { kind, detail: Detail::default(), keep: false }
    }

    /// Names the limit that is reached.
    #[must_use]
    pub fn limit(mut self, policy: Policy) -> Self {
        self.detail.limit = Some(Box::new(policy));
        self
    }

    /// Names the member of the input that is meant.
    #[must_use]
    pub fn param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.detail.param = Some(param.into());
        self
    }

    /// Adds a sentence for people.
    #[must_use]
    pub fn says(mut self, says: impl Into<Cow<'static, str>>) -> Self {
        self.detail.says = Some(says.into());
        self
    }

    /// Adds a stable word that tells which rule failed.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.detail.reasons.push(reason.into());
        self
    }

    /// Says when trying again makes sense, rounded up to a whole second.
    #[must_use]
    pub fn retry_after_micros(mut self, micros: i64) -> Self {
        self.detail.retry_after = Some(u64::try_from(micros.max(1)).unwrap_or(1).div_ceil(1_000_000));
        self
    }

    /// This refusal must leave its trace: what the transaction has done so far is committed.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }
}

impl Kind {
    /// This refusal, leaving its trace: see [`Refusal::keep`].
    pub fn keep(self) -> Refusal {
        Refusal::new(self).keep()
    }

    /// This refusal, with a sentence for people.
    pub fn says(self, says: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::new(self).says(says)
    }

    /// This refusal, naming the member of the input that is meant.
    pub fn param(self, param: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::new(self).param(param)
    }
}

/// Our problem: logged once at the edge with its chain of causes, and answered with 500.
#[derive(Debug)]
pub struct Fault {
    what: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// A fault with its cause.
    pub fn new(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what, source: Some(source.into()) }
    }

    /// Something that can't be, and is.
    pub fn bug(what: &'static str) -> Self {
        Self { what, source: None }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as &(dyn std::error::Error + 'static))
    }
}

/// Why a rule did not say yes.
#[derive(Debug)]
pub enum Error {
    /// An answer.
    Refused(Refusal),
    /// Our problem.
    Fault(Fault),
}

impl Error {
    /// The refusal's kind, when it is one.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Error::Refused(r) => Some(r.kind),
            Error::Fault(_) => None,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Refused(r) => f.write_str(r.kind.code()),
            Error::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Refused(_) => None,
            Error::Fault(fault) => fault.source(),
        }
    }
}

impl From<Kind> for Refusal {
    fn from(kind: Kind) -> Self {
        Refusal::new(kind)
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Error::Refused(kind.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::Refused(refusal)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error::Fault(fault)
    }
}

impl From<latchstring_db::Error> for Error {
    fn from(error: latchstring_db::Error) -> Self {
        if error.is_unavailable() {
            // The client is told to come back; the operator must still learn why.
            tracing::warn!(error = &error as &dyn std::error::Error, "the database did not answer");
            return Refusal::new(Kind::DatabaseAway).retry_after_micros(1_000_000).into();
        }
        Fault::new("a statement failed", error).into()
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Fault::new("a stored JSON text can't be read", error).into()
    }
}

impl latchstring_db::Verdict for Error {
    fn commits(&self) -> bool {
        matches!(self, Error::Refused(r) if r.keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_plain() {
        let mut codes: Vec<_> = Kind::ALL.iter().map(|k| k.code()).collect();
        codes.sort_unstable();
        let n = codes.len();
        codes.dedup();
        assert_eq!(n, codes.len(), "two kinds share a code; clients could not tell them apart");
        assert!(codes.iter().all(|c| c.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
    }

    #[test]
    fn a_refusal_leaves_no_trace_unless_it_says_so() {
        use latchstring_db::Verdict;
        assert!(!Error::from(Kind::CodeWrong).commits());
        assert!(Error::from(Kind::CodeWrong.keep()).commits());
    }
}
