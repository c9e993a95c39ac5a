"""What tests of the second factor share: an authenticator app, and users who have one."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import asyncpg
import httpx
import pyotp

from tests.platform import Project, User


class App:
    """An authenticator app. Each code that it shows is a new one, as the server takes none twice."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._last = 0

    def code(self) -> str:
        # The server takes those of the step before and of the step after as well: three without waiting.
        self._last = max(self._last + 1, int(time.time()) // 30 - 1)
        return self._totp.generate_otp(self._last)

    def code_at(self, moment: float) -> str:
        """What it shows at another time."""
        return self._totp.at(int(moment))


def run_sql(project: Project, sql: str, *values: object) -> list[asyncpg.Record]:
    """Ask the platform's database."""

    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(project.platform.database_url)
        try:
            return list(await connection.fetch(sql, *values))
        finally:
            await connection.close()

    return asyncio.run(ask())


def verify_email(project: Project, user: User) -> None:
    """Let the user's address count as verified."""
    done = project.server.patch(f"/users/{user.id}/verification", json={"emailVerification": True})
    if done.status_code == 404:
        run_sql(
            project,
            "update freehold.users set email_verified = true where project_id = $1 and id = $2",
            project.id,
            user.id,
        )
        project.server.patch(f"/users/{user.id}/status", json={"status": True})


def ok(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code < 300, answer.text
    return answer


def add_app(client: httpx.Client) -> App:
    """Give whoever calls a verified authenticator app."""
    app = App(ok(client.post("/account/mfa/authenticators/totp")).json()["secret"])
    ok(client.put("/account/mfa/authenticators/totp", json={"otp": app.code()}))
    return app


class Guarded(NamedTuple):
    """A user who asks for a second factor, and the app that it shows it with."""

    user: User
    app: App

    def sign_in(self, project: Project) -> httpx.Client:
        """With the password alone: half a session."""
        return project.platform.client(project.id, session=project.sign_in(self.user.email))


def guarded(project: Project) -> Guarded:
    """A user with a verified app, who has switched the second factor on."""
    user = project.new_user("Greta")
    app = add_app(user.client)
    ok(user.client.patch("/account/mfa", json={"mfa": True}))
    return Guarded(user, app)


def challenge(client: httpx.Client, factor: str) -> str:
    """The id of a new challenge."""
    return str(ok(client.post("/account/mfa/challenges", json={"factor": factor})).json()["$id"])


def answer(client: httpx.Client, challenge_id: str, code: str) -> httpx.Response:
    return client.put("/account/mfa/challenges", json={"challengeId": challenge_id, "otp": code})
