//! Realm settings: what changes at run time. One JSON document with a revision, in the database; every node follows
//! within a poll. Unknown members of a change are errors that name the nearest known one. Those of a stored document are a
//! newer binary's: they are kept, and mean nothing here.

mod check;

pub use check::look as check_look;
pub mod store;

use crate::{
    clock::{DAY, HOUR, MINUTE, Micros},
    limit::{Rate, Rule},
    refusal::{Kind, Refusal, Result},
    secret::Hidden,
};
use latchstring_look::brand::{LegalLink, LookSettings};
use serde::{Deserialize, Serialize};

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUp {
    /// Anyone who proves an address.
    Open,
    /// Whoever holds an invitation.
    Invite,
    /// Nobody; admins make accounts.
    Closed,
}

impl SignUp {
    /// Whether somebody may make an account, with an invitation or without. Nobody in a closed realm: invitations from
    /// before it closed don't open it.
    pub fn admits(self, invited: bool) -> bool {
        match self {
            SignUp::Open => true,
            SignUp::Invite => invited,
            SignUp::Closed => false,
        }
    }
}

/// Kinds of characters that a password must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Characters {
    /// Whatever it likes.
    #[default]
    #[serde(rename = "")]
    Any,
    /// A letter and a digit.
    LettersDigits,
    /// A small letter, a capital and a digit.
    LowerUpperLettersDigits,
    /// These, and a symbol.
    LowerUpperLettersDigitsSymbols,
}

/// Everything that a realm's operator can set at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The name that people see on pages and in mail.
    pub name: String,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// Whether whoever signs up with a password proves their address before they are signed in. Our own pages ask for it
    /// always; a dialect whose apps count on being let in at once may not.
    pub confirm_sign_up: bool,
    /// Whether guests are admitted.
    pub guests: bool,
    /// Password rules and cost.
    pub password: PasswordSettings,
    /// Lifetimes of sessions.
    pub session: SessionSettings,
    /// Lifetimes of tokens.
    pub token: TokenSettings,
    /// Codes and links.
    pub code: CodeSettings,
    /// How often things may be asked for.
    pub limits: LimitSettings,
    /// The password form of `OAuth2PasswordBearer`.
    pub token_endpoint: TokenEndpointSettings,
    /// What becomes of accounts.
    pub account: AccountSettings,
    /// The audit trail.
    pub audit: AuditSettings,
    /// How pages and mails look and speak.
    pub look: LookSettings,
    /// Origins of other hosts that may call the API from a browser, and to which people are led back from the pages.
    pub origins: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Latchstring".into(),
            sign_up: SignUp::Open,
            confirm_sign_up: true,
            guests: false,
            password: PasswordSettings::default(),
            session: SessionSettings::default(),
            token: TokenSettings::default(),
            code: CodeSettings::default(),
            limits: LimitSettings::default(),
            token_endpoint: TokenEndpointSettings::default(),
            account: AccountSettings::default(),
            audit: AuditSettings::default(),
            look: LookSettings::default(),
            origins: Vec::new(),
        }
    }
}

/// Password rules (standards: NIST SP 800-63B-4, 3.1.1) and the cost of Argon2id (RFC 9106).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordSettings {
    /// Whether a new account needs a password; without, people sign in by mailed codes.
    pub required: bool,
    /// Fewest characters. NIST asks for 15 where a password is the only factor, and never less than 8.
    pub min_chars: u32,
    /// Most characters. At least 128.
    pub max_chars: u32,
    /// Lowest zxcvbn score, 0 to 4, that is taken.
    pub min_score: u8,
    /// Kinds of characters that it must have, for apps that ask for some. NIST advises against it.
    pub characters: Characters,
    /// Words that no password may consist of, beside the realm's name and the person's own.
    pub context_words: Vec<String>,
    /// Argon2id memory in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub passes: u32,
    /// Argon2id lanes.
    pub lanes: u32,
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            required: true,
            min_chars: 8,
            max_chars: 256,
            min_score: 2,
            characters: Characters::Any,
            context_words: Vec::new(),
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Lifetimes of sessions, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSettings {
    /// Ends after so long without use.
    pub idle_seconds: i64,
    /// Ends after so long in any case.
    pub absolute_seconds: i64,
    /// How old a proof may be for changing e-mail, password and the like without proving again.
    pub fresh_seconds: i64,
    /// Most live sessions of one user; the oldest end first.
    pub max_per_user: i64,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_seconds: 14 * DAY / 1_000_000,
            absolute_seconds: 30 * DAY / 1_000_000,
            fresh_seconds: 10 * MINUTE / 1_000_000,
            max_per_user: 100,
        }
    }
}

