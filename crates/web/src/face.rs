//! Faces that stand at mounts: a dialect hands over its router, and requests for one of its mounts come to it with the
//! mount's path taken off and the mount beside them.

use crate::{App, edge};
use axum::{Router, middleware};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use latchstring_core::mount::Mount;
use std::sync::Arc;

/// What pages of other origins may send to a face and read of its answers. Such a face takes no cookies, so that any
/// origin may ask.
#[derive(Debug)]
pub struct Cors {
    /// `Access-Control-Allow-Methods`.
    pub methods: HeaderValue,
    /// `Access-Control-Allow-Headers`.
    pub headers: HeaderValue,
    /// `Access-Control-Expose-Headers`.
    pub expose: HeaderValue,
}

impl Cors {
    pub(crate) fn dress(&self, headers: &mut HeaderMap) {
        let mut put = |name: HeaderName, value: &HeaderValue| headers.insert(name, value.clone());
        put(header::ACCESS_CONTROL_ALLOW_ORIGIN, &HeaderValue::from_static("*"));
        put(header::ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
        put(header::ACCESS_CONTROL_ALLOW_HEADERS, &self.headers);
        put(header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose);
        put(header::ACCESS_CONTROL_MAX_AGE, &HeaderValue::from_static("600"));
    }
}

/// A dialect, as the binary lists it.
pub struct Dialect {
    /// The name of its face, as mounts have it.
    pub face: &'static str,
    /// Its routes, relative to a mount.
    pub routes: fn() -> Router<App>,
    /// What other origins may do.
    pub cors: &'static Cors,
}

/// The mount that a request came to.
#[derive(Debug, Clone)]
pub struct At {
    /// The mount.
    pub mount: Arc<Mount>,
    pub(crate) cors: &'static Cors,
}

/// A dialect with its router.
pub(crate) struct Face {
    name: &'static str,
    cors: &'static Cors,
    pub(crate) router: Router,
}

impl Face {
    pub(crate) fn new(app: &App, dialect: &Dialect) -> Self {
        let router = (dialect.routes)()
            .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
            .with_state(app.clone());
        Self { name: dialect.face, cors: dialect.cors, router }
    }
}

/// Leads a request to the face at whose mount it arrived. `None`: it is for our own faces, and unchanged.
pub(crate) fn lead<'f, B>(app: &App, faces: &'f [Face], request: &mut Request<B>) -> Option<&'f Face> {
    let mounts = app.realm()?.mounts();
    if mounts.is_empty() {
        return None;
    }
    let (mount, rest) = mounts.find(edge::host(request)?, request.uri().path())?;
    // A face that this binary has no dialect for is none.
    let face = faces.iter().find(|face| face.name == mount.face)?;
    let path = if rest.is_empty() { "/" } else { rest };
    let path = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    let uri = Uri::from_parts(parts).ok()?;
    let at = At { mount: mount.clone(), cors: face.cors };
    *request.uri_mut() = uri;
    request.extensions_mut().insert(at);
    Some(face)
}
