//! The vendor's settings file, `config.toml`: what of it is taken over, and of everything else in `[auth]` why not.
//! Nothing is changed here.

use crate::duration;
use latchstring_core::{Kind, Refusal, clock::SECOND, settings::SignUp};
use serde_json::json;
use toml::{Table, Value};

/// A longer file is no settings file.
pub const MOST_BYTES: usize = 256 * 1024;
/// A file with more settings in `[auth]` isn't either: each is named.
const MOST_SETTINGS: usize = 1_000;

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds here, as the line says.
    Taken,
    /// What is set here stays.
    Kept,
    /// It is switched off there, so nothing is lost.
    Off,
    /// There is nothing like it here in this release.
    NotYet,
    /// Something else decides here.
    Never,
    /// It is none of the vendor's that this reader knows.
    Unknown,
}

impl Verdict {
    /// The word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Taken => "taken",
            Verdict::Kept => "kept",
            Verdict::Off => "off",
            Verdict::NotYet => "not_yet",
            Verdict::Never => "never",
            Verdict::Unknown => "unknown",
        }
    }
}

/// What is said of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name in the file, such as `auth.site_url`.
    pub setting: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, or as what.
    pub says: String,
}

/// What the file is read against.
pub struct Around<'a> {
    /// Who may make an account here now.
    pub sign_up: SignUp,
    /// Whether the file may open sign-up: nobody has an account here yet, or the operator says so.
    pub may_open: bool,
    /// A variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// What the file says.
#[derive(Debug, Default)]
pub struct Read {
    /// `site_url`
    pub site_url: Option<String>,
    /// `additional_redirect_urls`
    pub redirects: Option<Vec<String>>,
    /// `jwt_expiry`
    pub jwt_seconds: Option<i64>,
    /// Whether there is sign-up and sign-in by e-mail.
    pub email: Option<bool>,
    /// `double_confirm_changes`
    pub double_confirm: Option<bool>,
    /// Changes of the realm's settings.
    pub realm: serde_json::Value,
    /// Each setting of `[auth]` and below.
    pub lines: Vec<Line>,
    /// Sections that have nothing to do with signing in.
    pub others: Vec<String>,
}

impl Read {
    /// Whether whoever signs up is let in without a proof of the address: the answer then tells whether it was taken.
    pub fn tells(&self) -> bool {
        self.realm["confirm_sign_up"] == false
    }

    fn set(&mut self, name: &str, value: serde_json::Value) {
        match name.split_once('.') {
            Some((group, name)) => self.realm[group][name] = value,
            None => self.realm[name] = value,
        }
    }
}

/// Where a setting of the realm comes from, for refusals that name the realm's.
pub const NAMES: &[(&str, &str)] = &[
    ("sign_up", "auth.enable_signup"),
    ("password.min_chars", "auth.minimum_password_length"),
    ("session.absolute_seconds", "auth.sessions.timebox"),
    ("session.idle_seconds", "auth.sessions.inactivity_timeout"),
    ("code.seconds", "auth.email.otp_expiry"),
];

