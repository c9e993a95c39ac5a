"""Keys for development: they spare an application the check of its origin, and open nothing."""

from __future__ import annotations

from tests.platform import Platform, Project, error_of

LATER, EARLIER = "2099-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"
ELSEWHERE = {"Origin": "https://elsewhere.example.com"}


def made(project: Project, expire: str = LATER) -> dict[str, str]:
    answer = project.platform.console.post(
        f"/projects/{project.id}/dev-keys", json={"name": "Dev", "expire": expire}
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_a_dev_key_is_made_changed_listed_and_deleted(project: Project) -> None:
    console, at = project.platform.console, f"/projects/{project.id}/dev-keys"
    key = made(project)
    console.put(f"{at}/{key['$id']}", json={"name": "Renamed", "expire": LATER})
    listed = console.get(at).json()

    assert (listed["total"], listed["devKeys"][0]["name"]) == (1, "Renamed")
    assert console.get(f"{at}/{key['$id']}").json()["secret"] == key["secret"]
    assert console.delete(f"{at}/{key['$id']}").status_code == 204
    assert error_of(console.get(f"{at}/{key['$id']}")) == (404, "key_not_found")


def test_pages_from_anywhere_may_call_with_a_dev_key(project: Project) -> None:
    jane = project.new_user()
    key = made(project)
    told = {**ELSEWHERE, "X-Appwrite-Dev-Key": key["secret"]}
    answer = jane.client.get("/account", headers=told)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE["Origin"]
    assert error_of(jane.client.get("/account", headers=ELSEWHERE)) == (403, "general_unknown_origin")
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-appwrite-dev-key"}
    preflight = project.guest.options("/account", headers={**ELSEWHERE, **asked})
    assert preflight.headers["access-control-allow-origin"] == ELSEWHERE["Origin"]


def test_a_dev_key_that_is_over_deleted_or_of_another_project_counts_for_nothing(
    platform: Platform, project: Project
) -> None:
    console = platform.console
    other, over, gone = made(platform.new_project()), made(project, EARLIER), made(project)
    held = {**ELSEWHERE, "X-Appwrite-Dev-Key": gone["secret"]}
    assert project.guest.get("/account", headers=held).status_code == 401
    console.delete(f"/projects/{project.id}/dev-keys/{gone['$id']}")

    for secret in (other["secret"], over["secret"], gone["secret"], "dev_guess", "x"):
        answer = project.guest.get("/account", headers={**ELSEWHERE, "X-Appwrite-Dev-Key": secret})
        assert error_of(answer) == (403, "general_unknown_origin")


def test_a_dev_key_opens_nothing(project: Project) -> None:
    key = made(project)
    guest = project.platform.client(project.id, **{"X-Appwrite-Dev-Key": key["secret"]})

    assert error_of(guest.get("/users")) == (401, "general_unauthorized_scope")
    assert error_of(guest.get("/project")) == (401, "general_unauthorized_scope")


def test_dev_keys_are_not_made_with_an_api_key(project: Project) -> None:
    refused = project.server.post(f"/projects/{project.id}/dev-keys", json={"name": "Dev", "expire": LATER})

    assert refused.status_code in (401, 403)


def test_the_console_acts_only_from_its_own_pages_even_with_a_dev_key(project: Project) -> None:
    told = {**ELSEWHERE, "X-Appwrite-Dev-Key": made(project)["secret"]}

    assert error_of(project.admin.get("/users", headers=told)) == (403, "general_unknown_origin")


def test_everything_is_switched_off_and_on_at_once(project: Project) -> None:
    console, jane = project.platform.console, project.new_user()
    for path in ("service/all", "api/all"):
        assert console.patch(f"/projects/{project.id}/{path}", json={"status": False}).status_code == 200
        assert jane.client.get("/account").status_code == 403
        assert project.server.get("/users").status_code == 200
        assert console.patch(f"/projects/{project.id}/{path}", json={"status": True}).status_code == 200
        assert jane.client.get("/account").status_code == 200
