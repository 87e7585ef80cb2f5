//! The edge: what every request passes. Request id, host, the client's address, the guard's facts, CORS, security
//! headers, metrics and the log line.

use crate::{
    app::{App, Config},
    ctx::Arrived,
    face::{At, Cors},
    problem,
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use latchstring_core::{Kind, Refusal, audit::Source, clock::Stopwatch, mount::ANY_HOST};
use latchstring_proto::net::client_ip;
use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, RandomState},
    io::Write,
    net::{IpAddr, SocketAddr},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The peer of the connection, put into each request before the router.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Names a request in logs, in its answer and in the audit.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(u64);

/// So that ids of several processes and starts differ. Not a secret.
static START: LazyLock<u32> = LazyLock::new(|| RandomState::new().hash_one("start") as u32);

impl RequestId {
    /// The next one.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn header(self) -> HeaderValue {
        let mut text = [0; 32];
        let mut rest = &mut text[..];
        // 8, 1 and at most 16 characters.
        let _ = write!(rest, "{self}");
        let free = rest.len();
        HeaderValue::from_bytes(&text[..32 - free]).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", *START, self.0)
    }
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDING: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Paths that answer whatever the Host says: load balancers ask by address.
fn any_host(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// What is known of a request before it is handed on, for what follows.
pub(crate) struct Facts<'a> {
    watch: Stopwatch,
    id: RequestId,
    route: Cow<'a, str>,
    public: bool,
    origin: Option<HeaderValue>,
    face: Option<&'static Cors>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of<B>(id: RequestId, request: &http::Request<B>, route: &'a str) -> Self {
        Self {
            watch: Stopwatch::start(),
            id,
            // Another face's path may be spelled as ours is.
            route: match request.extensions().get::<At>() {
                Some(at) => format!("{}:{route}", at.mount.face).into(),
                None => route.into(),
            },
            public: is_public(request.uri().path()),
            origin: request.headers().get(header::ORIGIN).cloned(),
            face: request.extensions().get::<At>().map(|at| at.cors),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.watch.elapsed()
    }
}

/// The edge as a layer around the routes of a router.
pub async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().copied().unwrap_or_else(RequestId::next);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let facts = Facts::of(id, &request, route.as_ref().map_or("(none)", MatchedPath::as_str));
    let method = request.method().clone();
    let mut response = match admit(app.config(), &request) {
        Err(refusal) => problem::Problem(refusal.into()).into_response(),
        Ok(())
            if method == Method::OPTIONS
                && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) =>
        {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(()) => {
            let arrived = arrived(&app, &request, id);
            request.extensions_mut().insert(arrived);
            next.run(request).await
        }
    };
    dress(&app, response.headers_mut(), &facts);
    note(&app, &response, &method, &facts);
    response
}

/// Checks the host and, in development, that no proxy stands before us.
pub(crate) fn admit<B>(config: &Config, request: &http::Request<B>) -> Result<(), Refusal> {
    let path = request.uri().path();
    let mounted = request.extensions().get::<At>().is_some_and(|at| at.mount.host != ANY_HOST);
    if !any_host(path) && !mounted && !host_is_ours(config, request) {
        return Err(Refusal::new(Kind::NotFound).says("This server answers only for its own host name."));
    }
    // A dev server behind a proxy would be a server on the internet with its mail in the open.
    if config.dev
        && path != "/api/v1/forward-auth"
        && FORWARDING.iter().any(|name| request.headers().contains_key(*name))
    {
        return Err(Kind::InputInvalid
            .param("X-Forwarded-For")
            .says("`latchstring dev` does not run behind a proxy. Use `latchstring serve` there."));
    }
    Ok(())
}

/// Finds out where a request came from.
fn arrived(app: &App, request: &Request, id: RequestId) -> Arrived {
    let headers = request.headers();
    let peer = request.extensions().get::<Peer>().map(|p| p.0.ip().to_canonical());
    let address = peer.map(|peer| client(app.config(), headers, peer));
    let user_agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).map(|v| cut(v, 400));
    let source = Source { address, user_agent, request_id: Some(id.to_string()), language: None };
    Arrived { source: source.into(), may_act: may_act(app, headers) }
}

fn client(config: &Config, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
    if config.trusted_proxies.is_empty() {
        return peer;
    }
    let values: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    client_ip(peer, &values, &config.trusted_proxies)
}

