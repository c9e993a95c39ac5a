"""SQL of what projects have registered with vendors."""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.pool import Queries, Record


class Settings(NamedTuple):
    """A project's settings of a vendor, to be kept."""

    enabled: bool
    client_id: str
    secret_sealed: bytes | None
    options: bytes
    """JSON."""
    prompt: list[str] | None
    native_enabled: bool
    native_client_ids: list[str]


_PROVIDER = """
    o.provider, o.enabled, o.client_id, o.secret_sealed, o.options, o.prompt, o.native_enabled,
    o.native_client_ids
"""


async def find_provider(db: Queries, project_id: str, provider: str) -> Record | None:
    """A project's settings of a vendor."""
    return await db.row(
        f"select {_PROVIDER} from freehold.oauth_providers o where o.project_id = $1 and o.provider = $2",
        project_id,
        provider,
    )


async def list_providers(db: Queries, project_id: str) -> list[Record]:
    """A project's settings of all vendors that it has some of."""
    return await db.rows(
        f"select {_PROVIDER} from freehold.oauth_providers o where o.project_id = $1", project_id
    )


async def hold_provider(db: Queries, project_id: str, provider: str) -> Record:
    """A project's settings of a vendor, made if there are none, and held until the transaction ends."""
    row = await db.row(
        f"""
        insert into freehold.oauth_providers as o (project_id, provider) values ($1, $2)
        on conflict (project_id, provider) do update set updated_at = now()
        returning {_PROVIDER}
        """,
        project_id,
        provider,
    )
    assert row is not None
    return row


async def set_provider(db: Queries, project_id: str, provider: str, settings: Settings) -> None:
    """Replace a project's settings of a vendor."""
    await db.run(
        """
        update freehold.oauth_providers
        set enabled = $3, client_id = $4, secret_sealed = $5, options = $6, prompt = $7, native_enabled = $8,
            native_client_ids = $9, updated_at = now()
        where project_id = $1 and provider = $2
        """,
        project_id,
        provider,
        *settings,
    )


class NewState(NamedTuple):
    """A sign-in that begins."""

    digest: bytes
    provider: str
    browser_digest: bytes | None
    user_id: str | None
    success: str
    failure: str
    wants_token: bool
    app_state: str
    redirect_uri: str
    nonce: str
    verifier: str
    seconds: float
    """How long there is to come back."""


async def begin(db: Queries, project_id: str, state: NewState) -> None:
    """Remember a sign-in that begins, and forget some of those that nobody came back from."""
    await db.run(
        """
        with late as (
            delete from freehold.oauth_states
            where project_id = $1 and digest in (
                select digest from freehold.oauth_states
                where project_id = $1 and expires_at < now()
                limit 100
            )
        )
        insert into freehold.oauth_states (project_id, digest, provider, browser_digest, user_id, success,
                                           failure, wants_token, app_state, redirect_uri, nonce, verifier,
                                           expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + make_interval(secs => $13))
        """,
        project_id,
        *state,
    )


async def take(db: Queries, project_id: str, digest: bytes) -> Record | None:
    """A sign-in that somebody comes back from. Of all who ever try, one gets it."""
    return await db.row(
        """
        delete from freehold.oauth_states s where s.project_id = $1 and s.digest = $2
        returning s.provider, s.browser_digest, s.user_id, s.success, s.failure, s.wants_token, s.app_state,
                  s.redirect_uri, s.nonce, s.verifier, s.expires_at > now() as in_time
        """,
        project_id,
        digest,
    )


async def use_id_token(db: Queries, project_id: str, digest: bytes, seconds: float) -> bool:
    """Note that an ID token has opened a session. False when it already had."""
    return (
        await db.value(
            """
            with late as (
                delete from freehold.used_id_tokens
                where project_id = $1 and digest in (
                    select digest from freehold.used_id_tokens
                    where project_id = $1 and expires_at < now()
                    limit 100
                )
            )
            insert into freehold.used_id_tokens (project_id, digest, expires_at)
            values ($1, $2, now() + make_interval(secs => $3))
            on conflict do nothing
            returning true
            """,
            project_id,
            digest,
            seconds,
        )
        is True
    )
