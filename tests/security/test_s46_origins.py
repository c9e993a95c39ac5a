"""S46: only pages of registered sites may call, and only their origins are told that they may."""

from __future__ import annotations

import pytest

from tests.platform import Project, User, error_of

ALLOWED = ["https://shop.example.org", "http://shop.example.org:8080", "https://a.b.example.net"]
REFUSED = [
    "https://evil.example.com",
    "https://example.net",
    "https://xexample.net",
    "https://shop.example.org.evil.com",
    "https://evil.com#shop.example.org",
    "https://shop.example.org@evil.com",
    "https://localhost.evil.com",
    "https://127.0.0.1.evil.com",
    "null",
    "file://",
    "shop.example.org",
    "https://[shop.example.org",
]


@pytest.fixture
def registered(project: Project) -> Project:
    for hostname in ("shop.example.org", "*.example.net"):
        body = {"platformId": "unique()", "name": "x", "hostname": hostname}
        assert project.admin.post("/project/platforms/web", json=body).status_code == 201
    return project


def test_s46_registered_origins_are_told_and_others_refused(registered: Project) -> None:
    jane = registered.new_user()
    for origin in [*ALLOWED, "http://localhost:3000", "http://127.0.0.1:5173"]:
        answer = jane.client.get("/account", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in answer.headers["vary"]
    for origin in REFUSED:
        answer = jane.client.get("/account", headers={"Origin": origin})
        assert error_of(answer) == (403, "general_unknown_origin"), origin
        assert "access-control-allow-origin" not in answer.headers


def test_s46_a_preflight_of_an_unknown_origin_is_told_nothing(registered: Project) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-appwrite-project"}
    for origin in REFUSED:
        for path in ("/account", f"/account?project={registered.id}"):
            answer = registered.guest.options(path, headers={"Origin": origin, **asked})
            assert answer.status_code == 204
            assert "access-control-allow-origin" not in answer.headers, origin
    for origin in ALLOWED:
        answer = registered.guest.options("/account", headers={"Origin": origin, **asked})
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-origin"] != "*"


def test_s46_the_origin_of_one_project_is_not_one_of_another(registered: Project) -> None:
    other = registered.platform.new_project()
    answer = other.new_user().client.get("/account", headers={"Origin": ALLOWED[0]})

    assert error_of(answer) == (403, "general_unknown_origin")


def test_s46_an_unknown_origin_changes_nothing(project: Project, jane: User) -> None:
    evil = {"Origin": "https://evil.example.com"}
    refused = jane.client.patch("/account/name", json={"name": "Eve"}, headers=evil)

    assert error_of(refused) == (403, "general_unknown_origin")
    assert jane.client.get("/account").json()["name"] == "Jane"


@pytest.mark.parametrize("hostname", ["https://a.com", "a.com/x", "a.com:80", "a com", "a..com", "x" * 300])
def test_s46_a_site_is_named_by_its_host_alone(project: Project, hostname: str) -> None:
    body = {"platformId": "unique()", "name": "x", "hostname": hostname}
    refused = project.admin.post("/project/platforms/web", json=body)

    assert error_of(refused) == (400, "general_argument_invalid")


def test_s46_a_page_of_a_project_does_nothing_with_the_session_of_its_owner(registered: Project) -> None:
    platform = registered.platform
    visitor = {"console_session": platform.root_session, "Origin": ALLOWED[0]}
    by_path = platform.client("console", **visitor)
    by_mode = platform.client(registered.id, mode="admin", **visitor)
    keys = registered.admin.get("/project/keys").json()["total"]

    for answer in (
        by_path.get(f"/projects/{registered.id}/keys"),
        by_path.post(
            f"/projects/{registered.id}/keys", data={"keyId": "k", "name": "K", "scopes[]": "users.read"}
        ),
        by_mode.get("/project/keys"),
        by_mode.post("/users", data={"userId": "unique()"}),
    ):
        assert error_of(answer) == (403, "general_unknown_origin")
        assert "access-control-allow-origin" not in answer.headers
    assert registered.admin.get("/project/keys").json()["total"] == keys
    own = platform.endpoint.removesuffix("/v1")
    for origin in (own, "http://localhost:3000"):
        assert by_mode.get("/project/keys", headers={"Origin": origin}).status_code == 200


def test_s46_a_page_reads_why_its_session_was_refused(registered: Project) -> None:
    jane = registered.new_user()
    registered.server.patch(f"/users/{jane.id}/status", json={"status": False})
    token = {"X-Appwrite-JWT": "x"}
    for client, headers, error in (
        (jane.client, {}, (403, "user_blocked")),
        (registered.guest, token, (401, "user_jwt_invalid")),
    ):
        answer = client.get("/account", headers={"Origin": ALLOWED[0], **headers})
        assert error_of(answer) == error
        assert answer.headers["access-control-allow-origin"] == ALLOWED[0]
        elsewhere = client.get("/account", headers={"Origin": REFUSED[0], **headers})
        assert "access-control-allow-origin" not in elsewhere.headers