fn host_is_ours<B>(config: &Config, request: &http::Request<B>) -> bool {
    host(request).is_some_and(|host| config.hosts.iter().any(|h| h.eq_ignore_ascii_case(host)))
}

/// The host that a request asks for, if it names exactly one.
pub(crate) fn host<B>(request: &http::Request<B>) -> Option<&str> {
    // HTTP/2 has the host in the URI; HTTP/1 in the header, exactly once.
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// A browser says where a request comes from: by `Sec-Fetch-Site`, or by `Origin`. Both absent: not a browser that we
/// know, and a cookie alone does not act.
fn may_act(app: &App, headers: &HeaderMap) -> bool {
    // Navigations by hand (`none`) never act; other origins must be listed.
    if headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin") {
        return true;
    }
    match headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()) {
        Some(origin) => is_own(app.config(), origin) || is_listed(app, origin),
        None => false,
    }
}

fn is_own(config: &Config, origin: &str) -> bool {
    if origin == config.origin {
        return true;
    }
    // Dev is reached by several names of this machine; each is its own origin.
    let scheme = if config.secure { "https://" } else { "http://" };
    config.dev && origin.strip_prefix(scheme).is_some_and(|host| config.hosts.iter().any(|h| h == host))
}

fn is_listed(app: &App, origin: &str) -> bool {
    app.realm().is_some_and(|realm| realm.settings().1.origins.iter().any(|o| o == origin))
}

/// What anybody may read, from any origin, without credentials.
fn is_public(path: &str) -> bool {
    path.starts_with("/.well-known/") || path == "/token/jwks.json" || path == "/api/v1/openapi.json"
}

/// Puts on an answer what every answer wears.
pub(crate) fn dress(app: &App, headers: &mut HeaderMap, facts: &Facts<'_>) {
    headers.insert(REQUEST_ID, facts.id.header());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    // Not in development: it would hold for every other server on `localhost`, whatever its port (RFC 6797, 8.2).
    if app.config().secure && !app.config().dev {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    cors(app, headers, facts);
}

/// Counts an answer and writes its line to the log.
fn note(app: &App, response: &Response, method: &Method, facts: &Facts<'_>) {
    let status = response.status();
    let kind = response.extensions().get::<Kind>().copied();
    let elapsed = facts.elapsed();
    let route = &*facts.route;
    app.metrics().requests(route, status.as_u16()).inc();
    app.metrics().took(elapsed);
    if let Some(kind) = kind {
        app.metrics().refused(kind);
    }
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let code = kind.map_or("", Kind::code);
    let id = facts.id;
    // Routes and codes only: paths and bodies may hold secrets.
    if status.is_server_error() {
        tracing::warn!(request_id = %id, %method, route, status = status.as_u16(), micros, code, "answered");
    } else if method == Method::GET || route == "/api/v1/session/check" {
        tracing::debug!(request_id = %id, %method, route, status = status.as_u16(), micros, code, "answered");
    } else {
        tracing::info!(request_id = %id, %method, route, status = status.as_u16(), micros, code, "answered");
    }
}

/// An answer of the listener's own, when no handler gave one: it wears what every answer wears, and is counted.
pub(crate) fn own(app: &App, id: RequestId, document: &problem::Document) -> Response {
    let mut response = problem::answer(document);
    let facts = Facts {
        watch: Stopwatch::start(),
        id,
        route: "(none)".into(),
        public: false,
        origin: None,
        face: None,
    };
    dress(app, response.headers_mut(), &facts);
    app.metrics().requests(&facts.route, response.status().as_u16()).inc();
    response
}

fn cors(app: &App, headers: &mut HeaderMap, facts: &Facts<'_>) {
    if let Some(face) = facts.face {
        face.dress(headers);
        return;
    }
    if facts.public {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = &facts.origin else { return };
    let Ok(text) = origin.to_str() else { return };
    let token = facts.route == "/token";
    let listed = if token {
        app.realm().is_some_and(|realm| realm.settings().1.token_endpoint.origins.iter().any(|o| o == text))
    } else {
        facts.route.starts_with("/api/") && is_listed(app, text)
    };
    if !listed {
        return;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if !token {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "authorization, content-type, if-match, latchstring-attempt, x-requested-with",
        ),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("etag, ratelimit, ratelimit-policy, retry-after, x-request-id"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