/// Lifetimes of tokens, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenSettings {
    /// Access tokens: 60 to 3600.
    pub access_seconds: i64,
    /// A refresh token that is not used ends after so long.
    pub refresh_idle_seconds: i64,
    /// How long after a rotation the token before it gives the same successor (a lost answer, two tabs).
    pub refresh_window_seconds: i64,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { access_seconds: 300, refresh_idle_seconds: 14 * DAY / 1_000_000, refresh_window_seconds: 60 }
    }
}

/// Codes and links that travel by mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeSettings {
    /// Seconds that a code or link is good for: at most 600 (ASVS V6.5.5).
    pub seconds: i64,
    /// How often one code may be tried.
    pub tries: i64,
    /// Seconds that an invitation is good for.
    pub invitation_seconds: i64,
    /// Whether the subject of a mail has the code too, where a locked screen shows it.
    pub in_subject: bool,
}

impl Default for CodeSettings {
    fn default() -> Self {
        Self { seconds: 600, tries: 5, invitation_seconds: 7 * DAY / 1_000_000, in_subject: true }
    }
}

/// How often things may be asked for. Each is `{burst, per_seconds}`: `burst` at once, then evenly as many in
/// `per_seconds`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitSettings {
    /// Attempts begun, per address.
    pub attempts_by_address: Rate,
    /// Passwords tried, per address.
    pub passwords_by_address: Rate,
    /// Codes tried, per address.
    pub codes_by_address: Rate,
    /// Codes tried, per identifier and address of the caller, over all attempts.
    pub codes_by_identifier: Rate,
    /// Messages sent, per target.
    pub sends_by_target: Rate,
    /// Messages sent, per target and day.
    pub sends_by_target_daily: Rate,
    /// Messages caused, per address.
    pub sends_by_address: Rate,
    /// Accounts and guests made, per address.
    pub sign_ups_by_address: Rate,
    /// Notices per person and sort: a new device, a username, a sign-out, a deletion. Four times as many of a changed
    /// password; of a changed address always.
    pub notices_by_user: Rate,
    /// Refreshes and token requests, per address.
    pub tokens_by_address: Rate,
    /// API keys and set-up tokens that were wrong, per address.
    pub keys_by_address: Rate,
    /// Wrong passwords in a row for one account that are free of delay.
    pub free_failures: i64,
    /// Longest delay, in seconds, after a wrong password.
    pub max_delay_seconds: i64,
    /// Wrong passwords in a row after which only another proof (a mailed code, a reset) helps: at most 100 (NIST).
    pub failures_until_closed: i64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            attempts_by_address: Rate { burst: 60, per_seconds: 60 },
            passwords_by_address: Rate { burst: 30, per_seconds: 60 },
            codes_by_address: Rate { burst: 30, per_seconds: 60 },
            codes_by_identifier: Rate { burst: 10, per_seconds: 600 },
            sends_by_target: Rate { burst: 3, per_seconds: 180 },
            sends_by_target_daily: Rate { burst: 20, per_seconds: 86_400 },
            sends_by_address: Rate { burst: 20, per_seconds: 600 },
            sign_ups_by_address: Rate { burst: 10, per_seconds: 3_600 },
            notices_by_user: Rate { burst: 5, per_seconds: 86_400 },
            tokens_by_address: Rate { burst: 600, per_seconds: 60 },
            keys_by_address: Rate { burst: 20, per_seconds: 60 },
            free_failures: 5,
            max_delay_seconds: 900,
            failures_until_closed: 100,
        }
    }
}

/// `POST /token`: RFC 6749, 4.3, for the textbook app. Off unless the realm turns it on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenEndpointSettings {
    /// Whether it answers at all.
    pub enabled: bool,
    /// `RS256`, `ES256`, `EdDSA` or `HS256`.
    pub alg: String,
    /// For HS256: the key, as UTF-8, at least 32 bytes. Written, never read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Hidden>,
    /// Seconds that its tokens live: 60 to 3600.
    pub seconds: i64,
    /// Origins whose pages may call it.
    pub origins: Vec<String>,
}

impl Default for TokenEndpointSettings {
    fn default() -> Self {
        Self { enabled: false, alg: "RS256".into(), secret: None, seconds: 1_800, origins: Vec::new() }
    }
}

/// What becomes of accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Seconds for which somebody who deleted their account can still keep it: up to 90 days. 0: it goes at once.
    pub deletion_grace_seconds: i64,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { deletion_grace_seconds: 7 * DAY / 1_000_000 }
    }
}

/// The audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditSettings {
    /// Rows are deleted after so many days: 7 to 3650. 0: never.
    pub keep_days: i64,
}

impl Default for AuditSettings {
    fn default() -> Self {
        // A year, and a month to look at it: what yearly reviews ask for.
        Self { keep_days: 400 }
    }
}

impl Settings {
    /// Reads a stored document.
    pub fn from_json(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }

