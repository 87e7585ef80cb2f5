//! What a realm makes its own: colour, logo, languages, words, legal links, and the frames of pages and mails.

use crate::{
    Language, Overrides, Words,
    colour::{Colour, DARK, LIGHT, READABLE},
    template,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::Environment;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// How a realm looks and speaks, as its operator sets it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookSettings {
    /// The colour of buttons and links, as `#rrggbb`. Empty: Latchstring's own.
    pub colour: String,
    /// The same in the dark. Empty: a shade of `colour` that can be read there.
    pub colour_dark: String,
    /// The logo, as a `data:` URL of a PNG, JPEG, WebP or SVG picture of at most 32 KiB. Mails show PNG and JPEG only.
    /// Empty: Latchstring's mark.
    pub logo: String,
    /// The languages of pages and mails, the realm's own first: `en`, `de`, `ar`. Empty: all of them, English first.
    pub languages: Vec<String>,
    /// Links at the foot of pages and mails.
    pub legal: Vec<LegalLink>,
    /// Messages said otherwise: language, name of the message, text.
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// Frames of its own: `door.html` around the pages of signing in, `mail.html` around what mails say.
    pub templates: BTreeMap<String, String>,
}

/// A link to terms, imprint and the like.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LegalLink {
    /// What it is called: 1 to 60 characters.
    pub name: String,
    /// What it is called in languages of its own.
    pub names: BTreeMap<String, String>,
    /// Where it leads: https.
    pub url: String,
}

/// Why a realm can't look so.
#[derive(Debug, PartialEq, Eq)]
pub struct WrongLook {
    /// The setting, without `look.`.
    pub param: &'static str,
    /// What is wrong with it.
    pub says: String,
}

fn wrong<T>(param: &'static str, says: impl Into<String>) -> Result<T, WrongLook> {
    Err(WrongLook { param, says: says.into() })
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// The ending of its name.
    pub extension: &'static str,
}

impl Logo {
    /// Where mails find it: under a name that stays, since mails are kept for years. Whatever the picture is then, it is
    /// served there.
    pub const PATH: &'static str = "/assets/logo";

    /// Whether mail programs show such pictures.
    pub fn is_for_mail(&self) -> bool {
        matches!(self.extension, "png" | "jpg")
    }
}

/// A colour for one scheme, and the text on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The colour.
    pub colour: Colour,
    /// What is written on it.
    pub ink: Colour,
}

impl Pair {
    fn of(colour: Colour) -> Self {
        Self { colour, ink: colour.ink() }
    }
}

/// [`LookSettings`], read and checked.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    /// In the light and in the dark, if the realm has a colour.
    pub colours: Option<[Pair; 2]>,
    /// The logo, if it has one.
    pub logo: Option<Logo>,
    /// The languages, its own first; never empty but by default.
    languages: Vec<Language>,
    /// The words.
    pub words: Words,
    legal: Vec<LegalLink>,
    templates: BTreeMap<String, String>,
    made: Made,
}

/// What is made of a brand once, at first use.
#[derive(Debug, Clone, Default)]
struct Made {
    addresses: OnceLock<Addresses>,
    door: OnceLock<Option<Arc<Environment<'static>>>>,
    mail: OnceLock<Option<Arc<Environment<'static>>>>,
    told: Arc<AtomicBool>,
}

/// Where the style sheet and the logo of a realm are served: names that change with their content.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The style sheet with its colours.
    pub style: Option<String>,
    /// The logo.
    pub logo: Option<String>,
}

/// Most bytes of a logo.
const LOGO: usize = 32 * 1024;

impl Brand {
    /// Reads and checks what an operator has set.
    ///
    /// # Errors
    /// [`WrongLook`], which says what would do.
    pub fn new(settings: &LookSettings) -> Result<Self, WrongLook> {
        let (brand, wrong) = Self::as_far_as_possible(settings);
        wrong.into_iter().next().map_or(Ok(brand), Err)
    }

