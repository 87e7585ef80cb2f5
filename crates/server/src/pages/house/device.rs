//! What people call the thing that they signed in with. A User-Agent says what it likes; only names from these lists
//! come of it.

use latchstring_look::{Arg, Say};

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

/// “Chrome on Windows”.
pub(super) fn name(user_agent: Option<&str>, held_by_browser: bool) -> Say {
    let agent = user_agent.unwrap_or_default();
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let unknown = Say::new(if held_by_browser { "device-browser" } else { "device-app" });
    let on = |browser: Arg, system: &'static str| {
        Say::new("device").with("browser", browser).with("system", system)
    };
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => on(browser.into(), system),
        (Some(browser), None) => Say::new("device-known").with("browser", browser),
        (None, Some(system)) => on(unknown.into(), system),
        (None, None) => unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latchstring_look::{Language, Words};

    fn said(say: Say) -> String {
        Words::default().say(Language::English, &say)
    }

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
            ("<script>alert(1)</script>", "A browser"),
        ] {
            assert_eq!(said(name(Some(agent), true)), named);
        }
        assert_eq!(said(name(None, false)), "An app");
        assert_eq!(said(name(Some("x (iPad)"), false)), "An app on iPad");
    }
}
