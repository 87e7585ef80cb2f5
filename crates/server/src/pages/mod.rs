//! The hosted pages: the door (`/sign-in`, `/sign-up`, `/recover`, `/sign-out`), the house (`/account`), `/verify` behind
//! mailed links; and for developers the start page, `/dev/mail` and `/docs`. What is not finished is not in the menu.
//! Every page is rendered here, without JavaScript.
//!
//! Architecture invariant: a page is a view of `core`, like the JSON API. It shows what a rule answers and decides
//! nothing; where it asks the visitor to act, the form comes back to a handler that calls one rule.

mod assets;
mod docs;
mod door;
mod forms;
mod house;
mod language;
mod leaving;
mod mailbox;
mod message;
#[cfg(test)]
mod samples;
mod start;
mod templates;
mod verify;
mod visit;

pub(crate) use message::{not_that_method, nothing_here};

use axum::{Router, routing::get};
use latchstring_web::App;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(start::show))
        .route("/docs", get(docs::show))
        .merge(door::routes())
        .merge(house::routes())
        .merge(leaving::routes())
        .route("/verify", get(verify::show).post(verify::follow))
        .route("/verify/password", get(verify::back).post(verify::password))
        .route("/verify/invitation", get(verify::back).post(verify::accept))
        .route("/verify/not-me", get(verify::back).post(verify::not_me::press))
        .route("/verify/done", get(verify::done))
        .route("/dev/mail", get(mailbox::list))
        .route("/dev/mail.json", get(mailbox::json))
        .route("/dev/mail/{n}/html", get(mailbox::html))
        .route("/assets/{name}", get(assets::named))
        .route("/favicon.ico", get(assets::favicon))
}