    /// Limits as rules: see [`crate::limit`].
    pub fn rule(&self, rule: Rule) -> Rate {
        let l = &self.limits;
        match rule {
            Rule::AttemptsByAddress => l.attempts_by_address,
            Rule::PasswordsByAddress => l.passwords_by_address,
            Rule::CodesByAddress => l.codes_by_address,
            Rule::CodesByIdentifier => l.codes_by_identifier,
            Rule::SendsByTarget => l.sends_by_target,
            Rule::SendsByTargetDaily => l.sends_by_target_daily,
            Rule::SendsByAddress => l.sends_by_address,
            Rule::SignUpsByAddress => l.sign_ups_by_address,
            Rule::NoticesByUser => l.notices_by_user,
            Rule::TokensByAddress => l.tokens_by_address,
            Rule::KeysByAddress => l.keys_by_address,
        }
    }

    /// How long a row of `ended` has to be kept: longer than any token that it kills can live.
    pub fn longest_token(&self) -> Micros {
        // The widest lifetime that `check` lets through, whatever is set now: a shorter setting does not shorten
        // tokens that are out already.
        HOUR + 5 * MINUTE
    }
}

/// `scheme://host[:port]`, exactly as a browser writes an Origin header.
pub fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    !rest.is_empty()
        && rest.len() <= 260
        && rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b':' | b'[' | b']'))
}

const SEALED: &str = "sealed:";
const SECRET_PLACE: &str = "settings/token_endpoint.secret";

/// Seals what must not stand in clear in the stored document, in a patch before it is merged.
pub fn seal_secret(keys: &crate::seal::Keys, changes: &mut serde_json::Value) -> Result<()> {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
    if let Some(secret) = changes.pointer_mut("/token_endpoint/secret")
        && let Some(text) = secret.as_str()
    {
        if text.len() < 32 || text.len() > 1_024 {
            return Err(Kind::SettingInvalid
                .param("token_endpoint.secret")
                .says("Between 32 and 1024 bytes.")
                .into());
        }
        let sealed = keys.seal(SECRET_PLACE, text.as_bytes())?;
        *secret = serde_json::Value::String(format!("{SEALED}{}", B64.encode(sealed)));
    }
    Ok(())
}

impl Settings {
    /// Opens what is sealed inside the stored document.
    pub fn opened(mut self, keys: &crate::seal::Keys) -> Result<Self> {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
        if let Some(sealed) = self.token_endpoint.secret.as_deref().and_then(|s| s.strip_prefix(SEALED)) {
            let bytes = B64
                .decode(sealed)
                .map_err(|e| crate::refusal::Fault::new("the sealed setting can't be read", e))?;
            let plain = keys.open(SECRET_PLACE, &bytes)?;
            self.token_endpoint.secret = Some(String::from_utf8_lossy(&plain).into_owned().into());
        }
        Ok(self)
    }

    /// The document as an admin may read it: secrets are left out.
    pub fn shown(&self) -> Settings {
        let mut shown = self.clone();
        shown.token_endpoint.secret = None;
        shown
    }
}

