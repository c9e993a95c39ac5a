"""Scopes: what a key or a kind of caller may ask of the API."""

from __future__ import annotations

import re
from collections.abc import Iterable

DEPRECATED = frozenset(
    f"{name}.{verb}"
    for name in ("policies", "collections", "attributes", "documents", "execution")
    for verb in ("read", "write")
)

PROJECT: dict[str, tuple[str, ...]] = {
    "Project": (
        "project.read", "project.write", "keys.read", "keys.write", "platforms.read", "platforms.write",
        "mocks.read", "mocks.write", "policies.read", "policies.write", "project.policies.read",
        "project.policies.write", "project.oauth2.read", "project.oauth2.write", "templates.read",
        "templates.write", "stages.read", "stages.write",
    ),
    "Auth": ("users.read", "users.write", "sessions.read", "sessions.write", "teams.read", "teams.write"),
    "Databases": (
        "databases.read", "databases.write", "tables.read", "tables.write", "columns.read", "columns.write",
        "indexes.read", "indexes.write", "rows.read", "rows.write", "embeddings.write", "collections.read",
        "collections.write", "attributes.read", "attributes.write", "documents.read", "documents.write",
    ),
    "Storage": ("buckets.read", "buckets.write", "files.read", "files.write", "tokens.read", "tokens.write"),
    "Functions": (
        "functions.read", "functions.write", "executions.read", "executions.write", "execution.read",
        "execution.write",
    ),
    "Sites": ("sites.read", "sites.write", "log.read", "log.write"),
    "Messaging": (
        "providers.read", "providers.write", "topics.read", "topics.write", "subscribers.read",
        "subscribers.write", "targets.read", "targets.write", "messages.read", "messages.write",
    ),
    "Proxy": ("rules.read", "rules.write"),
    "Other": (
        "webhooks.read", "webhooks.write", "locale.read", "avatars.read", "health.read", "assistant.read",
        "migrations.read", "migrations.write", "schedules.read", "schedules.write", "vcs.read", "vcs.write",
        "insights.read", "insights.write", "reports.read", "reports.write", "presences.read",
        "presences.write",
    ),
}  # fmt: skip
"""The scopes that a project's key may hold, by the heading under which the console shows them."""

ORGANIZATION = ("projects.read", "projects.write", "devKeys.read", "devKeys.write")
OF_ITS_PROJECTS = frozenset(
    (*ORGANIZATION, "schedules.read", "schedules.write", "stages.read", "stages.write")
)
"""What is asked about the projects of an organization on the console itself, rather than in the project."""
ACCOUNT = ("account", "teams.read", "teams.write")

ALL_PROJECT = frozenset(scope for group in PROJECT.values() for scope in group)

_EVERYONE = frozenset(("global", "public", "home", "console", "graphql"))

GUEST = _EVERYONE | {
    "sessions.write", "documents.read", "documents.write", "rows.read", "rows.write", "embeddings.write",
    "files.read", "files.write", "locale.read", "avatars.read", "executions.write",
}  # fmt: skip

USER = GUEST | {
    "account", "teams.read", "teams.write", "presences.read", "presences.write", "projects.read",
    "executions.read", "targets.read", "targets.write", "subscribers.read", "subscribers.write",
    "assistant.read", "rules.read",
}  # fmt: skip

IMPERSONATOR = USER | {"users.read"}
"""Of a user who may act for others, and finds them in the list of users."""

DEVELOPER = (ALL_PROJECT | {"global", "graphql", "projects.write", "devKeys.read", "devKeys.write"}) - {
    "assistant.read"
}
OWNER = DEVELOPER | _EVERYONE | {"account", "assistant.read", "projects.read"}

# Whoever reads API keys sees what they are, and can do what these can.
ANALYST = frozenset(scope for scope in ALL_PROJECT if scope.endswith(".read") and scope != "keys.read") | {
    "global", "graphql", "projects.read",
}  # fmt: skip
EDITOR = ANALYST | {
    scope
    for category in ("Auth", "Databases", "Storage", "Functions", "Sites", "Messaging")
    for scope in PROJECT[category]
}
BILLING = frozenset(("projects.read",))

CONSOLE_ROLES: dict[str, frozenset[str]] = {
    "owner": OWNER,
    "developer": DEVELOPER,
    "admin": DEVELOPER,
    "editor": EDITOR,
    "analyst": ANALYST,
    "billing": BILLING,
}
"""What a member of an organization may do in its projects, by the member's role there."""

_OF_ONE_PROJECT = re.compile(r"project-(.+)-(owner|developer|editor|analyst)")


def project_of(role: str) -> str:
    """The project that a role is for, of `project-shop-editor`; empty when it is for all of them."""
    found = _OF_ONE_PROJECT.fullmatch(role)
    return found[1] if found is not None else ""


def of_console_roles(roles: Iterable[str], project_id: str = "") -> frozenset[str]:
    """What someone with these roles in an organization may do in its projects.

    Without a project: in all of them. Roles of one project count only in that one.
    """
    granted: frozenset[str] = frozenset()
    for role in roles:
        granted |= CONSOLE_ROLES.get(role, frozenset())
        found = _OF_ONE_PROJECT.fullmatch(role)
        if found is not None and found[1] == project_id:
            granted |= CONSOLE_ROLES[found[2]]
    return granted


KEY = frozenset(("global", "public", "graphql", "health.read"))
"""What every API key may do besides its own scopes."""
