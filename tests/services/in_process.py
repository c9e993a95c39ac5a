"""The application in the test's own process, on a platform's database: for what only code can set up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from freehold.app import create_app
from freehold.config import Settings
from tests.platform import Platform


def ask(
    platform: Platform,
    data: Path,
    asking: httpx.Client,
    method: str,
    path: str,
    body: Any = None,
    **told: Any,
) -> httpx.Response:
    """Send what a client of the platform would send to an application with these settings."""
    secret = (platform.installation.data / "secret").read_text().strip()
    settings = Settings(data=data, database_url=platform.database_url, secret=secret, **told)

    async def send() -> httpx.Response:
        application = create_app(settings)
        transport: Any = httpx.ASGITransport(application)
        url = settings.public_endpoint or str(asking.base_url)
        async with httpx.AsyncClient(transport=transport, base_url=url, headers=asking.headers) as client:
            answer = await client.request(method, path, json=body)
        await application.db.close()
        return answer

    return asyncio.run(send())
