"""S48: answers keep browsers from guessing and from keeping, and tell no version of the server."""

from __future__ import annotations

from tests.platform import Project, User, running_platform
from tests.postgres import Server


def test_s48_answers_of_people_are_not_kept_and_not_guessed(project: Project, jane: User) -> None:
    for answer in (
        jane.client.get("/account"),
        jane.client.get("/account/sessions"),
        project.guest.get("/account"),
        project.guest.get("/nowhere"),
        project.server.get("/users"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["server"] == "Freehold"
        assert not [name for name in answer.headers if name.startswith("x-powered")]
        assert answer.headers["content-type"] == "application/json; charset=UTF-8"


def test_s48_no_page_of_ours_stands_in_a_frame(project: Project, jane: User) -> None:
    answers = [jane.client.get("/account"), project.guest.get("/nowhere")]
    pages = [
        project.guest.get(project.platform.endpoint.removesuffix("/v1") + path)
        for path in ("/console/auth/oauth2/success", "/console/auth/oauth2/failure")
    ]
    for answer in answers + pages:
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    for page in pages:
        assert page.status_code == 200
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["referrer-policy"] == "no-referrer"


def test_s48_who_came_over_https_is_told_to_come_over_nothing_else(postgres: Server) -> None:
    with running_platform(postgres, FREEHOLD_TRUSTED_PROXIES="127.0.0.1") as behind_proxy:
        behind_proxy.register_root()
        guest = behind_proxy.new_project().guest
        for path in ("/health/version", "/account", "/nowhere"):
            secure = guest.get(path, headers={"X-Forwarded-Proto": "https"})
            assert secure.headers["strict-transport-security"] == "max-age=31536000"
            assert "strict-transport-security" not in guest.get(path).headers


def test_s48_who_only_says_to_have_come_over_https_is_not_believed(project: Project) -> None:
    answer = project.guest.get("/health/version", headers={"X-Forwarded-Proto": "https"})
    assert "strict-transport-security" not in answer.headers
