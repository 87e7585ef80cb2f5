"""nginx with the configuration of this folder, before an app that shows its headers, against a running Latchstring."""

import base64
import contextlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from latchstring_api import Browser, Person, free_port, running

HERE = Path(__file__).parent
OURS = ["x-latchstring-user", "x-latchstring-session", "x-latchstring-claims"]


@contextlib.contextmanager
def nginx(folder: Path, latchstring: str, app: str):
    """nginx with the shipped configuration, only its three addresses changed."""
    program = os.environ.get("NGINX") or shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("no nginx: install it, or name it in NGINX")
    port = free_port()
    text = (HERE / "nginx.conf").read_text()
    for shipped, here in {"127.0.0.1:8888": f"127.0.0.1:{port}", "127.0.0.1:8080": latchstring, "127.0.0.1:9000": app}.items():
        assert shipped in text
        text = text.replace(shipped, here)
    # Its working files go into the folder too: it may be run by anybody.
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    paths = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    text = text.replace("http {", f"http {{\naccess_log off;\n{paths}", 1)
    conf = folder / "nginx.conf"
    conf.write_text(f"daemon off;\nmaster_process off;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\n{text}")
    with running([program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(conf)], port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def app():
    port = free_port()
    with running([sys.executable, str(HERE / "app.py"), str(port)], port):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def proxy(server, app, tmp_path_factory):
    with nginx(tmp_path_factory.mktemp("nginx"), urlsplit(server.url).netloc, app) as url:
        yield url


@pytest.fixture(scope="module")
def user(server):
    return server.new_user()


@pytest.fixture
def browser(server, user):
    browser = Browser(server)
    browser.sign_in(user)
    return browser


def get(url: str, cookie: str = "", **headers: str) -> httpx.Response:
    if cookie:
        headers["Cookie"] = cookie
    return httpx.get(url, headers=headers, timeout=10)


def seen_by_app(answer: httpx.Response) -> dict[str, list[str]]:
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
    return answer.json()["headers"]


def test_who_is_not_signed_in_does_not_pass(proxy):
    assert get(proxy).status_code == 401
    page = get(f"{proxy}/reports?year=2026", Accept="text/html")
    assert page.status_code == 302
    assert page.headers["Location"].endswith(f"/sign-in?return_to={proxy}/reports?year=2026")


def test_a_person_signs_in_on_the_page_and_comes_back(proxy, server, user):
    person = Person(server)
    page = person.open(f"{proxy}/reports?year=2026")
    assert page.url.path == "/sign-in"
    # Not listed: nobody is led there, and nothing is said of it.
    server.list_origins()
    assert "reports" not in person.open(f"{proxy}/reports?year=2026").text
    server.list_origins(proxy)
    person.open(f"{proxy}/reports?year=2026")
    back = person.sign_in(user)
    assert str(back.url) == f"{proxy}/reports?year=2026"
    assert seen_by_app(back)["x-latchstring-user"] == [user.id]


def test_an_invented_cookie_does_not_pass(proxy, browser):
    name = browser.cookie().split("=")[0]
    assert get(proxy, f"{name}=AAAA").status_code == 401


def test_the_app_learns_who_is_signed_in(proxy, browser, user):
    headers = seen_by_app(get(f"{proxy}/reports", browser.cookie()))
    assert headers["x-latchstring-user"] == [user.id]
    assert headers["x-latchstring-session"][0]
    # The claims are a JWT that an app may check instead of trusting its network.
    payload = headers["x-latchstring-claims"][0].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"] == user.id


def test_headers_from_outside_do_not_pass(proxy, browser, user):
    forged = {"X-Latchstring-User": "root", "X-Latchstring-Session": "s", "X-Latchstring-Claims": "c", "X_Latchstring_User": "root"}
    assert get(proxy, **forged).status_code == 401
    headers = seen_by_app(get(proxy, browser.cookie(), **forged))
    assert headers["x-latchstring-user"] == [user.id]
    assert not any("root" in value for values in headers.values() for value in values)
    # Where nobody asks Latchstring, the app sees no user at all.
    public = seen_by_app(get(f"{proxy}/public/", browser.cookie(), **forged))
    assert not any(name in public for name in [*OURS, "x_latchstring_user"])


def test_after_sign_out_the_old_cookie_is_refused_within_a_second(proxy, browser):
    old = browser.cookie()
    assert get(proxy, old).status_code == 200
    browser.sign_out()
    start = time.monotonic()
    while (answer := get(proxy, old)).status_code != 401:
        assert answer.status_code == 200
        assert time.monotonic() - start < 1, "the old cookie still passes"
        time.sleep(0.02)


def test_without_latchstring_nobody_passes(server, app, browser, tmp_path):
    with nginx(tmp_path, f"127.0.0.1:{free_port()}", app) as url:
        assert get(url, browser.cookie()).status_code == 500
