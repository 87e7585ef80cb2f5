//! Where people may be led at the end: the site, and what the settings list. Anything else is the site, without an error,
//! as the vendor's apps expect.

use crate::{ask::Ask, error::Fail};
use http::header;
use latchstring_core::attempt::{CodeChallenge, Redirect};
use latchstring_proto::{return_to, rfc7617::form_decode, rfc7636};

/// Most bytes of an address.
const MOST: usize = 2_000;

/// What a client binds a code to.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Pkce {
    /// RFC 7636, 4.2.
    pub code_challenge: Option<String>,
    /// `s256` or `plain`, in any case.
    pub code_challenge_method: Option<String>,
}

impl Pkce {
    /// The challenge, if the client sent one. The SDK sends `null` where it does not use them.
    pub fn read(&self) -> Result<Option<CodeChallenge>, Fail> {
        let text = self.code_challenge.as_deref().filter(|text| !text.is_empty());
        let method = self.code_challenge_method.as_deref().filter(|method| !method.is_empty());
        let (text, plain) = match (text, method) {
            (None, None) => return Ok(None),
            (Some(text), Some(method)) if method.eq_ignore_ascii_case("s256") => (text, false),
            (Some(text), Some(method)) if method.eq_ignore_ascii_case("plain") => (text, true),
            (Some(_), Some(_)) => return Err(Fail::invalid("invalid code_challenge_method")),
            _ => {
                return Err(Fail::invalid("PKCE flow requires code_challenge_method and code_challenge"));
            }
        };
        if !rfc7636::is_challenge(text) {
            return Err(Fail::invalid("code challenge has to be between 43 and 128 unreserved characters"));
        }
        Ok(Some(CodeChallenge { text: text.to_owned(), plain }))
    }
}

/// Where a request wants to end: its own word, else the page that it comes from, else the site.
pub fn target(ask: &Ask, asked: Option<&str>) -> String {
    let header = |name: &str| ask.headers.get(name).and_then(|value| value.to_str().ok());
    let referer = ask.headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let asked = asked.or_else(|| header("redirect_to"));
    let found = [asked, referer].into_iter().flatten().find(|address| may(ask, address));
    if let Some(address) = asked.filter(|_| found != asked) {
        // The vendor's apps get no error, so that this line is where a developer sees it.
        let origin: String = return_to::form_target(address).unwrap_or_else(|| "what is no address".into());
        let origin: String = origin.chars().take(200).collect();
        tracing::info!(
            mount = %ask.mount.name(),
            origin,
            "redirect_to is not listed: `latchstring dialect supabase init --redirect` lists it"
        );
    }
    found.unwrap_or(&site(ask)).to_owned()
}

/// The site; the realm's own origin, where none is set.
fn site(ask: &Ask) -> String {
    match ask.settings.site_url.as_str() {
        "" => ask.realm.issuer().to_owned(),
        site => site.to_owned(),
    }
}

/// Whether people may be led to an address.
pub fn may(ask: &Ask, address: &str) -> bool {
    is_plain(address)
        && (below(address, &site(ask))
            || ask.settings.redirects.iter().any(|pattern| matches(pattern, address)))
}

/// Whether an address is of characters that every parser reads alike, and leads out of the browser's own schemes.
pub fn is_plain(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let forbidden = ["javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem"];
    // RFC 3986, and no backslash, space or control. No `@` before the path: what stands before it looks like the host.
    let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(rest));
    address.len() <= MOST
        && named
        && !forbidden.iter().any(|word| scheme.eq_ignore_ascii_case(word))
        && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b))
        && authority.is_none_or(|authority| !authority.contains(['@', '%']))
        && (!scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https")
            || authority.is_some_and(|authority| !authority.is_empty()))
        && !climbs(rest)
        && !answers(rest)
}

