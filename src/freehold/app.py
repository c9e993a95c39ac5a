"""Puts the platform together: the application that answers, and what a first start makes."""

from __future__ import annotations

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.services import endpoints
from freehold.services.project import FirstProject, first_start
from freehold.services.realtime import Hub
from freehold.web import landing, reference
from freehold.web.application import Application
from freehold.web.cache import Stamps


def create_app(settings: Settings) -> Application:
    """The ASGI application. `settings` name the database and hold the installation's secret."""
    declared = endpoints()
    told = reference.Pages(declared)

    def pages(path: str, origin: str) -> tuple[str, bytes] | None:
        return told(path, origin) or landing.page(path)

    application = Application(settings, declared, stamps=Stamps(settings.data / "stamps"), pages=pages)
    application.sockets = Hub(application)
    return application


async def bootstrap(settings: Settings) -> FirstProject:
    """Make the default project and its API key, or find those that an earlier start made."""
    db = Database(settings.database_url, size=1, statement_timeout_s=settings.statement_timeout_s)
    try:
        return await first_start(db, settings.secret)
    finally:
        await db.close()
