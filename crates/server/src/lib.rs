//! Our own faces: the JSON API under `/api/v1`, tokens and keys by OAuth's names, and the pages.
//!
//! Architecture invariant: a handler extracts, calls one rule of `core`, and answers. It decides nothing, opens no
//! transaction and knows no SQL.

pub mod api;
pub mod health;
pub mod oidc;
pub mod pages;

use axum::{Router, middleware};
use latchstring_web::{App, Service, edge};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// The document's fixed part; paths and schemas are collected from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchstring",
        description = "Sign-in you run yourself. Answers are JSON; refusals are problem documents (RFC 9457) with a \
                       stable `code`. Times are RFC 3339 in UTC.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    modifiers(&Security),
    tags(
        (name = "attempts", description = "One sign-in, sign-up, recovery, step-up or proof of an address, step by step."),
        (name = "session", description = "Who is signed in: by cookie, by token, for a proxy."),
        (name = "account", description = "What a signed-in user does with their own account."),
        (name = "users", description = "Management, by API key."),
        (name = "realm", description = "Settings, keys, invitations, audit, revocations; by API key."),
        (name = "tokens", description = "The password form of the textbook app, and what verifies its tokens."),
    )
)]
struct Document;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let components = openapi.components.get_or_insert_with(Default::default);
        let bearer = |text: &str| {
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build(),
            )
        };
        components.add_security_scheme("access_token", bearer("An access token (JWT)."));
        components.add_security_scheme("api_key", bearer("An API key: lsk_…"));
        let cookie = ApiKeyValue::with_description("__Host-latchstring", "The browser's cookie.");
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

fn build() -> (Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(api::routes())
        .merge(oidc::routes())
        .merge(health::routes())
        .split_for_parts()
}

/// Our own faces, behind the edge.
pub fn service(app: App) -> Service {
    let (router, _) = build();
    let router = router
        .merge(pages::routes())
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::not_that_method)
        .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
        .with_state(app.clone());
    // What apps, proxies and verifiers ask again and again.
    let at_once = vec![api::session::CHECK, api::forward_auth::CHECK, oidc::discovery::JWKS];
    Service::new(app, router).at_once(at_once)
}

/// The OpenAPI document, as `openapi.json` has it.
pub fn openapi() -> String {
    let (_, document) = build();
    let mut document = serde_json::to_value(&document).unwrap_or_default();
    api::settings_shape::add_defaults(&mut document);
    let paths = document.get_mut("paths").and_then(serde_json::Value::as_object_mut);
    for (path, operations) in paths.into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            polish(method, path, operation);
        }
    }
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// What the handlers' attributes can't say: names that are unique in the whole document (handlers are named by their
/// verb alone), the header that goes on with an attempt, and the media type of problem documents (RFC 9457, 3).
fn polish(method: &str, path: &str, operation: &mut serde_json::Value) {
    let place: Vec<&str> = path.split(['/', '.', '{', '}']).filter(|part| !part.is_empty()).collect();
    operation["operationId"] = format!("{method}_{}", place.join("_").replace('-', "_")).into();
    if path.starts_with("/api/v1/attempts/{id}") {
        let handle = serde_json::json!({
            "name": "Latchstring-Attempt", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The attempt's handle, where it was begun without a cookie.",
        });
        match operation.get_mut("parameters").and_then(serde_json::Value::as_array_mut) {
            Some(parameters) => parameters.push(handle),
            None => operation["parameters"] = serde_json::json!([handle]),
        }
    }
    let responses = operation.get_mut("responses").and_then(serde_json::Value::as_object_mut);
    for (status, response) in responses.into_iter().flatten() {
        let content = response.get_mut("content").and_then(serde_json::Value::as_object_mut);
        if let Some(content) = content
            && status.starts_with('4')
            && path != "/token"
            && let Some(problem) = content.remove("application/json")
        {
            content.insert("application/problem+json".into(), problem);
        }
    }
}
