//! Connections: upstreams that people are signed in through. So far they only name where identities came from; none can be
//! used.

pub mod store;

/// Whether a text can be the name of a connection in addresses and settings.
pub fn is_slug(text: &str) -> bool {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | ':');
    first && text.len() <= 64 && text.chars().all(rest)
}
