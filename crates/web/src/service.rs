//! What a listener serves: a router, and before it the few operations that memory can answer at once.
//!
//! The router boxes a future and clones what it needs for each request; an answer that is one look into memory costs a
//! fraction of that. Such an operation has two ways: a handler in the router, which can answer everything, and an
//! [`AtOnce`], which answers the usual case by the same rules of `core`, or says that it can't tell. Both pass the same
//! edge: [`crate::edge`] is asked here and there.

use crate::{
    App, Config, cookie,
    ctx::bearer,
    edge::{self, Facts, Peer, RequestId},
    face::{self, Dialect, Face},
};
use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, Request, header};
use latchstring_core::realm::Realm;
use prometheus_client::metrics::counter::Counter;
use std::{net::SocketAddr, sync::Arc};
use tower::Service as _;

/// An operation that memory can answer.
pub struct AtOnce {
    /// Its method.
    pub method: Method,
    /// Its path, without parameters.
    pub path: &'static str,
    /// The answer; `None` when memory can't tell or the answer is a refusal: then the router is asked.
    pub answer: fn(&Look<'_>) -> Option<Response>,
}

/// What an [`AtOnce`] may look at.
pub struct Look<'a> {
    /// The realm.
    pub realm: &'a Realm,
    config: &'a Config,
    headers: &'a HeaderMap,
}

/// What a request shows of who calls.
pub enum Shown<'a> {
    /// The browser's cookie.
    Cookie(&'a str),
    /// A bearer token.
    Bearer(&'a str),
}

impl<'a> Look<'a> {
    /// What the request shows: a bearer token before a cookie. `None`: nothing, or nothing usable.
    pub fn shown(&self) -> Option<Shown<'a>> {
        match bearer(self.headers) {
            Some(token) => Some(Shown::Bearer(token.ok()?)),
            None => cookie::value(self.headers, self.config).map(Shown::Cookie),
        }
    }
}

/// A 200 with this body.
pub fn ok(content_type: &'static str, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    // Room for what the edge adds: a map that grows is made twice.
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    *response.headers_mut() = headers;
    response
}

struct Entry {
    operation: AtOnce,
    answered: Counter,
}

/// A router with what is answered before it. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    app: App,
    router: Router,
    faces: Arc<[Face]>,
    at_once: Arc<[Entry]>,
}

impl Service {
    /// A router alone.
    pub fn new(app: App, router: Router) -> Self {
        Self { app, router, faces: Arc::new([]), at_once: Arc::new([]) }
    }

    /// With these operations before the router.
    #[must_use]
    pub fn at_once(mut self, operations: Vec<AtOnce>) -> Self {
        let entry = |operation: AtOnce| Entry {
            answered: self.app.metrics().requests(operation.path, 200),
            operation,
        };
        self.at_once = operations.into_iter().map(entry).collect();
        self
    }

    /// The router alone. For tests that compare.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn router_alone(&self) -> Self {
        Self { at_once: Arc::new([]), ..self.clone() }
    }

    /// With more routes.
    #[must_use]
    pub fn merge(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// With dialects, wherever the realm has mounts of them.
    #[must_use]
    pub fn dialects(mut self, dialects: &[Dialect]) -> Self {
        self.faces = dialects.iter().map(|dialect| Face::new(&self.app, dialect)).collect();
        self
    }

    /// The process.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Answers a request.
    pub async fn answer<B>(&self, id: RequestId, peer: SocketAddr, mut request: Request<B>) -> Response
    where
        B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let router = match face::lead(&self.app, &self.faces, &mut request) {
            Some(face) => &face.router,
            None => {
                if let Some(response) = self.remembered(id, &request) {
                    return response;
                }
                &self.router
            }
        };
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(id);
        router.clone().call(request).await.unwrap_or_else(|never| match never {})
    }

    fn remembered<B>(&self, id: RequestId, request: &Request<B>) -> Option<Response> {
        let path = request.uri().path();
        let entry = self
            .at_once
            .iter()
            .find(|e| e.operation.path == path && e.operation.method == request.method())?;
        let facts = Facts::of(id, request, entry.operation.path);
        let realm = self.app.realm()?;
        edge::admit(self.app.config(), request).ok()?;
        let look = Look { realm, config: self.app.config(), headers: request.headers() };
        let mut response = (entry.operation.answer)(&look)?;
        edge::dress(&self.app, response.headers_mut(), &facts);
        entry.answered.inc();
        self.app.metrics().took(facts.elapsed());
        Some(response)
    }
}
