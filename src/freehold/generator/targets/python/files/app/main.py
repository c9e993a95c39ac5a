"""The application: what is mounted, what runs at the start, and how it stops."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import asyncpg
import uvicorn
from fastapi import FastAPI
from prometheus_client import start_http_server

from app import extra
from app.core import contract, errors, health, logs
from app.core.auth import Verifier
from app.core.db import Database, UnsafeRole
from app.core.limits import Limiter
from app.core.web import RequestLimits
from app.features import ROUTERS
from app.migrate import main as migrate
from app.settings import Settings, load

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.auto_migrate:
            await migrate("up")
        try:
            await app.state.database.open()
        except (UnsafeRole, OSError, asyncpg.PostgresError) as error:
            log.critical("The service cannot start: %s", error)
            raise
        yield
        await app.state.database.close()
        if app.state.at_stop is not None:
            app.state.at_stop()

    # The OpenAPI document is a file of this repository: it is the contract, and not derived from the code.
    app = FastAPI(
        title=settings.service,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would redirect to whichever host the caller names
        # Its own spans would tell what callers search for; app/core/traces.py makes ours.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.database = Database(settings)
    app.state.verifier = Verifier(settings)
    app.state.limiter = Limiter(settings.rate_limit)
    app.state.draining = False
    app.state.at_stop = None
    errors.install(app)
    app.add_middleware(RequestLimits, max_body=settings.max_body_bytes)
    app.add_middleware(errors.LastResort)
    app.add_middleware(logs.RequestLog)
    if settings.traces:
        from app.core import traces  # its libraries take memory and time that a service without traces keeps

        app.state.at_stop = traces.start(settings.service).shutdown
        app.state.database.on_statement = traces.statement
        app.add_middleware(traces.Traces)
    # A request is looked for in this order: what is asked for most comes first.
    for router in extra.ROUTERS:
        app.include_router(router, prefix="/v1")
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(health.router)
    app.include_router(contract.router)
    app.mount(contract.VIEWER, contract.viewer())
    if not settings.metrics_port:
        app.add_api_route("/metrics", health.metrics)
    return app


class Server(uvicorn.Server):
    """Says that it is not ready before it stops listening, so that no request is lost behind a load balancer."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, drain_seconds: int) -> None:
        super().__init__(config)
        self._app = app
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.state.draining or not self._drain_seconds:
            super().handle_exit(sig, frame)
            return
        self._app.state.draining = True
        log.info("draining")
        threading.Timer(self._drain_seconds, super().handle_exit, (sig, frame)).start()


def main() -> None:
    settings = load()
    logs.configure(settings.log_level)
    app = create_app(settings)
    if settings.metrics_port:
        start_http_server(settings.metrics_port)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,  # longer than a load balancer keeps a connection, or it sends requests into closed ones
        proxy_headers=False,  # whoever calls could write them
        timeout_graceful_shutdown=20,
    )
    Server(config, app, settings.drain_seconds).run()


if __name__ == "__main__":
    main()
