//! The command line, as data. What a command does stands in `commands/`.

mod dialect;

pub(crate) use dialect::{Dialect, Enumeration, Supabase, SupabaseInit};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Latchstring: the sign-in server you run yourself.
#[derive(Parser)]
#[command(name = "latchstring", version, about, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Settings file. Variables LATCHSTRING_… go before it [default: ./latchstring.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "LATCHSTRING_CONFIG", hide_env = true)]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  latchstring                      a development server on this machine; it prints where to click
  latchstring serve                the production server; it says what is missing
  latchstring doctor               what is wrong or weak, why it matters, how to mend it
  latchstring user create --email ada@mycompany.com
  latchstring backup backup.db     a copy of the running SQLite database
  latchstring import supabase --from users.sql

Exit codes: 0 done, 1 failed, 2 the command line or the settings are wrong.";

/// `dev`
#[derive(Args, Default)]
pub(crate) struct Dev {
    /// Speak https, by a certificate authority of this machine that is made at the first time
    #[arg(long)]
    pub(crate) https: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the development server: plain http on this machine, no settings, mail at /dev/mail. The default
    #[command(after_help = "LATCHSTRING_LISTEN=127.0.0.1:8081 in the environment lets it listen elsewhere.")]
    Dev(Dev),
    /// Run the production server. Refuses to start unsafely, and says why
    #[command(after_help = settings_help())]
    Serve(Serve),
    /// Look for what is wrong or weak, as `serve` would have it
    #[command(
        after_help = "Examples:\n  latchstring doctor\n  latchstring doctor --json | jq '.findings[] | select(.level == \"bad\")'"
    )]
    Doctor(Doctor),
    /// Create, find, ban and delete users. Works beside a running server
    #[command(subcommand)]
    User(User),
    /// The keys that sign tokens
    #[command(subcommand)]
    Keys(Keys),
    /// The keys by which backends call the API
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// Vendors' APIs that this server speaks: prepare one, see what stands where
    #[command(subcommand)]
    Dialect(Dialect),
    /// Copy an SQLite database while it is in use
    #[command(
        after_help = "Example:\n  latchstring backup backups/$(date +%F).db\n\nThe copy is sealed under LATCHSTRING_SECRET, which is not in it: keep that apart. The secret of a development\ndatabase is the file dev-secret beside it.\nTo put it back, stop the server, move the database away with the -wal and -shm files beside it, put the copy in its\nplace, and start once with `latchstring serve --restored`: a copy remembers no sign-out that came after it.\n\nPostgreSQL has tools of its own: pg_dump --format=custom. After pg_restore, too, start once with --restored."
    )]
    Backup(Backup),
    /// Take users over from another system. Works beside a running server
    #[command(subcommand)]
    Import(Import),
    /// Write users as another system takes them. What is written holds password hashes: it is a secret
    #[command(subcommand)]
    Export(Export),
    /// Print the OpenAPI document of the API
    Openapi,
}

#[derive(Args)]
pub(crate) struct Serve {
    /// Take the database's issuer to be the new LATCHSTRING_URL, once, after the address really changed
    #[arg(long)]
    pub(crate) accept_new_url: bool,
    /// End every sign-in from before, once, after the database was put back from a backup
    #[arg(long)]
    pub(crate) restored: bool,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Backup {
    /// The file to write
    pub(crate) path: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub(crate) force: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// Create a user, by --email or --username. With an address and no password they sign in by a mailed code
    #[command(
        after_help = "Examples:\n  latchstring user create --email ada@mycompany.com --name 'Ada Lovelace'\n  printf %s \"$PASSWORD\" | latchstring user create --email ada@mycompany.com --password-stdin"
    )]
    Create(UserCreate),
    /// List users, oldest first
    #[command(
        after_help = "Examples:\n  latchstring user list\n  latchstring user list --begins-with ada --json"
    )]
    List(UserList),
    /// Show a user
    Show(UserOne),
    /// Ban a user: all sessions and tokens end at once
    #[command(
        after_help = "Examples:\n  latchstring user ban ada@mycompany.com --reason 'sends spam'\n  latchstring user ban ada@mycompany.com --until 2030-01-01T00:00:00Z"
    )]
    Ban(UserBan),
    /// Lift a ban
    Unban(UserOne),
    /// Delete a user with everything that belongs to them
    Delete(UserDelete),
    /// Set a password. All sessions of the user end
    #[command(
        after_help = "Example:\n  printf %s \"$PASSWORD\" | latchstring user set-password ada@mycompany.com --password-stdin"
    )]
    SetPassword(UserSetPassword),
}

