"""The services of the platform: one folder each, listed here."""

from __future__ import annotations

from freehold.audit import kinds as audit_kinds
from freehold.housekeeping import KINDS as PLATFORM_KINDS
from freehold.jobs import Kind
from freehold.services import (
    account,
    account_keys,
    advisor,
    avatars,
    console,
    databases,
    graphql,
    health,
    locale,
    mail,
    migrations,
    mock,
    notifications,
    organizations,
    presences,
    project,
    projects,
    realtime,
    storage,
    teams,
    webhooks,
)
from freehold.services.users.routes import routes as user_routes
from freehold.web.endpoint import Endpoint, Routes

SERVICES: tuple[Routes, ...] = (
    health.routes,
    health.ping,
    account.routes,
    account_keys.routes,
    teams.own_routes,
    teams.routes,
    user_routes,
    databases.routes,
    databases.legacy_routes,
    storage.routes,
    storage.token_routes,
    presences.routes,
    realtime.routes,
    migrations.routes,
    project.routes,
    webhooks.routes,
    projects.routes,
    projects.organization,
    organizations.routes,
    console.routes,
    notifications.routes,
    advisor.routes,
    locale.routes,
    avatars.routes,
    graphql.routes,
    mock.routes,
)

KINDS: tuple[Kind, ...] = (
    *PLATFORM_KINDS,
    *audit_kinds(webhooks.note, projects.note_stages),
    *databases.KINDS,
    *storage.KINDS,
    *migrations.KINDS,
    *mail.KINDS,
    *project.KINDS,
    *webhooks.KINDS,
    *presences.KINDS,
)
"""Every kind of job: the platform's own, and those of the services."""


def endpoints() -> list[Endpoint]:
    """Every endpoint of every service, in documentation order."""
    return [endpoint for routes in SERVICES for endpoint in routes.endpoints]
