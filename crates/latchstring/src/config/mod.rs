//! Settings of the process: environment over file, one table that names them all, and every problem told at once.
//! What changes at run time is not here: those are realm settings, in the database.

mod keys;
mod nearest;
mod smtp_url;

pub(crate) use keys::{KEYS, Key, host_of, is_local, port_of};
pub(crate) use smtp_url::SmtpUrl;

use latchstring_proto::net::Cidr;
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Begins the name of each variable that is ours.
pub(crate) const PREFIX: &str = "LATCHSTRING_";
/// The file that is read if it is there.
pub(crate) const DEFAULT_FILE: &str = "latchstring.toml";
/// Where data lies unless something else is said.
pub(crate) const DEFAULT_DATABASE: &str = "sqlite:./data/latchstring.db";

/// Names with our prefix that others read: the tests of this repository, and the examples.
const OTHERS: &[&str] = &["LATCHSTRING_TEST_DATABASE", "LATCHSTRING_TEST_POSTGRES", "LATCHSTRING_ADMIN_KEY"];

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How TLS is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Not here: a proxy in front does it.
    #[default]
    Off,
    /// From files.
    Files,
    /// By ACME.
    Acme,
}

/// Where what comes in clear is led to https.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HttpListen {
    /// On port 80 of the address whose port 443 has TLS; else nowhere.
    #[default]
    Beside,
    /// Nowhere.
    Off,
    /// There.
    At(SocketAddr),
}

/// The root secret, and where it stands.
#[derive(Clone)]
pub(crate) struct Secret {
    /// As it was given.
    pub(crate) text: Zeroizing<String>,
    /// By what it was given.
    pub(crate) place: Place,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A variable.
    Variable(String),
    /// A key of the settings file.
    Setting(String),
    /// The content of a file that a setting names.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Variable(name) => f.write_str(name),
            Place::Setting(name) => write!(f, "`{name}` in the settings file"),
            Place::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// Everything that was set, checked for form. Whether it is safe is judged elsewhere.
#[derive(Clone)]
pub(crate) struct Config {
    /// The settings file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Whether the settings file itself holds a secret.
    pub(crate) file_has_secrets: bool,
    pub(crate) url: Option<String>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) database: Option<Zeroizing<String>>,
    pub(crate) secret: Option<Secret>,
    pub(crate) trusted_proxies: Vec<Cidr>,
    pub(crate) outgoing_allow: Vec<Cidr>,
    pub(crate) tls: Tls,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) http_listen: HttpListen,
    pub(crate) acme_contact: Option<String>,
    pub(crate) acme_directory: Option<String>,
    pub(crate) acme_root: Option<PathBuf>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) log: Option<String>,
    pub(crate) log_format: LogFormat,
    pub(crate) smtp: Option<SmtpUrl>,
    pub(crate) mail_from: Option<String>,
    pub(crate) mail_from_name: Option<String>,
    pub(crate) breached_file: Option<PathBuf>,
    pub(crate) places: Option<PathBuf>,
    pub(crate) hash_threads: Option<usize>,
    pub(crate) hash_queue: Option<usize>,
    pub(crate) pool: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            file_has_secrets: false,
            url: None,
            listen: None,
            database: None,
            secret: None,
            trusted_proxies: Vec::new(),
            outgoing_allow: Vec::new(),
            tls: Tls::Off,
            tls_cert: None,
            tls_key: None,
            http_listen: HttpListen::Beside,
            acme_contact: None,
            acme_directory: None,
            acme_root: None,
            metrics_listen: None,
            log: None,
            log_format: LogFormat::Text,
            smtp: None,
            mail_from: None,
            mail_from_name: None,
            breached_file: None,
            places: None,
            hash_threads: None,
            hash_queue: None,
            pool: None,
        }
    }
}

impl Config {
    /// The database's URL. It may hold a password: not for logs.
    pub(crate) fn database(&self) -> &str {
        self.database.as_ref().map_or(DEFAULT_DATABASE, |d| d.as_str())
    }

    /// Whether the database lies where it does when nothing is said.
    pub(crate) fn database_is_default(&self) -> bool {
        self.database() == DEFAULT_DATABASE
    }

    /// The file of an SQLite database.
    pub(crate) fn database_file(&self) -> Option<PathBuf> {
        let path = self.database().strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }

    /// Where the database is, for people: without the password.
    pub(crate) fn database_shown(&self) -> String {
        match self.database_file() {
            Some(file) => file.display().to_string(),
            None => without_credentials(self.database()),
        }
    }
}

/// `postgres://user:password@host/db` as `postgres://host/db`. Parameters may hold a password too.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split('?').next().unwrap_or_default();
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{rest}")
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it stands: a variable, or a key of the file.
    pub(crate) place: String,
    /// What is wrong, and what to do.
    pub(crate) says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.says)
    }
}

/// Reads a file's text, or says why it can't be read.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> Result<String, String>;

/// A value as it was given, of whatever type its setting has.
pub(crate) struct Given {
    pub(crate) text: Zeroizing<String>,
    pub(crate) list: Vec<String>,
    pub(crate) place: Place,
}