/// Whether a path has steps up or aside, encoded or not: whoever resolves them stands elsewhere than the text says.
fn climbs(rest: &str) -> bool {
    let path = rest.split(['?', '#']).next().unwrap_or(rest).to_ascii_lowercase();
    let plain = path.replace("%2f", "/").replace("%5c", "/").replace("%2e", ".");
    path.contains("%25") || plain.split('/').any(|part| matches!(part, "." | ".."))
}

/// Whether the query or fragment has what an answer of ours has: an app would take it for one, and be signed in as whoever
/// asked for the mail.
fn answers(rest: &str) -> bool {
    const OURS: [&str; 8] = [
        "access_token",
        "refresh_token",
        "provider_token",
        "code",
        "error",
        "error_code",
        "error_description",
        "expires_in",
    ];
    let Some(start) = rest.find(['?', '#']) else { return false };
    let names = rest[start..].split(['?', '#', '&', '/']).map(|pair| pair.split('=').next().unwrap_or(pair));
    // What can't be read is read by somebody in some way.
    names.map(form_decode).any(|name| name.is_none_or(|name| OURS.contains(&name.as_str())))
}

/// Whether an address is at the origin of the site.
fn below(address: &str, site: &str) -> bool {
    match (return_to::form_target(address), return_to::form_target(site)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(&b) && (a.contains("://") || address == site),
        _ => false,
    }
}

/// Whether an address fits a pattern: `*` stands for letters, digits and `-_~%+`, `**` for any characters at all, `?` for
/// one of those of `*`. Without a query and fragment in the pattern, those of the address are free.
pub fn matches(pattern: &str, address: &str) -> bool {
    let bare = address.split(['?', '#']).next().unwrap_or(address);
    let fits = |address: &str| fits(pattern.as_bytes(), address.as_bytes());
    // A trailing slash of an origin means nothing.
    fits(address) || !pattern.contains('?') && (fits(bare) || fits(bare.trim_end_matches('/')))
}

/// What `*` and `?` cover: nothing that ends a host, begins a query or fragment, or belongs to an address's form. A host
/// that ended before the pattern's own does would lead anywhere.
fn within(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'%' | b'+')
}

/// A match in the time of pattern times address: one row of the table is kept.
fn fits(pattern: &[u8], address: &[u8]) -> bool {
    let mut row = vec![false; address.len() + 1];
    row[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let double = pattern[at..].starts_with(b"**");
        let mut next = vec![false; address.len() + 1];
        for i in 0..=address.len() {
            next[i] = match pattern[at] {
                b'*' => {
                    let covers = |b: u8| double || within(b);
                    row[i] || i > 0 && next[i - 1] && covers(address[i - 1])
                }
                b'?' => i > 0 && row[i - 1] && within(address[i - 1]),
                literal => i > 0 && row[i - 1] && address[i - 1] == literal,
            };
        }
        row = next;
        at += if double { 2 } else { 1 };
    }
    row[address.len()]
}

/// The answer to half of a change that asks for two confirmations.
pub const HALF: &str = "Confirmation link accepted. Please proceed to confirm link sent to the other email";

/// What the attempt behind a mail of `kind` leads to.
pub fn of(ask: &Ask, kind: &str, asked: Option<&str>, pkce: &Pkce) -> Result<Redirect, Fail> {
    let challenge = pkce.read()?;
    let ends_at = target(ask, asked);
    // A code goes to the app, which holds its verifier; without one, this face makes the tokens and carries them there.
    let to = match &challenge {
        Some(_) => ends_at.clone(),
        None => format!("{}/verify/done", ask.mount.issuer),
    };
    let message = |text: &str| with_fragment(&ends_at, &[("message", text), ("sb", "")]);
    Ok(Redirect {
        to,
        confirmed: Some(message("The address was changed")),
        half: Some(message(HALF)),
        challenge,
        state: kind.to_owned(),
        ends_at,
    })
}

/// An address with a fragment of these parameters, in place of the one that it has.
pub fn with_fragment(address: &str, parameters: &[(&str, &str)]) -> String {
    let bare = address.split('#').next().unwrap_or(address);
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        encode(value, &mut text);
    }
    format!("{bare}#{text}")
}

