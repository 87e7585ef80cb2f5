//! `/docs`: the API reference, rendered from the OpenAPI document, and what each problem code means.

mod read;

use super::{
    message::Failure,
    templates::{self, Frame, Page},
    visit::Visit,
};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{Kind, refusal::Fault};
use latchstring_web::problem;
use serde::Serialize;
use std::sync::OnceLock;

/// The page.
#[derive(Serialize)]
pub(super) struct Docs {
    about: String,
    groups: Vec<read::Group>,
    shapes: Vec<read::Shape>,
    problems: Vec<Row>,
}

impl Page for Docs {
    const TEMPLATE: &'static str = "docs.html";
}

/// A kind of problem.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    status: u16,
    title: &'static str,
    says: &'static str,
}

impl Docs {
    pub(super) fn new() -> Result<Self, Fault> {
        let document = serde_json::from_str(&crate::openapi())
            .map_err(|e| Fault::new("the OpenAPI document can't be read", e))?;
        let read::Reference { about, groups, shapes } = read::reference(&document);
        let mut problems: Vec<Row> = Kind::ALL
            .iter()
            .map(|kind| {
                let (title, says) = problem::words(*kind);
                Row { code: kind.code(), status: problem::status(*kind).as_u16(), title, says }
            })
            .collect();
        problems.extend(problem::OWN.map(|own| Row {
            code: own.code,
            status: own.status.as_u16(),
            title: own.title,
            says: own.says,
        }));
        Ok(Self { about, groups, shapes, problems })
    }
}

/// The same for everybody, so it is made once: for the menu in development, and without it.
static PAGES: [OnceLock<String>; 2] = [OnceLock::new(), OnceLock::new()];

fn text(frame: &Frame) -> Result<&'static str, Fault> {
    let page = &PAGES[usize::from(frame.dev)];
    if let Some(text) = page.get() {
        return Ok(text);
    }
    let text = templates::text(frame, &Docs::new()?)?;
    Ok(page.get_or_init(|| text))
}

pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let text = text(&visit.product("docs")).map_err(|e| visit.fails(e))?;
    let mut response = templates::answer(StatusCode::OK, text);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}
