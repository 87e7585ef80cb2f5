//! What a mount of this dialect is set to: the body of its row. `latchstring dialect supabase init` writes it.

use latchstring_core::{Kind, Refusal};
use serde::{Deserialize, Serialize};

/// The settings of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where people are led when a request names no place, or none that may be.
    pub site_url: String,
    /// Other places where people may be led: addresses with `*` (within a segment) and `**` (over segments).
    pub redirects: Vec<String>,
    /// Seconds that access tokens live: 60 to 3600.
    pub jwt_seconds: i64,
    /// Whether sign-up and sign-in by e-mail are offered.
    pub email: bool,
    /// Whether a new address has to be confirmed from the mailbox before, too.
    pub double_confirm: bool,
    /// Whether back ends that sign tokens with an imported key are let in as admins.
    pub admit_signed_admins: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            site_url: String::new(),
            redirects: Vec::new(),
            jwt_seconds: 3_600,
            email: true,
            double_confirm: true,
            admit_signed_admins: false,
        }
    }
}

/// More places than this are nobody's list.
const MOST_REDIRECTS: usize = 100;
const MOST_CHARS: usize = 1_000;

impl Settings {
    /// Refuses values that would be unsafe or make no sense; `param` names the setting.
    pub fn check(&self) -> Result<(), Refusal> {
        let wrong =
            |param: &'static str, says: &'static str| Err(Kind::SettingInvalid.param(param).says(says));
        if !self.site_url.is_empty() && (!is_place(&self.site_url) || self.site_url.contains('*')) {
            return wrong("site_url", "An address such as https://app.mycompany.com is expected.");
        }
        if self.redirects.len() > MOST_REDIRECTS {
            return wrong("redirects", "At most 100 places.");
        }
        if let Some(odd) = self.redirects.iter().find(|redirect| !is_place(redirect)) {
            let odd: String = odd.chars().filter(|c| !c.is_control()).take(100).collect();
            let says = format!(
                "“{odd}” is no address with a scheme and a host, such as https://*.mycompany.com/**. One that any host \
                 fits would lead people, and their tokens, anywhere."
            );
            return Err(Kind::SettingInvalid.param("redirects").says(says));
        }
        if !(60..=3_600).contains(&self.jwt_seconds) {
            return wrong("jwt_seconds", "Between 60 and 3600.");
        }
        Ok(())
    }
}

/// Whether a text is an address with a scheme and a host that is not any: also of an app (`com.mycompany.app://`).
fn is_place(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // What a browser runs, or reads from the disk.
    let runs = ["javascript", "data", "vbscript", "file", "blob", "about"];
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(letters)
        && !runs.iter().any(|runs| scheme.eq_ignore_ascii_case(runs));
    let web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let host_fits = !web || is_host(rest.split('/').next().unwrap_or_default());
    scheme_fits
        && host_fits
        && text.len() <= MOST_CHARS
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

/// Whether the host of a pattern is somebody's: `**` covers dots and slashes, so that with it in the host
/// `https://**.app.example` would fit `https://evil.example/x.app.example`; and an open end fits other domains.
fn is_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    last.chars().any(char::is_alphanumeric)
        && !last.contains('*')
        && !host.contains("**")
        && !host.contains(['@', '?', '#', '%'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_scheme_and_a_host() {
        let good = |redirect: &str| {
            let settings = Settings { redirects: vec![redirect.to_owned()], ..Settings::default() };
            settings.check().is_ok()
        };
        for place in [
            "https://app.example/**",
            "https://*.app.example/**",
            "http://localhost:3000",
            "http://localhost:*/**",
            "http://[::1]:3000/**",
            "https://*-team.vercel.app/**",
            "com.example.app://callback",
            "myapp://*",
        ] {
            assert!(good(place), "{place}");
        }
        for place in [
            "",
            "*",
            "**",
            "/x",
            "app.example",
            "https://*",
            "https://**",
            "https://*:*/**",
            "https://**.app.example",
            "https://app.example**",
            "https://app.exampl*",
            "https://app.exampl?",
            "https://*.*/**",
            "https:///x",
            "*://a.example",
            "javascript://app.example/%0aalert(1)",
            "data://x",
            "https://a.example\\b",
            "https://a b",
            "https://u@a.example",
        ] {
            assert!(!good(place), "{place}");
        }
        assert!(!good(&format!("https://a.example/{}", "x".repeat(MOST_CHARS))));
        assert!(Settings { site_url: "https://*.example".into(), ..Settings::default() }.check().is_err());
        assert!(
            Settings { redirects: vec!["https://a.example".into(); 101], ..Settings::default() }
                .check()
                .is_err()
        );
    }
}
