"""S13: objects, lists and other types where a text or a number belongs are refused, never interpreted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform import PASSWORD, Project, User, error_of

ODD: list[Any] = [{"$ne": None}, {"$gt": ""}, ["x"], [["x"]], True, 1, 1.5, {}, []]


@pytest.mark.parametrize("value", ODD, ids=str)
def test_s13_signing_in_takes_texts_only(project: Project, jane: User, value: Any) -> None:
    for body in (
        {"email": jane.email, "password": value},
        {"email": value, "password": PASSWORD},
    ):
        refused = project.guest.post("/account/sessions/email", json=body)
        assert error_of(refused) == (400, "general_argument_invalid")
        assert "set-cookie" not in refused.headers


@pytest.mark.parametrize("value", [None, *ODD], ids=str)
def test_s13_a_parameter_of_another_type_is_named(project: Project, jane: User, value: Any) -> None:
    for client, method, path, name in (
        (project.guest, "POST", "/account", "email"),
        (jane.client, "PATCH", "/account/name", "name"),
        (jane.client, "POST", "/teams", "teamId"),
        (project.server, "POST", "/users", "userId"),
        (project.admin, "POST", "/project/keys", "name"),
        (project.admin, "POST", "/project/platforms/apple", "bundleIdentifier"),
    ):
        right = {
            "userId": "unique()", "email": "a@example.com", "password": PASSWORD, "name": "x",
            "teamId": "unique()", "keyId": "unique()", "platformId": "unique()", "scopes": [],
            "bundleIdentifier": "x",
        }  # fmt: skip
        refused = client.request(method, path, json={**right, name: value})
        assert error_of(refused) == (400, "general_argument_invalid"), (path, value)
        assert f"`{name}`" in refused.json()["message"]


def test_s13_lists_of_other_things_are_refused(project: Project, jane: User) -> None:
    for scopes in ("users.read", {"0": "users.read"}, [1], [None], [["users.read"]]):
        refused = project.admin.post("/project/keys", json={"name": "x", "scopes": scopes})
        assert error_of(refused) == (400, "general_argument_invalid")
    for roles in ("owner", [{"a": 1}], ["a b"], ['x")'], [""]):
        refused = jane.client.post("/teams", json={"teamId": "unique()", "name": "x", "roles": roles})
        assert error_of(refused) == (400, "general_argument_invalid")
    assert jane.client.get("/teams").json()["total"] == 0


def test_s13_a_session_token_of_other_types_is_a_guest(project: Project) -> None:
    import base64
    import json

    for token in ({"id": {"$ne": ""}, "secret": "x"}, {"id": 1, "secret": None}, ["a", "b"], None, "x"):
        encoded = base64.b64encode(json.dumps(token).encode()).decode()
        answer = project.guest.get("/account", headers={"X-Appwrite-Session": encoded})
        assert error_of(answer) == (401, "general_unauthorized_scope")
    for fallback in ("[]", "{", '{"a_session_x":1}', "null", f'{{"a_session_{project.id}":{{}}}}'):
        answer = project.guest.get("/account", headers={"X-Fallback-Cookies": fallback})
        assert error_of(answer) == (401, "general_unauthorized_scope")
