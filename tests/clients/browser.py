"""A real browser, and the pages that tests open in it, which another origin serves than the platform."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.platform import Project

HERE = Path(__file__).parent
SHIPPED = HERE / "node_modules" / ".chromium"
"""The Chromium that `make setup` unpacks from an npm package. It is for Linux on x86-64."""

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAITS_MS = 15_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium: the shipped one, or that which CHROMIUM names."""
    own = os.environ.get("CHROMIUM", "")
    path = Path(own) if own else SHIPPED / "chromium"
    assert path.is_file(), f"There is no browser at {path}. Run `make setup`, or name one in CHROMIUM."
    shipped_with = {"LD_LIBRARY_PATH": str(SHIPPED / "lib"), "FONTCONFIG_PATH": str(SHIPPED)}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=FLAGS,
            env={**os.environ, **({} if own else shipped_with)},
            timeout=WAITS_MS,
        )
        yield chromium
        chromium.close()


class Person:
    """Somebody before a browser of one's own: with cookies and storage that no other has."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.errors: list[str] = []
        """What the page's own code did not catch."""
        self.page = self._opened(origin)

    def _opened(self, origin: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(WAITS_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(origin)
        return page

    def begin_anew(self, origin: str) -> None:
        """Open the page again after it was killed, whatever it was doing."""
        self.page.close()
        self.page = self._opened(origin)

    def fill(self, form: str, fields: dict[str, str]) -> None:
        """Fill in a form by its labels, and submit it."""
        there = self.page.get_by_role("form", name=form)
        for label, value in fields.items():
            there.get_by_label(label, exact=True).fill(value)
        there.get_by_role("button").click()

    def click(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()


class App(NamedTuple):
    """One of the apps under `apps`, served to browsers."""

    origin: str
    browser: Browser

    @contextmanager
    def visited(self) -> Iterator[Person]:
        """Somebody new opens it."""
        with self.browser.new_context() as context:
            person = Person(context, self.origin)
            yield person
            assert person.errors == []


@contextmanager
def served(
    name: str, project: Project, browser: Browser, host: str, api_port: int | None = None
) -> Iterator[App]:
    """Serve an app that speaks to a project, on a port of its own. What is no file is its start page."""
    port = api_port or urlsplit(project.platform.endpoint).port
    where = {"endpoint": f"http://{host}:{port}/v1", "project": project.id}
    told = "".join(f"export const {key} = {json.dumps(value)};\n" for key, value in where.items())
    files = {
        "/where.js": told.encode(),
        "/sdk.js": (HERE / "node_modules" / "appwrite" / "dist" / "iife" / "sdk.js").read_bytes(),
        "/page.js": (HERE / "apps" / "page.js").read_bytes(),
        "/style.css": (HERE / "apps" / "style.css").read_bytes(),
        "/app.js": (HERE / "apps" / name / "app.js").read_bytes(),
    }
    start = (HERE / "apps" / name / "index.html").read_bytes()

    class Pages(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            content = files.get(path, start)
            kind = self.guess_type(path) if path in files else "text/html; charset=utf-8"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield App(f"http://localhost:{server.server_port}", browser)
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
