//! The plain pages of this release: the start page, `/verify` behind mailed links, `/dev/mail`, `/docs`. Designed ones
//! come with the hosted pages.

use axum::Router;
use latchstring_web::App;

pub(crate) fn routes() -> Router<App> {
    Router::new()
}
