"""Endpoints of users' targets, as the project's server sees them."""

from __future__ import annotations

import re

from freehold import ids
from freehold.services import targets
from freehold.services.targets import (
    NotAnAddress,
    NotANumber,
    Target,
    TargetAlreadyExists,
    TargetList,
    TargetNotFound,
    TooManyTargets,
    as_target,
)
from freehold.services.users import email_rules, store
from freehold.services.users.errors import UserNotFound
from freehold.services.users.models import PHONE_PATTERN, CreateTarget, UpdateTarget
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.users import user_tag
from freehold.web.wire import ListQuery

routes = Routes("users", raises=(UserNotFound,))


@routes.get("/v1/users/{userId}/targets", scope="users.read")
async def list_targets(call: Call, user_id: str, query: ListQuery) -> TargetList:
    """List where messages reach a user: its address, its number and its devices."""
    await _must_exist(call, user_id)
    found = await targets.fetch(call.db, call.project.id, user_id, query.queries, query.total)
    return TargetList(total=found.total, targets=[as_target(row) for row in found.rows])


@routes.post(
    "/v1/users/{userId}/targets",
    scope="users.write",
    event="users.[userId].targets.[targetId].create",
    status=201,
    raises=(TargetAlreadyExists, TooManyTargets, NotAnAddress, NotANumber),
)
async def create_target(call: Call, user_id: str, body: CreateTarget) -> Target:
    """Add a place where messages reach a user. Providers are not known here yet: any id is taken."""
    await _must_exist(call, user_id)
    new = targets.NewTarget(
        id=ids.resolve(body.target_id),
        user_id=user_id,
        provider_type=body.provider_type,
        identifier=_checked(body.provider_type, body.identifier),
        provider_id=body.provider_id,
        name=body.name,
    )
    row = await targets.create(call.db, call.project.id, new)
    call.event_ids["targetId"] = row["id"]
    call.changed(user_tag(call.project.id, user_id))
    return as_target(row)


@routes.get("/v1/users/{userId}/targets/{targetId}", scope="users.read", raises=(TargetNotFound,))
async def get_target(call: Call, user_id: str, target_id: str) -> Target:
    """Get one of a user's targets."""
    await _must_exist(call, user_id)
    row = await targets.find(call.db, call.project.id, user_id, target_id)
    if row is None:
        raise TargetNotFound()
    return as_target(row)


@routes.patch(
    "/v1/users/{userId}/targets/{targetId}",
    scope="users.write",
    event="users.[userId].targets.[targetId].update",
    raises=(TargetNotFound, TargetAlreadyExists, NotAnAddress, NotANumber),
)
async def update_target(call: Call, user_id: str, target_id: str, body: UpdateTarget) -> Target:
    """Change a target. With another identifier or provider, one that had expired is used again."""
    found = await get_target(call, user_id, target_id)
    identifier = _checked(found.provider_type, body.identifier) if body.identifier is not None else None
    change = targets.TargetChange(identifier, body.provider_id, body.name)
    row = await targets.update(call.db, call.project.id, user_id, target_id, change)
    if row is None:
        raise TargetNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return as_target(row)


@routes.delete(
    "/v1/users/{userId}/targets/{targetId}",
    scope="users.write",
    event="users.[userId].targets.[targetId].delete",
    status=204,
    raises=(TargetNotFound,),
)
async def delete_target(call: Call, user_id: str, target_id: str) -> None:
    """Delete a target. That of the user's own address comes back when the address changes."""
    await _must_exist(call, user_id)
    row = await targets.delete(call.db, call.project.id, user_id, target_id)
    if row is None:
        raise TargetNotFound()
    call.tells(as_target(row))
    call.changed(user_tag(call.project.id, user_id))


async def _must_exist(call: Call, user_id: str) -> None:
    if await store.find(call.db, call.project.id, user_id) is None:
        raise UserNotFound()


def _checked(provider_type: str, identifier: str) -> str:
    if provider_type == "email":
        address = identifier.strip().lower()
        if not email_rules.is_email(address):
            raise NotAnAddress()
        return address
    if provider_type == "sms" and re.match(PHONE_PATTERN, identifier) is None:
        raise NotANumber()
    return identifier
