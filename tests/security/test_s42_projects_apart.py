"""S42: what belongs to one project is not reached from another, by whatever way a project can be named."""

from __future__ import annotations

from tests.platform import Platform, Project, User, error_of


def test_s42_the_same_ids_in_two_projects_are_different_things(platform: Platform) -> None:
    first, second = platform.new_project(), platform.new_project()
    users = [each.new_user(each.id, user_id="same", email="same@example.com") for each in (first, second)]
    for user in users:
        assert user.client.post("/teams", json={"teamId": "same", "name": user.name}).status_code == 201
        user.client.patch("/account/prefs", json={"prefs": {"of": user.name}})

    for project, user in zip((first, second), users, strict=True):
        assert user.client.get("/teams/same").json()["name"] == project.id
        assert user.client.get("/account/prefs").json() == {"of": project.id}
        assert project.server.get("/users").json()["total"] == 1
    users[0].client.delete("/account/sessions/current")
    first.server.delete("/users/same")
    assert users[1].client.get("/account").json()["prefs"] == {"of": second.id}


def test_s42_a_session_counts_in_its_own_project_only(
    platform: Platform, project: Project, jane: User
) -> None:
    other = platform.new_project()
    ways = [
        {"X-Appwrite-Session": jane.session},
        {"Cookie": f"a_session_{other.id}={jane.session}"},
        {"Cookie": f"a_session_{project.id}={jane.session}"},
        {"X-Fallback-Cookies": f'{{"a_session_{other.id}":"{jane.session}"}}'},
        {"X-Appwrite-Session": jane.session, "X-Appwrite-Mode": "admin"},
    ]

    for headers in ways:
        assert error_of(other.guest.get("/account", headers=headers)) == (401, "general_unauthorized_scope")
    token = jane.client.post("/account/jwts").json()["jwt"]
    assert error_of(other.guest.get("/account", headers={"X-Appwrite-JWT": token})) == (
        401,
        "user_jwt_invalid",
    )


def test_s42_a_key_counts_in_its_own_project_only(platform: Platform, project: Project) -> None:
    other = platform.new_project()
    stranger = platform.client(other.id, key=project.key)

    assert error_of(stranger.get("/users")) == (401, "general_unauthorized_scope")
    for path in ("", "/keys", "/platforms"):
        refused = project.server.get(f"/projects/{other.id}{path}")
        assert error_of(refused) == (401, "general_unauthorized_scope")
    assert error_of(project.server.delete(f"/projects/{other.id}"))[0] == 401
    assert other.server.get("/project").status_code == 200


def test_s42_the_header_wins_over_the_query(platform: Platform, project: Project, jane: User) -> None:
    other = platform.new_project()

    assert jane.client.get("/account", params={"project": other.id}).json()["$id"] == jane.id
    assert other.guest.get(
        "/account", params={"project": project.id}, headers={"X-Appwrite-Session": jane.session}
    ).status_code == 401  # fmt: skip


def test_s42_admin_mode_takes_a_session_of_the_console(project: Project, jane: User) -> None:
    admin = {"X-Appwrite-Mode": "admin"}
    own = f"a_session_{project.id}={jane.session}; a_session_console={jane.session}"

    assert error_of(project.guest.get("/users", headers=admin)) == (401, "general_unauthorized_scope")
    assert error_of(jane.client.get("/users", headers=admin)) == (401, "general_unauthorized_scope")
    with_cookie = project.guest.get("/users", headers={**admin, "Cookie": own})
    assert error_of(with_cookie) == (401, "general_unauthorized_scope")


def test_s42_an_unknown_project_is_not_found_whatever_it_is_called(platform: Platform) -> None:
    for name in ("nothing", "Default", "../default", "x" * 5000, "%00", "console/x"):
        answer = platform.client(name).get("/account")
        assert error_of(answer) == (404, "project_not_found"), name
