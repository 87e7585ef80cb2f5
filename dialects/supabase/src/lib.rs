//! The Supabase dialect: what apps built on `@supabase/supabase-js` find at `/auth/v1`, over the rules of `core`, and the
//! way from a project's database to ours and back.
//!
//! Architecture invariant: no rule, and no SQL but for the vendor's own tables in `import` and `export.rs`.

pub mod ask;
pub mod config;
pub mod dump;
pub mod duration;
pub mod error;
pub mod export;
pub mod import;
pub mod init;
pub mod keys;
pub mod note;
pub mod redirect;
pub mod role;
mod routes;
pub mod rows;
pub mod set_up;
pub mod settings;
pub mod sort;
pub mod time;
pub mod token;
pub mod user;

use http::HeaderValue;
use latchstring_web::{Cors, Dialect};

/// The name of this face.
pub const FACE: &str = "supabase";
/// Where its mounts stand, unless they have a host of their own.
pub const PATH: &str = "/auth/v1";

static CORS: Cors = Cors {
    methods: HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    headers: HeaderValue::from_static(
        "accept, apikey, authorization, content-type, redirect_to, x-client-info, x-client-ip, x-jwt-aud, \
         x-retry-count, x-supabase-api-version, x-use-cookie",
    ),
    expose: HeaderValue::from_static(
        "link, ratelimit, ratelimit-policy, retry-after, x-request-id, x-sb-error-code, x-supabase-api-version, x-total-count",
    ),
};

/// The dialect, for the binary's list.
pub const DIALECT: Dialect = Dialect { face: FACE, routes: routes::routes, cors: &CORS };
