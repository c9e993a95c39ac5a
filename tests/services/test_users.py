"""Users as a project's server sees them."""

from __future__ import annotations

import pytest
from appwrite.query import Query
from appwrite.services.project import Project as ProjectService
from appwrite.services.users import Users

from tests.platform import PASSWORD, Platform, Project, User, error_of, session_of, unique


def server(project: Project) -> Users:
    return Users(project.sdk(key=project.key))


def test_a_key_makes_a_user_who_can_sign_in(project: Project) -> None:
    email = f"{unique('made')}@example.com"
    made = server(project).create("made", email, "+14155552671", PASSWORD, "Made")
    signed_in = project.guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})

    assert (made.id, made.email, made.phone, made.name) == ("made", email, "+14155552671", "Made")
    assert made.passwordupdate != ""
    assert not made.emailverification
    assert signed_in.json()["userId"] == "made"


def test_a_user_without_a_password_cannot_sign_in_with_one(project: Project) -> None:
    email = f"{unique('none')}@example.com"
    made = server(project).create("unique()", email)

    assert made.passwordupdate == ""
    for password in ("null", "", "password"):
        refused = project.guest.post("/account/sessions/email", json={"email": email, "password": password})
        assert refused.status_code in (400, 401)
        assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "again", [{"userId": "made"}, {"email": "MADE@example.com"}, {"phone": "+14155552671"}]
)
def test_an_id_an_address_and_a_number_are_taken_once(project: Project, again: dict[str, str]) -> None:
    server(project).create("made", "made@example.com", "+14155552671")
    refused = project.server.post("/users", json={"userId": "unique()", "name": "x", **again})

    assert error_of(refused) == (409, "user_already_exists")
    assert server(project).list().total == 1


def test_many_users_may_have_no_address_and_no_number(project: Project) -> None:
    for _ in range(3):
        server(project).create("unique()")

    assert server(project).list().total == 3


def test_users_are_found_by_what_is_known_of_them(project: Project, jane: User, bob: User) -> None:
    users = server(project)
    users.update_labels(bob.id, ["vip", "vip", "beta"])
    users.update_status(jane.id, False)

    def found(*queries: str, search: str = "") -> list[str]:
        return [each.name for each in users.list(list(queries), search).users]

    assert found(Query.equal("email", [bob.email])) == ["Bob"]
    assert found(Query.equal("status", [False])) == ["Jane"]
    assert found(Query.contains("labels", ["vip"])) == ["Bob"]
    assert found(Query.not_contains("labels", ["vip"])) == ["Jane"]
    assert found(search=jane.email[:8]) == ["Jane"]
    assert found(search="100%_") == []
    assert found(Query.order_desc("$createdAt")) == ["Bob", "Jane"]
    assert found(Query.is_not_null("phone")) == []
    assert users.get(bob.id).labels == ["vip", "beta"]


def test_a_page_follows_another_also_where_something_was_never_set(project: Project) -> None:
    users = server(project)
    for number in range(5):
        users.create(f"u{number}", f"u{number}@example.com" if number % 2 else None)

    for attribute in ("accessedAt", "email", "status", "$createdAt"):
        for order in (Query.order_asc, Query.order_desc):
            whole = [each.id for each in users.list([order(attribute)]).users]
            paged: list[str] = []
            while len(paged) < 5:
                after = [Query.cursor_after(paged[-1])] if paged else []
                paged += [each.id for each in users.list([order(attribute), Query.limit(2), *after]).users]
            assert paged == whole
            before = users.list([order(attribute), Query.limit(2), Query.cursor_before(whole[4])]).users
            assert [each.id for each in before] == whole[2:4]


def test_a_deleted_user_is_out_at_once_and_its_address_is_free(project: Project, jane: User) -> None:
    assert jane.client.get("/account").status_code == 200
    server(project).delete(jane.id)

    assert jane.client.get("/account").status_code == 401
    assert error_of(project.server.get(f"/users/{jane.id}")) == (404, "user_not_found")
    assert error_of(project.server.delete(f"/users/{jane.id}")) == (404, "user_not_found")
    assert server(project).create("unique()", jane.email).email == jane.email


def test_users_are_not_for_users(project: Project, jane: User) -> None:
    for client in (jane.client, project.guest):
        assert error_of(client.get("/users")) == (401, "general_unauthorized_scope")
        assert error_of(client.get(f"/users/{jane.id}")) == (401, "general_unauthorized_scope")
        assert error_of(client.delete(f"/users/{jane.id}")) == (401, "general_unauthorized_scope")
    assert server(project).get(jane.id).id == jane.id


def test_the_same_user_id_in_two_projects_is_two_users(platform: Platform) -> None:
    first, second = platform.new_project(), platform.new_project()
    for each in (first, second):
        server(each).create("same", "same@example.com", None, PASSWORD, each.id)
    server(first).delete("same")

    assert server(second).get("same").name == second.id
    signing_in = {"email": "same@example.com", "password": PASSWORD}
    assert session_of(second.guest.post("/account/sessions/email", json=signing_in))


def test_a_list_of_users_is_in_the_order_in_which_they_were_made(project: Project) -> None:
    users = Users(project.sdk(key=project.key))
    for number in range(4):
        users.create(f"u{number}", name="ab"[number % 2])

    def listed(*queries: str) -> list[str]:
        return [each.id for each in users.list([*queries]).users]

    assert listed(Query.order_desc("$sequence")) == ["u3", "u2", "u1", "u0"]
    assert listed(Query.order_asc("name"), Query.order_desc("$sequence")) == ["u2", "u0", "u3", "u1"]
    assert listed(Query.order_desc("$sequence"), Query.cursor_after("u2"), Query.limit(1)) == ["u1"]


def test_a_server_counts_users_lets_one_in_by_a_secret_and_signs_it_out_everywhere(project: Project) -> None:
    users = Users(project.sdk(key=project.key))
    jane = project.new_user("Jane")
    token = users.create_token(jane.id, 32, 60)
    session = project.guest.post("/account/sessions/token", json={"userId": jane.id, "secret": token.secret})
    project.guest.cookies.clear()
    again = project.guest.post("/account/sessions/token", json={"userId": jane.id, "secret": token.secret})

    assert len(token.secret) == 32
    assert (session.status_code, session.json()["provider"]) == (201, "token")
    assert error_of(again) == (401, "user_invalid_token")
    for period, points in (("24h", 24), ("30d", 30), ("90d", 90)):
        usage = project.server.get("/users/usage", params={"range": period}).json()
        assert (usage["range"], usage["usersTotal"], usage["sessionsTotal"]) == (period, 1, 2)
        assert (len(usage["users"]), usage["users"][-1]["value"]) == (points, 1)
    assert error_of(jane.client.get("/users/usage"))[0] == 401
    users.delete_sessions(jane.id)
    assert users.list_sessions(jane.id).total == 0
    assert jane.client.get("/account").status_code == 401


def test_a_key_of_a_project_is_read_with_what_it_may(project: Project) -> None:
    made = project.admin.post("/project/keys", json={"keyId": "ci", "name": "CI", "scopes": ["users.read"]})
    found = ProjectService(project.sdk(key=project.key)).get_key("ci")

    assert (found.id, found.name, found.scopes) == ("ci", "CI", ["users.read"])
    assert found.secret == made.json()["secret"]
    assert error_of(project.admin.get("/project/keys/none")) == (404, "key_not_found")
