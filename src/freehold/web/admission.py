"""Whom an endpoint is for, and whom it refuses."""

from __future__ import annotations

from freehold.errors import (
    AccessForbidden,
    ApiDisabled,
    MissingScope,
    MoreFactorsRequired,
    NotInPerson,
    ServiceDisabled,
)
from freehold.web.endpoint import Endpoint
from freehold.web.identity import GUEST, Identity, lacks_factor, must_be_challenged
from freehold.web.projects import CONSOLE, Project


def admitted(endpoint: Endpoint, project: Project, identity: Identity, *, protocol: str) -> Identity:
    """The caller, as whom the endpoint sees it. Refuses whom it is not for: raises AccessForbidden,
    MissingScope, MoreFactorsRequired, ChallengeRequired, NotInPerson and the like."""
    if project.id == CONSOLE and not endpoint.console:
        raise AccessForbidden()
    if project.settings and not identity.privileged:
        if endpoint.service.lower() in project.settings.get("disabledServices", ()):
            raise ServiceDisabled(service=endpoint.service)
        if protocol in project.settings.get("disabledProtocols", ()):
            raise ApiDisabled(protocol=protocol)
    if identity.scopes.isdisjoint(endpoint.scopes):
        who = {"guest": "A guest", "user": "A user", "key": "This key", "admin": "Your role"}[identity.kind]
        raise MissingScope(who=who, scopes=" or ".join(endpoint.scopes))
    if lacks_factor(identity, project) and not endpoint.half_signed_in:
        if endpoint.scopes != _WAYS_IN:
            raise MoreFactorsRequired()
        identity = GUEST  # half a session is nobody yet; it may sign in anew, as others may
    if endpoint.in_person and not identity.in_person:
        raise NotInPerson()
    if endpoint.challenged:
        must_be_challenged(identity)
    return identity


_WAYS_IN = ("sessions.write",)