#[derive(Args)]
pub(crate) struct UserOne {
    /// Id, e-mail address or username
    pub(crate) user: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
#[group(skip)]
#[command(group = clap::ArgGroup::new("identifier").required(true).multiple(true).args(["email", "username"]))]
pub(crate) struct UserCreate {
    /// E-mail address. You vouch for it (email_asserted): it counts as theirs
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Username
    #[arg(long)]
    pub(crate) username: Option<String>,
    /// Full name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Read the password from standard input (its line end is cut off)
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Print the user as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct UserList {
    /// Only users with an address or username that begins so
    #[arg(long, value_name = "TEXT")]
    pub(crate) begins_with: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct UserBan {
    #[command(flatten)]
    pub(crate) one: UserOne,
    /// Until when, as 2030-01-01T00:00:00Z; without, until it is lifted
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Why, for other operators
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Args)]
pub(crate) struct UserDelete {
    #[command(flatten)]
    pub(crate) one: UserOne,
    /// Yes, for good
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct UserSetPassword {
    #[command(flatten)]
    pub(crate) one: UserOne,
    /// Read the password from standard input (its line end is cut off)
    #[arg(long, required = true)]
    pub(crate) password_stdin: bool,
}

#[derive(Subcommand)]
pub(crate) enum Import {
    /// Users of a Supabase project, with ids, passwords and identities
    #[command(
        after_help = "Examples:\n  pg_dump \"$SUPABASE_DB_URL\" --data-only --table auth.users --table auth.identities --file users.sql\n  latchstring import supabase --from users.sql --dry-run\n  latchstring import supabase --from users.sql --report left.jsonl\n  pg_dump … | latchstring import supabase --from -\n\nWhoever is here already is left as they are: an import that was broken off is simply run again.\nRows that are not taken are counted by reason, and do not make it fail. The dump holds password hashes: it is a secret."
    )]
    Supabase(ImportSupabase),
}

#[derive(Args)]
pub(crate) struct ImportSupabase {
    /// A dump in pg_dump's plain format, `-` for one on standard input, or the project's database as postgres://…
    #[arg(long, value_name = "FILE or URL")]
    pub(crate) from: String,
    /// Read and check everything, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a line of JSON for each row, or part of one, that is not taken, with the reason
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print the counts as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Export {
    /// Users as the tables of a Supabase project take them
    #[command(
        after_help = "Examples:\n  latchstring export supabase --to users.sql\n  latchstring export supabase | psql \"$SUPABASE_DB_URL\" --single-transaction --set ON_ERROR_STOP=1\n\nWhat is written holds password hashes. Treat it as a secret: whoever has it can try passwords at leisure."
    )]
    Supabase(ExportSupabase),
}

#[derive(Args)]
pub(crate) struct ExportSupabase {
    /// The file to write, readable by you alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "to")]
    pub(crate) force: bool,
    /// Print the counts as JSON
    #[arg(long, requires = "to")]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// List the keys that are published
    List(JsonOnly),
    /// Add a key: published now, signing in ten minutes, when those who verify tokens know it
    Rotate(KeysRotate),
    /// Take a key back at once, after a theft: rotate with --now first. Tokens that it signed are refused from then on;
    /// cookie sessions and refresh tokens go on
    Revoke(KeysRevoke),
}

