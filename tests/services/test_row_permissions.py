"""Who may do what with rows: the table's permissions, and the rows' own."""

from __future__ import annotations

import httpx
import pytest

from tests.platform import Platform, Project, User, error_of

ROWS = "/tablesdb/db/tables/notes/rows"


def make_table(project: Project, *permissions: str, row_security: bool) -> None:
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    made = project.server.post(
        "/tablesdb/db/tables",
        json={
            "tableId": "notes",
            "name": "Notes",
            "permissions": list(permissions),
            "rowSecurity": row_security,
            "columns": [{"key": "text", "type": "text", "required": True}],
        },
    )
    assert made.status_code == 201, made.text


def put(project: Project, row_id: str, *permissions: str) -> None:
    body = {"rowId": row_id, "data": {"text": row_id}, "permissions": list(permissions)}
    assert project.server.post(ROWS, json=body).status_code == 201


def create(client: httpx.Client, **said: object) -> httpx.Response:
    return client.post(ROWS, json={"rowId": "unique()", "data": {"text": "hello"}, **said})


def listed(client: httpx.Client) -> list[str]:
    answer = client.get(ROWS).json()
    assert answer["total"] == len(answer["rows"])
    return [row["$id"] for row in answer["rows"]]


def test_without_any_permission_only_keys_and_the_console_reach_rows(project: Project, jane: User) -> None:
    make_table(project, row_security=False)
    put(project, "one")

    for client in (project.guest, jane.client):
        assert error_of(client.get(ROWS)) == (401, "user_unauthorized")
        assert error_of(client.get(f"{ROWS}/one")) == (404, "row_not_found")
        assert error_of(create(client)) == (401, "user_unauthorized")
        assert error_of(client.patch(f"{ROWS}/one", json={"data": {"text": "x"}})) == (
            401,
            "user_unauthorized",
        )
        assert error_of(client.delete(f"{ROWS}/one")) == (401, "user_unauthorized")
    assert listed(project.server) == listed(project.admin) == ["one"]
    assert project.server.get(f"{ROWS}/one").json()["text"] == "one"


@pytest.mark.parametrize(
    ("role", "who"),
    [
        ("any", {"guest", "jane", "bob"}),
        ("guests", {"guest"}),
        ("users", {"jane", "bob"}),
        ("users/unverified", {"jane", "bob"}),
        ("users/verified", set()),
        ("user:JANE", {"jane"}),
        ("user:JANE/unverified", {"jane"}),
        ("user:JANE/verified", set()),
    ],
)
def test_a_tables_permission_lets_in_whom_it_names(
    project: Project, jane: User, bob: User, role: str, who: set[str]
) -> None:
    make_table(project, f'read("{role.replace("JANE", jane.id)}")', row_security=False)
    put(project, "one")
    clients = {"guest": project.guest, "jane": jane.client, "bob": bob.client}

    assert {name for name, client in clients.items() if client.get(ROWS).status_code == 200} == who
    assert {name for name, client in clients.items() if client.get(f"{ROWS}/one").status_code == 200} == who


def test_members_of_a_team_are_let_in_by_team_and_by_role(project: Project, jane: User, bob: User) -> None:
    project.server.post("/teams", json={"teamId": "staff", "name": "Staff"})
    for user, role in ((jane, "editor"), (bob, "viewer")):
        joined = project.server.post("/teams/staff/memberships", json={"userId": user.id, "roles": [role]})
        assert joined.status_code == 201, joined.text
    make_table(project, 'read("team:staff")', 'create("team:staff/editor")', row_security=False)

    assert create(jane.client).status_code == 201
    assert error_of(create(bob.client)) == (401, "user_unauthorized")
    assert len(listed(bob.client)) == 1
    assert error_of(project.guest.get(ROWS)) == (401, "user_unauthorized")


def test_with_row_security_everybody_sees_the_rows_that_name_them(
    project: Project, jane: User, bob: User
) -> None:
    make_table(project, row_security=True)
    put(project, "janes", f'read("user:{jane.id}")')
    put(project, "users", 'read("users")')
    put(project, "open", 'read("any")')
    put(project, "closed")

    assert listed(jane.client) == ["janes", "users", "open"]
    assert listed(bob.client) == ["users", "open"]
    assert listed(project.guest) == ["open"]
    assert listed(project.server) == ["janes", "users", "open", "closed"]
    assert error_of(bob.client.get(f"{ROWS}/janes")) == (404, "row_not_found")


def test_rows_are_counted_however_many_may_read_them(project: Project, jane: User) -> None:
    make_table(project, row_security=True)
    others = [f'read("user:u{number}")' for number in range(6)]
    own = f'read("user:{jane.id}")'
    expected = []
    for many in range(len(others)):
        for at in (None, *range(many + 1)):
            row_id = f"{many}-{at}"
            granted = [
                others[0].replace("read", "update"),
                *others[:many],
                others[1].replace("read", "delete"),
            ]
            if at is not None:
                granted.insert(at + 1, own)
                expected.append(row_id)
            put(project, row_id, *granted)

    assert listed(jane.client) == expected
    changed = {"permissions": [*others, own]}
    for row_id in ("0-0", "1-None"):
        assert project.server.patch(f"{ROWS}/{row_id}", json=changed).status_code == 200
    assert set(listed(jane.client)) == {*expected, "1-None"}
    assert project.server.patch(f"{ROWS}/0-0", json={"permissions": others[:1]}).status_code == 200
    assert set(listed(jane.client)) == {*expected, "1-None"} - {"0-0"}


