//! `/`: what this is. On a laptop, what to click and what to paste; in production a sentence, and nothing of the inside.

use super::{
    message::Failure,
    templates::{self, Page},
    visit::Visit,
};
use axum::response::Response;
use http::StatusCode;
use latchstring_core::settings::SignUp;
use serde::Serialize;

/// The page in production.
#[derive(Serialize)]
pub(super) struct Start {
    /// Who is signed in here.
    pub account: Option<String>,
    /// Whether anybody may make an account.
    pub open: bool,
}

impl Page for Start {
    const TEMPLATE: &'static str = "start.html";
}

/// The page in development.
#[derive(Serialize)]
pub(super) struct StartDev {
    origin: String,
    tour: Vec<Step>,
    apps: Vec<Snippet>,
}

impl Page for StartDev {
    const TEMPLATE: &'static str = "start_dev.html";
}

/// Something to paste into a terminal, after those before it.
#[derive(Serialize)]
struct Step {
    title: &'static str,
    says: &'static str,
    sh: String,
}

/// Something to put into an app.
#[derive(Serialize)]
struct Snippet {
    title: &'static str,
    says: &'static str,
    text: String,
}

pub(super) async fn show(visit: Visit) -> Result<Response, Failure> {
    let config = visit.ctx.app.config();
    if config.dev {
        let page = StartDev::at(&config.origin);
        templates::page(StatusCode::OK, &visit.product("start"), &page).map_err(|e| visit.fails(e))
    } else {
        let caller = visit.looks().await?;
        let account = visit.signed_in(&caller).await?.map(|full| visit.name_of(&full));
        let open = visit.ctx.realm.settings().1.sign_up == SignUp::Open;
        visit.page(StatusCode::OK, &Start { account, open })
    }
}

impl StartDev {
    pub(super) fn at(origin: &str) -> Self {
        let tour = TOUR.iter().map(|(title, says, sh)| Step { title, says, sh: sh.replace(ORIGIN, origin) });
        let apps = APPS.iter().map(|(title, says, text)| Snippet {
            title,
            says,
            text: text.replace(ORIGIN, origin),
        });
        Self { origin: origin.to_owned(), tour: tour.collect(), apps: apps.collect() }
    }
}

/// Where the address of this server goes.
const ORIGIN: &str = "ORIGIN";

/// Title, explanation, commands. They run in any shell as they stand (no comments, which zsh does not take), and need
/// only curl and what every system has. A test runs them.
const TOUR: &[(&str, &str, &str)] = &[
    (
        "Begin to sign up",
        "The answer has the attempt’s `id`, and its `handle`: the secret by which this terminal goes on with it.",
        r#"URL=ORIGIN WHO=ada@example.com
pick() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
BEGUN=$(curl -sS $URL/api/v1/attempts -H 'Content-Type: application/json' \
  -d "{\"kind\":\"sign_up\",\"identifier\":\"$WHO\"}")
echo "$BEGUN"
ID=$(echo "$BEGUN" | pick id) HANDLE=$(echo "$BEGUN" | pick handle)"#,
    ),
    (
        "Ask for a code, and read it in the mailbox",
        "The answer is empty, and the same whether or not the address has an account.",
        r#"curl -sS -X POST $URL/api/v1/attempts/$ID/code/send -H "Latchstring-Attempt: $HANDLE"
sleep 1
CODE=$(curl -sS "$URL/dev/mail.json?to=$WHO" |
  grep -o '"code":"[0-9]*"' | head -n 1 | tr -cd 0-9)
echo "$CODE""#,
    ),
    (
        "Prove the address by the code",
        "`offers` names what leads on: for a new account a password.",
        r#"curl -sS -w '\n' $URL/api/v1/attempts/$ID/code -H "Latchstring-Attempt: $HANDLE" \
  -H 'Content-Type: application/json' -d "{\"code\":\"$CODE\"}""#,
    ),
    (
        "Set a password, and get tokens",
        "The account is made, the session is open, and its tokens are here.",
        r#"TOKENS=$(curl -sS $URL/api/v1/attempts/$ID/new-password \
  -H "Latchstring-Attempt: $HANDLE" \
  -H 'Content-Type: application/json' -d '{"password":"copper kettle seven lanterns"}')
echo "$TOKENS"
ACCESS=$(echo "$TOKENS" | pick access_token)
REFRESH=$(echo "$TOKENS" | pick refresh_token)"#,
    ),
    (
        "Ask who it is, as your back end would",
        "Or check the token’s signature yourself: it is a JWT, and the keys are at `/.well-known/jwks.json`.",
        r#"curl -sS -w '\n' -X POST $URL/api/v1/session/check -H "Authorization: Bearer $ACCESS""#,
    ),
    (
        "Get new tokens before the old ones run out",
        "A refresh token is used once; its answer has the next one.",
        r#"TOKENS=$(curl -sS $URL/api/v1/refresh -H 'Content-Type: application/json' \
  -d "{\"refresh_token\":\"$REFRESH\"}")