#[derive(Args)]
pub(crate) struct KeysRevoke {
    /// Its name, as `latchstring keys list` shows it
    // A thumbprint in base64url may begin with a dash.
    #[arg(allow_hyphen_values = true)]
    pub(crate) kid: String,
    /// Where several mounts have a key of this name: whose, such as /auth/v1
    #[arg(long, value_name = "MOUNT")]
    pub(crate) mount: Option<String>,
}

#[derive(Args)]
pub(crate) struct JsonOnly {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct KeysRotate {
    /// Which ring: native, or token_endpoint_rs256, …_es256, …_eddsa once it is in use; of a mount access [default:
    /// native, or access with --mount]
    #[arg(long)]
    pub(crate) ring: Option<String>,
    /// Of which dialect's mount, such as /auth/v1, as `latchstring keys list` shows it
    #[arg(long, value_name = "MOUNT")]
    pub(crate) mount: Option<String>,
    /// Sign by the new key at once. Readers that cache the key set refuse its tokens for some minutes: only after a
    /// theft of the old key
    #[arg(long)]
    pub(crate) now: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum ApiKey {
    /// Create a key and print it, once
    #[command(
        after_help = "Examples:\n  latchstring api-key create deploy --permission users:read --permission users:write\n  KEY=$(latchstring api-key create admin --permission '*')"
    )]
    Create(ApiKeyCreate),
    /// List keys; their text is not kept
    List(JsonOnly),
    /// Take a key back, at once
    Revoke(ApiKeyRevoke),
}

#[derive(Args)]
pub(crate) struct ApiKeyCreate {
    /// What you will recognise it by
    pub(crate) name: String,
    /// What it may do, such as users:read; `*` is everything. May be given several times
    #[arg(long = "permission", required = true, value_name = "PERMISSION")]
    pub(crate) permissions: Vec<String>,
    /// Until when it is good, as 2030-01-01T00:00:00Z; without, until it is revoked
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<jiff::Timestamp>,
    /// Print the key and what belongs to it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ApiKeyRevoke {
    /// The key's id, as `api-key list` shows it
    pub(crate) id: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// All settings, from their table.
fn settings_help() -> String {
    let mut rows = Vec::new();
    for key in crate::config::KEYS {
        let file = if key.secret { " (or …_FILE)" } else { "" };
        rows.push(vec![format!("  {}{file}", key.variable()), key.about.to_owned()]);
    }
    format!(
        "Settings, as variables, or without prefix in small letters in latchstring.toml:\n{}\n\nExample:\n  \
         LATCHSTRING_URL=https://auth.mycompany.com LATCHSTRING_SECRET_FILE=secret \\\n  \
         LATCHSTRING_SMTP_URL=smtps://user:password@smtp.mycompany.com LATCHSTRING_MAIL_FROM=auth@mycompany.com \\\n  \
         LATCHSTRING_TRUSTED_PROXIES=127.0.0.1 latchstring serve",
        crate::say::table(&rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_of_serve_names_every_setting() {
        let mut command = Cli::command();
        let serve = command.find_subcommand_mut("serve").expect("there");
        let help = serve.render_help().to_string();
        for key in crate::config::KEYS {
            assert!(help.contains(&key.variable()), "{} is missing in:\n{help}", key.variable());
        }
    }

    #[test]
    fn no_command_is_dev_and_a_password_is_no_argument() {
        let cli = Cli::try_parse_from(["latchstring"]).expect("parses");
        assert!(cli.command.is_none());
        let bare = Cli::try_parse_from(["latchstring", "user", "create"]).err().expect("refused").to_string();
        assert!(bare.contains("--email") && bare.contains("--username"), "{bare}");
        assert!(Cli::try_parse_from(["latchstring", "user", "create", "--username", "ada"]).is_ok());
        assert!(
            Cli::try_parse_from(["latchstring", "user", "create", "--username", "a", "--password", "x"])
                .is_err()
        );
    }
}
