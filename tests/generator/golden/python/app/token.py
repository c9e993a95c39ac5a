"""`make token ROLE=admin TENANT=<id> USER_ID=<id>`: a token for development, signed with AUTH_DEV_SECRET."""

from __future__ import annotations

import argparse
import os
import sys
import time

import jwt

from app.permissions import ROLES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", required=True, choices=[*ROLES, "service"])
    parser.add_argument("--tenant", default="")
    parser.add_argument("--user", default="")
    parser.add_argument("--hours", type=int, default=8)
    arguments = parser.parse_args()
    secret = os.environ.get("AUTH_DEV_SECRET", "")
    if len(secret) < 32:
        sys.exit("AUTH_DEV_SECRET should have at least 32 characters; see .env.example")
    print(issue(secret, arguments.role, arguments.tenant, arguments.user, arguments.hours * 3600))


def issue(secret: str, role: str, tenant: str, user: str, seconds: int = 3600) -> str:
    """A signed token. The service only takes it while AUTH_PROVIDER is `dev`."""
    now = int(time.time())
    claims: dict[str, object] = {"iss": "dev", "iat": now, "exp": now + seconds, "roles": [role]}
    if role == "service":
        claims["kind"] = "service"
    if tenant:
        claims["tenant_id"] = tenant
    if user:
        claims["sub"] = user
    return jwt.encode(claims, secret, algorithm="HS256")


if __name__ == "__main__":
    main()
