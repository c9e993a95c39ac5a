"""Identity providers on this machine, each with the addresses, keys and claims of its vendor."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Vendor:
    """What sets the tokens of one vendor apart."""

    name: str
    issuer: str
    """Its path below the server."""
    key_set: str
    """What the discovery document says of it, below the issuer."""
    claims: Callable[[Mapping[str, Any]], dict[str, Any]]
    """An access token of a user: `user`, `tenant` and `role`."""
    settings: Mapping[str, str]
    algorithm: str = "RS256"
    audience: str = "aud"
    """The claim that says whom a token is for."""
    tenant: str = "acme"
    user: str = "jane"
    others: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    """What tokens that must not be taken for that say otherwise, by what they are."""


def _auth0(who: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aud": ["https://api.example.com", "https://acme.example.com/userinfo"],
        "azp": "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja",
        "scope": "openid profile",
        "org_id": who["tenant"],
        "permissions": [who["role"], "read:everything"],
    }


def _clerk(who: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "v": 2,
        "azp": "https://app.example.com",
        "sid": "sess_2aYp9zvN0SEcPrTpQ5CnNhBOn7R",
        "sts": "active",
        "fva": [7, -1],
        "nbf": int(time.time()) - 10,
        "o": {"id": who["tenant"], "slg": "acme", "rol": who["role"], "per": "read", "fpm": "3"},
    }


def _cognito(who: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "token_use": "access",
        "client_id": "1example23456789",
        "username": who["user"],
        "scope": "aws.cognito.signin.user.admin openid",
        "cognito:groups": [who["role"]],
        "custom:tenant_id": who["tenant"],
        "auth_time": int(time.time()) - 60,
        "version": 2,
    }


def _keycloak(who: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "typ": "Bearer",
        "aud": "account",
        "azp": "guarded",
        "acr": "1",
        "sid": "2a88c258-f73a-4103-b862-e1fbd8f4e04e",
        "realm_access": {"roles": ["offline_access", "default-roles-acme", who["role"]]},
        "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
        "organization": {"acme-alias": {"id": who["tenant"]}},
    }


def _supabase(who: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aud": "authenticated",
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "password", "timestamp": int(time.time())}],
        "session_id": "b06b3ab1-5b49-4d6b-a9a9-2a4f1a3a5c0e",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "tenant_id": who["tenant"], "role": who["role"]},
        "user_metadata": {"tenant_id": "globex", "role": "admin"},
    }


VENDORS = {
    vendor.name: vendor
    for vendor in (
        Vendor(
            "auth0",
            "/auth0/",
            ".well-known/jwks.json",
            _auth0,
            {"AUTH_AUDIENCE": "https://api.example.com"},
            tenant="org_9ybsU1dN2dKfDkBi",
            user="auth0|6553da60a54af58e29493993",
            others={
                "of another API": lambda claims: claims | {"aud": ["https://other.example.com"]},
                "with namespaced roles only": lambda claims: (
                    claims | {"permissions": [], "https://acme.example.com/roles": ["admin"]}
                ),
            },
        ),
        Vendor(
            "clerk",
            "/clerk",
            "/.well-known/jwks.json",
            _clerk,
            {"AUTH_AUDIENCE": "https://app.example.com https://admin.example.com"},
            audience="azp",
            tenant="org_2gTA1F3bCyT2Yw0K8aXxq6zVnRf",
            user="user_2aYp9zuqVvhKZOdOEXAMPLE",
            others={
                "of another origin": lambda claims: claims | {"azp": "https://evil.example.com"},
                "with roles of version 1": lambda claims: (
                    {name: value for name, value in claims.items() if name != "o"}
                    | {"org_id": claims["o"]["id"], "org_role": "org:admin"}
                ),
            },
        ),
        Vendor(
            "cognito",
            "/cognito-idp/eu-central-1_EXAMPLE",
            "/.well-known/jwks.json",
            _cognito,
            {"AUTH_AUDIENCE": "1example23456789"},
            audience="client_id",
            user="248289dc-4f0e-4f6c-8b7e-0c3a6df2f44a",
            others={
                "an ID token": lambda claims: (
                    {name: value for name, value in claims.items() if name != "client_id"}
                    | {"token_use": "id", "aud": claims["client_id"]}
                ),
                "an ID token that names the client": lambda claims: claims | {"token_use": "id"},
            },
        ),
        Vendor(
            "keycloak",
            "/realms/acme",
            "/protocol/openid-connect/certs",
            _keycloak,
            {"AUTH_AUDIENCE_CLAIM": "azp", "AUTH_AUDIENCE": "guarded"},
            audience="azp",
            tenant="42c3e46f-2477-44d7-a85b-d3b43f6b31fa",
            user="36fa0f91-f94d-4a0c-afed-6b7d952e47da",
            others={
                "of two organizations": lambda claims: (
                    claims | {"organization": {**claims["organization"], "globex": {"id": "globex"}}}
                ),
                "with roles of a client only": lambda claims: (
                    claims
                    | {"realm_access": {"roles": []}, "resource_access": {"other": {"roles": ["admin"]}}}
                ),
            },
        ),
        Vendor(
            "supabase",
            "/supabase/auth/v1",
            "/.well-known/jwks.json",
            _supabase,
            {},
            algorithm="ES256",
            user="123e4567-e89b-12d3-a456-426614174000",
            others={
                "of nobody": lambda claims: claims | {"aud": "anon", "role": "anon"},
                "with what users write into their metadata": lambda claims: claims | {"app_metadata": {}},
            },
        ),
    )
}


class Issuer:
    """One vendor's server: what it signs, and how often its keys were fetched."""

    def __init__(self, vendor: Vendor, url: str) -> None:
        self.vendor = vendor
        self.url = url + vendor.issuer
        self._made = itertools.count()
        self._numbers = itertools.count()
        self.keys: dict[str, PrivateKey] = {"first": self.new_key()}
        self.down = False
        self.fetched = 0

    def new_key(self) -> PrivateKey:
        return _key(self.vendor.algorithm, next(self._made))

    def claims(self, role: str = "admin", **changes: Any) -> dict[str, Any]:
        """An access token's. A claim that is None is left out."""
        vendor, now = self.vendor, int(time.time())
        who = {"user": vendor.user, "tenant": vendor.tenant, "role": role}
        found = {"iss": self.url, "sub": vendor.user, "iat": now, "exp": now + 600}
        found["jti"] = f"token-{next(self._numbers)}"  # no two alike: services remember tokens for a while
        found |= vendor.claims(who) | changes
        return {name: value for name, value in found.items() if value is not None}

    def token(self, claims: dict[str, Any] | None = None, *, kid: str = "", key: Any = None) -> str:
        """Signed with the newest key, unless another one is said."""
        kid = kid or list(self.keys)[-1]
        signing = key or self.keys[kid]
        return jwt.encode(
            claims or self.claims(), signing, algorithm=self.vendor.algorithm, headers={"kid": kid}
        )

    def public_pem(self) -> bytes:
        key = next(iter(self.keys.values())).public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        key_set = self.url + self.vendor.key_set
        if self.down:
            return 503, {}
        if path.endswith("/.well-known/openid-configuration"):
            return 200, {"issuer": self.url, "jwks_uri": key_set}
        if not key_set.endswith(path):
            return 404, {}
        self.fetched += 1
        signing = [self._jwk(kid, key) | {"alg": self.vendor.algorithm} for kid, key in self.keys.items()]
        sealing = self._jwk("sealing", next(iter(self.keys.values()))) | {"use": "enc", "alg": "RSA-OAEP"}
        return 200, {"keys": [sealing, *signing]}

    @staticmethod
    def _jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
        spelled = (
            RSAAlgorithm.to_jwk(key.public_key())
            if isinstance(key, rsa.RSAPrivateKey)
            else ECAlgorithm.to_jwk(key.public_key())
        )
        return json.loads(spelled) | {"kid": kid, "use": "sig"}


@cache
def _key(algorithm: str, number: int) -> PrivateKey:
    """The same for every issuer: making one takes long."""
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@contextmanager
def issuing(vendor: Vendor) -> Iterator[Issuer]:
    """The vendor, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document = issuer.answer(self.path)
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(vendor, f"http://localhost:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
