"""S45: keys and tokens of a while end with it, and nobody makes one that can do more than its maker."""

from __future__ import annotations

import time

from tests.platform import Project, User, error_of


def ephemeral(project: Project, key: str, scopes: list[str], duration: int = 60) -> tuple[int, str]:
    """A key for a while, made with another key: the status, and its text or the error's type."""
    client = project.platform.client(project.id, key=key)
    made = client.post("/project/keys/ephemeral", json={"scopes": scopes, "duration": duration})
    return (made.status_code, made.json()["secret"]) if made.status_code == 201 else error_of(made)


def test_s45_a_key_makes_none_that_can_do_more(project: Project) -> None:
    maker = project.key_with("keys.write", "users.read")

    assert ephemeral(project, maker, ["users.read", "users.write"])[0] in (401, 403)
    status, brief = ephemeral(project, maker, ["keys.write", "users.read"])
    assert status == 201
    for more in (["users.write"], ["users.read", "rows.read"], ["project.write"]):
        assert ephemeral(project, brief, more)[0] in (401, 403), more
        standard = {"keyId": "unique()", "name": "more", "scopes": more}
        made = project.platform.client(project.id, key=brief).post("/project/keys", json=standard)
        assert made.status_code in (401, 403), more
    names = {each["name"] for each in project.admin.get("/project/keys").json()["keys"]}
    assert "more" not in names


def test_s45_a_brief_key_does_not_outlive_itself_by_another(project: Project) -> None:
    status, brief = ephemeral(project, project.key_with("keys.write", "users.read"), ["users.read"], 1)
    assert status == 201
    client = project.platform.client(project.id, key=brief)

    assert client.get("/users").status_code == 200
    assert error_of(client.post("/project/keys/ephemeral", json={"scopes": [], "duration": 60}))[0] == 401
    deadline = time.monotonic() + 30
    while client.get("/users").status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert error_of(client.get("/users"))[0] == 401
    tampered = brief[:-2] + ("AA" if brief[-2:] != "AA" else "BB")
    assert error_of(project.platform.client(project.id, key=tampered).get("/users"))[0] == 401


def test_s45_a_brief_key_is_of_its_project(project: Project) -> None:
    brief = ephemeral(project, project.key_with("keys.write", "users.read"), ["users.read"])[1]
    other = project.platform.new_project()

    assert error_of(project.platform.client(other.id, key=brief).get("/users"))[0] == 401
    assert error_of(project.platform.client("console", key=brief).get("/account"))[0] == 401


def test_s45_a_token_of_a_user_is_no_key_and_makes_no_other(project: Project, jane: User) -> None:
    token = jane.client.post("/account/jwts", json={"duration": 5}).json()["jwt"]
    by_token = project.platform.client(project.id, **{"X-Appwrite-JWT": token})
    as_key = project.platform.client(project.id, key=token)
    as_brief = project.platform.client(project.id, key="ephemeral_" + token)

    assert by_token.get("/account").json()["$id"] == jane.id
    assert by_token.post("/account/jwts").status_code in (400, 401, 403)
    for stray in (as_key, as_brief):
        assert error_of(stray.get("/users"))[0] == 401
        assert error_of(stray.get("/account"))[0] == 401


def test_s45_a_key_for_development_opens_nothing_by_itself(project: Project) -> None:
    said = {"name": "Mine", "expire": "2099-01-01T00:00:00.000+00:00"}
    made = project.platform.console.post(f"/projects/{project.id}/dev-keys", json=said)
    secret = made.json()["secret"]

    developed = project.platform.client(project.id, **{"X-Appwrite-Dev-Key": secret})
    assert error_of(developed.get("/users"))[0] == 401
    assert error_of(project.platform.client(project.id, key=secret).get("/users"))[0] == 401
