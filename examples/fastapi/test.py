"""The two apps against a running Latchstring: by HTTP, and by Swagger UI in a real browser."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from latchstring_api import Server, free_port, running

HERE = Path(__file__).parent


@dataclass
class App:
    url: str
    server: Server

    def me(self, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(f"{self.url}/users/me", headers=headers, timeout=10)


@contextlib.contextmanager
def serving(server: Server, module: str, settings: dict, secret: str = ""):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server.turn_on_token_endpoint(origins=[url], **settings)
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--log-level", "warning"]
    env = os.environ | {"LATCHSTRING_URL": server.url, "SECRET_KEY": secret}
    with running(command, port, cwd=HERE, env=env):
        yield App(url, server)


@pytest.fixture(scope="module", params=["RS256", "HS256"])
def app(request, server):
    """Both apps in turn. The setting is the realm's, so one is done before the other begins."""
    if request.param == "RS256":
        with serving(server, "main_rs256", {"alg": "RS256"}) as app:
            yield app
    else:
        secret = secrets.token_urlsafe(32)
        with serving(server, "main_hs256", {"alg": "HS256", "secret": secret}, secret) as app:
            yield app


@pytest.fixture(scope="module")
def user(server):
    return server.new_user()


@pytest.fixture(scope="session")
def chromium() -> str:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        pytest.skip("no Chromium: install it, or name it in CHROMIUM")
    return program


def refused(answer: httpx.Response) -> bool:
    return answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_without_a_token_it_refuses(app):
    assert refused(app.me())
    assert httpx.get(app.url).json() == {"hello": "everyone"}


def test_a_good_token_tells_who_it_is(app, user):
    answer = app.server.password_grant(user.email, user.password)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"].lower() == "bearer"
    assert answer.json()["expires_in"] > 0
    assert answer.headers["Cache-Control"] == "no-store"
    me = app.me(answer.json()["access_token"])
    assert (me.status_code, me.json()) == (200, {"id": user.id})


def test_a_wrong_password_is_an_oauth_error(app, user):
    for name in (user.email, "nobody@example.com"):
        answer = app.server.password_grant(name, "not the password")
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] == "invalid_grant"
        assert "access_token" not in answer.json()


def test_a_changed_token_is_refused(app, user):
    token = app.server.token(user)
    header, payload, signature = token.split(".")
    # The middle of the signature: the last character holds bits that may not count.
    at = len(signature) // 2
    other = "A" if signature[at] != "A" else "B"
    assert refused(app.me(f"{header}.{payload}.{signature[:at]}{other}{signature[at + 1 :]}"))
    assert refused(app.me(f"{header}.{payload}."))
    assert refused(app.me(f"{header}.{payload}"))
    assert refused(app.me("nonsense"))
    assert app.me(token).status_code == 200


def test_only_listed_origins_may_read_the_answer(app, user):
    listed = app.server.password_grant(user.email, user.password, origin=app.url)
    assert listed.headers.get("Access-Control-Allow-Origin") == app.url
    other = app.server.password_grant(user.email, user.password, origin="https://evil.example")
    assert other.headers.get("Access-Control-Allow-Origin") is None


def test_swagger_ui_signs_in(app, user, chromium):
    seen = press_authorize(app, chromium, user.email, user.password)
    assert seen["error"] is None
    assert (seen["status"], json.loads(seen["body"])) == (200, {"id": user.id})
    # Nothing comes from elsewhere: no CDN, no telemetry.
    known = {urlsplit(app.url).netloc, urlsplit(app.server.url).netloc, ""}
    assert {urlsplit(request.split(" ")[1]).netloc for request in seen["asked"]} <= known


def test_swagger_ui_shows_a_wrong_password(app, user, chromium):
    seen = press_authorize(app, chromium, user.email, "not the password")
    # What the server says, not "Failed to fetch": refusals carry the CORS headers too.
    assert "invalid_grant" in seen["error"], seen["error"]
    assert seen["status"] == 401


def press_authorize(app: App, chromium: str, name: str, password: str) -> dict:
    env = os.environ | {"APP_URL": app.url, "SIGN_IN_AS": name, "SIGN_IN_PASSWORD": password, "CHROMIUM": chromium}
    run = subprocess.run(["node", "swagger.mjs"], cwd=HERE, env=env, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
