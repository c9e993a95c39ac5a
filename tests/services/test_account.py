"""Accounts: registering, signing in and out, sessions, and what one may change about oneself."""

from __future__ import annotations

import json

import pytest
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.platform import PASSWORD, Platform, Project, User, error_of, session_of, unique
from tests.postgres import Server

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36"
)


def registration(**said: object) -> dict[str, object]:
    email = f"{unique('new')}@example.com"
    return {"userId": "unique()", "email": email, "password": PASSWORD, "name": "New", **said}


def test_a_guest_registers_signs_in_and_is_known(project: Project) -> None:
    body = registration(email=f"{unique('Mixed')}@Example.com")
    made = project.guest.post("/account", json=body)
    signed_in = project.guest.post(
        "/account/sessions/email", json={"email": body["email"], "password": PASSWORD}
    )
    me = Account(project.sdk(session=session_of(signed_in))).get()

    assert made.status_code == 201
    assert made.json()["email"] == str(body["email"]).lower()
    assert "password" not in made.json()
    assert signed_in.status_code == 201
    assert (me.id, me.email, me.name) == (made.json()["$id"], made.json()["email"], "New")
    assert me.accessedat != ""


@pytest.mark.parametrize(
    "beside", ['prefs={"a":1}', "theme", "two words=1", "bad@name=1", 'quoted="a b"', "=", "name=Zo\u00eb"]
)
def test_a_session_cookie_counts_beside_cookies_of_other_programs(
    project: Project, jane: User, beside: str
) -> None:
    ours = f"a_session_{project.id}={jane.session}"
    for header in (f"{beside}; {ours}", f"{ours}; {beside}", f"{ours};{ours}x"):
        me = project.guest.get("/account", headers={"Cookie": header.encode()})

        assert (me.status_code, me.json().get("$id")) == (200, jane.id), header


def test_registering_twice_is_refused_by_address_in_any_case_and_by_id(project: Project) -> None:
    body = registration(userId="jane")
    assert project.guest.post("/account", json=body).status_code == 201

    again = registration(email=str(body["email"]).upper())
    assert error_of(project.guest.post("/account", json=again)) == (409, "user_already_exists")
    same_id = registration(userId="jane")
    assert error_of(project.guest.post("/account", json=same_id)) == (409, "user_already_exists")
    assert project.server.get("/users").json()["total"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "j\u0430ne@example.com"),
        ("password", "short"),
        ("password", "x" * 257),
        ("userId", "_hidden"),
        ("userId", ""),
        ("name", "n" * 129),
    ],
)
def test_registration_names_the_parameter_that_is_wrong(project: Project, name: str, value: str) -> None:
    refused = project.guest.post("/account", json=registration(**{name: value}))

    assert error_of(refused) == (400, "general_argument_invalid")
    assert f"`{name}`" in refused.json()["message"]
    assert project.server.get("/users").json()["total"] == 0


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(project: Project, jane: User) -> None:
    wrong = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": "wrong!!!"})
    unknown = project.guest.post(
        "/account/sessions/email", json={"email": "nobody@example.com", "password": "wrong!!!"}
    )

    assert error_of(wrong) == error_of(unknown) == (401, "user_invalid_credentials")
    assert wrong.json()["message"] == unknown.json()["message"]
    assert "set-cookie" not in wrong.headers
    assert Account(jane.sdk).list_sessions().total == 1


def test_a_session_comes_as_a_pair_of_cookies_and_its_secret_is_not_in_the_body(
    project: Project, jane: User
) -> None:
    answer = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": PASSWORD})
    legacy, modern = answer.headers.get_list("set-cookie")

    assert answer.json()["secret"] == ""
    assert legacy.startswith(f"a_session_{project.id}_legacy=")
    assert modern.startswith(f"a_session_{project.id}=")
    for cookie in (legacy, modern):
        assert "; path=/" in cookie
        assert "; httponly" in cookie
        assert "; expires=" in cookie
        assert "domain" not in cookie  # it is an address
        assert "secure" not in cookie  # it is plain HTTP
    assert "samesite" not in legacy
    assert modern.endswith("samesite=None")


