"""Puts the platform together: the application that answers, and what a first start makes."""

from __future__ import annotations

from freehold.config import Settings
from freehold.services import endpoints
from freehold.web.application import Application
from freehold.web.cache import Stamps
from freehold.web.request import Request


def create_app(settings: Settings) -> Application:
    """The ASGI application. `settings` name the database and hold the installation's secret."""
    return Application(
        settings,
        endpoints(),
        stamps=Stamps(settings.data / "stamps"),
        pages=_pages,
    )


def _pages(request: Request) -> tuple[str, bytes] | None:
    return None
