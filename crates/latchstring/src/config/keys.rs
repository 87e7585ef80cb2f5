//! Every setting of the process: its name, what it is, and how its text is read. One row each; the reader, the error
//! messages and the help all go by this table.

use super::{Config, Given, HttpListen, LogFormat, PREFIX, Secret, SmtpUrl, Tls, smtp_url::is_loopback};
use latchstring_proto::net::Cidr;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The form of a value in the settings file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Number,
    List,
}

/// A setting.
pub(crate) struct Key {
    /// As in the settings file; the variable has our prefix and capitals.
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// May come from a file of its own, by `…_FILE`.
    pub(crate) secret: bool,
    /// For the help.
    pub(crate) about: &'static str,
    pub(crate) set: fn(&mut Config, Given) -> Result<(), String>,
}

/// The table.
pub(crate) const KEYS: &[Key] = &[
    text("url", "public origin and issuer, such as https://auth.mycompany.com", |config, given| {
        config.url = Some(origin(&given.text)?);
        Ok(())
    }),
    text("listen", "address and port to listen on (127.0.0.1:8080)", |config, given| {
        config.listen = Some(socket(&given.text)?);
        Ok(())
    }),
    secret(
        "database",
        "sqlite:path/to/file.db (sqlite:./data/latchstring.db) or postgres://…",
        |config, given| {
            let known = ["sqlite:", "postgres://", "postgresql://"];
            if !known.iter().any(|scheme| given.text.starts_with(scheme)) {
                return Err("write sqlite:path/to/file.db or postgres://user@host/database".into());
            }
            config.database = Some(given.text);
            Ok(())
        },
    ),
    secret("secret", "root of all sealing: 32 random bytes as hex or base64url", |config, given| {
        config.secret = Some(Secret { text: given.text, place: given.place });
        Ok(())
    }),
    list(
        "trusted_proxies",
        "addresses whose X-Forwarded-For is believed: 10.0.0.0/8, 127.0.0.1",
        |config, given| {
            config.trusted_proxies = ranges(&given.list)?;
            Ok(())
        },
    ),
    list("outgoing_allow", "private addresses that the server may call all the same", |config, given| {
        config.outgoing_allow = ranges(&given.list)?;
        Ok(())
    }),
    text(
        "tls",
        "acme: TLS by a certificate that it gets; files: by tls_cert and tls_key; off: by a proxy (off)",
        |config, given| {
            config.tls = match given.text.as_str() {
                "off" => Tls::Off,
                "files" => Tls::Files,
                "acme" => Tls::Acme,
                _ => return Err("it is off, files or acme".into()),
            };
            Ok(())
        },
    ),
    text("acme_contact", "address that the certificate authority may write to", |config, given| {
        latchstring_proto::email::Email::parse(&given.text).map_err(|e| e.to_string())?;
        config.acme_contact = Some(given.text.to_string());
        Ok(())
    }),
    text("acme_directory", "directory of the certificate authority (Let's Encrypt's)", |config, given| {
        if !given.text.starts_with("https://") {
            return Err("write the https address of the directory".into());
        }
        config.acme_directory = Some(given.text.to_string());
        Ok(())
    }),
    text(
        "acme_root",
        "file of the root certificate (PEM) that a private authority's directory is trusted by",
        |config, given| {
            config.acme_root = Some(given.text.as_str().into());
            Ok(())
        },
    ),
    text("tls_cert", "file of the certificate chain, the server's own first (PEM)", |config, given| {
        config.tls_cert = Some(given.text.as_str().into());
        Ok(())
    }),
    text("tls_key", "file of its private key (PEM), of mode 0600", |config, given| {
        config.tls_key = Some(given.text.as_str().into());
        Ok(())
    }),
    text(
        "http_listen",
        "address and port where http is led to https, or off (port 80 beside 443)",
        |config, given| {
            config.http_listen = match given.text.as_str() {
                "off" => HttpListen::Off,
                text => HttpListen::At(socket(text)?),
            };
            Ok(())
        },
    ),
    text(
        "metrics_listen",
        "address and port of /metrics, apart from the public listener",
        |config, given| {
            config.metrics_listen = Some(socket(&given.text)?);
            Ok(())
        },
    ),
    text("log", "what is logged: error, warn, info, debug, trace, or a filter (info)", |config, given| {
        let filter = tracing_subscriber::EnvFilter::builder().parse(given.text.as_str());
        if filter.is_err() || has_bare_word(&given.text) {
            return Err(
                "not a filter: write error, warn, info, debug, trace, or latchstring_core=debug,info".into(),
            );
        }
        config.log = Some(given.text.to_string());
        Ok(())
    }),
    text("log_format", "text or json (text)", |config, given| {
        config.log_format = match given.text.as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => return Err("it is text or json".into()),
        };
        Ok(())
    }),
    secret(
        "smtp_url",
        "mail server: smtps://user:password@host:465 or smtp://user:password@host:587",
        |config, given| {
            config.smtp = Some(SmtpUrl::parse(&given.text)?);
            Ok(())
        },
    ),
    text("mail_from", "address that mail comes from", |config, given| {
        latchstring_proto::email::Email::parse(&given.text)
            .map_err(|e| format!("{e}. Write the bare address; the name goes into mail_from_name"))?;
        config.mail_from = Some(given.text.to_string());
        Ok(())
    }),
    text("mail_from_name", "name beside that address (the realm's name)", |config, given| {
        latchstring_proto::text::clean_line(&given.text, 80).map_err(|e| e.to_string())?;
        config.mail_from_name = Some(given.text.to_string());
        Ok(())
    }),
    text(
        "breached_file",
        "list of breached passwords, as lines HEX:count sorted by SHA-1",
        |config, given| {
            config.breached_file = Some(given.text.as_str().into());
            Ok(())
        },
    ),
    text(
        "places",
        "database of cities or countries (.mmdb): sessions and notices then say where",
        |config, given| {
            config.places = Some(given.text.as_str().into());
            Ok(())
        },
    ),
    number("hash_threads", "threads that hash passwords (one a core)", |config, given| {
        config.hash_threads = Some(count(&given.text, 1, 256)?);
        Ok(())
    }),
    number("hash_queue", "passwords that may wait to be hashed (128 a thread)", |config, given| {
        config.hash_queue = Some(count(&given.text, 1, 65_536)?);
        Ok(())
    }),
    number("pool", "PostgreSQL: connections for transactions (16)", |config, given| {
        config.pool = Some(count(&given.text, 1, 500)?);
        Ok(())
    }),
];