@pytest.mark.parametrize("suffix", ["", "_legacy"])
def test_each_of_the_two_cookies_is_enough(project: Project, jane: User, suffix: str) -> None:
    cookie = f"a_session_{project.id}{suffix}={jane.session}"
    me = project.guest.get("/account", headers={"Cookie": cookie})

    assert me.json()["$id"] == jane.id


def test_a_page_of_another_site_gets_its_session_in_a_header(project: Project, jane: User) -> None:
    project.admin.post(
        "/project/platforms/web",
        json={"platformId": "unique()", "name": "Site", "hostname": "shop.example.org"},
    )
    origin = {"Origin": "https://shop.example.org"}
    answer = project.guest.post(
        "/account/sessions/email", json={"email": jane.email, "password": PASSWORD}, headers=origin
    )
    fallback = answer.headers["x-fallback-cookies"]
    me = project.platform.client(project.id).get(
        "/account", headers={"X-Fallback-Cookies": fallback, **origin}
    )

    assert answer.headers["x-debug-fallback"] == "true"
    assert list(json.loads(fallback)) == [f"a_session_{project.id}"]
    assert "X-Fallback-Cookies" in answer.headers["access-control-expose-headers"]
    assert me.json()["$id"] == jane.id


def test_a_page_of_the_server_itself_gets_no_fallback(project: Project, jane: User) -> None:
    answer = project.guest.post(
        "/account/sessions/email",
        json={"email": jane.email, "password": PASSWORD},
        headers={"Origin": project.platform.endpoint.removesuffix("/v1")},
    )

    assert answer.status_code == 201
    assert answer.headers["x-debug-fallback"] == "false"
    assert "x-fallback-cookies" not in answer.headers


def test_behind_a_domain_the_cookies_are_for_it(project: Project, jane: User) -> None:
    answer = project.guest.post(
        "/account/sessions/email",
        json={"email": jane.email, "password": PASSWORD},
        headers={"Host": "api.example.com", "Origin": "http://localhost:3000"},
    )

    assert "; domain=.api.example.com" in answer.headers.get_list("set-cookie")[0]
    assert answer.headers["x-debug-fallback"] == "true"


def test_a_session_tells_of_its_device(project: Project, jane: User) -> None:
    project.guest.post(
        "/account/sessions/email",
        json={"email": jane.email, "password": PASSWORD},
        headers={"User-Agent": CHROME},
    )
    newest = Account(jane.sdk).list_sessions().sessions[0]

    assert (newest.oscode, newest.osname) == ("WIN", "Windows")
    assert (newest.clientcode, newest.clientname, newest.clientversion) == ("CH", "Chrome", "120.0")
    assert (newest.devicename, newest.clienttype) == ("desktop", "browser")
    assert (newest.countrycode, newest.ip) == ("--", "127.0.0.1")
    assert (newest.provider, newest.provideruid) == ("email", jane.email)
    assert newest.factors == ["password"]
    assert not newest.current


def test_the_oldest_of_more_than_ten_sessions_ends(project: Project, jane: User) -> None:
    others = [project.sign_in(jane.email) for _ in range(10)]

    assert error_of(jane.client.get("/account"))[0] == 401
    listed = Account(project.sdk(session=others[-1])).list_sessions()
    assert listed.total == 10
    assert listed.sessions[0].current
    assert project.platform.client(project.id, session=others[0]).get("/account").status_code == 200


def test_signing_out_ends_the_session_at_once_in_every_worker(project: Project, jane: User) -> None:
    # New connections land on either worker; each has the session in its cache by then.
    def status() -> int:
        return project.platform.client(project.id, session=jane.session).get("/account").status_code

    assert {status() for _ in range(12)} == {200}
    left = jane.client.delete("/account/sessions/current")

    assert left.status_code == 204
    assert {status() for _ in range(12)} == {401}
    assert all("=;" in cookie for cookie in left.headers.get_list("set-cookie"))


