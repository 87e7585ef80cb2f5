//! Which language a visitor gets: what they chose on a page of ours, else what their browser asks for, else the realm's
//! own. The choice is remembered in a cookie that says nothing else.

use super::{forms::encoded, templates::Other};
use axum::extract::Query;
use http::{HeaderMap, HeaderValue, Uri, header};
use latchstring_core::realm::Realm;
use latchstring_look::{Language, brand::Brand};
use latchstring_web::{App, Config, cookie};
use serde::Deserialize;
use std::sync::Arc;

/// A year.
const REMEMBERED: u32 = 31_536_000;

/// For how long a choice is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remember {
    Long,
    Shortly,
}

/// What a visitor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) language: Language,
    /// Whether it was chosen just now, by a link of ours with `lang=`, and is to be remembered.
    pub(super) chosen: Option<Remember>,
    /// Whether anything said so, or it is only the realm's own.
    pub(super) asked: bool,
}

/// The language for a request.
pub(super) fn of(app: &App, headers: &HeaderMap, uri: &Uri) -> Spoken {
    let brand = brand(app);
    let offered = brand.languages();
    let known = |tag: &str| Language::of_tag(tag).filter(|language| offered.contains(language));
    if let Some(language) = parameter(uri).and_then(known) {
        // A link from elsewhere chooses for as long as the browser is open, a link of ours or an address that somebody
        // typed for a year.
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let own = site.is_none_or(|site| matches!(site, b"same-origin" | b"none"));
        let chosen = Some(if own { Remember::Long } else { Remember::Shortly });
        return Spoken { language, chosen, asked: true };
    }
    let remembered = cookie::named(headers, &name(app.config())).and_then(known);
    let language = remembered.or_else(|| {
        // Of several headers the first is as good as any.
        let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        Language::accepted(accepted, offered)
    });
    Spoken { language: language.unwrap_or(brand.language()), chosen: None, asked: language.is_some() }
}

/// How the realm speaks, or as long as there is none, Latchstring.
fn brand(app: &App) -> Arc<Brand> {
    app.realm().map(Realm::brand).unwrap_or_default()
}

/// The cookie that remembers a choice, or that there is none.
pub(super) fn remember(config: &Config, language: Option<Language>, long: Remember) -> Option<HeaderValue> {
    let secure = if config.secure { "; Secure" } else { "" };
    let (name, tag) = (name(config), language.map_or("", Language::tag));
    let age = match (language, long) {
        (None, _) => "; Max-Age=0".to_owned(),
        (_, Remember::Long) => format!("; Max-Age={REMEMBERED}"),
        (_, Remember::Shortly) => String::new(),
    };
    let text = format!("{name}={tag}; Path=/{age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).ok()
}

fn name(config: &Config) -> String {
    config.cookie_named("lang")
}

const PARAMETER: &str = "lang";

fn parameter(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='))
}

/// What stays in the address of a page when its language changes: never a token, nor an address to be led to that is
/// not listed.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kept {
    return_to: Option<String>,
    another: Option<String>,
    by: Option<String>,
}

/// The address of this page in each language, if there is more than one.
pub(super) fn others(app: &App, uri: &Uri) -> Vec<Other> {
    let brand = brand(app);
    let offered = brand.languages();
    if offered.len() < 2 {
        return Vec::new();
    }
    let Kept { return_to, another, by } =
        Query::try_from_uri(uri).map(|Query(kept)| kept).unwrap_or_default();
    let return_to = return_to.and_then(|to| app.realm()?.may_return_to(&to));
    let kept: String = [("return_to", return_to), ("another", another), ("by", by)]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}&", encoded(&value?))))
        .collect();
    offered
        .iter()
        .map(|language| {
            let tag = language.tag();
            Other {
                tag,
                name: language.name(),
                href: format!("{}?{kept}{PARAMETER}={tag}", encoded(uri.path())),
            }
        })
        .collect()
}
