"""Whether the process lives, whether it should get traffic, and its numbers."""

from __future__ import annotations

from typing import Any

import asyncpg
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest

from app.core.web import Route
from app.migrate import versions

router = APIRouter(route_class=Route)
POOL = Gauge("db_pool_connections", "Connections to PostgreSQL.", ["state"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers. Says nothing about the database, so that a restart is not asked of it in vain."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Ready for traffic: the database answers, its migrations are ours, and we are not about to stop."""
    faults = await _faults(request.app.state)
    return JSONResponse({"status": "not ready" if faults else "ok", "faults": faults}, 503 if faults else 200)


async def _faults(state: Any) -> list[str]:
    if state.draining:
        return ["shutting down"]
    try:
        await state.database.ping()
        missing = sorted(set(versions()) - await state.database.applied_migrations())
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return ["the database does not answer"]
    return [f"migrations not applied: {', '.join(missing)}"] if missing else []


def metrics(request: Request) -> Response:
    size, idle = request.app.state.database.pool_size
    POOL.labels("idle").set(idle)
    POOL.labels("used").set(size - idle)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
