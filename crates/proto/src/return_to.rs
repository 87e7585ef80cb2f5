//! Where a page may send somebody back to: a path of our own, or an address at a listed origin. Everything else is
//! nothing, without a reason: there is nobody to tell it to but whoever wrote the link.

/// Most bytes of an address.
pub const MOST: usize = 2_000;

/// Reads `text`. A path gives itself; an address at `own` gives its path; one at a listed origin gives itself.
///
/// The address is compared as text, never parsed: what two parsers read in two ways (A018, A021, A146) is not let
/// through at all, so it does not matter how a browser reads it.
pub fn check<'a>(text: &str, own: &str, listed: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if text.len() > MOST || !is_plain(text) {
        return None;
    }
    if text.starts_with('/') {
        return is_path(text).then(|| text.to_owned());
    }
    if let Some(rest) = behind(text, own) {
        return is_path(&rest).then_some(rest);
    }
    let (origin, rest) =
        listed.into_iter().find_map(|origin| behind(text, origin).map(|rest| (origin, rest)))?;
    is_path(&rest).then(|| format!("{origin}{rest}"))
}

/// The origin of what [`check`] gave, if it is another than our own.
pub fn origin(checked: &str) -> Option<&str> {
    let (scheme, rest) = checked.split_once("://").filter(|_| !checked.starts_with('/'))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    checked.get(..scheme.len() + 3 + end)
}

/// What a page whose form ends at `address` has to allow (CSP 3, `form-action`): its origin, or the scheme of an app.
pub fn form_target(address: &str) -> Option<String> {
    let (scheme, _) = address.split_once(':')?;
    match scheme {
        "https" | "http" => origin(address).map(ToOwned::to_owned),
        _ if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {
            Some(format!("{scheme}:"))
        }
        _ => None,
    }
}

/// `address` with one more parameter in its query. The value needs no encoding: it is of unreserved characters, or is left
/// out.
pub fn with_param(address: &str, name: &str, value: &str) -> String {
    let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let (before, fragment) = match address.split_once('#') {
        Some((before, fragment)) => (before, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let joint = match before.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let value = if plain { value } else { "" };
    format!("{before}{joint}{name}={value}{fragment}")
}

/// What stands behind an origin, as a path. The origin has to end where the path begins: `https://app.example` is not
/// the origin of `https://app.example.evil` nor of `https://app.example@evil`.
fn behind(text: &str, origin: &str) -> Option<String> {
    let rest = text.strip_prefix(origin).filter(|_| !origin.is_empty())?;
    match rest.bytes().next() {
        None => Some("/".into()),
        Some(b'/') => Some(rest.into()),
        Some(b'?' | b'#') => Some(format!("/{rest}")),
        Some(_) => None,
    }
}

/// The characters of RFC 3986 and no others, with each `%` followed by two digits, and nothing encoded that ends a
/// line, hides, or is a backslash once somebody on the way decodes it.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(i, byte)| match byte {
        b'%' => match (digit(bytes.get(i + 1)), digit(bytes.get(i + 2))) {
            (Some(high), Some(low)) => !matches!(high << 4 | low, 0..=0x1f | 0x7f | b'\\'),
            _ => false,
        },
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
    })
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok())
}

