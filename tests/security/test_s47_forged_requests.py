"""S47: a page of somebody else's sends a browser here with its cookies, and nothing comes of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from freehold.services import endpoints
from tests.platform import PASSWORD, Platform, Project, User, error_of, session_of

EVIL = "https://evil.example"

FORMS: dict[str, dict[str, Any]] = {
    "form": {"data": {"name": "Mallory"}},
    "multipart": {"files": {"name": (None, "Mallory")}},
    "text": {"content": b'{"name":"Mallory","x":"="}', "headers": {"Content-Type": "text/plain"}},
    "json": {"json": {"name": "Mallory"}},
}
"""What pages can send without asking first, and what they cannot."""


def browser(platform: Platform, project_id: str, session: str, origin: str | None) -> httpx.Client:
    """A browser that sends its cookie along, from a page of this origin."""
    headers = {"Cookie": f"a_session_{project_id}={session}"}
    if origin is not None:
        headers["Origin"] = origin
    return httpx.Client(base_url=platform.endpoint, headers=headers, timeout=20, verify=False)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("origin", [EVIL, "null", "https://localhost.evil.example"])
def test_s47_a_form_of_a_foreign_page_changes_nothing(
    project: Project, jane: User, origin: str, form: str
) -> None:
    said = FORMS[form]
    client = browser(project.platform, project.id, jane.session, origin)

    for method, path in (
        ("POST", "/account/sessions/anonymous"),
        ("POST", "/teams"),
        ("PATCH", "/account/name"),
    ):
        answer = client.request(method, f"{path}?project={project.id}", **said)
        assert error_of(answer) == (403, "general_unknown_origin")
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert jane.client.get("/account").json()["name"] == "Jane"
    assert jane.client.get("/teams").json()["total"] == 0


def test_s47_the_console_is_not_steered_from_pages_of_a_project(platform: Platform, project: Project) -> None:
    web = {"platformId": "unique()", "name": "Shop", "hostname": "shop.example.org"}
    assert project.admin.post("/project/platforms/web", json=web).status_code == 201
    for origin in ("https://shop.example.org", EVIL):
        client = browser(platform, "console", platform.root_session, origin)
        headers = {"X-Appwrite-Project": project.id, "X-Appwrite-Mode": "admin"}
        answer = client.put("/project/labels", json={"labels": ["stolen"]}, headers=headers)
        assert error_of(answer)[0] == 403
    assert project.admin.get("/project").json()["labels"] == []


def test_s47_reading_changes_nothing_so_that_a_link_does_no_harm(project: Project) -> None:
    """Browsers send cookies along, and no origin, with links: no GET may have an event."""
    allowed = {"redirectOAuth2"}  # which is bound to the browser that began the sign-in
    assert {each.name for each in endpoints() if each.method == "GET" and each.emits} <= allowed


def test_s47_the_cookie_is_not_for_scripts_and_the_fallback_needs_a_page_that_may_ask(
    project: Project,
) -> None:
    jane = project.new_user("Jane")
    login = {"email": jane.email, "password": PASSWORD}
    answer = project.guest.post("/account/sessions/email", json=login)
    project.guest.cookies.clear()
    session = session_of(answer)
    for cookie in answer.headers.get_list("set-cookie"):
        assert "; httponly" in cookie

    # A header of its own cannot be set by a foreign page before it has asked, and it is told no.
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-fallback-cookies"}
    preflight = project.guest.options("/account/name", headers={"Origin": EVIL, **asked})
    assert "access-control-allow-origin" not in preflight.headers
    fallback = {"X-Fallback-Cookies": f'{{"a_session_{project.id}":"{session}"}}'}
    assert project.guest.get("/account", headers=fallback).json()["$id"] == jane.id
    forged = project.guest.patch("/account/name", json={"name": "x"}, headers={"Origin": EVIL, **fallback})
    assert error_of(forged) == (403, "general_unknown_origin")