/// `application/x-www-form-urlencoded`: what the SDK reads with `URLSearchParams`.
pub fn encode(value: &str, into: &mut String) {
    for byte in value.bytes() {
        match byte {
            b' ' => into.push('+'),
            b if b.is_ascii_alphanumeric() || b"-._*".contains(&b) => into.push(char::from(b)),
            b => into.push_str(&format!("%{b:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_segments_or_all() {
        for (pattern, address, expect) in [
            ("https://app.example/**", "https://app.example/a/b?c=d", true),
            ("https://app.example/**", "https://app.example", false),
            ("https://app.example", "https://app.example/?sb_flow_id=1", true),
            ("https://app.example", "https://app.example.evil.example/", false),
            ("https://app.example/*", "https://app.example/a", true),
            ("https://app.example/*", "https://app.example/a/b", false),
            ("https://*.app.example/**", "https://x.app.example/a", true),
            ("https://*.app.example/**", "https://evil.example/x.app.example/a", false),
            ("https://*.app.example/**", "https://a.b.app.example/", false),
            ("http://localhost:????", "http://localhost:5173", true),
            ("com.app:/**", "com.app:/back", true),
            ("https://*.app.example/**", "https://[2001:db8::1]?.app.example/x", false),
            ("https://*.app.example/**", "https://134744072#.app.example/x", false),
            ("https://*.app.example/**", "https://evil.example:1/.app.example/x", false),
            ("https://*-team.app.example/", "https://134744072#-team.app.example/", false),
            ("https://?.app.example/**", "https://#.app.example/x", false),
            ("https://*.app.example", "https://134744072?.app.example", false),
            ("http://localhost:*/**", "http://localhost:5173/x", true),
            ("http://localhost:*/**", "http://localhost:@evil/x", false),
        ] {
            assert_eq!(matches(pattern, address), expect, "{pattern} {address}");
        }
    }

    #[test]
    fn attack_a018_a021_what_parsers_read_in_two_ways_leads_nowhere() {
        for bad in [
            "javascript:alert(1)",
            "JAVASCRIPT://app.example/%0aalert(1)",
            "data:text/html,x",
            "//evil.example",
            "https://app.example@evil.example/",
            "https://app.example\\@evil.example/",
            "https:evil.example",
            "https://app.example%2f@evil.example/",
            "https://app.example /",
            "\thttps://app.example",
            "",
            "https://app.example%00.evil.example/",
            "file:///etc/passwd",
            "https:///evil.example",
            "https://app.example/app1/../evil",
            "https://app.example/app1/%2e%2E/evil",
            "https://app.example/app1/.%2e%2fevil",
            "https://app.example/app1/%252e%252e/evil",
            "https://app.example/app1/..",
            "https://app.example/#access_token=x&refresh_token=y",
            "https://app.example/?a=b&access_token=x",
            "https://app.example/?refresh%5Ftoken=x",
            "https://app.example/#/home?code=x",
            "https://app.example/?error=x",
        ] {
            assert!(!is_plain(bad), "{bad}");
        }
        for good in [
            "https://app.example/a?b=c#d",
            "http://localhost:3000",
            "com.northwind.app://back",
            "app:/x",
            "https://app.example/v1.2/.well-known/x?next=/a/../b#/home",
            "https://app.example/?promo_code=x&codes=2",
        ] {
            assert!(is_plain(good), "{good}");
        }
        assert!(!below("https://app.example.evil/", "https://app.example"));
        assert!(!below("http://app.example/", "https://app.example"));
        assert!(below("https://app.example/x", "https://app.example/y"));
    }

    #[test]
    fn a_pattern_of_stars_takes_no_time() {
        let pattern = "**a".repeat(60);
        assert!(!matches(&pattern, &"b".repeat(2_000)));
    }
}