type Set = fn(&mut Config, Given) -> Result<(), String>;

const fn text(name: &'static str, about: &'static str, set: Set) -> Key {
    Key { name, form: Form::Text, secret: false, about, set }
}

const fn secret(name: &'static str, about: &'static str, set: Set) -> Key {
    Key { name, form: Form::Text, secret: true, about, set }
}

const fn list(name: &'static str, about: &'static str, set: Set) -> Key {
    Key { name, form: Form::List, secret: false, about, set }
}

const fn number(name: &'static str, about: &'static str, set: Set) -> Key {
    Key { name, form: Form::Number, secret: false, about, set }
}

impl Key {
    /// The name of its variable.
    pub(crate) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// In variables and files, lists are separated by commas.
    pub(super) fn split(&self, text: &str) -> Vec<String> {
        if self.form != Form::List {
            return Vec::new();
        }
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()
    }

    pub(super) fn of_toml(&self, value: &toml::Value) -> Result<(String, Vec<String>), String> {
        let wrong = |expected: &str| Err(format!("expected {expected}, found {}", value.type_str()));
        match (self.form, value) {
            (Form::Text, toml::Value::String(text)) => Ok((text.trim().to_owned(), Vec::new())),
            (Form::Number, toml::Value::Integer(n)) => Ok((n.to_string(), Vec::new())),
            (Form::List, toml::Value::Array(items)) => {
                let items: Option<Vec<String>> =
                    items.iter().map(|item| item.as_str().map(|i| i.trim().to_owned())).collect();
                match items {
                    Some(items) => Ok((String::new(), items)),
                    None => Err("expected a list of texts, such as [\"10.0.0.0/8\"]".into()),
                }
            }
            (Form::Text, _) => wrong("a text in quotes"),
            (Form::Number, _) => wrong("a number"),
            (Form::List, _) => wrong("a list, such as [\"10.0.0.0/8\"]"),
        }
    }
}

fn count(text: &str, low: usize, high: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|n| (low..=high).contains(n))
        .ok_or_else(|| format!("it is a number from {low} to {high}"))
}

fn ranges(list: &[String]) -> Result<Vec<Cidr>, String> {
    list.iter().map(|item| item.parse().map_err(|e| format!("“{item}” is {e}"))).collect()
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    text.parse().map_err(|_| {
        "write an address and a port, such as 127.0.0.1:8080, or 0.0.0.0:8080 for every address".to_owned()
    })
}

/// `scheme://host[:port]`, as browsers write an origin. One slash at the end is let through.
fn origin(text: &str) -> Result<String, String> {
    let origin = text.strip_suffix('/').unwrap_or(text);
    let Some((scheme, authority)) = origin.split_once("://") else {
        return Err("write it with its scheme, such as https://auth.mycompany.com".into());
    };
    if authority.contains(['/', '?', '#']) {
        return Err("it is an origin, without a path: apps find everything below it".into());
    }
    if authority.contains('@') {
        return Err("it holds no user name".into());
    }
    if !latchstring_core::settings::is_origin(origin) {
        return Err(
            "write http:// or https://, a host name in lower case (in its xn-- form, where it is not ASCII) \
                    and perhaps a port"
                .into(),
        );
    }
    let after_bracket = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after_bracket.split_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => {
            return Err("the port is no number up to 65535".into());
        }
        Some((_, port)) if (scheme, port) == ("https", "443") || (scheme, port) == ("http", "80") => {
            return Err(format!("leave “:{port}” away: browsers do, and tokens compare the text"));
        }
        _ => {}
    }
    Ok(origin.to_owned())
}

/// The host of an origin, without port.
pub(crate) fn host_of(origin: &str) -> &str {
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// The port of an origin.
pub(crate) fn port_of(origin: &str) -> u16 {
    let usual = if origin.starts_with("https://") { 443 } else { 80 };
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let after = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    after.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(usual)
}

/// Whether an origin is this machine's.
pub(crate) fn is_local(origin: &str) -> bool {
    is_loopback(host_of(origin))
}

/// Whether a filter of log lines holds a word that is no level. It would be taken for the name of a target, and all
/// lines of others would vanish.
fn has_bare_word(filter: &str) -> bool {
    // Spans and fields have commas of their own.
    !filter.contains(['[', '{'])
        && filter
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty() && !part.contains('='))
            .any(|word| word.parse::<tracing_subscriber::filter::LevelFilter>().is_err())
}
