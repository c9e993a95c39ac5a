"""S27 to S31: what an attacker tries on the way to a vendor and back, and with ID tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import jwt
import pytest
from appwrite.services.account import Account
from appwrite.services.users import Users
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.platform import PASSWORD, Platform, Project, error_of, unique
from tests.services.signing_in_at_vendors import FAILURE, SUCCESS, Browser, set_up
from tests.services.vendors import Person, Vendors

_uids = itertools.count(90_001)


def somebody(**said: Any) -> Person:
    return Person(uid=str(next(_uids)), email=f"{unique('eve')}@example.com")._replace(**said)


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    project = platform.new_project()
    set_up(project, "github", "spotify", "oidc", "microsoft")
    set_up(project, "google", nativeEnabled=True, nativeClientIds=["the-app"])
    set_up(project, "apple", nativeEnabled=True)
    return project


@pytest.fixture
def vendors(platform: Platform) -> Iterator[Vendors]:
    assert platform.vendors is not None
    yield platform.vendors
    platform.vendors.quirks.clear()


def back_from(browser: Browser, vendor: str = "github", person: Person | None = None, **said: Any) -> str:
    """The URL that somebody who agreed is sent back to."""
    return browser.vendors.agree(browser.begin(vendor, **said).headers["location"], person or somebody())


def redirected(browser: Browser, url: str) -> httpx.Response:
    """The answer of the redirect that a callback leads to."""
    return browser.http.get(browser.http.get(url).headers["location"])


def is_signed_in(browser: Browser) -> bool:
    return bool(browser.account().status_code == 200)


# -- S30: state, code, PKCE --------------------------------------------------------------------------------


def test_s30_a_sign_in_is_answered_once(shared: Project) -> None:
    browser = Browser(shared)
    back = back_from(browser)
    first, again = redirected(browser, back), redirected(browser, back)

    assert first.headers["location"] == SUCCESS
    assert error_of(again) == (400, "user_oauth2_bad_request")
    assert "location" not in again.headers


def test_s30_a_sign_in_belongs_to_the_browser_that_began_it(shared: Project) -> None:
    attacker, victim = Browser(shared), Browser(shared)
    ended = victim.come_back(back_from(attacker))
    victim.begin("github")  # with a mark of its own
    other = victim.come_back(back_from(attacker))

    for each in (ended, other):
        assert each.error["type"] == "user_oauth2_bad_request"
    assert not is_signed_in(victim)
    assert "a_session" not in str(victim.http.cookies)


def test_s30_a_sign_in_belongs_to_its_project_and_its_vendor(platform: Platform, shared: Project) -> None:
    other = platform.new_project()
    set_up(other, "github")
    browser = Browser(shared)
    elsewhere = back_from(browser).replace(f"/github/{shared.id}", f"/github/{other.id}")
    mixed_up = back_from(browser).replace(f"/github/{shared.id}", f"/spotify/{shared.id}")

    for url in (elsewhere, mixed_up):
        assert error_of(redirected(browser, url)) == (400, "user_oauth2_bad_request")
    assert not is_signed_in(browser)


@pytest.mark.parametrize("state", ["", "x", "../..", '{"success":"https://evil.example.com"}', "a" * 2048])
def test_s30_a_made_up_state_leads_nowhere(shared: Project, state: str) -> None:
    browser = Browser(shared)
    query = urlencode({"project": shared.id, "code": "c", "state": state})
    refused = browser.http.get(f"/account/sessions/oauth2/github/redirect?{query}")

    assert error_of(refused) == (400, "user_oauth2_bad_request")
    assert "location" not in refused.headers


def test_s30_the_code_of_another_sign_in_is_of_no_use(shared: Project) -> None:
    """PKCE: a stolen code does not fit the verifier of whoever injects it."""
    victim, attacker = Browser(shared), Browser(shared)
    stolen = dict(parse_qsl(urlsplit(back_from(victim)).query))
    own = urlsplit(back_from(attacker))
    injected = dict(parse_qsl(own.query)) | {"code": stolen["code"]}
    ended = attacker.come_back(own._replace(query=urlencode(injected)).geturl())

    assert ended.error["type"] == "user_oauth2_unauthorized"
    assert not is_signed_in(attacker)


def test_s30_another_issuer_does_not_answer_for_this_one(shared: Project) -> None:
    browser = Browser(shared)
    ended = browser.come_back(f"{back_from(browser, 'oidc')}&iss=https%3A%2F%2Fevil.example.com")

    assert ended.error["type"] == "user_oauth2_unauthorized"
    assert not is_signed_in(browser)


def test_s29_two_vendors_at_once_do_not_get_into_each_others_way(shared: Project) -> None:
    browser = Browser(shared)
    ada = somebody()
    first, second = back_from(browser, "github", ada), back_from(browser, "spotify", somebody())

    assert browser.come_back(second).url == SUCCESS
    assert browser.come_back(first).url == SUCCESS


# -- S31: open redirects -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "https:\\\\evil.example.com",
        "https://app.example.com@evil.example.com/",
        "https://app.example.com:x@evil.example.com/",
        "https://xapp.example.com/",
        "https://app.example.com.evil.com/",
        "https://evil.com\\@app.example.com/",
        "javascript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "other-app://in",
        "https://app.example.com/\r\nset-cookie: a=b",
        "https://app.example.com /",
        "http://[::1",
        "http://1.2.3.4/",
        "in",
    ],
)
def test_s31_nobody_is_sent_elsewhere(shared: Project, url: str) -> None:
    browser = Browser(shared)
    for what in ("sessions", "tokens"):
        success = browser.begin("github", what, success=url)
        failure = browser.begin("github", what, failure=url)
        assert error_of(success) == (400, "project_invalid_success_url")
        assert error_of(failure) == (400, "project_invalid_failure_url")
        assert "location" not in success.headers


def test_s31_a_registered_app_is_led_back_to(project: Project) -> None:
    set_up(project, "github")
    app = f"appwrite-callback-{project.id}://"
    web = {"platformId": "unique()", "name": "W", "hostname": "*.app.example.com"}
    assert project.admin.post("/project/platforms/web", json=web).status_code == 201

    ended = Browser(project).sign_in("github", somebody(), "tokens", success=app)
    assert ended.url.startswith(f"{app}?userId=")
    page = "https://a.app.example.com/in#here"
    assert Browser(project).sign_in("github", somebody(), success=page).url == page
    refused = Browser(project).begin("github", success="https://xapp.example.com/")
    assert error_of(refused) == (400, "project_invalid_success_url")


def test_s32_a_vendor_sends_back_to_nobody_elses_page(shared: Project) -> None:
    sent = Browser(shared).begin("github", headers={"X-Forwarded-Host": "evil.example.com"})

    assert "evil.example.com" not in sent.headers["location"]


# -- S28: whose account it is ------------------------------------------------------------------------------


def test_s28_who_registered_with_the_victims_address_does_not_stay_in(shared: Project) -> None:
    person = somebody()
    attacker = shared.new_user(email=person.email)
    victim = Browser(shared)
    assert victim.sign_in("google", person).url == SUCCESS
    login = {"email": person.email, "password": PASSWORD}

    assert victim.account().json()["emailVerification"] is True
    assert attacker.client.get("/account").status_code == 401
    refused = shared.guest.post("/account/sessions/email", json=login)
    assert error_of(refused) == (401, "user_invalid_credentials")


def test_s28_who_planted_an_identity_keeps_no_way_into_the_victims_account(shared: Project) -> None:
    person = somebody()
    attacker, victim = Browser(shared), Browser(shared)
    attacker.sign_in("spotify", somebody(email=person.email))  # which vouches for no address
    victim.sign_in("google", person)
    again = Browser(shared)
    again.sign_in("google", person)

    assert victim.account().json()["$id"] != attacker.account().json()["$id"]
    assert again.account().json()["$id"] == victim.account().json()["$id"]
    assert victim.account().json()["email"] == person.email
    assert attacker.account().json()["email"] == ""


@pytest.mark.parametrize("vendor", ["spotify", "github"])
def test_s28_an_address_that_nobody_vouches_for_opens_no_account(shared: Project, vendor: str) -> None:
    jane = shared.new_user()
    Users(shared.sdk(key=shared.key)).update_email_verification(jane.id, True)
    attacker = Browser(shared)
    ended = attacker.sign_in(vendor, somebody(email=jane.email, verified=False))

    assert (ended.error["code"], ended.error["type"]) == (409, "user_already_exists")
    assert not is_signed_in(attacker)
    assert Account(jane.sdk).list_identities().total == 0


def test_s27_whoever_runs_a_tenant_of_microsofts_proves_nobodys_address(shared: Project) -> None:
    jane = shared.new_user()
    Users(shared.sdk(key=shared.key)).update_email_verification(jane.id, True)
    attacker = Browser(shared)
    ended = attacker.sign_in("microsoft", somebody(email=jane.email, verified=True))

    assert ended.error["type"] == "user_already_exists"
    assert not is_signed_in(attacker)


def test_s28_a_stranger_cannot_send_somebody_to_link_to_an_account(shared: Project) -> None:
    jane = shared.new_user()
    by_header = {"X-Appwrite-Session": jane.session}
    attackers, victim = Browser(shared), Browser(shared)
    attackers.begin("github", headers=by_header)
    back = attackers.vendors.agree(
        attackers.begin("github", headers=by_header).headers["location"], somebody()
    )
    assert victim.come_back(back).error["type"] == "user_oauth2_bad_request"

    lured = Browser(shared)
    lured.http.cookies.set(f"a_session_{shared.id}", jane.session)
    strange = {"Sec-Fetch-Site": "cross-site", "Referer": "https://evil.example.com/"}
    lured.come_back(back_from(lured, headers=strange))
    assert Account(jane.sdk).list_identities().total == 0


def test_s28_who_signs_out_on_the_way_links_nothing(shared: Project) -> None:
    jane, bob, browser = shared.new_user("Jane"), shared.new_user("Bob"), Browser(shared)
    browser.http.cookies.set(f"a_session_{shared.id}", jane.session)
    back = back_from(browser)
    browser.http.cookies.set(f"a_session_{shared.id}", bob.session)

    assert browser.come_back(back).error["type"] == "user_oauth2_bad_request"
    assert Account(jane.sdk).list_identities().total == Account(bob.sdk).list_identities().total == 0


# -- S27: ID tokens ----------------------------------------------------------------------------------------

GOOGLE = "https://accounts.google.com"


def present(project: Project, token: str, provider: str = "google", **more: Any) -> httpx.Response:
    body = {"provider": provider, "idToken": token, **more}
    return project.guest.post("/account/sessions/id-token", json=body)


def test_s27_an_app_signs_in_with_an_id_token_once(shared: Project, vendors: Vendors) -> None:
    person = somebody()
    token = vendors.id_token(person, issuer=GOOGLE, audience="the-app", nonce="raw")
    account = Account(shared.sdk(key=shared.key))
    session = account.create_id_token_session("google", token, nonce="raw", access_token="at")
    user = Account(shared.sdk(session=session.secret))

    assert (session.provider, session.provideruid, session.provideraccesstoken) == (
        "google",
        person.uid,
        "at",
    )
    assert (user.get().email, user.get().emailverification) == (person.email, True)
    assert user.list_identities().identities[0].provideridtoken == token
    assert error_of(present(shared, token, nonce="raw")) == (401, "user_invalid_token")


def test_s27_apple_wants_the_digest_of_the_nonce(shared: Project, vendors: Vendors) -> None:
    digest = hashlib.sha256(b"raw").hexdigest()
    issued = {"issuer": "https://appleid.apple.com", "audience": "client-apple"}
    person = somebody()
    right = present(
        shared, vendors.id_token(person, **issued, nonce=digest), "apple", nonce="raw", name="Ada L"
    )

    assert right.status_code == 201
    plain = vendors.id_token(person, **issued, nonce="raw")
    missing = vendors.id_token(person, **issued)
    for refused in (
        present(shared, plain, "apple", nonce="raw"),
        present(shared, missing, "apple", nonce=""),
        present(shared, vendors.id_token(person, **issued, nonce=digest), "apple"),
    ):
        assert error_of(refused) == (401, "user_invalid_token")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example.com"},
        {"iss": "https://accounts.google.com.evil.com"},
        {"aud": "another-app"},
        {"aud": ["the-app", "another-app"], "azp": "another-app"},
        {"aud": []},
        {"exp": 1},
        {"exp": None},
        {"exp": "9999999999"},
        {"iat": 9_999_999_999},
        {"nonce": "another"},
        {"sub": ""},
        {"sub": 5},
    ],
    ids=str,
)
def test_s27_an_id_token_of_somebody_for_somebody_else_is_refused(
    shared: Project, vendors: Vendors, wrong: dict[str, Any]
) -> None:
    claims = {"nonce": "raw"} | {name: value for name, value in wrong.items() if name not in ("iss", "aud")}
    said = vendors.id_token(
        somebody(), issuer=wrong.get("iss", GOOGLE), audience=wrong.get("aud", "the-app"), **claims
    )

    assert error_of(present(shared, said, nonce="raw")) == (401, "user_invalid_token")


def test_s27_a_signature_that_is_none_does_not_count(shared: Project, vendors: Vendors) -> None:
    good = vendors.id_token(somebody(), issuer=GOOGLE, audience="the-app")
    header, payload, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    public = vendors.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def with_header(**said: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()

    symmetric = f"{with_header(alg='HS256', kid='k1')}.{payload}"
    mac = base64.urlsafe_b64encode(hmac.digest(public, symmetric.encode(), "sha256")).rstrip(b"=").decode()
    other = rsa.generate_private_key(65537, 2048)
    forged = (
        f"{with_header(alg='none', kid='k1')}.{payload}.",
        f"{with_header(alg='None')}.{payload}.",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{symmetric}.{mac}",
        jwt.encode(claims, other, "RS256", headers={"kid": "k1"}),
        jwt.encode(claims, other, "RS256", headers={"kid": "../../etc/passwd"}),
        jwt.encode(claims, other, "RS256", headers={"jku": "https://evil.example.com", "kid": "k1"}),
        "",
        "a.b.c",
        "." * 100,
    )
    for token in forged:
        refused = present(shared, token)
        assert refused.status_code in (400, 401), token
    assert present(shared, good).status_code == 201


def test_s27_new_keys_of_an_issuer_are_found(shared: Project, vendors: Vendors) -> None:
    """A key that is not known yet may be new; the issuer is asked again, but not for every token."""
    first = present(shared, vendors.id_token(somebody(), issuer=GOOGLE, audience="the-app"))
    asked = len([each for each in vendors.asks if each.url.endswith("/oauth2/v3/certs")])
    for _ in range(5):
        token = vendors.id_token(somebody(), issuer=GOOGLE, audience="the-app")
        assert present(shared, token).status_code == 201

    assert first.status_code == 201
    assert len([each for each in vendors.asks if each.url.endswith("/oauth2/v3/certs")]) <= asked + 1


def test_s27_native_sign_in_has_a_switch_of_its_own(project: Project, vendors: Vendors) -> None:
    set_up(project, "google")
    token = vendors.id_token(somebody(), issuer=GOOGLE, audience="client-google")

    assert error_of(present(project, token)) == (412, "project_provider_disabled")


@pytest.mark.parametrize(
    "quirk",
    [
        {"claims": {"nonce": "of another sign-in"}},
        {"claims": {"aud": "another-client"}},
        {"claims": {"iss": "https://evil.example.com"}},
        {"claims": {"exp": int(time.time()) - 600}},
        {"claims": {"sub": "somebody-else"}},
        {"key": rsa.generate_private_key(65537, 2048)},
        {"token": {"id_token": None}},
    ],
    ids=["nonce", "audience", "issuer", "expired", "subject", "key", "missing"],
)
@pytest.mark.parametrize("vendor", ["google", "oidc"])
def test_s27_the_id_token_of_a_sign_in_has_to_hold(
    shared: Project, vendors: Vendors, vendor: str, quirk: dict[str, Any]
) -> None:
    browser = Browser(shared)
    vendors.quirks |= quirk
    ended = browser.sign_in(vendor, somebody())

    assert ended.error["type"] == "user_oauth2_provider_error"
    assert not is_signed_in(browser)


# -- S48, S51 ----------------------------------------------------------------------------------------------


def test_s48_answers_on_the_way_are_kept_by_nobody(shared: Project) -> None:
    browser = Browser(shared)
    sent = browser.begin("github")
    back = browser.http.get(browser.vendors.agree(sent.headers["location"], somebody()))
    page = browser.http.get(f"{shared.platform.endpoint.removesuffix('/v1')}/console/auth/oauth2/failure")

    for each in (sent, back):
        assert each.headers["cache-control"] == "private, no-store"
        assert each.headers["referrer-policy"] == "no-referrer"
    mark = sent.headers["set-cookie"].lower()
    assert "httponly" in mark
    assert "samesite=lax" in mark
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cross-origin-opener-policy"] == "same-origin"


def test_s51_vendors_secrets_are_in_no_log_and_no_event(platform: Platform, project: Project) -> None:
    import asyncio

    import asyncpg

    set_up(project, "github")
    browser = Browser(project)
    sent = browser.begin("github").headers["location"]
    back = browser.vendors.agree(sent, somebody())
    browser.come_back(back)
    [session] = browser.account("/sessions").json()["sessions"]
    hidden = [session["providerAccessToken"], session["providerRefreshToken"]]
    hidden += parse_qs(urlsplit(back).query)["code"] + parse_qs(urlsplit(back).query)["state"]

    async def stored() -> str:
        connection = await asyncpg.connect(platform.database_url)
        rows = await connection.fetch(
            "select payload::text from freehold.outbox where project_id = $1"
            " union all select i::text from freehold.identities i where project_id = $1",
            project.id,
        )
        await connection.close()
        return "\n".join(str(row[0]) for row in rows)

    kept = asyncio.run(stored()) + platform.installation.log.read_text()
    assert session["$id"] in kept
    for secret in hidden:
        assert secret
        assert secret not in kept


def test_the_failure_page_is_where_one_asked_for(shared: Project) -> None:
    browser = Browser(shared)
    ended = browser.come_back(back_from(Browser(shared)))

    assert ended.url.startswith(f"{FAILURE}?error=")