/// A path of one slash and then no other, with no steps up or in place: `//evil` and `/.//evil` are hosts to some.
fn is_path(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    // As read by somebody who decodes before looking.
    let decoded = path.replace("%2f", "/").replace("%2F", "/").replace("%2e", ".").replace("%2E", ".");
    let mut parts = decoded.split('/');
    // Twice encoded means twice decoded: there is no reason for it in a path.
    parts.next() == Some("")
        && !path.contains("%25")
        && !decoded.contains("//")
        && parts.all(|part| part != "." && part != "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://id.northwind.example";
    const APP: &str = "https://app.northwind.example:8443";

    fn read(text: &str) -> Option<String> {
        check(text, OWN, [APP])
    }

    #[test]
    fn a_parameter_is_added_before_the_fragment() {
        let with = |address: &str| with_param(address, "code", "a-1");
        assert_eq!(with("https://a.example"), "https://a.example?code=a-1");
        assert_eq!(with("https://a.example/x?y=1#z"), "https://a.example/x?y=1&code=a-1#z");
        assert_eq!(with("app://back?"), "app://back?code=a-1");
        assert_eq!(with_param("https://a.example/", "code", "a&b"), "https://a.example/?code=");
        assert_eq!(form_target("https://a.example:8/x").as_deref(), Some("https://a.example:8"));
        assert_eq!(form_target("com.northwind.app:/back").as_deref(), Some("com.northwind.app:"));
        assert_eq!(form_target("/path"), None);
    }

    #[test]
    fn own_paths_and_listed_origins_are_gone_to() {
        for path in ["/", "/account", "/a/b?c=d&e=%2Fx//y#f", "/account?x=https://evil.test"] {
            assert_eq!(read(path).as_deref(), Some(path));
            assert_eq!(origin(path), None);
            assert_eq!(read(&format!("{OWN}{path}")).as_deref(), Some(path));
            let there = format!("{APP}{path}");
            assert_eq!(read(&there).as_deref(), Some(there.as_str()));
            assert_eq!(origin(&there), Some(APP));
        }
        assert_eq!(read(OWN).as_deref(), Some("/"));
        assert_eq!(read(&format!("{APP}?a=b")).as_deref(), Some(&*format!("{APP}/?a=b")));
    }

    #[test]
    fn attack_a021_a146_a018_nothing_else_is() {
        for bad in BAD {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        assert_eq!(read(&format!("/{}", "a".repeat(MOST))), None);
        assert_eq!(check("https://x", "", [""]), None, "no origin is not every origin");
    }

    const BAD: &[&str] = &[
        "",
        "account",
        "evil.test",
        "//evil.test",
        "///evil.test",
        "////evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "\\/evil.test",
        "/%5cevil.test",
        "/%5Cevil.test",
        "/%2fevil.test",
        "/%2F/evil.test",
        "/%252fevil.test",
        "/.//evil.test",
        "/./evil.test",
        "/..//evil.test",
        "/%2e%2e//evil.test",
        "/a/../..//evil.test",
        "/a//evil.test",
        "/\t/evil.test",
        "/%09/evil.test",
        "/\n/evil.test",
        "/%0d%0aLocation:%20https://evil.test",
        "/a\r\nSet-Cookie: x=y",
        "/%00",
        "/%7f",
        "/%",
        "/%a",
        "/%zz",
        " /account",
        "/account ",
        "\u{feff}/account",
        "/ä",
        "/\u{2215}evil.test",
        "／／evil.test",
        "https:evil.test",
        "https:/evil.test",
        "https://evil.test",
        "http://id.northwind.example/",
        "HTTPS://id.northwind.example/",
        "https://ID.northwind.example/",
        "https://id.northwind.example.evil.test/",
        "https://id.northwind.example@evil.test/",
        "https://id.northwind.example%40evil.test/",
        "https://id.northwind.example:443@evil.test/",
        "https://id.northwind.example:8443/",
        "https://id.northwind.example.",
        "https://id.northwind.example//evil.test",
        "https://app.northwind.example/",
        "https://app.northwind.example:84433/",
        "https://app.northwind.example:8443@evil.test",
        "https://app.northwind.example:8443\\@evil.test",
        "https://app.northwind.example:8443.evil.test",
        "https://app.northwind.example:8443;@evil.test",
        "https://evil.test?https://app.northwind.example:8443/",
        "https://evil.test#https://app.northwind.example:8443/",
        "javascript:alert(1)",
        "JaVaScRiPt://id.northwind.example/%0aalert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "intent://evil.test",
        "blob:https://id.northwind.example/x",
        "?a=b",
        "#x",
        "@evil.test",
        ".evil.test",
        "/<script>",
        "/\"onclick",
        "/'\u{0}",
        "/{x}",
        "/|x",
        "/^x",
        "/`x",
    ];
}
