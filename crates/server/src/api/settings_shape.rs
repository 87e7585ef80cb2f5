//! The realm's settings as the OpenAPI document has them. They go over the wire as `core` keeps them, less the secrets;
//! this is their description alone, so that `core` need not know of OpenAPI. Tests hold its names and ranges against
//! `core`, and the defaults are put in from there.

use latchstring_core::settings::Settings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Each group twice from one list: as it is shown, with every member there, and as a change, where each may be left out
/// (it stays) or `null` (the default comes back).
macro_rules! shapes {
    ($($(#[$about:meta])* $view:ident, $change:ident {
        $($(#[$of:meta])* $name:ident: $shown:ty => $changed:ty;)*
    })*) => {$(
        $(#[$about])*
        #[derive(Debug, ToSchema)]
        pub struct $view { $($(#[$of])* pub $name: $shown,)* }

        $(#[$about])*
        #[derive(Debug, ToSchema)]
        pub struct $change { $($(#[$of])* pub $name: Option<$changed>,)* }
    )*};
}

shapes! {
    /// What a realm’s operator can set while the server runs. In a change, a member that is left out stays as it is, and
    /// `null` brings its default back.
    SettingsView, SettingsChange {
        /// The name that people see on pages and in mail.
        #[schema(min_length = 1, max_length = 80)]
        name: String => String;
        /// Who may make an account: `open` (anyone who proves an address), `invite` (whoever holds an invitation), `closed`
        /// (nobody; admins make accounts).
        sign_up: SignUp => SignUp;
        /// Whether whoever signs up with a password proves their address before they are signed in. Our own pages ask for
        /// it always; a dialect whose apps count on being let in at once may not.
        confirm_sign_up: bool => bool;
        /// Whether guests are admitted.
        guests: bool => bool;
        /// Password rules and cost.
        password: PasswordView => PasswordChange;
        /// Lifetimes of sessions, in seconds.
        session: SessionSettingsView => SessionSettingsChange;
        /// Lifetimes of tokens, in seconds.
        token: TokenSettingsView => TokenSettingsChange;
        /// Codes and links that travel by mail.
        code: CodeSettingsView => CodeSettingsChange;
        /// How often things may be asked for.
        limits: LimitsView => LimitsChange;
        /// The password form of `OAuth2PasswordBearer`.
        token_endpoint: TokenEndpointView => TokenEndpointChange;
        /// What becomes of accounts.
        account: AccountSettingsView => AccountSettingsChange;
        /// The audit trail.
        audit: AuditSettingsView => AuditSettingsChange;
        /// How pages and mails look and speak.
        look: LookView => LookChange;
        /// Origins of other hosts, such as `https://app.example`, that may call the API from a browser, and to which people
        /// are led back from the pages.
        #[schema(max_items = 100)]
        origins: Vec<String> => Vec<String>;
    }

    /// Password rules and the cost of Argon2id.
    PasswordView, PasswordChange {
        /// Whether a new account needs a password; without, people sign in by mailed codes.
        required: bool => bool;
        /// Fewest characters. NIST asks for 15 where a password is the only factor, and never less than 8.
        #[schema(minimum = 6, maximum = 64)]
        min_chars: u32 => u32;
        /// Most characters.
        #[schema(minimum = 128, maximum = 1024)]
        max_chars: u32 => u32;
        /// Lowest zxcvbn score that is taken.
        #[schema(minimum = 0, maximum = 4)]
        min_score: u8 => u8;
        /// Kinds of characters that it must have, for apps that ask for some: `letters_digits`, `lower_upper_letters_digits`,
        /// `lower_upper_letters_digits_symbols`, or none. NIST advises against it.
        #[schema(pattern = "^(letters_digits|lower_upper_letters_digits(_symbols)?)?$")]
        characters: String => String;
        /// Words, of at most 100 bytes each, that no password may consist of, beside the realm’s name and the person’s own.
        #[schema(max_items = 100)]
        context_words: Vec<String> => Vec<String>;
        /// Argon2id memory in KiB. Memory times passes is at least 35 MiB.
        #[schema(minimum = 7_168, maximum = 262_144)]
        memory_kib: u32 => u32;
        /// Argon2id passes.
        #[schema(minimum = 1, maximum = 10)]
        passes: u32 => u32;
        /// Argon2id lanes.
        #[schema(minimum = 1, maximum = 4)]
        lanes: u32 => u32;
    }

    /// Lifetimes of sessions, in seconds.
    SessionSettingsView, SessionSettingsChange {
        /// A session ends after so long without use.
        #[schema(minimum = 300, maximum = 34_560_000)]
        idle_seconds: i64 => i64;
        /// A session ends after so long in any case.
        #[schema(minimum = 300, maximum = 34_560_000)]
        absolute_seconds: i64 => i64;
        /// How old a proof may be for changing e-mail, password and the like without proving again.
        #[schema(minimum = 60, maximum = 86_400)]
        fresh_seconds: i64 => i64;
        /// Most live sessions of one user; the oldest end first.
        #[schema(minimum = 1, maximum = 1_000)]
        max_per_user: i64 => i64;
    }

    /// Lifetimes of tokens, in seconds.
    TokenSettingsView, TokenSettingsChange {
        /// How long access tokens live.
        #[schema(minimum = 60, maximum = 3_600)]
        access_seconds: i64 => i64;
        /// A refresh token that is not used ends after so long.
        #[schema(minimum = 300, maximum = 34_560_000)]
        refresh_idle_seconds: i64 => i64;
        /// How long after a rotation the token before it gives the same successor (a lost answer, two tabs).
        #[schema(minimum = 0, maximum = 300)]
        refresh_window_seconds: i64 => i64;
    }

    /// Codes and links that travel by mail.
    CodeSettingsView, CodeSettingsChange {
        /// Seconds that a code or link is good for.
        #[schema(minimum = 60, maximum = 600)]
        seconds: i64 => i64;
        /// How often one code may be tried.
        #[schema(minimum = 1, maximum = 10)]
        tries: i64 => i64;
        /// Seconds that an invitation is good for.
        #[schema(minimum = 300, maximum = 7_776_000)]
        invitation_seconds: i64 => i64;
        /// Whether the subject of a mail has the code too, where a locked screen shows it.
        in_subject: bool => bool;
    }

    /// So many at once, and as many again, evenly, in so many seconds.
    RateView, RateChange {
        /// How many at once.
        #[schema(minimum = 1, maximum = 1_000_000)]
        burst: u32 => u32;
        /// In how many seconds the burst fills up again.
        #[schema(minimum = 1, maximum = 604_800)]
        per_seconds: i64 => i64;
    }

    /// How often things may be asked for. By address means by the caller’s: one IPv4 address, or one IPv6 /64.
    LimitsView, LimitsChange {
        /// Attempts begun, per address.
        attempts_by_address: RateView => RateChange;
        /// Passwords tried, per address.
        passwords_by_address: RateView => RateChange;
        /// Codes tried, per address.
        codes_by_address: RateView => RateChange;
        /// Codes tried, per identifier and address of the caller, over all attempts.
        codes_by_identifier: RateView => RateChange;
        /// Messages sent, per target.
        sends_by_target: RateView => RateChange;
        /// Messages sent, per target and day.
        sends_by_target_daily: RateView => RateChange;
        /// Messages caused, per address.
        sends_by_address: RateView => RateChange;
        /// Accounts and guests made, per address.
        sign_ups_by_address: RateView => RateChange;
        /// Notices per person and sort: a new device, a username, a sign-out, a deletion. Four times as many of a changed password; of a changed address always.
        notices_by_user: RateView => RateChange;
        /// Refreshes and token requests, per address.
        tokens_by_address: RateView => RateChange;
        /// API keys and set-up tokens that were wrong, per address.
        keys_by_address: RateView => RateChange;
        /// Wrong passwords in a row for one account that are free of delay.
        #[schema(minimum = 1, maximum = 20)]
        free_failures: i64 => i64;
        /// Longest delay, in seconds, after a wrong password.
        #[schema(minimum = 1, maximum = 86_400)]
        max_delay_seconds: i64 => i64;
        /// Wrong passwords in a row after which only another proof (a mailed code, a reset) helps. At least `free_failures`.
        #[schema(minimum = 1, maximum = 100)]
        failures_until_closed: i64 => i64;
    }

    /// `POST /token`, for the textbook app.
    TokenEndpointView, TokenEndpointChange {
        /// Whether it answers at all.
        enabled: bool => bool;
        /// What signs its tokens.
        alg: TokenEndpointAlg => TokenEndpointAlg;
        /// For HS256: the key, as UTF-8, of 32 to 1024 bytes. Written, never read back.
        #[schema(write_only)]
        secret: Option<String> => String;
        /// Seconds that its tokens live.
        #[schema(minimum = 60, maximum = 3_600)]
        seconds: i64 => i64;
        /// Origins whose pages may call it.
        #[schema(max_items = 100)]
        origins: Vec<String> => Vec<String>;
    }

    /// What becomes of accounts.
    AccountSettingsView, AccountSettingsChange {
        /// Seconds for which somebody who deleted their account can still keep it. 0: it goes at once.
        #[schema(minimum = 0, maximum = 7_776_000)]
        deletion_grace_seconds: i64 => i64;
    }

    /// The audit trail.
    AuditSettingsView, AuditSettingsChange {
        /// Rows are deleted after so many days, 7 or more. 0: never.
        #[schema(minimum = 0, maximum = 3_650)]
        keep_days: i64 => i64;
    }

    /// How pages and mails look and speak. All of it is checked when it is saved.
    LookView, LookChange {
        /// The colour of buttons and links, as `#rrggbb`. Text on it and it on a page need a contrast of 4.5:1; a colour that
        /// lacks it is refused, with the nearest shade that would do. Empty: Latchstring’s own.
        colour: String => String;
        /// The same in the dark. Empty: the nearest shade of `colour` that can be read there.
        colour_dark: String => String;
        /// The logo, as a `data:` URL of a PNG, JPEG, WebP or SVG picture of at most 32 KiB. Mails show PNG and JPEG only.
        /// Empty: Latchstring’s mark.
        logo: String => String;
        /// The languages of pages and mails, the realm’s own first: `en`, `de`, `ar`. Empty: all of them, English first.
        languages: Vec<String> => Vec<String>;
        /// Links at the foot of pages and mails.
        #[schema(max_items = 6)]
        legal: Vec<LegalLinkView> => Vec<LegalLinkView>;
        /// Messages said otherwise: language, name of the message, text.
        words: BTreeMap<String, BTreeMap<String, String>> => BTreeMap<String, Option<BTreeMap<String, Option<String>>>>;
        /// Frames of its own: `door.html` around the pages of signing in, `mail.html` around what mails say.
        templates: BTreeMap<String, String> => BTreeMap<String, Option<String>>;
    }
}

/// A link to terms, imprint and the like.
#[derive(Debug, ToSchema)]
pub struct LegalLinkView {
    /// What it is called.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// What it is called in languages of its own.
    #[schema(required = false)]
    pub names: BTreeMap<String, String>,
    /// Where it leads: https.
    pub url: String,
}

/// Who may make an account.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum SignUp {
    /// Anyone who proves an address.
    Open,
    /// Whoever holds an invitation.
    Invite,
    /// Nobody; admins make accounts.
    Closed,
}

/// What signs the tokens of `POST /token`.
#[derive(Debug, ToSchema)]
pub enum TokenEndpointAlg {
    /// RSA.
    RS256,
    /// ECDSA on P-256.
    ES256,
    /// Ed25519.
    EdDSA,
    /// A secret that is shared with the app.
    HS256,
}

/// Puts the default of each setting into a document.
pub(crate) fn add_defaults(document: &mut Value) {
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        add(schemas, "SettingsView", &defaults);
    }
}

fn add(schemas: &mut Map<String, Value>, shape: &str, defaults: &Value) {
    for (name, value) in defaults.as_object().into_iter().flatten() {
        let path = format!("/properties/{name}");
        let Some(property) = schemas.get_mut(shape).and_then(|s| s.pointer_mut(&path)) else { continue };
        let refers = property["$ref"].as_str().and_then(|r| r.rsplit('/').next()).map(ToOwned::to_owned);
        match refers {
            // Rates share a shape, and each has a default of its own.
            Some(group) if value.is_object() && group != "RateView" => add(schemas, &group, value),
            _ => property["default"] = value.clone(),
        }
    }
}
