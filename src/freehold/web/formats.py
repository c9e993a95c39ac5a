"""Older SDKs: what each version of the format did otherwise, in answers and in requests.

An SDK names the version that it understands in X-Appwrite-Response-Format. The filters of every later
version are applied to the answer, newest first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from freehold.providers.oauth.vendors import VENDORS
from freehold.web.request import Request

Model = dict[str, Any]
Version = tuple[int, int, int]

SPOKEN: Version = (2, 5, 0)
"""The newest version of the format that answers follow."""


def _without(*names: str) -> Callable[[Model], None]:
    def drop(model: Model) -> None:
        for name in names:
            model.pop(name, None)

    return drop


def _sequence_as_number(model: Model) -> None:
    text = model.get("$sequence")
    if isinstance(text, str):
        model["$sequence"] = int(text) if text.isdecimal() else 0
    for value in model.values():
        for related in value if isinstance(value, list) else (value,):
            if isinstance(related, dict) and "$databaseId" in related:
                _sequence_as_number(related)


# What a policy's parameter was called among the fields of a project.
_FLAT_POLICIES = {
    "authDuration": ("session-duration", "duration"),
    "authLimit": ("user-limit", "total"),
    "authSessionsLimit": ("session-limit", "total"),
    "authPasswordHistory": ("password-history", "total"),
    "authPasswordDictionary": ("password-dictionary", "enabled"),
    "authPersonalDataCheck": ("password-personal-data", "enabled"),
    "authDisposableEmails": ("deny-disposable-email", "enabled"),
    "authCanonicalEmails": ("deny-aliased-email", "enabled"),
    "authFreeEmails": ("deny-free-email", "enabled"),
    "authSessionAlerts": ("session-alert", "enabled"),
    "authInvalidateSessions": ("session-invalidation", "enabled"),
    "authMembershipsUserId": ("membership-privacy", "userId"),
    "authMembershipsUserName": ("membership-privacy", "userName"),
    "authMembershipsUserEmail": ("membership-privacy", "userEmail"),
    "authMembershipsUserPhone": ("membership-privacy", "userPhone"),
    "authMembershipsMfa": ("membership-privacy", "userMFA"),
}

_FLAT_METHODS = {"magic-url": "authUsersAuthMagicURL", "jwt": "authJWT"}
"""Ways in whose flat field is not called after them."""


def _flat_project(project: Model) -> None:
    policies = project.pop("policies", {})
    for name, (policy, parameter) in _FLAT_POLICIES.items():
        if policy in policies:
            project[name] = policies[policy][parameter]
    for method in project.get("authMethods", ()):
        name = _FLAT_METHODS.get(method["$id"], f"auth{_title(method['$id'])}")
        project[name] = method["enabled"]
    for service in project.get("services", ()):
        project[f"serviceStatusFor{_title(service['$id'])}"] = service["enabled"]
    for protocol in project.get("protocols", ()):
        project[f"protocolStatusFor{_title(protocol['$id'])}"] = protocol["enabled"]
    known = {each["key"]: each for each in project.get("oAuthProviders", ())}
    project["oAuthProviders"] = [
        known.get(vendor.id)
        or {"key": vendor.id, "name": vendor.name, "appId": "", "secret": "", "enabled": False}
        for vendor in VENDORS.values()
        if not vendor.mock or vendor.id in known
    ]
    for name in ("platforms", "webhooks", "keys", "devKeys", "authMockNumbers"):
        project.setdefault(name, [])


def _title(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.replace("_", "-").split("-"))


def _platform_with_all_names(platform: Model) -> None:
    names = ("hostname", "applicationId", "bundleIdentifier", "packageName", "packageIdentifierName")
    identifier = next((platform[name] for name in names if platform.get(name)), "")
    is_web = platform.get("type") == "web"
    platform["key"] = "" if is_web else identifier
    platform["hostname"] = identifier if is_web else ""
    platform["store"] = ""


def _joined_resource(migration: Model) -> None:
    parent = migration.get("parentResourceId")
    if parent:
        migration["resourceId"] = f"{parent}:{migration['resourceId']}"


def _webhook_of_old(webhook: Model) -> None:
    webhook["security"] = webhook.pop("tls")
    webhook["httpUser"] = webhook.pop("authUsername")
    webhook["httpPass"] = webhook.pop("authPassword")
    webhook["signatureKey"] = webhook.pop("secret")


# The version from which on the answer is as it is now; the model; what it was like before.
FILTERS: tuple[tuple[Version, str, Callable[[Model], None]], ...] = (
    ((2, 0, 0), "migration", _joined_resource),
    ((1, 9, 5), "project", _flat_project),
    ((1, 9, 2), "membership", _without("userPhone")),
    ((1, 9, 1), "webhook", _webhook_of_old),
    ((1, 9, 0), "platform", _platform_with_all_names),
    ((1, 9, 0), "user", _without("impersonator", "impersonatorUserId")),
    ((1, 9, 0), "row", _sequence_as_number),
)

# Where a model is found inside another.
CONTENTS: dict[str, tuple[str, str]] = {
    "projectList": ("projects", "project"),
    "migrationList": ("migrations", "migration"),
    "membershipList": ("memberships", "membership"),
    "webhookList": ("webhooks", "webhook"),
    "platformList": ("platforms", "platform"),
    "rowList": ("rows", "row"),
    "documentList": ("documents", "row"),
    "userList": ("users", "user"),
}

SAME_AS = {
    "document": "row",
    **{f"platform{kind}": "platform" for kind in ("Web", "Apple", "Android", "Windows", "Linux", "Scheme")},
}


@lru_cache(maxsize=100)
def read_version(text: bytes) -> Version | None:
    """Read `1.9.5`; None when it is not a version."""
    parts = text.decode("latin-1").split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() and len(part) < 6 for part in parts):
        return None
    major, minor, patch = (*map(int, parts), 0, 0)[:3]
    return major, minor, patch


def understood_by(request: Request) -> Version | None:
    """The version of the format that a caller understands, when it says so."""
    wanted = request.headers.get(b"x-appwrite-response-format")
    return read_version(wanted) if wanted is not None else None


@lru_cache(maxsize=10_000)
def is_filtered(model: str, version: Version) -> bool:
    """Tell whether answers of this model differ in this version of the format."""
    model = SAME_AS.get(model, model)
    if model in CONTENTS:
        return is_filtered(CONTENTS[model][1], version)
    return any(version < since and name == model for since, name, _ in FILTERS)


def downgrade(model: str, version: Version, body: bytes) -> bytes:
    """Rewrite an encoded answer as this version of the format had it."""
    answer = msgspec.json.decode(body)
    if model in CONTENTS:
        key, inner = CONTENTS[model]
        for each in answer[key]:
            _apply(inner, version, each)
    else:
        _apply(SAME_AS.get(model, model), version, answer)
    return msgspec.json.encode(answer)


def _apply(model: str, version: Version, answer: Model) -> None:
    for since, name, change in FILTERS:
        if version < since and name == model:
            change(answer)


# -- requests ----------------------------------------------------------------------------------------------

JSON_QUERIES: Version = (1, 5, 0)
"""The version from which on queries are JSON. Before it they were spelled `equal("name", ["Jane"])`."""

RELATED_ON_REQUEST: Version = (1, 8, 0)
"""The version from which on rows come with those related to them only when these are selected."""

_OLD_QUERY = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_WITHOUT_ATTRIBUTE = frozenset(("select", "limit", "offset", "cursorAfter", "cursorBefore"))


def upgrade(version: Version, arguments: dict[str, Any]) -> None:
    """Let an older SDK's arguments say what they mean in the words of now."""
    if version >= JSON_QUERIES:
        return
    for parameters in arguments.values():
        queries = getattr(parameters, "queries", None)
        if queries:
            parameters.queries = [_json_query(query) for query in queries]


def expects_related(request: Request) -> bool:
    """Whether a caller that selects nothing expects related rows in a row."""
    version = understood_by(request)
    return version is not None and version < RELATED_ON_REQUEST


def _json_query(query: str) -> str:
    """A query as JSON; as it is when it was none of the old ones."""
    called = _OLD_QUERY.fullmatch(query.strip())
    if called is None:
        return query
    try:
        said: list[Any] = msgspec.json.decode(f"[{called[2]}]", type=list)
    except msgspec.DecodeError:
        return query
    spelled: Model = {"method": called[1]}
    if called[1] not in _WITHOUT_ATTRIBUTE:
        spelled["attribute"] = said.pop(0) if said else ""
    spelled["values"] = said[0] if said and isinstance(said[0], list) else said
    return msgspec.json.encode(spelled).decode()
