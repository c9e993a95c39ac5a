"""Tokens: what is accepted, and each way of forging one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.access import Principal
from app.core.auth import Verifier
from app.core.errors import Problem
from app.core.ids import new_id
from app.permissions import ROLES
from app.settings import PROVIDERS, Settings

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return found | {"kid": kid, "use": "sig"}


@pytest.fixture
def issuer() -> Iterator[dict[str, Any]]:
    """An identity provider that counts how often its keys are fetched."""
    state: dict[str, Any] = {"fetched": 0, "status": 200, "keys": [jwk(KEY, "a"), jwk(WEAK_KEY, "weak")]}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state["fetched"] += 1
            self.send_response(state["status"])
            self.end_headers()
            self.wfile.write(json.dumps({"keys": state["keys"]}).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state["url"] = f"http://127.0.0.1:{server.server_port}/jwks"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def verifier(settings: Settings, issuer: dict[str, Any]) -> Verifier:
    provider = replace(
        PROVIDERS["custom"],
        issuer="https://id.example.com/",
        jwks_url=issuer["url"],
        audience=("api",),
        tenant_claim="org.id",
        require={"token_use": "access"},
    )
    return Verifier(replace(settings, provider=provider))


def claims(**changes: Any) -> dict[str, Any]:
    base = {
        "iss": "https://id.example.com/",
        "aud": "api",
        "exp": time.time() + 600,
        "token_use": "access",
        "sub": str(new_id()),
        "org": {"id": str(new_id())},
        "roles": [*ROLES[:1], "no_such_role", "service"],
    }
    return {name: value for name, value in (base | changes).items() if value is not None}


def sign(key: Any = KEY, kid: str = "a", algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers={"kid": kid})


def read(verifier: Verifier, token: str) -> Principal:
    return asyncio.run(verifier.principal(token))


def test_a_good_token_names_its_tenant_and_known_roles_only(settings: Settings, issuer: dict[str, Any]) -> None:
    principal = read(verifier(settings, issuer), sign())

    assert principal.tenant_id is not None
    assert principal.kind == "user"
    assert principal.roles == {"public", "authenticated", *ROLES[:1]}


def unsigned(**changes: Any) -> str:
    return jwt.encode(claims(**changes), "", algorithm="none", headers={"kid": "a"})


def signed_with_the_public_key() -> str:
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [json.dumps({"alg": "HS256", "kid": "a"}), json.dumps(claims())]
    message = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    signature = hmac.new(public, message, hashlib.sha256).digest()
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


FORGERIES: dict[str, Callable[[], str]] = {
    "no algorithm": unsigned,
    "the public key as a secret": signed_with_the_public_key,
    "another key": lambda: sign(OTHER_KEY),
    "an unknown key": lambda: sign(kid="../../etc/passwd"),
    "a weak key": lambda: sign(WEAK_KEY, "weak"),
    "another hash": lambda: sign(algorithm="RS512"),
    "expired": lambda: sign(exp=time.time() - 60),
    "never expires": lambda: sign(exp=None),
    "not yet": lambda: sign(nbf=time.time() + 600),
    "another issuer": lambda: sign(iss="https://id.example.com"),
    "no issuer": lambda: sign(iss=None),
    "another audience": lambda: sign(aud="other"),
    "no audience": lambda: sign(aud=None),
    "another use": lambda: sign(token_use="id"),
    "garbage": lambda: "a.b.c",
}


@pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(settings: Settings, issuer: dict[str, Any], forgery: str) -> None:
    with pytest.raises(Problem) as refused:
        read(verifier(settings, issuer), FORGERIES[forgery]())

    assert refused.value.status == 401


def test_unknown_keys_are_looked_up_once_a_minute_whoever_asks(settings: Settings, issuer: dict[str, Any]) -> None:
    checked = verifier(settings, issuer)

    async def many() -> None:
        tokens = [sign(kid=f"unknown-{number}") for number in range(10)]
        results = await asyncio.gather(*(checked.principal(token) for token in tokens), return_exceptions=True)
        assert all(isinstance(result, Problem) for result in results)

    asyncio.run(many())
    assert issuer["fetched"] == 1


def test_known_keys_outlive_an_outage_of_the_provider(
    settings: Settings, issuer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def walk() -> None:
        checked = verifier(settings, issuer)
        await checked.principal(sign())
        issuer["status"] = 503
        checked._keys._tried = time.monotonic() - 61
        with pytest.raises(Problem):
            await checked.principal(sign(kid="unknown"))
        await checked.principal(sign())

    asyncio.run(walk())
    assert issuer["fetched"] == 2
    assert "the provider's keys cannot be fetched" in caplog.text