def test_a_user_ends_another_of_its_sessions_and_keeps_its_own(project: Project, jane: User) -> None:
    other = project.sign_in(jane.email)
    other_id = Account(project.sdk(session=other)).get_session("current").id
    ended = jane.client.delete(f"/account/sessions/{other_id}")

    assert ended.status_code == 204
    assert "set-cookie" not in ended.headers
    assert project.platform.client(project.id, session=other).get("/account").status_code == 401
    assert jane.client.get("/account").status_code == 200


def test_signing_out_everywhere_ends_every_session_of_that_user_only(
    project: Project, jane: User, bob: User
) -> None:
    other = project.sign_in(jane.email)

    assert jane.client.delete("/account/sessions").status_code == 204
    for session in (jane.session, other):
        assert project.platform.client(project.id, session=session).get("/account").status_code == 401
    assert bob.client.get("/account").status_code == 200


def test_nobody_reads_ends_or_extends_the_session_of_another(jane: User, bob: User) -> None:
    theirs = Account(jane.sdk).get_session("current").id

    for method in ("GET", "DELETE", "PATCH"):
        refused = bob.client.request(method, f"/account/sessions/{theirs}")
        assert error_of(refused) == (404, "user_session_not_found")
    assert jane.client.get("/account").status_code == 200


def test_extending_a_session_moves_its_end(jane: User) -> None:
    before = Account(jane.sdk).get_session("current")
    after = Account(jane.sdk).update_session("current")

    assert after.id == before.id
    assert after.expire > before.expire
    assert Account(jane.sdk).get_session("current").expire == after.expire


def test_preferences_are_replaced_not_merged(jane: User) -> None:
    jane.client.patch("/account/prefs", json={"prefs": {"theme": "dark", "size": 1}})
    changed = jane.client.patch("/account/prefs", json={"prefs": {"theme": "light"}})

    assert changed.json()["prefs"] == {"theme": "light"}
    assert jane.client.get("/account/prefs").json() == {"theme": "light"}
    assert jane.client.get("/account").json()["prefs"] == {"theme": "light"}


def test_preferences_have_a_size(jane: User) -> None:
    refused = jane.client.patch("/account/prefs", json={"prefs": {"x": "y" * 70_000}})

    assert error_of(refused) == (400, "general_argument_invalid")
    assert jane.client.get("/account/prefs").json() == {}


def test_a_user_changes_its_name_and_nobody_elses(jane: User, bob: User) -> None:
    renamed = Account(jane.sdk).update_name("Janet")

    assert renamed.name == "Janet"
    assert Account(jane.sdk).get().name == "Janet"
    assert Account(bob.sdk).get().name == "Bob"


def test_a_jwt_acts_as_its_session_until_that_ends(project: Project, jane: User) -> None:
    made = jane.client.post("/account/jwts", json={"duration": 60})
    as_jwt = project.platform.client(project.id, **{"X-Appwrite-JWT": made.json()["jwt"]})

    assert made.status_code == 201
    assert as_jwt.get("/account").json()["$id"] == jane.id
    jane.client.delete("/account/sessions/current")
    assert error_of(as_jwt.get("/account")) == (401, "user_jwt_invalid")


def test_the_old_path_makes_jwts_too(jane: User) -> None:
    assert jane.client.post("/account/jwt").status_code == 201


def test_a_jwt_makes_no_other_and_lasts_no_longer_than_an_hour(project: Project, jane: User) -> None:
    token = jane.client.post("/account/jwts").json()["jwt"]
    as_jwt = project.platform.client(project.id, **{"X-Appwrite-JWT": token})

    assert error_of(as_jwt.post("/account/jwts")) == (403, "user_jwt_creation_denied")
    too_long = jane.client.post("/account/jwts", json={"duration": 3601})
    assert error_of(too_long) == (400, "general_argument_invalid")


