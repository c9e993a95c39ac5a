"""Endpoints of the health service."""

from __future__ import annotations

import time

from freehold import __version__
from freehold.services.health import store
from freehold.services.health.models import HealthStatus, HealthStatusList, HealthTime, HealthVersion
from freehold.usage import Pinged
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Json

routes = Routes("health")
ping = Routes("ping")


@ping.get("/v1/ping", scope="global", name="get")
async def answer_ping(call: Call) -> Json:
    """Answer, to show that the project can be reached."""
    call.app.pings.count(Pinged(call.project.id, call.user_type, call.sdk))
    return Json(b'"Pong!"')


@routes.get("/v1/health", scope="health.read")
async def get(call: Call) -> HealthStatus:
    """Tell whether the API itself answers."""
    return HealthStatus(name="api", ping=0, status="pass")


@routes.get("/v1/health/db", scope="health.read")
async def get_db(call: Call) -> HealthStatusList:
    """Tell whether the database answers, and how fast."""
    started = time.perf_counter()
    await store.now(call.db)
    elapsed_ms = round((time.perf_counter() - started) * 1000)
    return HealthStatusList(
        total=1, statuses=[HealthStatus(name="postgresql", ping=elapsed_ms, status="pass")]
    )


@routes.get("/v1/health/time", scope="health.read")
async def get_time(call: Call) -> HealthTime:
    """Compare this server's clock with the database's."""
    remote, local = round(await store.now(call.db)), round(time.time())
    return HealthTime(remote_time=remote, local_time=local, diff=remote - local)


@routes.get("/v1/health/version", scope="public")
async def get_version(call: Call) -> HealthVersion:
    """The version of this server."""
    return HealthVersion(version=__version__)
