//! For tests of faces: the real service over a realm of its own, and clients with a cookie jar. Not for programs.

use crate::{App, Config, Service, edge::RequestId};
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use latchstring_core::{
    admin,
    audit::Source,
    mail::Mail,
    testing::{ISSUER, TestRealm},
};
use parking_lot::Mutex;
use std::{net::SocketAddr, sync::Arc};

/// The service of a face over a realm of its own.
pub struct TestApp {
    /// The realm.
    pub realm: TestRealm,
    /// The process.
    pub app: App,
    service: Service,
}

impl TestApp {
    /// The service that `build` makes, in production mode (`https`, `__Host-` cookies).
    pub async fn new(build: fn(App) -> Service) -> Self {
        Self::with(build, Config::new(ISSUER, false, Vec::new()), TestRealm::new().await)
    }

    /// [`TestApp::new`] with another configuration or realm.
    pub fn with(build: fn(App) -> Service, config: Config, realm: TestRealm) -> Self {
        let app = App::new(config, Some(realm.mailbox.clone()));
        app.open(realm.realm.clone());
        Self { service: build(app.clone()), app, realm }
    }

    /// Somebody at a browser: keeps its cookie, and says like a browser where its requests come from.
    pub fn browser(&self) -> Client {
        let mut client = self.bare();
        client.set("sec-fetch-site", "same-origin");
        client
    }

    /// Somebody with a program: no cookie jar worth the name, no Origin.
    pub fn program(&self) -> Client {
        self.bare()
    }

    /// A backend with an API key that has `permissions`.
    pub async fn backend(&self, permissions: &[&str]) -> Client {
        let permissions = permissions.iter().map(|p| (*p).to_owned()).collect();
        let source = Source::default();
        let actor = latchstring_core::audit::Actor::Operator;
        let (_, key) =
            latchstring_core::api_key::create(&self.realm.realm, actor, &source, "test", permissions, None)
                .await
                .expect("a key");
        let mut client = self.bare();
        client.bearer(&key);
        client
    }

    /// A fresh set-up token.
    pub async fn setup_token(&self) -> Option<String> {
        admin::setup::token(&self.realm.realm).await.expect("a set-up token").map(|t| t.to_string())
    }

    /// Does all jobs that are due and gives the newest mail to `address`.
    pub async fn mail_to(&self, address: &str) -> Option<Mail> {
        self.realm.deliver().await;
        self.realm.mailbox.newest_to(address)
    }

    /// The code of the newest mail to `address`.
    pub async fn code_to(&self, address: &str) -> String {
        self.realm.deliver().await;
        let mail = self.realm.mailbox.newest_where(address, |mail| mail.code.is_some());
        mail.and_then(|m| m.code).expect("a mail with a code")
    }

    fn bare(&self) -> Client {
        let host = self.app.config().hosts[0].clone();
        let mut client = Client {
            service: self.service.clone(),
            cookie: Arc::default(),
            headers: HeaderMap::new(),
            peer: SocketAddr::from(([192, 0, 2, 7], 4711)),
        };
        client.set("host", &host);
        client
    }
}

/// Sends requests to the service. Clones share their cookie jar.
#[derive(Clone)]
pub struct Client {
    service: Service,
    cookie: Arc<Mutex<Option<String>>>,
    headers: HeaderMap,
    /// The address that it comes from.
    pub peer: SocketAddr,
}

/// What came back.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The stable code of a problem document.
    #[track_caller]
    pub fn code(&self) -> String {
        self.json()["code"].as_str().expect("a problem document").to_owned()
    }

    /// A header, or the empty text.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// Fails the test unless the status is `status`; gives the answer on.
    #[track_caller]
    pub fn must_be(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Fails the test unless this is a problem document with `status` and `code`.
    #[track_caller]
    pub fn must_refuse(self, status: u16, code: &str) -> Self {
        let answer = self.must_be(status);
        assert_eq!(answer.code(), code);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        answer
    }
}

impl Client {
    /// Sets a header for all further requests.
    pub fn set(&mut self, name: &str, value: &str) {
        let name = HeaderName::try_from(name).expect("a header name");
        self.headers.insert(name, HeaderValue::from_str(value).expect("a header value"));
    }

    /// Takes a header away.
    pub fn unset(&mut self, name: &str) {
        self.headers.remove(name);
    }

    /// The same client, whose requests are all answered by the router.
    pub fn by_the_router(&self) -> Self {
        Self { service: self.service.router_alone(), ..self.clone() }
    }

    /// Sets a bearer token or key for all further requests.
    pub fn bearer(&mut self, token: &str) {
        self.set("authorization", &format!("Bearer {token}"));
    }

    /// The cookie as `name=value`.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().clone()
    }

    /// Plants a cookie.
    pub fn plant(&self, cookie: Option<String>) {
        *self.cookie.lock() = cookie;
    }

    /// Sends a request.
    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(cookie) = self.cookie() {
            request = request.header(header::COOKIE, cookie);
        }
        let body = match body {
            Some((kind, bytes)) => {
                request = request.header(header::CONTENT_TYPE, kind);
                Body::from(bytes)
            }
            None => Body::empty(),
        };
        let request = request.body(body).expect("a request");
        let response = self.service.answer(RequestId::next(), self.peer, request).await;
        let (parts, body) = response.into_parts();
        for set in parts.headers.get_all(header::SET_COOKIE) {
            self.keep(set.to_str().expect("a cookie"));
        }
        let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Keeps what `Set-Cookie` says, for one cookie of ours at a time.
    fn keep(&self, set: &str) {
        let pair = set.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').expect("name=value");
        let mut jar = self.cookie.lock();
        let mut pairs: Vec<String> = jar
            .iter()
            .flat_map(|c| c.split("; "))
            .filter(|p| p.split_once('=').is_none_or(|(n, _)| n != name))
            .map(ToOwned::to_owned)
            .collect();
        if !value.is_empty() && !set.contains("Max-Age=0") {
            pairs.push(pair.to_owned());
        }
        *jar = (!pairs.is_empty()).then(|| pairs.join("; "));
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// POST without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, json: serde_json::Value) -> Answer {
        self.json(Method::POST, path, json).await
    }

    /// Any method with JSON.
    pub async fn json(&self, method: Method, path: &str, json: serde_json::Value) -> Answer {
        self.send(method, path, Some(("application/json", json.to_string().into_bytes()))).await
    }

    /// POST of a form.
    pub async fn form(&self, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, Some(("application/x-www-form-urlencoded", form.as_bytes().to_vec())))
            .await
    }
}