/// Takes a setting over and says as what. `Err`: it can't be read.
type Take = fn(&mut Read, &Given<'_>) -> Result<(Verdict, String), Refusal>;

enum How {
    Take(Take),
    NotYet(&'static str),
    Never(&'static str),
}

/// Every setting of `[auth]`, by its name there; `.*` stands for all below. The first that fits counts.
const TABLE: &[(&str, How)] = &[
    ("enabled", How::Never("this is the sign-in server; it is on while it runs")),
    ("site_url", How::Take(site_url)),
    ("additional_redirect_urls", How::Take(redirects)),
    ("jwt_expiry", How::Take(jwt_expiry)),
    ("jwt_issuer", How::Never("the issuer is the mount's own address")),
    ("external_url", How::Never("it is reached at the mount's own address")),
    ("jwt_secret", How::Never("tokens are signed by key pairs; verifiers read the key set")),
    ("signing_keys_path", How::Never("signing keys are taken over by --signing-keys alone")),
    ("publishable_key", How::Never(KEYS)),
    ("secret_key", How::Never(KEYS)),
    ("anon_key", How::Never(KEYS)),
    ("service_role_key", How::Never(KEYS)),
    ("enable_refresh_token_rotation", How::Take(rotation)),
    ("refresh_token_reuse_interval", How::Never("token.refresh_window_seconds of the realm decides")),
    ("enable_signup", How::Take(sign_up)),
    ("enable_anonymous_sign_ins", How::Take(guests)),
    ("enable_manual_linking", How::NotYet("accounts of other providers are not there yet")),
    ("minimum_password_length", How::Take(min_chars)),
    ("password_requirements", How::Take(characters)),
    ("rate_limit.*", How::Never("limits of the realm decide (limits.…), and hold for every face")),
    ("captcha.*", How::NotYet("no captcha is asked for")),
    ("hook.*", How::NotYet("no hooks are called")),
    ("mfa.*", How::NotYet("no second factors")),
    ("passkey.*", How::NotYet("no passkeys")),
    ("webauthn.*", How::NotYet("no passkeys")),
    ("sessions.timebox", How::Take(timebox)),
    ("sessions.inactivity_timeout", How::Take(inactivity)),
    ("sessions.*", How::NotYet("sessions end by time alone")),
    ("email.enable_signup", How::Take(email)),
    ("email.double_confirm_changes", How::Take(double_confirm)),
    ("email.enable_confirmations", How::Take(confirmations)),
    (
        "email.secure_password_change",
        How::Never(
            "always asked for: a sign-in within session.fresh_seconds of the realm, the current password, or a nonce",
        ),
    ),
    ("email.max_frequency", How::Never("limits of the realm decide (limits.sends_by_target)")),
    ("email.otp_length", How::Take(otp_length)),
    ("email.otp_expiry", How::Take(otp_expiry)),
    ("email.smtp.*", How::Never("LATCHSTRING_SMTP_URL and LATCHSTRING_MAIL_FROM name the mail server")),
    ("email.template.*", How::Never("mails follow the realm's look, in the reader's language")),
    ("email.notification.*", How::Never("owners are always told, in the reader's language")),
    ("sms.*", How::NotYet("no sign-in by telephone")),
    ("external.*", How::NotYet("no sign-in by other providers")),
    ("web3.*", How::NotYet("no sign-in by wallet")),
    ("third_party.*", How::NotYet("tokens of other issuers are not taken")),
    ("oauth_server.*", How::NotYet("no OAuth for third parties")),
];

const KEYS: &str = "keys are made here; paste those that are printed";

/// Reads the file. A setting that is taken over and can't be read refuses it as a whole.
pub fn read(text: &str, around: &Around<'_>) -> Result<Read, Refusal> {
    if text.len() > MOST_BYTES {
        return Err(wrong("from", format!("The file is longer than {} KiB.", MOST_BYTES / 1024)));
    }
    // The parser refuses what is nested too deep.
    let file: Table = text.parse().map_err(|e: toml::de::Error| {
        // Its text quotes the line, which may hold a secret.
        let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let at = line.map_or_else(String::new, |line| format!(" Look at line {line}."));
        wrong("from", format!("The file is no TOML: {}.{at}", short(e.message())))
    })?;
    let mut read = Read { realm: json!({}), ..Read::default() };
    for (name, value) in &file {
        match (name.as_str(), value) {
            ("auth", Value::Table(auth)) => section(&mut read, around, auth, "", false)?,
            ("auth", _) => return Err(wrong("auth", "A section is expected.")),
            _ if read.others.len() < 100 => read.others.push(short(name)),
            _ => {}
        }
    }
    Ok(read)
}

fn section(read: &mut Read, around: &Around<'_>, table: &Table, at: &str, off: bool) -> Result<(), Refusal> {
    let off = off || (!at.is_empty() && table.get("enabled") == Some(&Value::Boolean(false)));
    for (name, value) in table {
        let name = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match value {
            Value::Table(below) => section(read, around, below, &name, off)?,
            _ => one(read, around, &name, value, off)?,
        }
    }
    Ok(())
}

fn one(read: &mut Read, around: &Around<'_>, name: &str, value: &Value, off: bool) -> Result<(), Refusal> {
    if read.lines.len() >= MOST_SETTINGS {
        return Err(wrong("auth", format!("More than {MOST_SETTINGS} settings.")));
    }
    let setting = format!("auth.{}", short(name));
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    };
    let (verdict, says) = match TABLE.iter().find(|(pattern, _)| fits(pattern)).map(|(_, how)| how) {
        Some(How::Take(take)) => take(read, &Given { name: &setting, value, around })?,
        Some(How::NotYet(_) | How::Never(_)) if off => (Verdict::Off, "switched off there".to_owned()),
        Some(How::NotYet(says)) => (Verdict::NotYet, (*says).to_owned()),
        Some(How::Never(says)) => (Verdict::Never, (*says).to_owned()),
        None => (Verdict::Unknown, "no setting that is known here".to_owned()),
    };
    read.lines.push(Line { setting, verdict, says });
    Ok(())
}

fn wrong(
    setting: impl Into<std::borrow::Cow<'static, str>>,
    says: impl Into<std::borrow::Cow<'static, str>>,
) -> Refusal {
    Kind::SettingInvalid.param(setting).says(says)
}

/// Somebody's text, fit to be shown.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// A value as the file has it.
struct Given<'a> {
    name: &'a str,
    value: &'a Value,
    around: &'a Around<'a>,
}

impl Given<'_> {
    fn wrong(&self, says: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
        wrong(self.name.to_owned(), says)
    }

    /// What a variable says, where the value is `env(NAME)`.
    fn variable(&self, text: &str) -> Result<Option<String>, Refusal> {
        let Some(name) = text.strip_prefix("env(").and_then(|rest| rest.strip_suffix(')')) else {
            return Ok(None);
        };
        let found = (self.around.env)(name);
        found.map(Some).ok_or_else(|| self.wrong(format!("The variable {} is not set.", short(name))))
    }

    fn string(&self, value: &Value) -> Result<String, Refusal> {
        let text = value.as_str().ok_or_else(|| self.wrong("A text is expected."))?;
        Ok(self.variable(text)?.unwrap_or_else(|| text.to_owned()))
    }

    fn text(&self) -> Result<String, Refusal> {
        self.string(self.value)
    }

    fn bool(&self) -> Result<bool, Refusal> {
        let said = match self.value {
            Value::Boolean(said) => Some(*said),
            Value::String(text) => self.variable(text)?.and_then(|text| text.trim().parse().ok()),
            _ => None,
        };
        said.ok_or_else(|| self.wrong("true or false is expected."))
    }

    fn number(&self) -> Result<i64, Refusal> {
        let said = match self.value {
            Value::Integer(said) => Some(*said),
            Value::String(text) => self.variable(text)?.and_then(|text| text.trim().parse().ok()),
            _ => None,
        };
        said.filter(|said| *said >= 0).ok_or_else(|| self.wrong("A whole number is expected."))
    }

    /// Seconds of a time such as `24h` or `1h30m`.
    fn duration(&self) -> Result<i64, Refusal> {
        let text = self.text()?;
        seconds(text.trim()).ok_or_else(|| self.wrong("A time such as 24h or 90m is expected."))
    }
}