    /// What can be read of `settings`, and what can't: there, Latchstring's own serves.
    pub fn as_far_as_possible(settings: &LookSettings) -> (Self, Vec<WrongLook>) {
        let mut wrong = Vec::new();
        let mut brand = Self {
            colours: or_ours(colours(settings), &mut wrong),
            logo: or_ours(logo(&settings.logo), &mut wrong),
            languages: or_ours(languages(&settings.languages), &mut wrong),
            words: words(settings, &mut wrong),
            legal: or_ours(legal(&settings.legal), &mut wrong),
            templates: BTreeMap::new(),
            made: Made::default(),
        };
        for (name, text) in &settings.templates {
            match template::check(name, text, &brand) {
                Ok(()) => {
                    brand.templates.insert(name.clone(), text.clone());
                }
                Err(says) => wrong.push(WrongLook { param: "templates", says }),
            }
        }
        (brand, wrong)
    }

    /// The languages of the realm, its own first.
    pub fn languages(&self) -> &[Language] {
        if self.languages.is_empty() { &Language::ALL } else { &self.languages }
    }

    /// The realm's own language.
    pub fn language(&self) -> Language {
        self.languages()[0]
    }

    /// Names and addresses of the legal links.
    pub fn legal(&self, language: Language) -> impl Iterator<Item = (&str, &str)> {
        self.legal.iter().map(move |link| {
            let own = link.names.get(language.tag()).unwrap_or(&link.name);
            (own.as_str(), link.url.as_str())
        })
    }

    /// The addresses of what is the realm's own; `hash` makes the part of a name that changes with the content.
    pub fn addresses(&self, hash: impl Fn(&[u8]) -> String) -> &Addresses {
        self.made.addresses.get_or_init(|| Addresses {
            style: self.style().map(|text| format!("/assets/brand.{}.css", hash(text.as_bytes()))),
            logo: self
                .logo
                .as_ref()
                .map(|logo| format!("/assets/logo.{}.{}", hash(&logo.bytes), logo.extension)),
        })
    }

    /// `environment`, made once, with the realm's own frame of the door, if it has one.
    pub fn door(
        &self,
        environment: impl FnOnce() -> Environment<'static>,
    ) -> Option<Arc<Environment<'static>>> {
        self.made.door.get_or_init(|| self.framed("door.html", environment)).clone()
    }

    /// The environment of mails with the realm's own frame, if it has one.
    pub(crate) fn mail(&self) -> Option<Arc<Environment<'static>>> {
        self.made.mail.get_or_init(|| self.framed("mail.html", template::environment)).clone()
    }

    fn framed(
        &self,
        name: &str,
        environment: impl FnOnce() -> Environment<'static>,
    ) -> Option<Arc<Environment<'static>>> {
        let text = self.templates.get(name)?;
        template::with_frame(environment(), name, text).ok().map(Arc::new)
    }

    /// Whether it is the first time that a frame of this brand fails: once is enough to be told.
    pub fn fails_first(&self) -> bool {
        !self.made.told.swap(true, Ordering::Relaxed)
    }

    /// The style sheet that sets the colours, if there is anything to set.
    pub fn style(&self) -> Option<String> {
        let [light, dark] = self.colours?;
        let rule = |pair: Pair| format!(":root{{--brand:{};--brand-ink:{}}}", pair.colour, pair.ink);
        Some(format!("{}\n@media (prefers-color-scheme:dark){{{}}}\n", rule(light), rule(dark)))
    }
}

fn or_ours<T: Default>(read: Result<T, WrongLook>, wrong: &mut Vec<WrongLook>) -> T {
    read.unwrap_or_else(|e| {
        wrong.push(e);
        T::default()
    })
}