def test_a_jwt_beside_a_session_is_refused(project: Project, jane: User) -> None:
    token = jane.client.post("/account/jwts").json()["jwt"]

    both = jane.client.get("/account", headers={"X-Appwrite-JWT": token})
    assert error_of(both) == (403, "user_jwt_and_cookie_set")


def test_a_guest_has_no_account(project: Project) -> None:
    for path in ("/account", "/account/sessions", "/account/prefs", "/account/sessions/current"):
        assert error_of(project.guest.get(path)) == (401, "general_unauthorized_scope")


def test_an_api_key_is_no_user(project: Project) -> None:
    with pytest.raises(AppwriteException) as refused:
        Account(project.sdk(key=project.key)).get()

    assert (refused.value.code, refused.value.type) == (401, "general_unauthorized_scope")


def test_an_admin_of_the_project_is_no_user_of_it(project: Project) -> None:
    assert error_of(project.admin.get("/account")) == (401, "user_unauthorized")
    assert error_of(project.admin.patch("/account/name", json={"name": "x"})) == (401, "user_unauthorized")


def test_a_blocked_user_is_out_at_once_and_cannot_sign_in(project: Project, jane: User) -> None:
    assert jane.client.get("/account").status_code == 200
    Users(project.sdk(key=project.key)).update_status(jane.id, False)

    assert error_of(jane.client.get("/account")) == (403, "user_blocked")
    again = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": PASSWORD})
    assert error_of(again) == (403, "user_blocked")
    wrong = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": "wrong!!!"})
    assert error_of(wrong) == (401, "user_invalid_credentials")

    Users(project.sdk(key=project.key)).update_status(jane.id, True)
    assert jane.client.get("/account").status_code == 200


def test_a_way_of_signing_in_that_is_switched_off_is_refused(project: Project, jane: User) -> None:
    project.admin.patch("/project/auth-methods/email-password", json={"enabled": False})
    refused = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": PASSWORD})

    assert error_of(refused) == (501, "user_auth_method_unsupported")
    assert error_of(project.guest.post("/account", json=registration()))[1] == "user_auth_method_unsupported"
    assert jane.client.get("/account").status_code == 200


def test_logging_in_is_limited_by_address_until_it_succeeds(postgres: Server) -> None:
    from tests.platform import running_platform

    with running_platform(postgres) as strict:
        strict.register_root()
        project = strict.new_project()
        jane = project.new_user("Jane")
        right = {"email": jane.email, "password": PASSWORD}
        wrong = {"email": jane.email, "password": "wrong!!!"}

        for _ in range(9):
            assert project.guest.post("/account/sessions/email", json=wrong).status_code == 401
        assert project.guest.post("/account/sessions/email", json=right).status_code == 201
        # Success has forgotten the failures; the old path and another case of the letters count together.
        shouted = {"email": jane.email.upper(), "password": "wrong!!!"}
        statuses = [project.guest.post("/account/sessions", json=shouted).status_code for _ in range(5)]
        statuses += [project.guest.post("/account/sessions/email", json=wrong).status_code for _ in range(5)]
        limited = project.guest.post("/account/sessions/email", json=right)

        assert statuses == [401] * 10
        assert error_of(limited) == (429, "general_rate_limit_exceeded")
        assert limited.headers["x-ratelimit-remaining"] == "0"
        bob = project.new_user("Bob")
        other = project.guest.post("/account/sessions/email", json={"email": bob.email, "password": PASSWORD})
        assert other.status_code == 201


def test_sessions_of_one_project_are_none_of_another(platform: Platform, jane: User) -> None:
    other = platform.new_project()

    assert error_of(platform.client(other.id, session=jane.session).get("/account"))[0] == 401
