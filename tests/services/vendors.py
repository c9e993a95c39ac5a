"""All vendors, played by one local server: it knows for whom it is meant by the Host header.

What each tells of a person is written down as its public documentation shows it, apart from the table that
is tried with it. Clients, codes and PKCE are checked as the standards say.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from freehold.providers.oauth.vendor import Registration, Vendor
from freehold.providers.oauth.vendors import VENDORS

CLIENT_SECRET = "shh: 4%+/~"
APPLE_KEY = ec.generate_private_key(ec.SECP256R1())
APPLE_P8 = APPLE_KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
OPTIONS = {
    "endpoint": "https://auth.example.com",
    "realmName": "customers",
    "domain": "login.example.com",
    "tenant": "common",
    "authorizationServerId": "default",
    "wellKnownURL": "https://issuer.example.com/.well-known/openid-configuration",
    "authorizationURL": "https://issuer.example.com/authorize",
    "tokenURL": "https://issuer.example.com/token",
    "userInfoURL": "https://issuer.example.com/userinfo",
    "keyId": "KEY1",
    "teamId": "TEAM1",
}
KEYS_AT = ("appleid.apple.com/auth/keys", "www.googleapis.com/oauth2/v3/certs", "issuer.example.com/keys")


class Person(NamedTuple):
    """Somebody who has an account at a vendor."""

    uid: str
    email: str
    name: str = "Ada Lovelace"
    verified: bool = True


def oidc(person: Person) -> dict[str, Any]:
    return {
        "sub": person.uid,
        "email": person.email,
        "email_verified": person.verified,
        "name": person.name,
    }


def told(vendor: str, person: Person) -> dict[str, Any]:
    """What a vendor's page of the person says."""
    uid, email, name, verified = person
    first, _, last = name.partition(" ")
    special: dict[str, dict[str, Any]] = {
        "amazon": {"user_id": uid, "email": email, "name": name},
        "bitbucket": {"uuid": uid, "display_name": name},
        "bitly": {
            "login": uid,
            "name": name,
            "emails": [
                {"email": "old@example.com", "is_primary": False, "is_verified": True},
                {"email": email, "is_primary": True, "is_verified": verified},
            ],
        },
        "box": {"type": "user", "id": uid, "login": email, "name": name},
        "dailymotion": {"id": uid, "email": email, "screenname": name},
        "discord": {"id": uid, "username": "ada", "global_name": name, "email": email, "verified": verified},
        "disqus": {"code": 0, "response": {"id": uid, "email": email, "name": name}},
        "dropbox": {
            "account_id": uid,
            "email": email,
            "email_verified": verified,
            "name": {"display_name": name},
        },
        "etsy": {"user_id": int(uid), "primary_email": email, "first_name": first, "last_name": last},
        "facebook": {"id": uid, "email": email, "name": name},
        "figma": {"id": uid, "email": email, "handle": name},
        "github": {"id": int(uid), "login": "ada", "name": name, "email": None},
        "gitlab": {
            "id": int(uid),
            "email": email,
            "name": name,
            "confirmed_at": "2024-01-01T00:00:00Z" if verified else None,
        },
        "kick": {"data": [{"user_id": int(uid), "email": email, "name": name}], "message": "OK"},
        "microsoft": {"id": uid, "displayName": name, "mail": None, "userPrincipalName": email},
        "notion": {
            "object": "user",
            "bot": {"owner": {"type": "user", "user": {"id": uid, "name": name, "person": {"email": email}}}},
        },
        "podio": {
            "user": {
                "user_id": int(uid),
                "mail": email,
                "mails": [{"mail": email, "primary": True, "verified": verified}],
            },
            "profile": {"name": name},
        },
        "salesforce": {"user_id": uid, **oidc(person)},
        "spotify": {"id": uid, "email": email, "display_name": name},
        "stripe": {"id": uid, "email": email, "business_profile": {"name": name}},
        "twitch": {"data": [{"id": uid, "login": "ada", "display_name": name, "email": email}]},
        "wordpress": {
            "ID": int(uid),
            "username": "ada",
            "display_name": name,
            "email": email,
            "email_verified": verified,
        },
        "x": {"data": {"id": uid, "name": name, "username": "ada", "confirmed_email": email}},
        "yammer": {"id": int(uid), "full_name": name, "email": email},
        "yandex": {"id": uid, "login": "ada", "real_name": name, "default_email": email},
        "zoom": {"id": uid, "display_name": name, "email": email, "verified": int(verified)},
    }
    if vendor in ("paypal", "paypalSandbox"):
        emails = [{"value": email, "primary": True, "confirmed": verified}]
        return {"user_id": uid, "name": name, "emails": emails}
    if vendor in ("tradeshift", "tradeshiftBox"):
        return {"Id": uid, "Username": email, "FirstName": first, "LastName": last}
    return special.get(vendor, oidc(person))


