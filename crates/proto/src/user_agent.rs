//! User-Agent (RFC 9110, 10.1.5), as far as people know what they signed in with. A User-Agent says what it likes; only
//! names from these lists come of it.

/// Browsers, those first that also name themselves as others do.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// Systems, those first that also name themselves as others do.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
];

/// What a User-Agent says that it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Device {
    /// “Chrome”.
    pub browser: Option<&'static str>,
    /// “Windows”.
    pub system: Option<&'static str>,
}

/// Reads a User-Agent.
pub fn parse(user_agent: &str) -> Device {
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    Device { browser: find(BROWSERS), system: find(SYSTEMS) }
}

/// Whether two User-Agents are those of the same thing, as far as they say. A new version is no other thing; but what is
/// only half known, as most apps are, is the same by its whole text alone.
pub fn is_same(one: &str, other: &str) -> bool {
    let device = parse(one);
    one == other || (device.browser.is_some() && device.system.is_some() && device == parse(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_the_names_that_people_use() {
        for (agent, named) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 \
                 Safari/537.36",
                "Chrome on Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 \
                 Safari/537.36 Edg/131.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0",
                "Firefox on Mac",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Linux"),
            ("curl/8.5.0", "curl"),
            ("<script>alert(1)</script>", "nothing"),
        ] {
            let Device { browser, system } = parse(agent);
            let said: Vec<_> = browser.into_iter().chain(system).collect();
            let said = if said.is_empty() { "nothing".to_owned() } else { said.join(" on ") };
            assert_eq!(said, named);
        }
        assert_eq!(parse(""), Device::default());
    }
}
