"""Puts the platform together: the application that answers, and what a first start makes."""

from __future__ import annotations

from typing import NamedTuple

from freehold.config import Settings
from freehold.db.pool import Database
from freehold.services import endpoints, project
from freehold.web import reference
from freehold.web.application import Application
from freehold.web.cache import Stamps


def create_app(settings: Settings) -> Application:
    """The ASGI application. `settings` name the database and hold the installation's secret."""
    declared = endpoints()
    return Application(
        settings, declared, stamps=Stamps(settings.data / "stamps"), pages=reference.Pages(declared)
    )


class Bootstrapped(NamedTuple):
    """What can be called after a first start; empty when it has been deleted since."""

    project: str
    key: str


async def bootstrap(settings: Settings, database_url: str = "") -> Bootstrapped:
    """Make the default project and its API key, or find those that an earlier start made."""
    db = Database(
        database_url or settings.database_url, size=1, statement_timeout_s=settings.statement_timeout_s
    )
    try:
        first = await project.first_start(db, settings.secret)
    finally:
        await db.close()
    return Bootstrapped(project=first.project, key=first.key)