VOUCHES = {
    "apple", "appwrite", "auth0", "authentik", "autodesk", "bitbucket", "bitly", "discord", "dropbox",
    "fusionauth", "github", "gitlab", "google", "huggingface", "keycloak", "linkedin", "oidc", "okta",
    "paypal", "paypalSandbox", "podio", "salesforce", "slack", "twitch", "wordpress", "x", "yahoo", "zoho",
    "zoom",
}  # fmt: skip
"""The vendors that say of an address whether it is verified, or tell verified ones alone."""


class Ask(NamedTuple):
    """One request that the platform made."""

    method: str
    url: str
    headers: dict[str, str]
    form: dict[str, Any]


class Agreed(NamedTuple):
    vendor: Vendor
    asked: dict[str, str]
    person: Person


class Vendors:
    """The server, and what it remembers. `agree` plays the person in front of a vendor's page."""

    def __init__(self) -> None:
        self.port = 0
        self.asks: list[Ask] = []
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """What other hosts answer, by host and path: a status, headers, and a body."""
        self.quirks: dict[str, Any] = {}
        """What a test wants to be otherwise: `claims`, `key`, `token`, `profile`."""
        self.key = rsa.generate_private_key(65537, 2048)
        self.key_id = "k1"
        self._codes: dict[str, Agreed] = {}
        self._tokens: dict[str, Agreed] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def registration(self, vendor: Vendor) -> dict[str, Any]:
        """What a project enters to be known as `client-<vendor>`."""
        entered: dict[str, Any] = {
            vendor.id_field: f"client-{vendor.id}",
            vendor.secret_field: APPLE_P8 if vendor.id == "apple" else CLIENT_SECRET,
            "enabled": True,
        }
        return entered | {each.name: OPTIONS[each.name] for each in vendor.options if each.name in OPTIONS}

    def agree(self, location: str, person: Person, **instead: str) -> str:
        """Agree on the page that a browser was sent to. Gives the URL to go back to."""
        parts = urlsplit(location)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        vendor = VENDORS[asked["redirect_uri"].split("/")[-2]]
        assert f"https://{parts.netloc}{parts.path}" == self.place(vendor, vendor.authorize), location
        assert asked["response_type"] == "code"
        assert asked["client_id"] == f"client-{vendor.id}"
        code = secrets.token_hex(16)
        self._codes[code] = Agreed(vendor, asked, person)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **instead})}"

    def place(self, vendor: Vendor, url: str) -> str:
        options = {each.name: OPTIONS[each.name] for each in vendor.options if each.name in OPTIONS}
        registered = Registration(client_id=f"client-{vendor.id}", options=options)
        later = {"access_token": "TOKEN", "token_owner": "*", "here": ""}
        return registered.fill(vendor, url, **later)

    def id_token(self, person: Person, *, issuer: str, audience: str, **claims: Any) -> str:
        """An ID token of the person, signed with the key that this server publishes."""
        now = int(time.time())
        said = {"iss": issuer, "aud": audience, "iat": now, "exp": now + 300, **oidc(person), **claims}
        said |= self.quirks.get("claims", {})
        key = self.quirks.get("key", self.key)
        return jwt.encode(said, key, algorithm="RS256", headers={"kid": self.key_id})

    async def answer(self, request: web.Request) -> web.Response:
        url = f"{request.headers['Host']}{request.path}"
        if url in self.pages:
            self.asks.append(Ask(request.method, url, dict(request.headers), dict(request.query)))
            status, headers, body = self.pages[url]
            return web.Response(status=status, headers=headers, body=body)
        is_json = request.content_type == "application/json"
        form: dict[str, Any] = await request.json() if is_json else dict(await request.post())
        self.asks.append(Ask(request.method, url, dict(request.headers), form))
        if url in KEYS_AT:
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return web.json_response({"keys": [public | {"kid": self.key_id, "use": "sig"}]})
        if url == "issuer.example.com/.well-known/openid-configuration":
            return web.json_response(
                {
                    "issuer": "https://issuer.example.com",
                    "jwks_uri": "https://issuer.example.com/keys",
                    "authorization_endpoint": OPTIONS["authorizationURL"],
                    "token_endpoint": OPTIONS["tokenURL"],
                    "userinfo_endpoint": OPTIONS["userInfoURL"],
                    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                    **self.quirks.get("configuration", {}),
                }
            )
        if form.get("grant_type"):
            return self._give(request, url, form)
        return self._tell(request, url)

    def _give(self, request: web.Request, url: str, form: dict[str, Any]) -> web.Response:
        agreed = self._codes.pop(str(form.get("code")), None)
        if form["grant_type"] == "refresh_token":
            agreed = self._tokens.pop(str(form.get("refresh_token")), None)
        if agreed is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        vendor, asked, person = agreed
        refreshing = form["grant_type"] == "refresh_token"
        expected = vendor.refresh if refreshing and vendor.refresh else vendor.token
        assert f"https://{url}" == self.place(vendor, expected).partition("?")[0], url
        self._check_client(vendor, request, form)
        if not refreshing:
            assert form["redirect_uri"] == asked["redirect_uri"]
            if "code_challenge" in asked:
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
                    return web.json_response({"error": "invalid_grant"}, status=400)
        access, renewing = f"{person.uid}.{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
        self._tokens[access] = self._tokens[renewing] = agreed
        given: dict[str, Any] = {"access_token": access, "refresh_token": renewing, "expires_in": 3600}
        issuer = "https://issuer.example.com" if vendor.id == "oidc" else vendor.issuer
        if issuer:
            nameless = person._replace(name="") if vendor.id == "apple" else person
            given["id_token"] = self.id_token(
                nameless, issuer=issuer, audience=f"client-{vendor.id}", nonce=asked["nonce"]
            )
        if vendor.id == "yammer":
            given = {"user": {}, "access_token": {"token": access, "expires_in": 3600}}
        return web.json_response(given | self.quirks.get("token", {}))

    def _check_client(self, vendor: Vendor, request: web.Request, form: dict[str, Any]) -> None:
        header = request.headers.get("Authorization", "")
        if vendor.client_auth == "basic":
            client, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
            assert (unquote(client), unquote(secret)) == (f"client-{vendor.id}", CLIENT_SECRET)
            assert "client_secret" not in form
            return
        assert header == ""
        assert form["client_id"] == f"client-{vendor.id}"
        if vendor.id != "apple":
            assert form["client_secret"] == CLIENT_SECRET
            return
        claims = jwt.decode(
            form["client_secret"],
            APPLE_KEY.public_key(),
            algorithms=["ES256"],
            audience="https://appleid.apple.com",
        )
        assert (claims["iss"], claims["sub"]) == ("TEAM1", "client-apple")
        assert jwt.get_unverified_header(form["client_secret"])["kid"] == "KEY1"

    def _tell(self, request: web.Request, url: str) -> web.Response:
        scheme, _, access = request.headers.get("Authorization", "").partition(" ")
        agreed = self._tokens.get(access)
        if agreed is None:
            return web.json_response({"error": "invalid_token"}, status=401)
        vendor, _, person = agreed
        assert scheme == vendor.scheme
        if url == "api.github.com/user/emails":
            primary = {"email": person.email, "primary": True, "verified": person.verified}
            return web.json_response(
                [{"email": "old@example.com", "primary": False, "verified": True}, primary]
            )
        if url == "api.bitbucket.org/2.0/user/emails":
            primary = {"email": person.email, "is_primary": True, "is_confirmed": person.verified}
            return web.json_response({"values": [primary]})
        assert f"https://{url}" == self.place(vendor, vendor.profile).partition("?")[0].replace(
            "*", person.uid
        )
        assert request.method == vendor.profile_method
        self._check_headers(vendor, request)
        return web.json_response(self.quirks.get("profile", told(vendor.id, person)))

    def _check_headers(self, vendor: Vendor, request: web.Request) -> None:
        if vendor.id == "etsy":
            assert request.headers["x-api-key"] == f"client-etsy:{CLIENT_SECRET}"
        if vendor.id == "twitch":
            assert request.headers["Client-Id"] == "client-twitch"
        if vendor.id == "disqus":
            assert parse_qs(request.query_string)["api_key"] == ["client-disqus"]
        if vendor.id == "notion":
            assert request.headers["Notion-Version"]


@contextmanager
def running_vendors() -> Iterator[Vendors]:
    """Start the server in a thread of its own."""
    vendors = Vendors()
    loop = asyncio.new_event_loop()

    async def start() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", vendors.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        vendors.port = runner.addresses[0][1]

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        yield vendors
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
