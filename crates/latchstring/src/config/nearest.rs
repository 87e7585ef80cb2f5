//! "Did you mean": the known name nearest to one that is not known.

use latchstring_core::settings::distance;

/// What people write when they come from elsewhere, and what it is called here.
const SYNONYMS: &[(&str, &str)] = &[
    ("port", "listen"),
    ("host", "listen"),
    ("bind", "listen"),
    ("address", "listen"),
    ("db", "database"),
    ("database_url", "database"),
    ("dsn", "database"),
    ("issuer", "url"),
    ("base_url", "url"),
    ("public_url", "url"),
    ("origin", "url"),
    ("domain", "url"),
    ("secret_key", "secret"),
    ("smtp", "smtp_url"),
    ("smtp_host", "smtp_url"),
    ("smtp_server", "smtp_url"),
    ("mail_url", "smtp_url"),
    ("smtp_from", "mail_from"),
    ("email_from", "mail_from"),
    ("mail", "mail_from"),
    ("log_level", "log"),
    ("metrics", "metrics_listen"),
    ("proxies", "trusted_proxies"),
    ("workers", "hash_threads"),
];

/// Further than this, a guess misleads.
const FAR: usize = 4;

/// A sentence about an unknown name, with the nearest of `known`. `spell` writes a plain name as `known` does.
pub(super) fn unknown(what: &str, name: &str, known: &[String], spell: impl Fn(&str) -> String) -> String {
    let synonym = SYNONYMS.iter().find(|(other, _)| spell(other) == name).map(|(_, ours)| spell(ours));
    let near = synonym.or_else(|| {
        let (far, near) = known.iter().map(|k| (distance(k, name), k)).min_by_key(|(far, _)| *far)?;
        (far <= FAR).then(|| near.clone())
    });
    match near {
        Some(near) => format!("there is no such {what}. Did you mean {near}?"),
        None => format!("there is no such {what}. `latchstring serve --help` lists them all"),
    }
}
