"""The page that tells people of the API, and the document behind it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import httpx

from freehold.services import endpoints
from freehold.web import openapi, reference
from tests.platform import Platform

PAYLOAD = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Read(HTMLParser):
    """What of a page a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.targets.append(value or "")
            elif name in ("src", "srcset", "action", "data") or (name == "href" and tag == "link"):
                self.loaded.append(value or "")
            elif name.startswith("on"):
                self.handlers.append(name)


def root(platform: Platform) -> str:
    return platform.endpoint.removesuffix("/v1")


def test_the_page_shows_every_operation_with_its_example(platform: Platform) -> None:
    answer = httpx.get(f"{root(platform)}/reference")
    page = Read(answer.text)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    for endpoint in endpoints():
        assert openapi.operation_id(endpoint) in page.ids
    assert answer.text.count("curl ") >= len(endpoints())
    assert f"{platform.endpoint}/account" in answer.text, "the examples are for the host that was asked"
    assert "freehold.invalid" not in answer.text


def test_the_page_needs_no_other_file_and_no_other_host(platform: Platform) -> None:
    answer = httpx.get(f"{root(platform)}/reference")
    page = Read(answer.text)

    assert page.loaded == ["data:,"]
    assert page.handlers == []
    assert page.tags.count("script") == 1
    assert "default-src &#39;none&#39;" in answer.text
    assert "unsafe-inline" not in answer.text
    assert "@import" not in answer.text
    assert "url(" not in answer.text


def test_every_link_within_the_page_leads_somewhere(platform: Platform) -> None:
    page = Read(httpx.get(f"{root(platform)}/reference").text)

    assert len(page.ids) == len(set(page.ids))
    assert {each for each in page.targets if not each.startswith("#")} == {"/openapi.json"}
    assert [each for each in page.targets if each.startswith("#") and each[1:] not in page.ids] == []


def test_the_document_is_served_as_it_is_committed(platform: Platform) -> None:
    answer = httpx.get(f"{root(platform)}/openapi.json")

    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.content == openapi.encode(endpoints())


def test_a_page_that_is_asked_for_only_its_headers_has_no_body(platform: Platform) -> None:
    answer = httpx.head(f"{root(platform)}/reference")

    assert answer.status_code == 200
    assert answer.content == b""


def test_other_paths_have_no_page(platform: Platform) -> None:
    for path in ("/references", "/reference/x", "/openapi.yaml", "/v1/reference"):
        answer = httpx.get(f"{root(platform)}{path}")

        assert answer.status_code == 404
        assert answer.json()["type"] == "general_route_not_found"


def test_a_host_that_is_no_host_does_not_reach_the_page(platform: Platform) -> None:
    answer = httpx.get(f"{root(platform)}/reference", headers={"Host": 'x"><script>alert(1)</script>'})

    assert "alert(1)" not in answer.text


def test_text_from_declarations_is_inert() -> None:
    document = json.loads(
        json.dumps(openapi.document(endpoints())).replace("Create a team", json.dumps(PAYLOAD)[1:-1])
    )
    document["info"]["description"] = PAYLOAD
    document["components"]["schemas"]["team"]["description"] = PAYLOAD
    document["components"]["schemas"]["team"]["properties"][PAYLOAD] = {"type": "string", "default": PAYLOAD}
    operation = document["paths"]["/teams"]["post"]
    operation["description"] = f"`{PAYLOAD}`"
    operation["responses"]["409"]["description"] = f"- `team_already_exists`: {PAYLOAD}"
    operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["name"]["enum"] = [
        PAYLOAD
    ]
    text = reference.render(document)
    page = Read(text)

    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert page.handlers == []
    assert len(re.findall("alert\\(1\\)", text)) > 5, "it is shown, as text"


def test_examples_are_for_the_origin_that_was_asked() -> None:
    pages = reference.Pages(endpoints())

    for origin in ("https://api.example.com", "http://[::1]:8080", "http://localhost"):
        found = pages("/reference", origin)
        assert found is not None
        assert f"curl &#34;{origin}/v1/account&#34;".encode() in found[1]

    for origin in ('http://x"><b>', "http://", "javascript://x", "http://a b", "http://a/b"):
        assert pages("/reference", origin) == pages("/reference", ""), "the page names no origin then"