ACCESS=$(echo "$TOKENS" | pick access_token)
echo "$ACCESS""#,
    ),
    (
        "Sign out, and ask again",
        "Signing out pulls the string in: the token is refused at once, though it has not run out.",
        r#"curl -sS -X DELETE $URL/api/v1/session -H "Authorization: Bearer $ACCESS"
curl -sS -w '\n' -X POST $URL/api/v1/session/check -H "Authorization: Bearer $ACCESS""#,
    ),
    (
        "Sign in again, in one call",
        "With the password at hand, an attempt begins and ends at once.",
        r#"PASSWORD='copper kettle seven lanterns'
curl -sS -w '\n' $URL/api/v1/attempts -H 'Content-Type: application/json' \
  -d "{\"kind\":\"sign_in\",\"identifier\":\"$WHO\",\"password\":\"$PASSWORD\"}""#,
    ),
];

const APPS: &[(&str, &str, &str)] = &[
    (
        "FastAPI",
        "Save as `app.py`, then `pip install fastapi uvicorn 'pyjwt[crypto]'` and `uvicorn app:app --port 8000`. The \
         tutorial’s own app, with its password form, is in `examples/fastapi`.",
        r#"import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

LATCHSTRING = "ORIGIN"
keys = jwt.PyJWKClient(f"{LATCHSTRING}/.well-known/jwks.json")
app = FastAPI()


def user_id(bearer: HTTPAuthorizationCredentials = Depends(HTTPBearer())) -> str:
    token = bearer.credentials
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise jwt.InvalidTokenError
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, ["EdDSA"], audience=LATCHSTRING, issuer=LATCHSTRING)
    except jwt.PyJWTError:
        raise HTTPException(401) from None
    return claims["sub"]


@app.get("/me")
def me(user: str = Depends(user_id)):
    return {"user": user}
"#,
    ),
    (
        "Express",
        "Save as `app.mjs`, then `npm install express jose` and `node app.mjs`.",
        r#"import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const LATCHSTRING = "ORIGIN";
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", LATCHSTRING));
const expected = { issuer: LATCHSTRING, audience: LATCHSTRING, typ: "at+jwt", algorithms: ["EdDSA"] };
const app = express();

async function signedIn(req, res, next) {
  const [, token = ""] = /^Bearer (\S+)$/i.exec(req.get("Authorization") ?? "") ?? [];
  try {
    req.user = (await jwtVerify(token, keys, expected)).payload.sub;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) return next(error);
    return res.status(401).set("WWW-Authenticate", "Bearer").end();
  }
  next();
}

app.get("/me", signedIn, (req, res) => res.json({ user: req.user }));
app.listen(process.env.PORT ?? 3000);
"#,
    ),
    (
        "nginx",
        "Inside a `server` block. The app at port 9000 reads who it is from `X-Latchstring-User`; it must be reachable \
         through nginx alone. The whole file, tested, is in `examples/forward-auth`.",
        r#"location / {
    auth_request     /latchstring-forward-auth;
    auth_request_set $latchstring_user    $upstream_http_x_latchstring_user;
    auth_request_set $latchstring_session $upstream_http_x_latchstring_session;
    auth_request_set $latchstring_claims  $upstream_http_x_latchstring_claims;
    proxy_set_header X-Latchstring-User    $latchstring_user;
    proxy_set_header X-Latchstring-Session $latchstring_session;
    proxy_set_header X-Latchstring-Claims  $latchstring_claims;
    proxy_pass       http://127.0.0.1:9000;
}
location = /latchstring-forward-auth {
    internal;
    proxy_pass       ORIGIN/api/v1/forward-auth;
    proxy_pass_request_body off;
    proxy_set_header Content-Length        "";
    proxy_set_header X-Latchstring-User    "";
    proxy_set_header X-Latchstring-Session "";
    proxy_set_header X-Latchstring-Claims  "";
}
"#,
    ),
];
