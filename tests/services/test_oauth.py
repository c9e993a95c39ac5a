"""Signing in with other vendors, each of them, in real redirects."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qs, urlsplit

import pytest
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.users import Users

from freehold.providers.oauth.client import read_profile
from freehold.providers.oauth.vendors import VENDORS
from tests.platform import Platform, Project, error_of, unique
from tests.services.signing_in_at_vendors import FAILURE, SUCCESS, Browser, set_up
from tests.services.vendors import VOUCHES, Person

REAL = [name for name, vendor in VENDORS.items() if not vendor.mock]
_uids = itertools.count(70_001)


def somebody(**said: object) -> Person:
    return Person(uid=str(next(_uids)), email=f"{unique('ada')}@example.com")._replace(**said)


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """One project that is registered with every vendor."""
    project = platform.new_project()
    set_up(project, *REAL)
    return project


@pytest.mark.parametrize("name", REAL)
def test_one_signs_in_with_every_vendor(shared: Project, name: str) -> None:
    vendor, person, browser = VENDORS[name], somebody(), Browser(shared)
    sent = browser.begin(name, **{"scopes[]": "more"})
    asked = {key: values[0] for key, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    back = shared.platform.vendors.agree(sent.headers["location"], person)
    ended = browser.come_back(back, by_form=vendor.posts_back)

    assert (ended.url, ended.status) == (SUCCESS, 302)
    assert asked["scope"].split(vendor.separator) == [*vendor.scopes, "more"]
    assert ("code_challenge" in asked) is vendor.pkce
    assert asked.get("code_challenge_method", "S256") == "S256"
    assert asked.get("prompt", "") == " ".join(vendor.default_prompt)
    account = browser.account().json()
    assert account["name"] == ("" if name == "apple" else person.name)  # Apple's tokens have no names
    assert account["email"] == person.email
    assert account["emailVerification"] is (name in VOUCHES)
    [session] = browser.account("/sessions").json()["sessions"]
    assert (session["provider"], session["providerUid"]) == (name, person.uid)
    [identity] = browser.account("/identities").json()["identities"]
    assert (identity["userId"], identity["providerEmail"]) == (account["$id"], person.email)
    assert session["providerAccessToken"] == identity["providerAccessToken"] != ""


@pytest.mark.parametrize("name", sorted(VOUCHES - {"twitch", "x"}))
def test_an_address_that_a_vendor_does_not_vouch_for_is_not_verified(shared: Project, name: str) -> None:
    browser = Browser(shared)
    browser.sign_in(name, somebody(verified=False))

    assert browser.account().json()["emailVerification"] is False


def test_who_comes_again_is_the_same_user_whatever_the_address_is_by_then(shared: Project) -> None:
    person = somebody()
    first, second = Browser(shared), Browser(shared)
    first.sign_in("github", person)
    second.sign_in("github", person._replace(email=f"{unique('new')}@example.com", name="Other"))

    assert second.account().json() == first.account().json()
    assert second.account("/sessions").json()["total"] == 2
    assert second.account("/identities").json()["total"] == 1


def test_two_vendors_that_vouch_for_an_address_lead_to_one_user(shared: Project) -> None:
    person = somebody()
    first, second = Browser(shared), Browser(shared)
    first.sign_in("google", person)
    second.sign_in("github", person._replace(uid=str(next(_uids))))

    assert second.account().json()["$id"] == first.account().json()["$id"]
    providers = [each["provider"] for each in first.account("/identities").json()["identities"]]
    assert sorted(providers) == ["github", "google"]


def test_a_token_instead_of_a_session_for_servers_that_render_pages(project: Project) -> None:
    set_up(project, "github")
    person = somebody()
    server = Account(project.sdk(key=project.key))
    url = server.create_o_auth2_token("github", SUCCESS, FAILURE, state="my state")
    browser = Browser(project)
    ended = browser.come_back(project.platform.vendors.agree(url, person))
    session = server.create_session(ended.query["userId"], ended.query["secret"])

    assert set(ended.query) == {"userId", "secret", "state"}
    assert ended.query["state"] == "my state"
    assert error_of(browser.account()) == (401, "general_unauthorized_scope")
    assert (session.provider, session.provideruid) == ("github", person.uid)
    assert Account(project.sdk(session=session.secret)).get().email == person.email
    body = {"userId": ended.query["userId"], "secret": ended.query["secret"]}
    assert error_of(project.server.post("/account/sessions/token", json=body)) == (401, "user_invalid_token")


def test_who_is_signed_in_adds_a_vendor_to_the_account(shared: Project) -> None:
    jane, browser, person = shared.new_user(), Browser(shared), somebody()
    browser.http.cookies.set(f"a_session_{shared.id}", jane.session)
    browser.sign_in("spotify", person)
    listed = Account(jane.sdk).list_identities([Query.equal("provider", ["spotify"])])
    again = Browser(shared)
    again.sign_in("spotify", person)

    assert [(each.userid, each.provideremail) for each in listed.identities] == [(jane.id, person.email)]
    assert again.account().json()["$id"] == jane.id
    assert again.account().json()["email"] == jane.email
    bob, other = shared.new_user("Bob"), Browser(shared)
    other.http.cookies.set(f"a_session_{shared.id}", bob.session)
    assert other.sign_in("spotify", person).error["type"] == "user_already_exists"
    assert Account(bob.sdk).list_identities().total == 0


def test_an_anonymous_user_gets_the_address_that_the_vendor_vouches_for(shared: Project) -> None:
    browser, person = Browser(shared), somebody()
    anonymous = browser.http.post(
        "/account/sessions/anonymous", headers={"X-Appwrite-Project": shared.id}
    ).json()
    browser.sign_in("google", person)
    account = browser.account().json()

    assert (account["$id"], account["email"]) == (anonymous["userId"], person.email)
    assert account["emailVerification"] is True


def test_a_session_that_is_extended_renews_the_vendors_token(shared: Project) -> None:
    browser, person = Browser(shared), somebody()
    browser.sign_in("figma", person)
    [before] = browser.account("/sessions").json()["sessions"]
    renewed = browser.account("/sessions/current", "PATCH").json()
    after = browser.account("/sessions/current").json()

    assert renewed["providerAccessToken"] not in ("", before["providerAccessToken"])
    assert renewed["providerRefreshToken"] != before["providerRefreshToken"]
    assert after["providerAccessToken"] == renewed["providerAccessToken"]
    asked = [each for each in shared.platform.vendors.asks if each.url == "api.figma.com/v1/oauth/refresh"]
    assert asked[-1].form["refresh_token"] == before["providerRefreshToken"]


def test_identities_are_listed_and_deleted_by_their_user_and_by_servers(project: Project) -> None:
    set_up(project, "github", "spotify")
    browser, person = Browser(project), somebody()
    browser.sign_in("github", person)
    user_id = browser.account().json()["$id"]
    users = Users(project.sdk(key=project.key))
    found = users.list_identities([Query.equal("userId", [user_id])], search=person.email)
    jane = project.new_user()
    theirs = jane.client.delete(f"/account/identities/{found.identities[0].id}")

    assert [each.provideruid for each in found.identities] == [person.uid]
    assert error_of(theirs) == (404, "user_identity_not_found")
    users.delete_identity(found.identities[0].id)
    assert users.list_identities().total == 0
    assert browser.account("/identities").json() == {"total": 0, "identities": []}
    refused = project.server.delete(f"/users/identities/{found.identities[0].id}")
    assert error_of(refused) == (404, "user_identity_not_found")

    other = Browser(project)
    other.sign_in("spotify", somebody())
    [own] = other.account("/identities").json()["identities"]
    assert other.account(f"/identities/{own['$id']}", "DELETE").status_code == 204
    assert users.list_identities().total == 0


def test_without_a_page_of_its_own_an_application_is_handed_the_session(shared: Project) -> None:
    browser = Browser(shared)
    ended = browser.sign_in("github", somebody(), success=None, failure=None)
    page = browser.http.get(ended.url)
    said = ended.query

    assert urlsplit(ended.url).path == "/console/auth/oauth2/success"
    assert (said["project"], said["key"]) == (shared.id, f"a_session_{shared.id}")
    signed_in = shared.platform.client(shared.id, session=said["secret"]).get("/account")
    assert signed_in.json()["$id"] == browser.account().json()["$id"]
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "appwrite-callback-" in page.text


def test_the_mocks_sign_in_too(project: Project) -> None:
    set_up_mock(project, "mock")
    browser = Browser(project)
    sent = browser.begin("mock")
    back = browser.http.get(sent.headers["location"]).headers["location"]
    ended = browser.come_back(back)

    assert ended.url == SUCCESS
    assert browser.account().json()["email"] == "useroauth@localhost.test"


def set_up_mock(project: Project, name: str) -> None:
    body = {"provider": name, "appId": "1", "secret": "123456", "enabled": True}
    assert project.platform.console.patch(f"/projects/{project.id}/oauth2", json=body).status_code == 200


def test_older_sdks_say_it_all_in_one_and_read_it_from_the_project(project: Project) -> None:
    secret = '{"clientSecret": "s", "keycloakDomain": "auth.example.com", "keycloakRealm": "r"}'
    body = {"provider": "keycloak", "appId": "c", "secret": secret, "enabled": True}
    changed = project.platform.console.patch(
        f"/projects/{project.id}/oauth2", json=body, headers={"X-Appwrite-Response-Format": "1.8.0"}
    ).json()
    kept = project.server.get("/project/oauth2/keycloak").json()
    known = {each["key"]: each for each in changed["oAuthProviders"]}

    assert (kept["clientId"], kept["endpoint"], kept["realmName"]) == ("c", "auth.example.com", "r")
    assert len(known) == 45
    assert (known["keycloak"]["appId"], known["keycloak"]["enabled"]) == ("c", True)
    assert (known["github"]["appId"], known["github"]["enabled"]) == ("", False)


def test_who_is_blocked_or_one_too_many_does_not_get_in(project: Project) -> None:
    set_up(project, "github")
    person, browser = somebody(), Browser(project)
    browser.sign_in("github", person)
    user_id = browser.account().json()["$id"]
    Users(project.sdk(key=project.key)).update_status(user_id, False)
    blocked = Browser(project).sign_in("github", person)
    project.admin.patch("/project/policies/user-limit", json={"total": 1})
    too_many = Browser(project).sign_in("github", somebody())

    assert (blocked.error["code"], blocked.error["type"]) == (403, "user_blocked")
    assert (too_many.error["code"], too_many.error["type"]) == (400, "user_count_exceeded")
    assert Users(project.sdk(key=project.key)).list().total == 1


def test_a_vendor_that_is_not_set_up_is_refused(project: Project) -> None:
    browser = Browser(project)
    assert error_of(browser.begin("github")) == (412, "project_provider_disabled")
    project.server.patch("/project/oauth2/github", json={"enabled": True, "clientId": "c"})
    assert error_of(browser.begin("github")) == (412, "project_provider_disabled")
    set_up(project, "github", enabled=False)
    assert error_of(browser.begin("github")) == (412, "project_provider_disabled")
    assert error_of(browser.begin("nothing")) == (400, "project_provider_unsupported")


def test_a_vendor_that_says_no_or_nothing_ends_on_the_failure_page(shared: Project) -> None:
    browser, vendors = Browser(shared), shared.platform.vendors
    location = browser.begin("github").headers["location"]
    denied = urlsplit(vendors.agree(location, somebody()))
    state = parse_qs(denied.query)["state"][0]
    said = f"error=access_denied&error_description=No+thanks&state={state}"
    ended = browser.come_back(denied._replace(query=said).geturl())
    vendors.quirks["profile"] = {"login": "nobody"}
    try:
        broken = browser.sign_in("github", somebody())
    finally:
        vendors.quirks.clear()

    assert (ended.error["code"], ended.error["type"]) == (401, "user_oauth2_unauthorized")
    assert "No thanks" in ended.error["message"]
    assert (broken.error["code"], broken.error["type"]) == (424, "user_oauth2_provider_error")
    assert error_of(browser.account()) == (401, "general_unauthorized_scope")


def test_profiles_are_read_as_vendors_spell_them() -> None:
    assert read_profile(VENDORS["zoom"], {"id": "a", "verified": 0}).verified is False
    assert read_profile(VENDORS["zoom"], {"id": "a", "verified": 1}).verified is True
    assert read_profile(VENDORS["apple"], {"sub": "a", "email_verified": "false"}).verified is False
    assert read_profile(VENDORS["apple"], {"sub": "a", "email_verified": "true"}).verified is True
    assert read_profile(VENDORS["gitlab"], {"id": 5, "confirmed_at": None}).verified is False
    lines = read_profile(VENDORS["google"], {"sub": "1", "name": " Ada\r\nBcc: x\u2028\x1b[31m " + "y" * 200})
    assert lines.name == ("Ada Bcc: x [31m " + "y" * 200)[:128]
    assert read_profile(VENDORS["google"], {"sub": "1", "name": "👩\u200d🚀 Ada"}).name == "👩\u200d🚀 Ada"
    assert read_profile(VENDORS["discord"], {"id": "1", "global_name": None, "username": "u"}).name == "u"