/// RFC 7396: members that are null go, objects merge, everything else replaces.
pub fn merge(target: &mut serde_json::Value, patch: &serde_json::Value) {
    use serde_json::Value;
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    // Section 2: what is no object is replaced by an empty one and merged into, so that no null inside the patch is kept.
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Refuses a change of a setting that there is none of, and names the nearest one. A name may be anybody's text: it is
/// cut short.
pub fn check_names(changes: &serde_json::Value) -> Result<()> {
    let mut known = serde_json::to_value(Settings::default())?;
    // The one member that is left out when it is empty.
    known["token_endpoint"]["secret"] = serde_json::Value::Null;
    check_names_of(changes, &known)?;
    // The one list whose elements have members.
    let link = serde_json::to_value(LegalLink::default())?;
    for legal in changes.pointer("/look/legal").and_then(|legal| legal.as_array()).into_iter().flatten() {
        check_names_of(legal, &link)?;
    }
    Ok(())
}

fn check_names_of(changes: &serde_json::Value, known: &serde_json::Value) -> Result<(), Refusal> {
    let (Some(changes), Some(known)) = (changes.as_object(), known.as_object()) else { return Ok(()) };
    // A setting whose members have names of the operator's own, such as the words of `look`.
    if known.is_empty() {
        return Ok(());
    }
    for (name, value) in changes {
        if let Some(known) = known.get(name) {
            check_names_of(value, known)?;
            continue;
        }
        let name: String = name.chars().take(60).collect();
        let nearest = known.keys().min_by_key(|k| distance(k, &name)).filter(|k| distance(k, &name) <= 3);
        let says = match nearest {
            Some(nearest) => format!("There is no setting “{name}”. Did you mean “{nearest}”?"),
            None => format!("There is no setting “{name}”."),
        };
        return Err(Kind::SettingInvalid.param(name).says(says));
    }
    Ok(())
}

/// Turns serde's message about a mistyped member into one that helps. A value that it quotes may be a secret and is left
/// out.
pub fn mistyped(error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    // serde ends with what it expected. What stands before may be anybody's text, and hold the same words.
    let place = text.rsplit_once(" at line ").map_or(text.as_str(), |(before, _)| before);
    let expected = place.rsplit_once(", expected ").map(|(_, expected)| expected);
    let says = match expected {
        Some(expected) => format!("A setting has the wrong type: expected {expected}."),
        None => "A setting has the wrong type.".to_owned(),
    };
    Kind::SettingInvalid.param("body").says(says)
}

/// Levenshtein distance, for "did you mean".
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(80).enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = before + usize::from(ca != *cb);
            before = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_good_and_a_sparse_document_takes_them() {
        Settings::default().check().expect("defaults");
        let sparse =
            Settings::from_json(r#"{"sign_up":"invite","password":{"min_chars":12}}"#).expect("sparse");
        assert_eq!(sparse.sign_up, SignUp::Invite);
        assert_eq!(sparse.password.passes, 2);
    }

    #[test]
    fn an_unknown_setting_names_the_nearest() {
        let told = |changes: serde_json::Value| match check_names(&changes).expect_err("unknown") {
            crate::Error::Refused(refusal) => refusal.detail.says.unwrap_or_default().into_owned(),
            fault => panic!("{fault:?}"),
        };
        assert_eq!(
            told(serde_json::json!({"sign_upp": "open"})),
            "There is no setting “sign_upp”. Did you mean “sign_up”?"
        );
        let long = told(serde_json::json!({ "x".repeat(10_000): 1 }));
        assert!(long.len() < 200, "{long}");
        check_names(&serde_json::json!({"token_endpoint": {"secret": "s"}})).expect("there is one");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value_and_in_few_words() {
        let told = |text: &str| {
            let error = serde_json::from_str::<Settings>(text).expect_err("wrong");
            mistyped(&error).detail.says.unwrap_or_default()
        };
        assert_eq!(
            told(r#"{"token_endpoint":"hunter2, expected hunter2"}"#),
            "A setting has the wrong type: expected struct TokenEndpointSettings."
        );
        assert_eq!(
            told(r#"{"sign_up":"hunter2"}"#),
            "A setting has the wrong type: expected one of `open`, `invite`, `closed`."
        );
    }

    #[test]
    fn unsafe_values_are_refused() {
        type Change = fn(&mut Settings);
        let bad: &[(&str, Change)] = &[
            ("password.min_chars", |s| s.password.min_chars = 4),
            ("password.memory_kib", |s| s.password.memory_kib = 8),
            ("password.passes", |s| s.password.passes = 1),
            ("code.seconds", |s| s.code.seconds = 86_400),
            ("code.tries", |s| s.code.tries = 1_000),
            ("limits.failures_until_closed", |s| s.limits.failures_until_closed = 1_000_000),
            ("token.access_seconds", |s| s.token.access_seconds = 1_000_000),
            ("audit.keep_days", |s| s.audit.keep_days = 1),
            ("audit.keep_days", |s| s.audit.keep_days = -1),
            ("origins", |s| s.origins = vec!["*".into()]),
            ("origins", |s| s.origins = vec!["https://a.example/path".into()]),
            ("token_endpoint.secret", |s| s.token_endpoint.secret = Some("short".into())),
        ];
        for (param, change) in bad {
            let mut settings = Settings::default();
            change(&mut settings);
            let refusal = settings.check().expect_err(param);
            assert_eq!(refusal.detail.param.as_deref(), Some(*param));
        }
    }

    #[test]
    fn merge_follows_rfc_7396() {
        let mut target = serde_json::json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut target, &serde_json::json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(target, serde_json::json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }

    #[test]
    fn a_null_in_a_member_that_was_not_there_is_not_stored() {
        // From the examples of RFC 7396, appendix A.
        let mut target = serde_json::json!({});
        merge(&mut target, &serde_json::json!({"a": {"bb": {"ccc": null}}}));
        assert_eq!(target, serde_json::json!({"a": {"bb": {}}}));
        let mut target = serde_json::json!([1, 2]);
        merge(&mut target, &serde_json::json!({"a": "b", "c": null}));
        assert_eq!(target, serde_json::json!({"a": "b"}));
        // Resetting a setting whose group was never set is no error.
        let mut document = serde_json::json!({});
        merge(&mut document, &serde_json::json!({"session": {"idle_seconds": null}}));
        Settings::from_json(&document.to_string()).expect("the default");
    }
}