fn colours(settings: &LookSettings) -> Result<Option<[Pair; 2]>, WrongLook> {
    let read = |param, text: &str, grounds: &[Colour], end: Colour, place: &str| {
        let Some(colour) = Colour::parse(text) else {
            return wrong(param, "A colour is written as #rrggbb, such as #14524b.");
        };
        if colour.reads(grounds) {
            return Ok(colour);
        }
        let shade =
            colour.readable(grounds, end).map_or_else(String::new, |shade| format!(" {shade} would do."));
        // Rounded down: what is refused must not read as enough.
        let contrast = (colour.on(grounds) * 100.0).floor() / 100.0;
        wrong(
            param,
            format!(
                "Its contrast {place} is {contrast:.1}:1, and text needs {READABLE}:1 (WCAG 2.2, 1.4.3).{shade}"
            ),
        )
    };
    if settings.colour.is_empty() {
        return match settings.colour_dark.is_empty() {
            true => Ok(None),
            false => wrong("colour_dark", "It goes with `colour`, which is not set."),
        };
    }
    let light = read("colour", &settings.colour, &LIGHT, Colour::BLACK, "on a light page")?;
    let dark = match settings.colour_dark.as_str() {
        "" => light.readable(&DARK, Colour::WHITE).unwrap_or(Colour::WHITE),
        text => read("colour_dark", text, &DARK, Colour::WHITE, "on a dark page")?,
    };
    Ok(Some([Pair::of(light), Pair::of(dark)]))
}

