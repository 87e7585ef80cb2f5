//! What is asked for in clear, where TLS is: whoever only looks is led to the same place under https, and whoever sends
//! something is told that it was not taken. A redirect would hide from a program that it sends its secrets in clear.

use crate::{App, Service, edge, problem};
use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use latchstring_core::certificate;

/// Where certificate authorities ask.
const PROOFS: &str = "/.well-known/acme-challenge/";

/// The service of a listener without TLS beside one with it.
pub fn service(app: &App) -> Service {
    let router = Router::new().fallback(lead).with_state(app.clone());
    Service::new(app.clone(), router)
}

async fn lead(State(app): State<App>, request: Request) -> Response {
    // It wears nothing of what answers under https wear: RFC 6797, 7.2.
    let looks = *request.method() == Method::GET;
    let token = request.uri().path().strip_prefix(PROOFS).filter(|_| looks).map(ToOwned::to_owned);
    let proof = match token {
        Some(token) => proof(&app, &token).await,
        None => None,
    };
    let mut response = match proof {
        Some(answer) => answer.into_response(),
        None => answer(&app, &request),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    app.metrics().requests("(http)", response.status().as_u16()).inc();
    response
}

/// What a certificate authority asks for, to see that a host leads here (RFC 8555, 8.3).
async fn proof(app: &App, token: &str) -> Option<String> {
    certificate::proof(app.realm()?, token).await.ok().flatten()
}

fn answer(app: &App, request: &Request) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    // A cookie says nothing: ours never come in clear, and those of other sites of the domain may.
    let shows = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION];
    if !looks || shows.iter().any(|name| request.headers().contains_key(name)) {
        return problem::answer(&problem::HTTPS_REQUIRED.document());
    }
    // Where to comes from what we know, and never from what was asked.
    let host = edge::host(request).map(bare).unwrap_or_default();
    let own = app.config().hosts.iter().any(|own| bare(own).eq_ignore_ascii_case(host));
    let origin = if own {
        // In development it has several names.
        let asked = |own: &&String| Some(own.as_str()) == edge::host(request);
        match app.config().hosts.iter().find(asked).filter(|_| app.config().dev) {
            Some(host) => format!("https://{host}"),
            None => app.config().origin.clone(),
        }
    } else {
        match app.realm().map(|realm| realm.mounts()).filter(|mounts| mounts.has_host(host)) {
            Some(_) => format!("https://{}{}", host.to_ascii_lowercase(), port(&app.config().origin)),
            None => return problem::answer(&problem::HTTPS_REQUIRED.document()),
        }
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // `*`, as of OPTIONS, is no place.
    let path = if path.starts_with('/') { path } else { "/" };
    match HeaderValue::from_str(&format!("{origin}{path}")) {
        Ok(to) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Err(_) => problem::answer(&problem::HTTPS_REQUIRED.document()),
    }
}

/// A host without its port.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((bare, port)) if port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => host,
    }
}

/// The port of an origin, with its colon, where it is not the scheme's own.
fn port(origin: &str) -> &str {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    &host[bare(host).len()..]
}