/// Whole seconds of a duration that is none before now.
fn seconds(text: &str) -> Option<i64> {
    duration::parse(text).filter(|micros| *micros >= 0).map(|micros| micros / SECOND)
}

fn taken(says: impl Into<String>) -> Result<(Verdict, String), Refusal> {
    Ok((Verdict::Taken, says.into()))
}

/// The nearest value that may be, and what is said of it.
fn within(
    read: &mut Read,
    name: &str,
    asked: i64,
    low: i64,
    high: i64,
) -> Result<(Verdict, String), Refusal> {
    let value = asked.clamp(low, high);
    read.set(name, value.into());
    let limits = if value == asked { String::new() } else { format!(", for it is {low} to {high} here") };
    taken(format!("{name}: {value}{limits}"))
}

fn site_url(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    read.site_url = Some(given.text()?);
    taken("the mount's site URL")
}

fn redirects(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let list = given.value.as_array().ok_or_else(|| given.wrong("A list of texts is expected."))?;
    read.redirects = Some(list.iter().map(|value| given.string(value)).collect::<Result<_, _>>()?);
    taken("the mount's redirects")
}

fn jwt_expiry(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let asked = given.number()?;
    // 0 is the vendor's word for its default, an hour.
    let value = if asked == 0 { 3_600 } else { asked.clamp(60, 3_600) };
    read.jwt_seconds = Some(value);
    if value == asked || asked < 60 {
        return taken(format!("the mount's jwt_seconds: {value}"));
    }
    taken(format!(
        "the mount's jwt_seconds: {value}; what ended stays known for an hour, so no token lives longer"
    ))
}