fn logo(text: &str) -> Result<Option<Logo>, WrongLook> {
    if text.is_empty() {
        return Ok(None);
    }
    let kinds: [(&str, &str, &[&[u8]]); 4] = [
        ("image/png", "png", &[b"\x89PNG\r\n\x1a\n"]),
        ("image/jpeg", "jpg", &[b"\xff\xd8\xff"]),
        ("image/webp", "webp", &[b"RIFF"]),
        ("image/svg+xml", "svg", &[b"<svg", b"<?xml"]),
    ];
    let shape = "A logo is written as data:image/png;base64,… (or jpeg, webp, svg+xml).";
    let Some((kind, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) else {
        return wrong("logo", shape);
    };
    let Some((media_type, extension, begins)) = kinds.into_iter().find(|(known, ..)| *known == kind) else {
        return wrong("logo", shape);
    };
    if data.len() > LOGO.div_ceil(3) * 4 {
        return wrong("logo", "At most 32 KiB.");
    }
    let Ok(bytes) = STANDARD.decode(data) else { return wrong("logo", shape) };
    let is_webp = extension != "webp" || bytes.get(8..12) == Some(b"WEBP");
    if !is_webp || !begins.iter().any(|begins| bytes.starts_with(begins)) {
        return wrong("logo", format!("Its bytes are not those of {media_type}."));
    }
    Ok(Some(Logo { bytes, media_type, extension }))
}

fn language(param: &'static str, tag: &str) -> Result<Language, WrongLook> {
    let known = Language::ALL.into_iter().find(|language| language.tag() == tag);
    known.ok_or_else(|| {
        let tags = Language::ALL.map(Language::tag).join(", ");
        WrongLook { param, says: format!("There is no “{tag}”. Known: {tags}.") }
    })
}

fn languages(tags: &[String]) -> Result<Vec<Language>, WrongLook> {
    let mut languages = Vec::new();
    for tag in tags {
        let language = language("languages", tag)?;
        if languages.contains(&language) {
            return wrong("languages", format!("“{tag}” stands there twice."));
        }
        languages.push(language);
    }
    Ok(languages)
}

fn words(settings: &LookSettings, wrong: &mut Vec<WrongLook>) -> Words {
    let mut say = |says: String| wrong.push(WrongLook { param: "words", says });
    if settings.words.values().map(BTreeMap::len).sum::<usize>() > 500 {
        say("At most 500 messages.".into());
        return Words::default();
    }
    let mut overrides = Overrides::new();
    for (tag, messages) in &settings.words {
        match language("words", tag) {
            Ok(language) => {
                overrides.insert(language, messages.clone());
            }
            Err(e) => say(e.says),
        }
    }
    let (words, left_out) = Words::new(&overrides);
    left_out.into_iter().for_each(|e| say(format!("{e}.")));
    words
}

fn legal(links: &[LegalLink]) -> Result<Vec<LegalLink>, WrongLook> {
    if links.len() > 6 {
        return wrong("legal", "At most 6 links.");
    }
    for link in links {
        let named = |name: &str| {
            (1..=60).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
        };
        if !named(&link.name) || !link.names.values().all(|name| named(name)) {
            return wrong("legal", "A link needs a name of 1 to 60 characters.");
        }
        for tag in link.names.keys() {
            language("legal", tag)?;
        }
        let https =
            link.url.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let plain = link.url.len() <= 500
            && link.url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
        if !https || !plain {
            return wrong("legal", "A link leads to an address that begins with https://.");
        }
    }
    Ok(links.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut LookSettings)) -> String {
        let mut settings = LookSettings::default();
        change(&mut settings);
        let WrongLook { param, says } = Brand::new(&settings).expect_err("refused");
        format!("{param}: {says}")
    }

    #[test]
    fn a_colour_that_nobody_could_read_is_refused_with_one_that_would_do() {
        let says = refused(|look| look.colour = "#ffcc00".into());
        let would = says.split(". ").last().and_then(|s| s.strip_suffix(" would do.")).expect("a shade");
        assert!(says.starts_with("colour: Its contrast on a light page is 1."), "{says}");
        let brand =
            Brand::new(&LookSettings { colour: would.into(), ..Default::default() }).expect("a brand");
        let [light, dark] = brand.colours.expect("colours");
        assert!(light.colour.reads(&LIGHT) && dark.colour.reads(&DARK));
        assert!(brand.style().expect("a sheet").contains(&format!("--brand:{would}")));
        assert!(refused(|look| look.colour = "red;}".into()).contains("#rrggbb"));
        assert!(refused(|look| look.colour_dark = "#ffffff".into()).contains("not set"));
    }

    #[test]
    fn a_logo_is_a_small_picture() {
        let png = format!("data:image/png;base64,{}", STANDARD.encode(b"\x89PNG\r\n\x1a\n..."));
        let brand = Brand::new(&LookSettings { logo: png, ..Default::default() }).expect("a brand");
        assert!(brand.logo.expect("a logo").is_for_mail());
        for logo in [
            "https://northwind.example/logo.png".to_owned(),
            "data:text/html;base64,PGI+".to_owned(),
            format!("data:image/png;base64,{}", STANDARD.encode("<svg onload=alert(1)>")),
            format!("data:image/png;base64,{}", "A".repeat(50_000)),
            "data:image/png;base64,%".to_owned(),
        ] {
            assert!(refused(|look| look.logo = logo).starts_with("logo: "));
        }
    }

    #[test]
    fn legal_links_lead_to_https() {
        for url in [
            "http://a.example",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a\"b",
            "//a.example",
        ] {
            let link = LegalLink { name: "Terms".into(), url: url.into(), ..Default::default() };
            assert!(refused(|look| look.legal = vec![link]).contains("https://"), "{url}");
        }
    }

    #[test]
    fn languages_and_words_are_checked() {
        assert!(refused(|look| look.languages = vec!["fr".into()]).contains("Known: en, de, ar"));
        assert!(refused(|look| look.languages = vec!["de".into(), "de".into()]).contains("twice"));
        let words = BTreeMap::from([("sign-in-lead".to_owned(), "{ $nobody }".to_owned())]);
        let says = refused(|look| look.words = BTreeMap::from([("de".to_owned(), words)]));
        assert!(says.contains("$nobody") && says.contains("$brand"), "{says}");
    }
}
