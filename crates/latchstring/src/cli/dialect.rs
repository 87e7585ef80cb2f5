//! `latchstring dialect`.

use super::JsonOnly;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Dialect {
    /// List the dialects, and where they stand in this realm
    List(JsonOnly),
    /// The API that apps built on @supabase/supabase-js speak
    #[command(subcommand)]
    Supabase(Supabase),
}

#[derive(Subcommand)]
pub(crate) enum Supabase {
    /// Prepare the realm, and print the URL and the keys to paste. Works beside a running server; may be run again
    #[command(
        after_help = "Examples:\n  latchstring dialect supabase init --site-url https://app.mycompany.com\n  latchstring dialect supabase init --from supabase/config.toml --signing-keys supabase/signing_keys.json\n  latchstring dialect supabase init --host login.mycompany.com --redirect 'https://*.mycompany.com/**'"
    )]
    Init(SupabaseInit),
    /// Show mounts, their settings, and the ids and states of their keys; no secret
    Show(JsonOnly),
}

/// How much is told of whether an account exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Enumeration {
    /// Nothing
    Strict,
    /// What the vendor's SDK tells its apps
    Vendor,
}

#[derive(Args)]
pub(crate) struct SupabaseInit {
    /// A host for this API alone, with its port if it has one. Without: /auth/v1 at the server's own address
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Where people are led when a request names no place
    #[arg(long, value_name = "URL")]
    pub(crate) site_url: Option<String>,
    /// Where else people may be led: an address with `*` (letters, digits and -_~%+, never a dot) and `**` (anything).
    /// May be given several times; replaces those from before
    #[arg(long = "redirect", value_name = "PATTERN")]
    pub(crate) redirects: Vec<String>,
    /// How much it tells of whether an account exists [default: strict]
    #[arg(long, value_name = "MODE")]
    pub(crate) enumeration: Option<Enumeration>,
    /// Take over what a Supabase project's config.toml says; what is not taken over is named
    #[arg(long, value_name = "CONFIG.TOML")]
    pub(crate) from: Option<PathBuf>,
    /// Let anyone sign up, where that file says so and this realm has users already
    #[arg(long, requires = "from")]
    pub(crate) open_sign_up: bool,
    /// Sign by keys that were made elsewhere: a JSON array of private JWKs, as `supabase gen signing-key` writes them. The
    /// first signs, the others verify
    #[arg(long, value_name = "FILE")]
    pub(crate) signing_keys: Option<PathBuf>,
    /// Let back ends in as admins that sign a token with role service_role by an imported key
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) admit_signed_admins: Option<bool>,
    /// Make new keys though there are good ones; those stay good until they are revoked
    #[arg(long)]
    pub(crate) new_keys: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
