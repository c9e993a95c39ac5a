"""Endpoints of the console service."""

from __future__ import annotations

import re
from collections.abc import Iterable

from freehold.access import scopes
from freehold.errors import AccessForbidden, InvalidParameter
from freehold.services import mail, oauth
from freehold.services.console.errors import ResourceAlreadyExists
from freehold.services.console.models import (
    ConsoleKeyScope,
    ConsoleKeyScopeList,
    ConsoleVariables,
    ResourceQuery,
)
from freehold.services.oauth import ConsoleOAuth2ProviderList
from freehold.services.project import (
    EmailTemplate,
    LocaleQuery,
    TemplateId,
    as_email_template,
    checked_locale,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.hosts import host_name, is_loopback
from freehold.web.projects import CONSOLE

routes = Routes("console", raises=(AccessForbidden,))

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*(?!\d+$){_LABEL}")

_MAX_INDEX_BYTES = 2704
"""The most that PostgreSQL's B-trees take an entry."""


@routes.get("/v1/console/oauth2-providers", scope="public", name="listOAuth2Providers")
async def list_oauth_providers(call: Call) -> ConsoleOAuth2ProviderList:
    """List the providers that people can sign in with, and what has to be entered for each."""
    return oauth.console_providers()


@routes.get(
    "/v1/console/resources",
    scope="rules.read",
    status=204,
    limit=limit("120/60s", key="userId:{userId}, url:{url}"),
    raises=(ResourceAlreadyExists,),
)
async def get_resource(call: Call, query: ResourceQuery) -> None:
    """Tell whether a host name is free: 204 when it is, 409 when this installation answers to it."""
    _must_be_on_console(call)
    host = query.value.lower()
    if _HOST_NAME.fullmatch(host) is None:
        raise InvalidParameter(name="value", reason="It takes a host name, such as `shop.example.com`.")
    own = call.app.settings.hosts | {host_name(call.request.header(b"host"))}
    if host in own or is_loopback(host):
        raise ResourceAlreadyExists(name=host)


@routes.get("/v1/console/scopes/organization", scope="public")
async def list_organization_scopes(call: Call) -> ConsoleKeyScopeList:
    """List the scopes that are granted in an organization."""
    return _as_list(
        (scope, "Projects" if scope.startswith("projects") else "Other") for scope in scopes.ORGANIZATION
    )


@routes.get("/v1/console/scopes/project", scope="public")
async def list_project_scopes(call: Call) -> ConsoleKeyScopeList:
    """List the scopes that an API key of a project may hold."""
    return _as_list((scope, category) for category, group in scopes.PROJECT.items() for scope in group)


@routes.get("/v1/console/templates/email/{templateId}", scope="public")
async def get_email_template(call: Call, template_id: TemplateId, query: LocaleQuery) -> EmailTemplate:
    """Get a mail as it is when a project says nothing of its own."""
    return as_email_template(mail.default_wording(template_id, checked_locale(query.locale)))


@routes.get("/v1/console/variables", scope="projects.read", name="variables")
async def get_variables(call: Call) -> ConsoleVariables:
    """Tell the console what this installation can do."""
    _must_be_on_console(call)
    host = host_name(call.request.header(b"host"))
    return ConsoleVariables(
        domain_target_cname=host,
        domain_target_a="",
        domain_target_aaaa="",
        domain_target_caa="",
        domain_enabled=False,
        domain_sites="",
        domain_functions="",
        domains_nameservers="",
        compute_build_timeout=0,
        compute_size_limit=0,
        storage_limit=call.app.settings.file_limit,
        usage_stats="enabled",
        vcs_enabled=False,
        vcs_providers=[],
        vcs_creating=[],
        vcs_public=[],
        assistant_enabled=False,
        force_https="enabled" if call.is_https else "disabled",
        db_adapter="postgresql",
        supports_relationships=True,
        supports_operators=True,
        supports_spatials=True,
        supports_spatial_index_null=True,
        spatial_backing="postgresql",
        supports_fulltext_wildcard=True,
        supports_multiple_fulltext_indexes=True,
        supports_attribute_resizing=True,
        supports_schemas=True,
        max_index_length=_MAX_INDEX_BYTES,
        supports_integer_ids=False,
    )


def _must_be_on_console(call: Call) -> None:
    if call.identity.kind != "admin" and call.project.id != CONSOLE:
        raise AccessForbidden()


_VERBS = {"read": "Read", "write": "Create, change and delete"}


def _as_list(named: Iterable[tuple[str, str]]) -> ConsoleKeyScopeList:
    listed = [
        ConsoleKeyScope(
            id=scope,
            description=_described(scope),
            category=category,
            deprecated=scope in scopes.DEPRECATED or scope.startswith("devKeys."),
        )
        for scope, category in named
    ]
    return ConsoleKeyScopeList(total=len(listed), scopes=listed)


def _described(scope: str) -> str:
    """`project.oauth2.read` in words: Read project oauth2."""
    *what, verb = scope.split(".")
    words = re.sub(r"(?<=[a-z])([A-Z])", r" \1", " ".join(what)).lower()
    return f"{_VERBS[verb]} {words}."
