"""Shapes of projects on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from freehold.access import policies
from freehold.db.pool import Record
from freehold.ids import UNIQUE
from freehold.providers.oauth.vendors import VENDORS
from freehold.web.wire import Description, Id, Input, Name, Output, Resource, wire_time

AUTH_METHODS = ("email-password", "magic-url", "email-otp", "anonymous", "invites", "jwt", "phone")
SERVICES = (
    "account", "avatars", "databases", "tablesdb", "locale", "health", "project", "storage", "teams", "users",
    "vcs", "sites", "functions", "proxy", "graphql", "migrations", "messaging", "advisor",
)  # fmt: skip
PROTOCOLS = ("rest", "graphql", "websocket")

if TYPE_CHECKING:
    ProviderName = str
else:
    ProviderName = Literal[tuple(VENDORS)]

ProjectId = Annotated[
    str,
    Meta(
        pattern=r"^(?:unique\(\)|[a-z0-9][a-z0-9-]{0,35})$(?!\n)",
        description="Of a-z, 0-9, `-`, or `unique()`",
    ),
]


class Switch(Output):
    """Something of a project that is on or off."""

    id: str = msgspec.field(name="$id")
    enabled: bool


class AuthProvider(Output, kw_only=True):
    """A vendor that people sign in with, as older SDKs know it."""

    key: str
    name: str
    app_id: str
    secret: str = ""
    """Never shown again."""
    enabled: bool


class AuthMockNumber(Output):
    """A mock phone, as older SDKs know it."""

    phone: str
    otp: str


class Project(Resource, kw_only=True):
    name: str
    description: str
    team_id: str
    region: str
    dev_keys: list[Any]
    smtp_enabled: bool
    smtp_sender_name: str
    smtp_sender_email: str
    smtp_reply_to_name: str
    smtp_reply_to_email: str
    smtp_host: str
    smtp_port: int
    smtp_username: str
    smtp_password: str
    smtp_secure: str
    ping_count: int
    pinged_at: str
    labels: list[str]
    status: str
    onboarding: dict[str, Any]
    auth_methods: list[Switch]
    services: list[Switch]
    protocols: list[Switch]
    policies: dict[str, dict[str, Any]]
    """The parameters of each policy, by its id."""
    blocks: list[Any]
    o_auth_providers: list[AuthProvider]
    """Those that the project has registered with."""
    auth_mock_numbers: list[AuthMockNumber] | UnsetType = UNSET
    """Told to older SDKs alone, by whoever gets one project and may read them."""
    console_accessed_at: str
    waf_enabled: bool


class ProjectList(Output):
    total: int
    projects: list[Project]


class CreateOrganizationProject(Input, kw_only=True):
    project_id: ProjectId = UNIQUE
    name: Name
    region: Literal["default"] = "default"


class CreateProject(CreateOrganizationProject, kw_only=True):
    team_id: Id


class UpdateOrganizationProject(Input):
    name: Name


class UpdateProject(UpdateOrganizationProject, kw_only=True):
    description: Description | None = None


class UpdateOAuthProvider(Input):
    provider: ProviderName
    app_id: Annotated[str, Meta(max_length=256)] | None = None
    secret: Annotated[str, Meta(max_length=512)] | None = None
    enabled: bool | None = None


class UpdateTeam(Input):
    team_id: Id


def as_project(row: Record) -> Project:
    """A row of freehold.projects as the wire has it."""
    settings = msgspec.json.decode(row["settings"])
    smtp = settings.get("smtp", {})
    held = policies.of(settings)
    return Project(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        team_id=row["team_id"],
        region=row["region"],
        dev_keys=[],
        smtp_enabled=smtp.get("enabled", False),
        smtp_sender_name=smtp.get("senderName", ""),
        smtp_sender_email=smtp.get("senderEmail", ""),
        smtp_reply_to_name=smtp.get("replyToName", ""),
        smtp_reply_to_email=smtp.get("replyToEmail", ""),
        smtp_host=smtp.get("host", ""),
        smtp_port=smtp.get("port", 0),
        smtp_username=smtp.get("username", ""),
        smtp_password="",  # it is kept, and never shown
        smtp_secure=smtp.get("secure", ""),
        ping_count=row["ping_count"],
        pinged_at=wire_time(row["pinged_at"]),
        labels=row["labels"],
        status=row["status"],
        onboarding={},
        auth_methods=_switches(AUTH_METHODS, settings.get("disabledAuthMethods", ())),
        services=_switches(SERVICES, settings.get("disabledServices", ())),
        protocols=_switches(PROTOCOLS, settings.get("disabledProtocols", ())),
        policies={each: policies.parameters_of(held, each) for each in policies.PARAMETERS},
        blocks=[],
        o_auth_providers=_providers(row["oauth_providers"]),
        console_accessed_at=wire_time(row["accessed_at"]),
        waf_enabled=False,
    )


def _providers(registered: bytes | None) -> list[AuthProvider]:
    told = {each["key"]: each for each in msgspec.json.decode(registered)} if registered is not None else {}
    return [
        AuthProvider(key=name, name=vendor.name, app_id=told[name]["appId"], enabled=told[name]["enabled"])
        for name, vendor in VENDORS.items()
        if name in told
    ]


def _switches(names: tuple[str, ...], off: list[str]) -> list[Switch]:
    return [Switch(id=name, enabled=name not in off) for name in names]