def test_without_row_security_the_rows_own_permissions_let_nobody_in(project: Project, jane: User) -> None:
    make_table(project, row_security=False)
    put(project, "open", 'read("any")')

    assert error_of(jane.client.get(ROWS)) == (401, "user_unauthorized")
    assert error_of(jane.client.get(f"{ROWS}/open")) == (404, "row_not_found")


def test_who_makes_a_row_may_read_change_and_delete_it_and_nobody_else(
    project: Project, jane: User, bob: User
) -> None:
    make_table(project, 'create("users")', row_security=True)
    row = create(jane.client).json()
    assert sorted(row["$permissions"]) == sorted(
        f'{each}("user:{jane.id}")' for each in ("read", "update", "delete")
    )
    path = f"{ROWS}/{row['$id']}"

    assert error_of(bob.client.get(path)) == (404, "row_not_found")
    assert error_of(bob.client.patch(path, json={"data": {"text": "b"}})) == (401, "user_unauthorized")
    assert error_of(bob.client.delete(path)) == (401, "user_unauthorized")
    assert jane.client.patch(path, json={"data": {"text": "mine"}}).json()["text"] == "mine"
    assert jane.client.delete(path).status_code == 204
    assert listed(project.server) == []


def test_a_key_that_says_nothing_of_permissions_grants_none(project: Project, jane: User) -> None:
    make_table(project, row_security=True)
    row = project.server.post(ROWS, json={"rowId": "a", "data": {"text": "x"}}).json()

    assert row["$permissions"] == []
    assert listed(jane.client) == []


def test_only_roles_that_one_holds_can_be_granted(project: Project, jane: User, bob: User) -> None:
    make_table(project, 'create("users")', row_security=True)

    assert create(jane.client, permissions=['read("users")', 'read("any")']).status_code == 201
    for foreign in (f'read("user:{bob.id}")', 'read("team:staff")', 'read("label:vip")', 'read("guests")'):
        refused = create(jane.client, permissions=[foreign])
        assert error_of(refused) == (401, "user_unauthorized")
        role = foreign.split('"')[1]
        assert f"`{role}` is none of yours. Share through a team" in refused.json()["message"]
    assert len(listed(project.server)) == 1


def test_write_stands_for_update_and_delete(project: Project, jane: User) -> None:
    make_table(project, 'create("users")', row_security=True)
    row = create(jane.client, permissions=[f'write("user:{jane.id}")']).json()

    assert row["$permissions"] == [f'update("user:{jane.id}")', f'delete("user:{jane.id}")']


def test_permissions_can_be_changed_by_who_may_update(project: Project, jane: User, bob: User) -> None:
    make_table(project, 'create("users")', row_security=True)
    path = f"{ROWS}/{create(jane.client).json()['$id']}"

    assert error_of(bob.client.patch(path, json={"permissions": ['read("any")']}))[0] == 401
    jane.client.patch(path, json={"permissions": ['read("users")', f'update("user:{jane.id}")']})
    assert bob.client.get(path).status_code == 200
    assert error_of(jane.client.delete(path)) == (401, "user_unauthorized")


def test_a_user_that_was_slower_is_told_so_and_a_stranger_is_not(
    project: Project, jane: User, bob: User
) -> None:
    make_table(project, 'create("users")', row_security=True)
    path = f"{ROWS}/{create(jane.client).json()['$id']}"
    body = {"data": {"text": "late"}}
    headers = {"X-Appwrite-Timestamp": "2001-01-01T00:00:00Z"}

    slow = jane.client.patch(path, json=body, headers=headers)
    assert error_of(slow) == (409, "row_update_conflict")
    stranger = bob.client.patch(path, json=body, headers=headers)
    assert error_of(stranger) == (401, "user_unauthorized")
    assert jane.client.get(path).json()["text"] == "hello"


def test_revoking_a_permission_of_the_table_holds_at_once_in_every_worker(
    project: Project, jane: User
) -> None:
    make_table(project, 'read("users")', row_security=False)
    put(project, "one")
    assert all(jane.client.get(ROWS).status_code == 200 for _ in range(10))
    project.server.put("/tablesdb/db/tables/notes", json={"name": "Notes", "permissions": []})

    assert {jane.client.get(ROWS, headers={"Connection": "close"}).status_code for _ in range(20)} == {401}


def test_a_session_of_another_project_is_a_guest(platform: Platform, project: Project) -> None:
    other = platform.new_project()
    eve = other.new_user("Eve")
    make_table(project, 'read("users")', row_security=False)

    assert error_of(platform.client(project.id, session=eve.session).get(ROWS)) == (401, "user_unauthorized")


def test_a_key_needs_the_scope_for_what_it_does(platform: Platform, project: Project) -> None:
    make_table(project, row_security=False)
    reader = platform.client(project.id, key=project.key_with("rows.read"))

    assert reader.get(ROWS).status_code == 200
    assert error_of(create(reader)) == (401, "general_unauthorized_scope")
    assert error_of(reader.get("/tablesdb")) == (401, "general_unauthorized_scope")
