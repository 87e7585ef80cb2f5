//! The templates of the pages: in the binary, in one environment.

use super::assets::{self, ADDRESSES};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::refusal::Fault;
use latchstring_look::{
    Language, Words,
    brand::Brand,
    template::{self, Speaker, environment},
};
use latchstring_web::App;
use minijinja::{Environment, Value, context, value::Serde};
use serde::Serialize;
use std::sync::{Arc, LazyLock};

macro_rules! templates {
    ($($name:literal,)*) => {
        pub(super) const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name))),)*];
    };
}

templates! {
    "docs_parts.html",
    "sheet.html",
    "message.html",
    "start.html",
    "start_dev.html",
    "docs.html",
    "mail.html",
    "house.html",
    "door/sign_in.html",
    "door/sign_up.html",
    "door/recover.html",
    "door/code.html",
    "door/confirm.html",
    "door/choose.html",
    "door/sign_out.html",
    "door/signed_out.html",
    "house/checkup.html",
    "house/profile.html",
    "house/security.html",
    "house/sessions.html",
    "house/data.html",
    "house/delete.html",
    "leaving/choose.html",
    "leaving/kept.html",
    "leaving/deleted.html",
    "verify/link.html",
    "verify/elsewhere.html",
    "verify/password.html",
    "verify/invitation.html",
    "verify/done.html",
    "verify/not_me.html",
    "verify/not_me_taken.html",
}

/// What a template shows.
pub(super) trait Page: Serialize {
    /// Its template.
    const TEMPLATE: &'static str;
}

/// What is around every page.
#[derive(Serialize)]
pub(super) struct Frame {
    /// Whose page it is: the realm, as people know it.
    pub brand: String,
    /// Whether there is a mailbox to show.
    pub dev: bool,
    /// The page's place in the menu.
    pub here: &'static str,
    /// The language tag.
    pub lang: &'static str,
    /// Its direction.
    pub dir: &'static str,
    /// The same page in the languages that there are, if there is a choice.
    pub languages: Vec<Other>,
    /// What is said about the service elsewhere.
    pub legal: Vec<Legal>,
    /// The realm's logo and colours, if it has its own: addresses of ours.
    pub logo: Option<String>,
    pub style: Option<String>,
    /// Where pages have the realm's own frame of the door, if it has one.
    #[serde(skip)]
    pub own: Option<Own>,
    /// Says the words.
    #[serde(skip)]
    pub speaker: Value,
}

/// The environment with a realm's own frame, and whose it is.
pub(super) struct Own {
    environment: Arc<Environment<'static>>,
    brand: Arc<Brand>,
}

/// The page in another language.
#[derive(Serialize)]
pub(super) struct Other {
    pub tag: &'static str,
    pub name: &'static str,
    pub href: String,
}

/// A link to terms, imprint and the like.
#[derive(Serialize)]
pub(super) struct Legal {
    pub name: String,
    pub url: String,
}

impl Frame {
    /// A page of the realm's, as it looks now.
    pub(super) fn of(app: &App, language: Language) -> Self {
        let dev = app.config().dev;
        let Some(realm) = app.realm() else {
            return Self::new("Latchstring".into(), language, &Words::default(), dev);
        };
        let brand = &realm.brand();
        let legal = brand.legal(language).map(|(name, url)| Legal { name: name.into(), url: url.into() });
        let frame = Self::new(realm.settings().1.name.clone(), language, &brand.words, dev);
        Self {
            legal: legal.collect(),
            logo: assets::of_brand(brand).logo.clone(),
            style: assets::of_brand(brand).style.clone(),
            own: brand
                .door(|| ENVIRONMENT.clone())
                .map(|environment| Own { environment, brand: brand.clone() }),
            ..frame
        }
    }

    /// A page of `brand` in `language`.
    pub(super) fn new(brand: String, language: Language, words: &Words, dev: bool) -> Self {
        Self {
            brand,
            dev,
            here: "",
            lang: language.tag(),
            dir: language.direction(),
            languages: Vec::new(),
            legal: Vec::new(),
            logo: None,
            style: None,
            own: None,
            speaker: Speaker::value(language, words.clone()),
        }
    }
}

#[expect(clippy::expect_used, reason = "the templates are in the binary, and a test renders each")]
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = environment();
    // Addresses of ours have nothing to escape.
    environment.add_global(
        "assets",
        context! {
            look => Value::from_safe_string(ADDRESSES.look.clone()),
            mark => Value::from_safe_string(ADDRESSES.mark.clone()),
        },
    );
    for (name, text) in TEMPLATES {
        environment.add_template(name, text).expect("a template of ours is well formed");
    }
    environment
});

/// A page as text. Where a realm's own frame fails, ours serves.
pub(super) fn text<P: Page>(frame: &Frame, page: &P) -> Result<String, Fault> {
    let context = context! { frame => Serde(frame), page => Serde(page), t => frame.speaker.clone() };
    if let Some(Own { environment, brand }) = &frame.own {
        match template::render(environment, P::TEMPLATE, &context) {
            Ok(text) => return Ok(text),
            Err(why) if brand.fails_first() => {
                tracing::error!(why, "the realm's own frame of pages failed; ours serves");
            }
            Err(_) => {}
        }
    }
    ENVIRONMENT
        .get_template(P::TEMPLATE)
        .and_then(|template| template.render(&context))
        .map_err(|e| Fault::new("a page can't be rendered", e))
}

/// A page as an answer. Nobody keeps it: it may be about one person.
pub(super) fn page<P: Page>(status: StatusCode, frame: &Frame, page: &P) -> Result<Response, Fault> {
    Ok(answer(status, text(frame, page)?))
}

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// [`POLICY`] for a page whose form may end at `origin`.
pub(super) fn policy_for(origin: &str) -> Option<HeaderValue> {
    let form = format!("form-action 'self' {origin}");
    HeaderValue::from_str(&POLICY.replace("form-action 'self'", &form)).ok()
}

/// HTML of ours, with what browsers are to forbid it.
pub(super) fn answer(status: StatusCode, text: impl IntoResponse) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // A page that opened ours keeps no hand on its window.
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}
