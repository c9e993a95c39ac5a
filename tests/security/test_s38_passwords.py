"""S38: a password counts as a whole, however it is spelled, and an old hash becomes a better one."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest

from tests.platform import Project, error_of, unique


def register(project: Project, password: str) -> str:
    """The address of a new user with this password."""
    email = f"{unique('jane')}@example.com"
    made = project.guest.post("/account", json={"userId": "unique()", "email": email, "password": password})
    assert made.status_code == 201, made.text
    return email


def sign_in(project: Project, email: str, password: object) -> tuple[int, str]:
    answer = project.guest.post("/account/sessions/email", json={"email": email, "password": password})
    project.guest.cookies.clear()
    return (201, "") if answer.status_code == 201 else error_of(answer)


@pytest.mark.parametrize("letter", ["a", "é", "漢", "🔑"])
def test_s38_what_comes_after_72_bytes_counts(project: Project, letter: str) -> None:
    password = letter * 80
    email = register(project, password)

    assert sign_in(project, email, password) == (201, "")
    for other in (letter * 72, letter * 79, letter * 79 + "b", letter * 81):
        assert sign_in(project, email, other) == (401, "user_invalid_credentials"), len(other)


def test_s38_an_empty_password_is_none(project: Project) -> None:
    email = register(project, "correct horse battery")
    project.server.post("/users", json={"userId": "bare", "email": f"{unique('bare')}@example.com"})
    bare = project.server.get("/users/bare").json()["email"]

    for address in (email, bare):
        for nothing in ("", None, [], {}, 0, False):
            assert sign_in(project, address, nothing) == (400, "general_argument_invalid")
        assert sign_in(project, address, " ") == (401, "user_invalid_credentials")
    for short in ("", " " * 7, "1234567"):
        body = {"userId": "unique()", "email": f"{unique('x')}@example.com", "password": short}
        assert error_of(project.guest.post("/account", json=body)) == (400, "general_argument_invalid")


def test_s38_the_same_letters_are_the_same_password_however_they_are_composed(project: Project) -> None:
    composed = unicodedata.normalize("NFC", "pässwörd-ñandú-Å")
    apart = unicodedata.normalize("NFD", composed)
    assert composed != apart

    for given, other in ((composed, apart), (apart, composed)):
        email = register(project, given)
        assert sign_in(project, email, given) == (201, "")
        assert sign_in(project, email, other) == (201, "")
        # Not what only looks alike, nor another case, nor without its marks.
        for lookalike in (
            composed.replace("s", "\N{CYRILLIC SMALL LETTER DZE}"),
            composed.upper(),
            "password-nandu-A",
        ):
            assert sign_in(project, email, lookalike) == (401, "user_invalid_credentials")


def test_s38_a_weak_hash_is_replaced_at_the_first_sign_in(project: Project) -> None:
    password = "correct horse battery"
    email = f"{unique('md5')}@example.com"
    weak = hashlib.md5(password.encode()).hexdigest()
    project.server.post("/users/md5", json={"userId": "old", "email": email, "password": weak})
    assert project.server.get("/users/old").json()["hash"] == "md5"

    # The hash is not a password, whatever its format.
    assert sign_in(project, email, weak) == (401, "user_invalid_credentials")
    assert sign_in(project, email, password) == (201, "")
    assert project.server.get("/users/old").json()["hash"] == "argon2"
    assert sign_in(project, email, password) == (201, "")
