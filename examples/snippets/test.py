"""The blocks of the start page's “In your app”, run as they are pasted, against a running Latchstring."""

import html
import json
import os
import re
import shutil
import sys
from pathlib import Path

import httpx
import pytest

from latchstring_api import Browser, free_port, running, said_yes

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def blocks(server) -> dict[str, str]:
    """Title and text of each block, as a click on it selects it."""
    page = said_yes(httpx.get(server.url, headers={"Accept": "text/html"}, timeout=10)).text
    found = re.findall(r'<pre class="paste" tabindex="0" aria-label="(\w+)"><code>(.*?)</code>', page, re.DOTALL)
    return {title: html.unescape(text) for title, text in found}


@pytest.fixture(scope="module")
def user(server):
    return server.new_user()


@pytest.fixture(scope="module")
def token(server, user) -> str:
    body = {"kind": "sign_in", "identifier": user.email, "password": user.password}
    answer = said_yes(httpx.post(f"{server.url}/api/v1/attempts", json=body, timeout=10)).json()
    return re.search(r'"access_token": ?"([^"]+)"', json.dumps(answer)).group(1)


def tells_who_it_is(url: str, token: str, user):
    def me(value: str | None):
        headers = {"Authorization": value} if value else {}
        return httpx.get(f"{url}/me", headers=headers, timeout=10)

    answer = me(f"Bearer {token}")
    assert (answer.status_code, answer.json()) == (200, {"user": user.id}), answer.text
    head, payload, signature = token.split(".")
    for wrong in (None, "Bearer x", f"Bearer {head}.{payload}.{signature[:-4]}AAAA", f"Basic {token}", "Bearer"):
        assert me(wrong).status_code == 401, wrong


def test_every_block_is_tried_here(blocks):
    assert list(blocks) == ["FastAPI", "Express", "nginx"]


def test_fastapi(blocks, token, user, tmp_path):
    (tmp_path / "app.py").write_text(blocks["FastAPI"])
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--log-level", "warning"]
    with running(command, port, cwd=tmp_path):
        tells_who_it_is(f"http://127.0.0.1:{port}", token, user)


def test_express(blocks, token, user, tmp_path):
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node: install it")
    (tmp_path / "app.mjs").write_text(blocks["Express"])
    # What `npm install express jose` puts there; the lock file of this folder says which.
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    port = free_port()
    with running([node, "app.mjs"], port, cwd=tmp_path, env=os.environ | {"PORT": str(port)}):
        tells_who_it_is(f"http://127.0.0.1:{port}", token, user)


def test_nginx(blocks, server, user, tmp_path):
    program = os.environ.get("NGINX") or shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("no nginx: install it, or name it in NGINX")
    app, port = free_port(), free_port()
    block = blocks["nginx"].replace("127.0.0.1:9000", f"127.0.0.1:{app}")
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    paths = "".join(f"{kind}_temp_path {tmp_path / kind};\n" for kind in kinds)
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off;\nmaster_process off;\npid {tmp_path / 'pid'};\nerror_log {tmp_path / 'error.log'};\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}server {{\nlisten 127.0.0.1:{port};\n{block}}}\n}}\n"
    )
    behind = [sys.executable, str(HERE.parent / "forward-auth" / "app.py"), str(app)]
    proxy = [program, "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", str(conf)]
    browser = Browser(server)
    browser.sign_in(user)
    with running(behind, app), running(proxy, port):
        url = f"http://127.0.0.1:{port}/"
        assert httpx.get(url, headers={"X-Latchstring-User": "root"}, timeout=10).status_code == 401
        seen = httpx.get(url, headers={"Cookie": browser.cookie(), "X-Latchstring-User": "root"}, timeout=10)
        assert seen.json()["headers"]["x-latchstring-user"] == [user.id]
