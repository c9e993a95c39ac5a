"""Endpoints of one's devices, as push messages reach them."""

from __future__ import annotations

from freehold import ids
from freehold.errors import UserUnauthorized
from freehold.services import targets
from freehold.services.account.models import CreatePushTarget, UpdatePushTarget
from freehold.services.account.signing_in import signed_in
from freehold.services.targets import Target, TargetAlreadyExists, TargetNotFound, TooManyTargets, as_target
from freehold.web import devices
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.users import user_tag

routes = Routes("account", raises=(UserUnauthorized,))


@routes.post(
    "/v1/account/targets/push",
    scope="targets.write",
    event="users.[userId].targets.[targetId].create",
    status=201,
    raises=(TargetAlreadyExists, TooManyTargets),
    in_person=True,
)
async def create_push_target(call: Call, body: CreatePushTarget) -> Target:
    """Let push messages reach this device, until it signs out. Its name is the device's."""
    user_id = signed_in(call)["id"]
    new = targets.NewTarget(
        id=ids.resolve(body.target_id),
        user_id=user_id,
        provider_type="push",
        identifier=body.identifier,
        provider_id=body.provider_id,
        name=await _device_name(call),
        session_id=call.identity.session_id,
    )
    row = await targets.create(call.db, call.project.id, new)
    call.event_ids.update(userId=user_id, targetId=row["id"])
    call.changed(user_tag(call.project.id, user_id))
    return as_target(row)


@routes.put(
    "/v1/account/targets/{targetId}/push",
    scope="targets.write",
    event="users.[userId].targets.[targetId].update",
    raises=(TargetNotFound, TargetAlreadyExists),
    in_person=True,
)
async def update_push_target(call: Call, target_id: str, body: UpdatePushTarget) -> Target:
    """Tell of the new token that a device has got from its maker's push service."""
    user_id = await _owner(call, target_id)
    change = targets.TargetChange(identifier=body.identifier, name=await _device_name(call))
    row = await targets.update(call.db, call.project.id, user_id, target_id, change)
    if row is None:
        raise TargetNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return as_target(row)


@routes.delete(
    "/v1/account/targets/{targetId}/push",
    scope="targets.write",
    event="users.[userId].targets.[targetId].delete",
    status=204,
    raises=(TargetNotFound,),
    in_person=True,
)
async def delete_push_target(call: Call, target_id: str) -> None:
    """Let push messages reach a device no longer."""
    user_id = await _owner(call, target_id)
    row = await targets.delete(call.db, call.project.id, user_id, target_id)
    if row is None:
        raise TargetNotFound()
    call.tells(as_target(row))
    call.changed(user_tag(call.project.id, user_id))


async def _owner(call: Call, target_id: str) -> str:
    """The caller's id, whose device the target must be. Raises TargetNotFound."""
    user_id: str = signed_in(call)["id"]
    call.event_ids["userId"] = user_id
    row = await targets.find(call.db, call.project.id, user_id, target_id)
    if row is None or row["provider_type"] != "push":
        raise TargetNotFound()
    return user_id


async def _device_name(call: Call) -> str:
    [device] = await devices.read_all([devices.kept(call.request.header(b"user-agent"))])
    return f"{device.device_brand} {device.device_model}".strip()[:128]
