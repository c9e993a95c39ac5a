"""S52: what looks like a template in a name or in a project's own words comes out of a mail as it went in."""

from __future__ import annotations

import pytest

from tests.platform import Project, User, unique
from tests.services.inbox import Inbox

PAGE = "http://localhost:3000/"

ODD = [
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{% for x in range(9) %}49{% endfor %}",
    "{0.__class__}",
    "{user.__class__.__mro__}",
    "%(name)s %s %d",
    "{{config.items()}}",
    "{{redirect}} {{otp}} {{secret}}",
    "[[${7*7}]]",
    "`id` $(id)",
]


@pytest.mark.parametrize("odd", ODD)
def test_s52_a_name_is_a_name_in_mails(project: Project, inbox: Inbox, jane: User, odd: str) -> None:
    assert jane.client.patch("/account/name", json={"name": odd}).status_code == 200
    assert jane.client.post("/account/verifications/email", json={"url": PAGE}).status_code == 201
    mail = inbox.mail_to(jane.email)

    assert odd in mail.text
    assert "49" not in mail.text.replace(mail.link, "").replace(odd, "")
    assert "class '" not in mail.text


def test_s52_the_name_of_a_team_is_a_name_in_invitations(project: Project, inbox: Inbox, jane: User) -> None:
    for odd in ODD:
        team = jane.client.post("/teams", json={"teamId": "unique()", "name": odd}).json()["$id"]
        email = f"{unique('friend')}@example.com"
        invited = {"roles": ["player"], "email": email, "url": PAGE}
        assert jane.client.post(f"/teams/{team}/memberships", json=invited).status_code == 201
        mail = inbox.mail_to(email)

        assert odd in mail.subject + mail.text
        assert "class '" not in mail.text


def test_s52_a_projects_own_words_know_their_placeholders_and_nothing_else(
    project: Project, inbox: Inbox, jane: User
) -> None:
    words = "Dear {{user}}: " + " | ".join(each for each in ODD if "redirect" not in each) + " {{redirect}}"
    template = {
        "templateId": "verification",
        "locale": "en",
        "subject": "{{7*7}} {0.__class__}",
        "message": words,
    }
    changed = project.admin.patch("/project/templates/email", json=template)
    assert changed.status_code == 200, changed.text
    jane.client.patch("/account/name", json={"name": "{{redirect}}"})

    assert jane.client.post("/account/verifications/email", json={"url": PAGE}).status_code == 201
    mail = inbox.mail_to(jane.email)
    assert mail.subject == "{{7*7}} {0.__class__}"
    assert "${7*7}" in mail.text
    assert "{0.__class__}" in mail.text
    assert "class '" not in mail.text
    assert mail.text.count("secret=") == 1  # of the link alone: a name is not filled in again
