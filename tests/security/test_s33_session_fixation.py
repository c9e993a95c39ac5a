"""S33: signing in makes a new session, whatever the browser brought along."""

from __future__ import annotations

from tests.platform import PASSWORD, Project, User, session_of


def test_s33_a_planted_cookie_does_not_become_the_session(project: Project, jane: User, bob: User) -> None:
    planted = {"Cookie": f"a_session_{project.id}={bob.session}; a_session_{project.id}_legacy={bob.session}"}
    answer = project.guest.post(
        "/account/sessions/email", json={"email": jane.email, "password": PASSWORD}, headers=planted
    )

    assert answer.status_code == 201
    assert session_of(answer) != bob.session
    assert bob.client.get("/account").json()["$id"] == bob.id
    signed_in = project.platform.client(project.id, session=session_of(answer))
    assert signed_in.get("/account").json()["$id"] == jane.id


def test_s33_every_login_is_another_session(project: Project, jane: User) -> None:
    sessions = {project.sign_in(jane.email) for _ in range(3)} | {jane.session}

    assert len(sessions) == 4
