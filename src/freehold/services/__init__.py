"""The services of the platform: one folder each, listed here."""

from __future__ import annotations

from freehold.services import account, console, databases, health, mock, project, projects, teams, users
from freehold.web.endpoint import Endpoint, Routes

SERVICES: tuple[Routes, ...] = (
    health.routes,
    health.ping,
    account.routes,
    teams.routes,
    users.routes,
    databases.routes,
    project.routes,
    projects.routes,
    projects.organization,
    console.routes,
    mock.routes,
)


def endpoints() -> list[Endpoint]:
    """Every endpoint of every service, in documentation order."""
    return [endpoint for routes in SERVICES for endpoint in routes.endpoints]