fn rotation(_: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    Ok(if given.bool()? {
        (Verdict::Taken, "always so here".into())
    } else {
        (Verdict::Never, "refresh tokens always rotate here: that is how a stolen one is found".into())
    })
}

fn sign_up(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let around = given.around;
    if !given.bool()? {
        read.set("sign_up", "closed".into());
        return taken("sign_up: closed");
    }
    if around.sign_up == SignUp::Open {
        return taken("sign_up: open, as it was");
    }
    if around.may_open {
        read.set("sign_up", "open".into());
        return taken("sign_up: open");
    }
    let stays = if around.sign_up == SignUp::Invite { "invite" } else { "closed" };
    let says = format!("sign_up stays {stays}: this realm has users. --open-sign-up opens it");
    Ok((Verdict::Kept, says))
}

fn guests(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let on = given.bool()?;
    read.set("guests", on.into());
    taken(format!("guests: {on}"))
}

fn min_chars(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let asked = given.number()?;
    // More than may be is refused: fewer characters than asked for would be weaker than the app promises.
    let value = asked.max(6);
    read.set("password.min_chars", value.into());
    let least = if asked < 6 { ", for no realm takes fewer" } else { "" };
    taken(format!(
        "password.min_chars: {value}{least}; what is easily guessed stays refused (password.min_score)"
    ))
}

fn characters(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let asked = given.text()?;
    const KNOWN: [&str; 4] =
        ["", "letters_digits", "lower_upper_letters_digits", "lower_upper_letters_digits_symbols"];
    if !KNOWN.contains(&asked.as_str()) {
        return Err(given.wrong(format!("One of {} is expected, or nothing.", KNOWN[1..].join(", "))));
    }
    let says = if asked.is_empty() {
        "password.characters: none".into()
    } else {
        format!("password.characters: {asked}")
    };
    read.set("password.characters", asked.into());
    taken(says)
}

fn timebox(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    session(read, given, "session.absolute_seconds")
}

fn inactivity(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    session(read, given, "session.idle_seconds")
}

fn session(read: &mut Read, given: &Given<'_>, name: &str) -> Result<(Verdict, String), Refusal> {
    match given.duration()? {
        0 => Ok((Verdict::Kept, format!("0 is no end there; {name} stays, for every session ends here"))),
        asked => within(read, name, asked, 300, 400 * 86_400),
    }
}

fn email(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let on = given.bool()?;
    read.email = Some(on);
    taken(if on { "sign-in and sign-up by e-mail" } else { "no sign-in and sign-up by e-mail" })
}

fn double_confirm(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    read.double_confirm = Some(given.bool()?);
    taken("the mount's double_confirm")
}

fn confirmations(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let on = given.bool()?;
    read.set("confirm_sign_up", on.into());
    taken(if on {
        "confirm_sign_up: true"
    } else {
        "confirm_sign_up: false; enumeration: vendor, for a sign-up tells now whether an address is taken"
    })
}

fn otp_length(_: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    Ok(match given.number()? {
        6 => (Verdict::Taken, "always so here".into()),
        _ => (Verdict::Never, "codes have six digits, and few tries".into()),
    })
}

fn otp_expiry(read: &mut Read, given: &Given<'_>) -> Result<(Verdict, String), Refusal> {
    let asked = given.number()?;
    within(read, "code.seconds", asked, 60, 600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_vendor_writes_them() {
        for (text, expect) in [
            ("24h", Some(86_400)),
            ("8h0m0s", Some(28_800)),
            ("90m", Some(5_400)),
            ("1500ms", Some(1)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("", None),
            ("24", None),
            ("h", None),
            ("-1h", None),
            ("1h ", None),
            ("1d", None),
            ("9223372036854775807h", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(seconds(text), expect, "{text}");
        }
    }

    #[test]
    fn no_row_of_the_table_hides_another() {
        for (i, (name, _)) in TABLE.iter().enumerate() {
            for (before, _) in &TABLE[..i] {
                let hides = before.strip_suffix('*').is_some_and(|begin| name.starts_with(begin));
                assert!(!hides && before != name, "{before} comes before {name}");
            }
        }
    }
}
