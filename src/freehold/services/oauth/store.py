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