/// What the environment and the settings file say, made into a configuration; or all that is wrong with them.
/// Reads nothing by itself: `read` is asked for the files that `*_FILE` settings name.
pub(crate) fn parse(
    env: &BTreeMap<String, String>,
    file: Option<(&Path, &str)>,
    read: ReadFile<'_>,
) -> Result<Config, Vec<Problem>> {
    let mut problems = unknown_variables(env);
    let table = match file {
        None => toml::Table::new(),
        Some((path, text)) => match text.parse::<toml::Table>() {
            Ok(table) => {
                problems.extend(unknown_settings(&table, path));
                table
            }
            Err(error) => {
                // Not the whole message: it quotes the line, which may hold a secret.
                let line = error.span().map_or(0, |span| {
                    1 + text.as_bytes().iter().take(span.start).filter(|b| **b == b'\n').count()
                });
                let what = error.message().lines().next().unwrap_or("not TOML").to_owned();
                let says = format!("line {line} is not TOML: {what}");
                problems.push(Problem { place: path.display().to_string(), says });
                toml::Table::new()
            }
        },
    };
    let mut config = Config { file: file.map(|(path, _)| path.to_owned()), ..Config::default() };
    for key in KEYS {
        match find(key, env, &table, read) {
            Ok(None) => {}
            Ok(Some(given)) => {
                let place = given.place.clone();
                config.file_has_secrets |= key.secret && matches!(place, Place::Setting(_));
                if let Err(says) = (key.set)(&mut config, given) {
                    problems.push(Problem { place: place.to_string(), says });
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

/// The value of a key: the environment before the file, and in each either the value or the file that holds it.
fn find(
    key: &Key,
    env: &BTreeMap<String, String>,
    table: &toml::Table,
    read: ReadFile<'_>,
) -> Result<Option<Given>, Problem> {
    let variable = key.variable();
    let variable_file = format!("{variable}_FILE");
    let setting_file = format!("{}_file", key.name);
    // Compose files pass what is not set as an empty text.
    let var = |name: &str| env.get(name).filter(|value| !value.trim().is_empty());
    let both = |one: &str, other: &str| Problem {
        place: one.to_owned(),
        says: format!("{other} is set too. Keep one of the two"),
    };
    let from_file = |path: &str, by: String| {
        let path = PathBuf::from(path.trim());
        match read(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                // Editors and `echo` end a file with a line feed, which is no part of a secret.
                let text = Zeroizing::new(text.trim().to_owned());
                Ok(Some(Given { list: key.split(&text), text, place: Place::File(path) }))
            }
            Err(why) => Err(Problem { place: by, says: format!("{} can't be read: {why}", path.display()) }),
        }
    };
    match (var(&variable), key.secret.then(|| var(&variable_file)).flatten()) {
        (Some(_), Some(_)) => return Err(both(&variable, &variable_file)),
        (Some(text), None) => {
            let text = Zeroizing::new(text.trim().to_owned());
            return Ok(Some(Given { list: key.split(&text), text, place: Place::Variable(variable) }));
        }
        (None, Some(path)) => return from_file(path, variable_file),
        (None, None) => {}
    }
    match (table.get(key.name), key.secret.then(|| table.get(&setting_file)).flatten()) {
        (Some(_), Some(_)) => Err(both(key.name, &setting_file)),
        (Some(value), None) => {
            let (text, list) =
                key.of_toml(value).map_err(|says| Problem { place: key.name.to_owned(), says })?;
            let place = Place::Setting(key.name.to_owned());
            Ok(Some(Given { text: Zeroizing::new(text), list, place }))
        }
        (None, Some(toml::Value::String(path))) => from_file(path, setting_file),
        (None, Some(_)) => {
            Err(Problem { place: setting_file, says: "expected the path of a file, in quotes".into() })
        }
        (None, None) => Ok(None),
    }
}

fn unknown_variables(env: &BTreeMap<String, String>) -> Vec<Problem> {
    let mut known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    known.extend(KEYS.iter().filter(|k| k.secret).map(|k| format!("{}_FILE", k.variable())));
    known.push(format!("{PREFIX}CONFIG"));
    let ours = env.keys().filter(|name| name.starts_with(PREFIX) && !OTHERS.contains(&name.as_str()));
    ours.filter(|name| !known.contains(name))
        .map(|name| Problem {
            place: name.clone(),
            says: nearest::unknown("variable", name, &known, |synonym| {
                format!("{PREFIX}{}", synonym.to_ascii_uppercase())
            }),
        })
        .collect()
}

fn unknown_settings(table: &toml::Table, path: &Path) -> Vec<Problem> {
    let mut known: Vec<String> = KEYS.iter().map(|k| k.name.to_owned()).collect();
    known.extend(KEYS.iter().filter(|k| k.secret).map(|k| format!("{}_file", k.name)));
    table
        .keys()
        .filter(|name| !known.contains(name))
        .map(|name| Problem {
            place: format!("{name} in {}", path.display()),
            says: nearest::unknown("setting", name, &known, ToOwned::to_owned),
        })
        .collect()
}

/// Reads the environment and the settings file of this process.
pub(crate) fn load(file: Option<&Path>) -> Result<Config, Vec<Problem>> {
    let mut env = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        match value.into_string() {
            Ok(value) => drop(env.insert(name.to_owned(), value)),
            Err(_) => {
                problems.push(Problem { place: name.to_owned(), says: "the value is not UTF-8".into() })
            }
        }
    }
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => Some(Zeroizing::new(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && file.is_none() => None,
        Err(e) => {
            let says = format!("the settings file can't be read: {e}");
            problems.push(Problem { place: path.display().to_string(), says });
            None
        }
    };
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| e.to_string());
    match parse(&env, text.as_ref().map(|text| (path, text.as_str())), &read) {
        Ok(config) if problems.is_empty() => Ok(config),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests;
