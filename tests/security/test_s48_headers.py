"""S48: answers keep browsers from guessing and from keeping, and tell no version of the server."""

from __future__ import annotations

from tests.platform import Project, User


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
