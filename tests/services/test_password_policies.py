"""What a project demands of passwords and e-mail addresses, wherever they are set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import httpx
import pytest

from freehold.services.users import email_rules, password_rules
from tests.platform import PASSWORD, Platform, Project, User, error_of, unique

REFUSED = (400, "general_argument_invalid")


def demand(project: Project, policy: str, **parameters: object) -> None:
    said = project.server.patch(f"/project/policies/{policy}", json=parameters)
    assert said.status_code == 200, said.text


def ways(project: Project, jane: User) -> dict[str, Callable[[str], httpx.Response]]:
    """Every place where a password is set."""

    def register(password: str) -> httpx.Response:
        body = {"userId": "unique()", "email": f"{unique('new')}@example.com", "password": password}
        return project.guest.post("/account", json=body)

    def make(password: str) -> httpx.Response:
        return project.server.post("/users", json={"userId": "unique()", "password": password})

    def give(password: str) -> httpx.Response:
        return project.server.patch(f"/users/{jane.id}/password", json={"password": password})

    def change(password: str) -> httpx.Response:
        client = project.platform.client(project.id, session=project.sign_in(jane.email))
        return client.patch("/account/password", json={"password": password, "oldPassword": PASSWORD})

    return {"change": change, "register": register, "make": make, "give": give}


@pytest.mark.parametrize("way", ["change", "register", "make", "give"])
def test_a_policy_holds_wherever_a_password_is_set(project: Project, jane: User, way: str) -> None:
    demand(project, "password-strength", min=10, uppercase=True, lowercase=True, number=True, symbols=True)
    demand(project, "password-dictionary", enabled=True)
    tried = ways(project, jane)[way]

    for weak in ("Sh0rt!!", "nocapital1!!", "NOSMALL1!!!", "NoDigits!!!", "NoSymbol111"):
        assert error_of(tried(weak)) == REFUSED
    assert tried("Fine-Words-42-go").status_code in (200, 201)


def test_common_passwords_are_refused_and_others_are_not(project: Project) -> None:
    def make(password: str) -> httpx.Response:
        return project.server.post("/users", json={"userId": "unique()", "password": password})

    assert make("password").status_code == 201
    demand(project, "password-dictionary", enabled=True)

    for common in ("password", "iloveyou", "12345678", "Baseball", "qwertyuiop", "p@ssw0rd"):
        assert error_of(make(common)) == REFUSED
    assert make(PASSWORD).status_code == 201


def test_a_password_does_not_hold_what_is_known_of_its_user(project: Project) -> None:
    demand(project, "password-personal-data", enabled=True)
    email = f"{unique('jane.doe')}@example.com"

    def make(password: str) -> httpx.Response:
        body = {"userId": "unique()", "name": "Jane Doenitz", "phone": "+14155552671", "email": email}
        return project.server.post("/users", json={**body, "password": password})

    for personal in ("my-doenitz-77", "14155552671x", f"x{email}", email.partition("@")[0].upper()):
        assert error_of(make(personal)) == (400, "password_personal_data")
    assert make("nothing of mine 77").status_code == 201


def test_the_last_passwords_are_not_taken_again(project: Project, jane: User) -> None:
    demand(project, "password-history", total=2)

    def give(password: str) -> httpx.Response:
        return project.server.patch(f"/users/{jane.id}/password", json={"password": password})

    assert error_of(give(PASSWORD)) == (400, "password_recently_used")
    assert give("another password").status_code == 200
    assert error_of(give(PASSWORD)) == (400, "password_recently_used")
    assert error_of(give("another password")) == (400, "password_recently_used")
    assert give("a third password").status_code == 200
    assert give(PASSWORD).status_code == 200


def test_no_more_former_passwords_are_kept_than_are_asked_for(project: Project, jane: User) -> None:
    def former() -> int:
        async def count() -> int:
            db = await asyncpg.connect(project.platform.admin_url)
            try:
                return int(
                    await db.fetchval(
                        "select count(*) from freehold.former_passwords where project_id = $1", project.id
                    )
                )
            finally:
                await db.close()

        return asyncio.run(count())

    project.server.patch(f"/users/{jane.id}/password", json={"password": "one without policy"})
    assert former() == 0
    demand(project, "password-history", total=3)
    for number in range(5):
        project.server.patch(f"/users/{jane.id}/password", json={"password": f"password number {number}"})

    assert former() == 2


def test_a_leaked_password_is_refused_and_nobody_hears_which(platform: Platform, project: Project) -> None:
    leaks = platform.leaks
    assert leaks is not None
    leaked = unique("leaked password")
    leaks.add(leaked)

    def make(password: str) -> httpx.Response:
        return project.server.post("/users", json={"userId": "unique()", "password": password})

    assert make(leaked).status_code == 201
    demand(project, "password-pwned", enabled=True, users=True)
    asked = len(leaks.asked)

    assert error_of(make(leaked)) == REFUSED
    assert make("never seen anywhere").status_code == 201
    assert all(len(path) == len("/range/12345") for path in leaks.asked[asked:])
    assert len(leaks.asked) == asked + 2
    leaks.is_down = True
    try:
        assert make(leaked).status_code == 201  # people must get in without it
    finally:
        leaks.is_down = False


def test_who_signs_in_with_an_old_or_a_leaked_password_changes_it_first(
    platform: Platform, project: Project, jane: User
) -> None:
    assert platform.leaks is not None
    leaked = unique("leaked later")
    project.server.patch(f"/users/{jane.id}/password", json={"password": leaked})
    platform.leaks.add(leaked)
    login = {"email": jane.email, "password": leaked}
    assert project.guest.post("/account/sessions/email", json=login).status_code == 201
    demand(project, "password-pwned", enabled=True, sessions=True)

    assert error_of(project.guest.post("/account/sessions/email", json=login)) == (
        412,
        "user_password_reset_required",
    )
    wrong = {**login, "password": "a wrong password"}
    assert error_of(project.guest.post("/account/sessions/email", json=wrong))[0] == 401


@pytest.mark.parametrize(
    ("policy", "refused", "taken", "error"),
    [
        ("deny-disposable-email", "x@mailinator.com", "x@gmail.com", "user_email_disposable"),
        ("deny-free-email", "x@gmail.com", "x@freehold-example.com", "user_email_free"),
        ("deny-corporate-email", "x@yahoo.com", "x@freehold-example.com", "user_email_not_corporate"),
        ("deny-aliased-email", "x+tag@example.com", "x@example.com", "user_email_not_canonical"),
        ("deny-aliased-email", "a.b.c@gmail.com", "abc@gmail.com", "user_email_not_canonical"),
    ],
)
def test_a_policy_holds_wherever_an_address_is_set(
    project: Project, jane: User, policy: str, refused: str, taken: str, error: str
) -> None:
    demand(project, policy, enabled=True)
    new = {"userId": "unique()", "password": PASSWORD, "email": refused}
    change = {"password": PASSWORD, "email": refused}

    assert error_of(project.guest.post("/account", json=new)) == (400, error)
    assert error_of(project.server.post("/users", json=new)) == (400, error)
    assert error_of(project.server.patch(f"/users/{jane.id}/email", json=change)) == (400, error)
    assert error_of(jane.client.patch("/account/email", json=change)) == (400, error)
    assert project.guest.post("/account", json={**new, "email": taken}).status_code == 201


def test_a_user_tells_which_mailbox_its_address_is_of(project: Project) -> None:
    made = project.server.post(
        "/users", json={"userId": "unique()", "email": "Jane.Doe+shop@GoogleMail.com"}
    ).json()
    tagged = project.server.post(
        "/users", json={"userId": "unique()", "email": "jane@freehold-example.com"}
    ).json()

    assert (made["emailCanonical"], made["emailIsCanonical"]) == ("janedoe@gmail.com", False)
    assert (made["emailIsFree"], made["emailIsDisposable"], made["emailIsCorporate"]) == (True, False, False)
    assert (tagged["emailIsCanonical"], tagged["emailIsCorporate"]) == (True, True)


def test_domains_are_known_by_whole_parts() -> None:
    assert email_rules.is_disposable("x@sub.mailinator.com")
    assert not email_rules.is_disposable("x@a-mailinator.com")
    for known in ("gmail.com", "outlook.com", "yahoo.com", "icloud.com"):
        assert email_rules.is_free(f"x@{known}")
    assert not email_rules.is_corporate("")


def test_only_terms_that_say_something_are_personal() -> None:
    terms = password_rules.personal_terms("u1", "Jo Li", "jo@example.com", "+1415")

    assert terms == ["Jo Li", "1415", "jo@example.com"]
    assert password_rules.is_common("letmein1")
    assert not password_rules.is_common("a" * 65)
