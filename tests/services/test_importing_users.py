"""Users of other systems, who come with the passwords that were hashed there."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.passwords.test_formats import SHA_OF_ABC
from tests.platform import Project, error_of, unique

# Of vectors that others have published; see tests/passwords.
FIREBASE = {
    "password": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "passwordSalt": "42xEC+ixf3L2lw==",
    "passwordSaltSeparator": "Bw==",
    "passwordSignerKey": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKb"
    "m0QsEmYUSDzZvpjeJ9WmXA==",
}
SCRYPT = {
    "password": "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
    "passwordSalt": "SodiumChloride",
    "passwordCpu": 16384,
    "passwordMemory": 8,
    "passwordParallel": 1,
    "passwordLength": 64,
}
ARGON2 = "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"
BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

FORMATS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "argon2": ("argon2", {"password": ARGON2}, "password", "argon2"),
    "bcrypt": ("bcrypt", {"password": BCRYPT}, "U*U", "bcrypt"),
    "md5": ("md5", {"password": "f96b697d7cb7938d525a2f31aaf161d0"}, "message digest", "md5"),
    "phpass": ("phpass", {"password": "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"}, "test12345", "phpass"),
    "scrypt": ("scrypt", SCRYPT, "pleaseletmein", "scrypt"),
    "scrypt-modified": ("scrypt-modified", FIREBASE, "user1password", "scryptMod"),
    **{
        version: ("sha", {"password": text, "passwordVersion": version}, "abc", "sha")
        for version, text in SHA_OF_ABC.items()
    },
}


@pytest.mark.parametrize(("path", "body", "password", "name"), FORMATS.values(), ids=FORMATS)
def test_who_comes_with_a_hash_signs_in_with_the_password_and_gets_a_better_hash(
    project: Project, path: str, body: dict[str, Any], password: str, name: str
) -> None:
    email = f"{unique('came')}@example.com"
    came = project.server.post(f"/users/{path}", json={"userId": "came", "email": email, **body})
    assert came.status_code == 201, came.text
    assert (came.json()["hash"], came.json()["hashOptions"]["type"]) == (name, name)
    assert came.json()["password"] == body["password"]

    def sign_in(tried: str) -> int:
        login = {"email": email, "password": tried}
        return project.guest.post("/account/sessions/email", json=login).status_code

    assert sign_in(password + "!") == 401
    assert project.server.get("/users/came").json()["hash"] == name  # a wrong one changes nothing
    assert sign_in(password) == 201
    now = project.server.get("/users/came").json()

    assert now["hash"] == "argon2"
    assert now["password"].startswith("$argon2id$")
    assert now["hashOptions"] == {"type": "argon2", "memoryCost": 7168, "timeCost": 5, "threads": 1}
    assert now["passwordUpdate"] == came.json()["passwordUpdate"]
    assert sign_in(password) == 201
    assert sign_in(password + "!") == 401


def test_the_sdk_takes_users_over(project: Project) -> None:
    users = Users(project.sdk(key=project.key))
    email = f"{unique('fire')}@example.com"
    firebase = list(FIREBASE.values())
    made = [
        users.create_argon2_user("argon2", f"1{email}", ARGON2, "A"),
        users.create_bcrypt_user("bcrypt", f"2{email}", BCRYPT),
        users.create_md5_user("md5", f"3{email}", "f96b697d7cb7938d525a2f31aaf161d0"),
        users.create_ph_pass_user("phpass", f"4{email}", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),
        users.create_scrypt_user("scrypt", f"5{email}", *SCRYPT.values()),
        users.create_scrypt_modified_user("fire", email, *firebase),
        users.create_sha_user("sha", f"6{email}", SHA_OF_ABC["sha3-512"]),
    ]
    session = Account(project.sdk(key=project.key)).create_email_password_session(email, "user1password")

    assert [each.id for each in made] == ["argon2", "bcrypt", "md5", "phpass", "scrypt", "fire", "sha"]
    assert made[0].hashoptions is not None
    assert session.userid == "fire"


def test_a_hash_that_is_none_or_that_takes_too_much_is_refused(project: Project) -> None:
    for path, password in (
        ("md5", "not a hash"),
        ("bcrypt", "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("argon2", ARGON2.replace("m=65536", "m=4194304")),
        ("sha", "ab"),
    ):
        body = {"userId": "unique()", "email": "x@example.com", "password": password}
        assert error_of(project.server.post(f"/users/{path}", json=body)) == (400, "general_argument_invalid")
    huge = {"userId": "unique()", "email": "x@example.com", **SCRYPT, "passwordCpu": 2**24}
    assert error_of(project.server.post("/users/scrypt", json=huge)) == (400, "general_argument_invalid")
    assert project.server.get("/users").json()["total"] == 0


def test_no_event_and_no_user_sees_a_hash(project: Project) -> None:
    jane = project.new_user("Jane")
    project.server.patch(f"/users/{jane.id}/impersonator", json={"impersonator": True})
    listed = jane.client.get("/users").json()["users"]

    assert "password" in project.server.get(f"/users/{jane.id}").json()
    for shown in (*listed, jane.client.get("/account").json(), jane.client.get(f"/users/{jane.id}").json()):
        assert shown["$id"] == jane.id
        assert not {"password", "hash", "hashOptions"} & shown.keys()
