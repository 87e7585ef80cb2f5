//! Templates: in the binary, escaped without exception, and strict about what they name. One environment for all.

use super::assets::ADDRESSES;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{mail::escape, refusal::Fault};
use minijinja::{
    AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde,
};
use serde::Serialize;
use std::sync::LazyLock;

macro_rules! templates {
    ($($name:literal,)*) => {
        pub(super) const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name))),)*];
    };
}

templates! {
    "parts.html",
    "docs_parts.html",
    "door.html",
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
    "house/profile.html",
    "house/security.html",
    "house/sessions.html",
    "house/data.html",
    "house/delete.html",
    "verify/link.html",
    "verify/elsewhere.html",
    "verify/password.html",
    "verify/invitation.html",
    "verify/done.html",
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
}

#[expect(clippy::expect_used, reason = "the templates are in the binary, and a test renders each")]
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters"));
    environment.add_filter("prose", prose);
    environment.add_filter("address", address);
    environment.add_filter("initial", initial);
    environment.add_filter("parts", parts);
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

/// Text with `code` between backticks.
fn prose(text: &str) -> Value {
    let parts = text.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    Value::from_safe_string(parts.collect())
}

/// An e-mail address, which may break in the middle if it has to.
fn address(text: &str) -> Value {
    Value::from_safe_string(escape(text).replace('@', "@<wbr>"))
}

/// A name of several words, which may break between them.
fn parts(text: &str) -> Value {
    Value::from_safe_string(escape(text).replace('_', "_<wbr>"))
}

/// The letter by which an account is known at a glance.
fn initial(text: &str) -> String {
    text.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "·".into(), |c| c.to_uppercase().collect())
}

/// A page as text.
pub(super) fn text<P: Page>(frame: &Frame, page: &P) -> Result<String, Fault> {
    let context = context! { frame => Serde(frame), page => Serde(page) };
    ENVIRONMENT
        .get_template(P::TEMPLATE)
        .and_then(|template| template.render(context))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_escapes_what_it_marks_up() {
        let said = prose("a <b> `<script>` c");
        assert_eq!(said.to_string(), "a &lt;b&gt; <code>&lt;script&gt;</code> c");
        assert_eq!(address("<a.b@c.d>").to_string(), "&lt;a.b@<wbr>c.d&gt;");
    }
}
