"""S53: a name is one line. What follows a line break in it would stand by itself in mails and on pages."""

from __future__ import annotations

import pytest

from tests.platform import Project, User, error_of
from tests.services.inbox import Inbox

BROKEN = ("a\r\nBcc: x@example.com", "a\nb", "a\rb", "a\x1b[31m", "a\u2028b", "a\n", "\x7f")


@pytest.mark.parametrize("name", BROKEN)
def test_s53_nobody_is_called_by_two_lines(project: Project, jane: User, name: str) -> None:
    team = jane.client.post("/teams", json={"teamId": "arsenal", "name": "Arsenal"})
    assert team.status_code == 201
    new = {"userId": "x", "email": "x@example.com", "password": "correct horse battery", "name": name}

    for refused in (
        jane.client.patch("/account/name", json={"name": name}),
        project.guest.post("/account", json=new),
        project.server.post("/users", json=new),
        project.server.patch(f"/users/{jane.id}/name", json={"name": name}),
        jane.client.put("/teams/arsenal", json={"name": name}),
        jane.client.post("/teams", json={"teamId": "t", "name": name}),
    ):
        assert error_of(refused) == (400, "general_argument_invalid")
        assert "one line of text" in refused.json()["message"]
    assert jane.client.get("/account").json()["name"] == "Jane"
    assert jane.client.get("/teams/arsenal").json()["name"] == "Arsenal"


def test_s53_a_name_in_any_script_is_a_name_and_stays_in_its_line_of_the_mail(
    project: Project, jane: User, inbox: Inbox
) -> None:
    for name in ("Zoë Čapek", "毛澤東", "محمد", "👩‍🚀 Ada", "O'Neill; Bcc: x@example.com"):
        assert jane.client.patch("/account/name", json={"name": name}).status_code == 200
    asked = {"url": "http://localhost/"}
    assert jane.client.post("/account/verifications/email", json=asked).status_code == 201
    mail = inbox.mail_to(jane.email)

    assert "O'Neill; Bcc: x@example.com" in mail.text
    assert inbox.mails_to("x@example.com") == []
