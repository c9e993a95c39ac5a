"""S39: an address is one account's, and nothing that looks or sorts like it is another's, or finds it."""

from __future__ import annotations

import pytest

from tests.platform import PASSWORD, Project, error_of, unique
from tests.services.inbox import Inbox
from tests.services.signing_in_at_vendors import Browser, set_up
from tests.services.vendors import Person

PAGE = "http://localhost:3000/"


def register(project: Project, email: str) -> tuple[int, str]:
    body = {"userId": "unique()", "email": email, "password": PASSWORD}
    answer = project.guest.post("/account", json=body)
    return (201, answer.json()["$id"]) if answer.status_code == 201 else error_of(answer)


def test_s39_letters_in_another_case_and_spaces_around_are_the_same_address(
    project: Project, inbox: Inbox
) -> None:
    name = unique("jane")
    email = f"{name}@example.com"
    jane = register(project, email.title())[1]

    for same in (email, email.upper(), f" {email} ", f"{email}\n"):
        assert register(project, same) == (409, "user_already_exists"), same
        answer = project.guest.post("/account/sessions/email", json={"email": same, "password": PASSWORD})
        assert (answer.status_code, answer.json().get("userId")) == (201, jane)
        project.guest.cookies.clear()
    assert project.server.get(f"/users/{jane}").json()["email"] == email
    project.guest.post("/account/recovery", json={"email": email.upper(), "url": PAGE})
    assert inbox.mail_to(email).parameters["userId"]


def test_s39_a_plus_and_a_dot_make_another_account_that_reaches_nothing_of_the_first(
    project: Project, inbox: Inbox
) -> None:
    name = unique("jane").replace("-", "")
    jane = register(project, f"{name}@gmail.com")[1]

    for other in (f"{name}+a@gmail.com", f"{name[:2]}.{name[2:]}@gmail.com", f"{name}@googlemail.com"):
        status, user_id = register(project, other)
        assert (status, user_id != jane) == (201, True)
        asked = {"email": other, "userId": "unique()"}
        token = project.guest.post("/account/tokens/email", json=asked).json()
        session = {"userId": token["userId"], "secret": inbox.mail_to(other).code}
        assert project.guest.post("/account/sessions/token", json=session).json()["userId"] == user_id
        project.guest.cookies.clear()
    assert inbox.mails_to(f"{name}@gmail.com") == []


LOOKALIKES = [
    "\N{KELVIN SIGN}ate{n}@example.com",  # in lower case it is a plain k
    "k\N{CYRILLIC SMALL LETTER A}te{n}@example.com",
    "k\N{LATIN SMALL LETTER A WITH ACUTE}te{n}@example.com",
    "ka\N{COMBINING ACUTE ACCENT}te{n}@example.com",
    "kate{n}@ex\N{CYRILLIC SMALL LETTER A}mple.com",
    "kate{n}@example\N{FULLWIDTH FULL STOP}com",
    "kate{n}@\N{FULLWIDTH LATIN SMALL LETTER E}xample.com",
    "kate{n}@example.com.",
    "kate{n}.@example.com",
    ".kate{n}@example.com",
    "ka..te{n}@example.com",
    "kate{n}@example.com\N{ZERO WIDTH SPACE}",
    "k\N{SOFT HYPHEN}ate{n}@example.com",
    "kate{n}@example.com, mallory@example.com",
    "<kate{n}@example.com>",
    "kate{n}@example.com\r\nBcc: mallory@example.com",
]


@pytest.mark.parametrize("lookalike", LOOKALIKES, ids=ascii)
def test_s39_what_only_looks_like_an_address_is_refused_everywhere(
    project: Project, inbox: Inbox, lookalike: str
) -> None:
    number = unique("")
    email = f"kate{number}@example.com"
    kate = register(project, email)[1]
    other = lookalike.format(n=number)

    assert register(project, other) == (400, "general_argument_invalid")
    body = {"email": other, "url": PAGE, "userId": "unique()"}
    for path in ("/account/recovery", "/account/tokens/email", "/account/tokens/magic-url"):
        assert error_of(project.guest.post(path, json=body)) == (400, "general_argument_invalid")
    login = project.guest.post("/account/sessions/email", json={"email": other, "password": PASSWORD})
    assert error_of(login) == (401, "user_invalid_credentials")
    made = project.server.post("/users", json={"userId": "unique()", "email": other})
    assert error_of(made) == (400, "general_argument_invalid")
    changed = project.server.patch(f"/users/{kate}/email", json={"email": other})
    assert error_of(changed) == (400, "general_argument_invalid")
    assert inbox.mails_to(email) == []
    assert project.server.get("/users").json()["total"] == 1


def test_s39_a_vendor_who_vouches_for_a_lookalike_opens_nobody_elses_account(project: Project) -> None:
    email = f"kate{unique('')}@example.com"
    kate = register(project, email)[1]
    project.server.patch(f"/users/{kate}/verification", json={"emailVerification": True})
    set_up(project, "github")
    browser = Browser(project)
    browser.sign_in("github", Person(uid="1", email="\N{KELVIN SIGN}" + email[1:], name="Mallory"))

    came = browser.account().json()
    assert came["$id"] != kate
    assert came["email"] == ""
