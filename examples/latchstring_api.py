"""What the examples' tests ask of a Latchstring server: every path and every body stands here, and nowhere else.

Not an SDK. Tests take the server from LATCHSTRING_URL, and a key of an administrator from LATCHSTRING_ADMIN_KEY.
"""

import contextlib
import html
import os
import re
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass

import httpx


@dataclass
class User:
    id: str
    email: str
    password: str


class Server:
    """A running server, seen by its administrator."""

    def __init__(self):
        self.url = os.environ.get("LATCHSTRING_URL", "http://127.0.0.1:8080").rstrip("/")
        key = os.environ.get("LATCHSTRING_ADMIN_KEY")
        assert key, "set LATCHSTRING_ADMIN_KEY to a key of an administrator, and LATCHSTRING_URL to the server"
        self.admin = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=10)

    def new_user(self) -> User:
        """A person with an address that the administrator vouches for, who knows their password."""
        email = f"ada-{secrets.token_hex(6)}@example.com"
        password = f"correct horse {secrets.token_hex(8)}"
        body = {"email": email, "password": password, "email_asserted": True}
        answer = said_yes(self.admin.post("/api/v1/users", json=body))
        return User(answer.json()["id"], email, password)

    def turn_on_token_endpoint(self, **settings):
        said_yes(self.admin.patch("/api/v1/settings", json={"token_endpoint": {"enabled": True, **settings}}))

    def list_origins(self, *origins: str):
        """Where people may be sent back to from the pages."""
        said_yes(self.admin.patch("/api/v1/settings", json={"origins": list(origins)}))

    def password_grant(self, username: str, password: str, origin: str | None = None) -> httpx.Response:
        """The form of OAuth2PasswordBearer. The caller looks at the answer."""
        form = {"grant_type": "password", "username": username, "password": password}
        headers = {"Origin": origin} if origin else {}
        return httpx.post(f"{self.url}/token", data=form, headers=headers, timeout=10)

    def token(self, user: User) -> str:
        return said_yes(self.password_grant(user.email, user.password)).json()["access_token"]


class Browser:
    """A cookie jar that signs in through the JSON API, as a page of the server's own origin would."""

    def __init__(self, server: Server):
        self.http = httpx.Client(base_url=server.url, headers={"Origin": server.url}, timeout=10)

    def sign_in(self, user: User):
        begin = {"kind": "sign_in", "sink": "cookie", "identifier": user.email}
        attempt = said_yes(self.http.post("/api/v1/attempts", json=begin)).json()["id"]
        said_yes(self.http.post(f"/api/v1/attempts/{attempt}/password", json={"password": user.password}))
        assert self.cookie(), "signing in has set no cookie"

    def sign_out(self):
        said_yes(self.http.delete("/api/v1/session"))

    def cookie(self) -> str:
        """The value of a Cookie header. A copy of it stays what it was when the jar has moved on."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)


class Person:
    """Somebody who opens pages and sends their forms, as a browser without JavaScript does."""

    def __init__(self, server: Server):
        self.url = server.url
        self.http = httpx.Client(headers={"Accept": "text/html"}, follow_redirects=True, timeout=10)
        self.page = None

    def open(self, url: str) -> httpx.Response:
        self.page = self.http.get(url)
        return self.page

    def sign_in(self, user: User) -> httpx.Response:
        """Sends the form of the sign-in page that is open. Gives where it leads."""
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', said_yes(self.page).text)
        form = {name: html.unescape(value) for name, value in hidden}
        form |= {"identifier": user.email, "password": user.password}
        self.page = self.http.post(f"{self.url}/sign-in", data=form, headers={"Origin": self.url})
        return self.page


def said_yes(answer: httpx.Response) -> httpx.Response:
    request = answer.request
    assert answer.is_success, f"{request.method} {request.url} answered {answer.status_code}: {answer.text[:500]}"
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command: list[str], port: int, **options):
    """Runs a program until the block ends, and begins once it listens."""
    process = subprocess.Popen(command, **options)
    try:
        end = time.monotonic() + 20
        while True:
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert time.monotonic() < end, f"{command[0]} does not listen on {port}"
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
