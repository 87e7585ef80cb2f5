//! `/dev/mail`: what a development server would have mailed. In production there is no such place.

use super::{
    message::Failure,
    templates::{self, Page},
    visit::Visit,
};
use axum::{
    extract::{Path, Query},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use latchstring_core::{
    Kind,
    mail::{Mail, Mailbox},
};
use serde::{Deserialize, Serialize};

/// Most mails on the page; the rest is in the JSON.
const SHOWN: usize = 50;

/// A mail as the page and the JSON have it.
#[derive(Clone, Serialize)]
pub(super) struct Shown {
    /// Its number in the order of arrival, for good.
    pub n: u64,
    pub to: String,
    pub subject: String,
    pub code: Option<String>,
    pub link: Option<String>,
    pub text: String,
}

/// The list.
#[derive(Serialize)]
pub(super) struct List {
    pub mails: Vec<Shown>,
    pub more: usize,
}

impl Page for List {
    const TEMPLATE: &'static str = "mail.html";
}

fn mailbox(visit: &Visit) -> Result<&Mailbox, Failure> {
    let app = &visit.ctx.app;
    match app.mailbox() {
        Some(mailbox) if app.config().dev => Ok(mailbox),
        _ => Err(visit.fails(Kind::NotFound)),
    }
}

pub(super) async fn list(visit: Visit) -> Result<Response, Failure> {
    let all = mailbox(&visit)?.numbered();
    let more = all.len().saturating_sub(SHOWN);
    let mails = all
        .into_iter()
        .take(SHOWN)
        .map(|(n, mail)| Shown {
            n,
            to: mail.to,
            subject: mail.subject,
            code: mail.code,
            link: mail.link,
            text: mail.text,
        })
        .collect();
    let page = List { mails, more };
    templates::page(StatusCode::OK, &visit.product("mail"), &page).map_err(|e| visit.fails(e))
}

/// Which mails.
#[derive(Deserialize)]
pub(super) struct Which {
    /// To this address only, compared without case.
    to: Option<String>,
}

/// A mail for programs.
#[derive(Serialize)]
struct Row {
    n: u64,
    #[serde(flatten)]
    mail: Mail,
}

/// The same for programs, newest first: a list of `n`, `to`, `subject`, `text`, `html`, `code`, `link`.
pub(super) async fn json(visit: Visit, Query(which): Query<Which>) -> Result<Response, Failure> {
    let mut all = mailbox(&visit)?.numbered();
    if let Some(to) = &which.to {
        all.retain(|(_, mail)| mail.to.eq_ignore_ascii_case(to));
    }
    let rows: Vec<Row> = all.into_iter().map(|(n, mail)| Row { n, mail }).collect();
    Ok(axum::Json(rows).into_response())
}

/// What a mail may do when it is looked at: be looked at. No script, no form, nothing loaded, and no origin of ours.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; sandbox";

/// A mail's HTML, as a mail program shows it.
pub(super) async fn html(visit: Visit, Path(n): Path<String>) -> Result<Response, Failure> {
    let mailbox = mailbox(&visit)?;
    let found = n.parse().ok().and_then(|n| mailbox.get(n));
    let mail = found.ok_or_else(|| visit.fails(Kind::NotFound))?;
    let mut response = templates::answer(StatusCode::OK, mail.html);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}
