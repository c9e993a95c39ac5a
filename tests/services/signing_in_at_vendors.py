"""A browser that signs in at a vendor, step by step, as real redirects send it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from freehold.providers.oauth.vendors import VENDORS
from tests.platform import Platform, Project
from tests.services.vendors import Person, Vendors

SUCCESS = "http://localhost:3000/in"
FAILURE = "http://localhost:3000/out"


class Ended(NamedTuple):
    """Where a browser was sent in the end."""

    url: str
    status: int

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def error(self) -> dict[str, Any]:
        """The error on the failure page."""
        assert self.url.startswith(FAILURE), self.url
        told: dict[str, Any] = json.loads(self.query["error"])
        return told


class Browser:
    """A browser with its own cookies. It follows no redirect by itself."""

    def __init__(self, project: Project) -> None:
        self.project = project
        platform: Platform = project.platform
        assert platform.vendors is not None
        self.vendors: Vendors = platform.vendors
        self.http = httpx.Client(base_url=platform.endpoint, timeout=20, verify=False)

    def begin(
        self, vendor: str, what: str = "sessions", *, headers: dict[str, str] | None = None, **said: Any
    ) -> httpx.Response:
        """Ask to be sent to the vendor."""
        params = {"project": self.project.id, "success": SUCCESS, "failure": FAILURE, **said}
        params = {name: value for name, value in params.items() if value is not None}
        return self.http.get(f"/account/{what}/oauth2/{vendor}", params=params, headers=headers)

    def come_back(self, url: str, *, by_form: bool = False) -> Ended:
        """Go where the vendor sent us, and on to where that leads."""
        if by_form:
            parts = urlsplit(url)
            form = {name: values[0] for name, values in parse_qs(parts.query).items()}
            origin = {"Origin": "https://appleid.apple.com"}
            first = self.http.post(parts._replace(query="").geturl(), data=form, headers=origin)
        else:
            first = self.http.get(url)
        assert first.status_code in (301, 303), first.text
        last = self.http.get(first.headers["location"])
        return Ended(last.headers.get("location", ""), last.status_code)

    def sign_in(self, vendor: str, person: Person, what: str = "sessions", **said: Any) -> Ended:
        """All of it: there, agree, and back again."""
        sent = self.begin(vendor, what, **said)
        assert sent.status_code == 301, sent.text
        back = self.vendors.agree(sent.headers["location"], person)
        return self.come_back(back, by_form=VENDORS[vendor].posts_back)

    def account(self, path: str = "", method: str = "GET") -> Any:
        """Ask about one's account, by cookie."""
        headers = {"X-Appwrite-Project": self.project.id}
        return self.http.request(method, f"/account{path}", headers=headers)


def set_up(project: Project, *names: str, **more: Any) -> None:
    """Register a project with vendors."""
    for name in names:
        vendor = VENDORS[name]
        body = project.platform.vendors.registration(vendor) | more
        if vendor.model:
            done = project.server.patch(f"/project/oauth2/{name}", json=body)
        else:
            body = {"provider": name, "appId": body["clientId"], "secret": body["clientSecret"]}
            done = project.platform.console.patch(
                f"/projects/{project.id}/oauth2", json={**body, "enabled": True}
            )
        assert done.status_code == 200, done.text
