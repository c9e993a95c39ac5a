"""S54: JSON that is strange, deep or huge is data or an error, never a surprise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform import Project, User, error_of

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "prefs",
    [
        {"__proto__": {"admin": True}, "constructor": {"prototype": {}}},
        {"__class__": "x", "py/object": "os.system"},
        {"big": 2**63, "bigger": -(2**200), "small": 1e-300},
        {"text": "!!python/object/apply:os.system ['id']", "quote": "'; drop table x; --"},
        {"": "", "a.b": 1, "$id": "x", "ünï": "🙂"},
    ],
    ids=str,
)
def test_s54_strange_names_and_numbers_come_back_as_they_went(jane: User, prefs: dict[str, Any]) -> None:
    assert jane.client.patch("/account/prefs", json={"prefs": prefs}).status_code == 200
    assert jane.client.get("/account/prefs").json() == prefs


@pytest.mark.parametrize(
    "body",
    [
        b'{"prefs": {"a": NaN}}',
        b'{"prefs": {"a": Infinity}}',
        b'{"prefs": {"a": "\\ud800"}}',
        b'{"prefs": {"a": "\\u0000"}}',
        b'{"prefs": {"\\u0000": 1}}',
        b'{"prefs": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b"[" * 100_000,
        b'{"prefs": {"a": "\xff"}}',
        b'{"prefs": []}',
        b'{"prefs": {"a": 1}',
        b"null",
        b"[]",
        b'"x"',
        b"\xef\xbb\xbf",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_s54_what_is_no_json_object_is_refused(jane: User, body: bytes) -> None:
    refused = jane.client.patch("/account/prefs", content=body, headers=JSON)

    assert error_of(refused)[0] == 400
    assert error_of(refused)[1] in ("general_bad_request", "general_argument_invalid")
    assert jane.client.get("/account/prefs").json() == {}


def test_s54_of_a_name_given_twice_one_counts(jane: User) -> None:
    answer = jane.client.patch("/account/name", content=b'{"name": "A", "name": "B"}', headers=JSON)

    assert answer.json()["name"] == "B"


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_s54_a_text_that_cannot_be_stored_is_refused(project: Project, jane: User, text: str) -> None:
    import json

    for client, method, path, body in (
        (jane.client, "PATCH", "/account/name", {"name": text}),
        (jane.client, "POST", "/teams", {"teamId": "unique()", "name": text}),
        (project.guest, "POST", "/account/sessions/email", {"email": text, "password": "password"}),
        (project.admin, "POST", "/project/keys", {"name": text, "scopes": []}),
    ):
        refused = client.request(method, path, content=json.dumps(body).encode(), headers=JSON)
        assert error_of(refused)[0] in (400, 401), path
    assert jane.client.get("/account").json()["name"] == "Jane"


def test_s54_a_header_that_is_not_text_is_nobody(project: Project) -> None:
    for name in ("X-Appwrite-Key", "X-Appwrite-Session", "X-Appwrite-JWT", "Cookie", "X-Appwrite-Project"):
        answer = project.guest.get("/account", headers={name.encode(): b"\xff\xfe;="})
        assert answer.status_code in (401, 404), name
