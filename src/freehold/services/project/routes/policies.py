"""Endpoints of policies: what the project demands of passwords, sessions, users and e-mail addresses."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from freehold.access import policies
from freehold.db.queries import page, parse
from freehold.errors import InvalidParameter, InvalidQuery
from freehold.services.project import store
from freehold.services.project.current import current_project
from freehold.services.project.models import UpdateSwitch
from freehold.services.project.policies import (
    AnyPolicy,
    PolicyList,
    PolicyPasswordStrength,
    UpdateDenied,
    UpdateHistory,
    UpdateMembershipPrivacy,
    UpdateMfaFactors,
    UpdatePasskey,
    UpdatePwned,
    UpdateRotation,
    UpdateSessionDuration,
    UpdateSessionLimit,
    UpdateStrength,
    UpdateUserLimit,
    as_policy,
)
from freehold.services.projects import Project, find
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag
from freehold.web.wire import ListQuery

routes = Routes("project", console=False)

_OF_OLD = "/v1/projects/{projectId}/auth"
_READ = ("policies.read", "project.policies.read")
_CHANGE: dict[str, Any] = {
    "scope": ("policies.write", "project.policies.write"),
    "event": "projects.[projectId].policies.[policy].update",
}


@routes.get("/v1/project/policies", scope=_READ, raises=(InvalidQuery,))
async def list_policies(call: Call, query: ListQuery) -> PolicyList:
    """List the policies, those that nobody has changed as well."""
    asked = page(parse(query.queries))
    if asked.filters or asked.orders or asked.select or asked.cursor:
        raise InvalidQuery(reason="of policies only `limit` and `offset` can be asked for.")
    held = policies.of(call.project.settings)
    listed = list(policies.PARAMETERS)[asked.offset : asked.offset + asked.limit]
    return PolicyList(
        total=len(policies.PARAMETERS) if query.total else 0,
        policies=[as_policy(each, held, call.project.hostnames) for each in listed],
    )


@routes.get("/v1/project/policies/{policyId}", scope=_READ, model="policy")
async def get_policy(call: Call, policy_id: str) -> AnyPolicy:
    """Get a policy."""
    if policy_id not in policies.PARAMETERS:
        known = ", ".join(policies.PARAMETERS)
        raise InvalidParameter(name="policyId", reason=f"It has to be one of {known}.")
    return as_policy(policy_id, policies.of(call.project.settings), call.project.hostnames)


@routes.patch(
    "/v1/project/policies/password-dictionary", **_CHANGE, aliases=(f"{_OF_OLD}/password-dictionary",)
)
async def update_password_dictionary_policy(call: Call, body: UpdateDenied) -> Project:
    """Refuse passwords that many people use, and those on the project's own list."""
    return await _update(call, "password-dictionary", body)


@routes.patch(
    "/v1/project/policies/password-history",
    **_CHANGE,
    aliases=(f"{_OF_OLD}/password-history",),
    older={"limit": "total"},
)
async def update_password_history_policy(call: Call, body: UpdateHistory) -> Project:
    """Refuse so many of a user's former passwords; none with null or 0."""
    _must_say(body.total, "total")
    return await _update(call, "password-history", body)


@routes.patch("/v1/project/policies/password-strength", **_CHANGE)
async def update_password_strength_policy(call: Call, body: UpdateStrength) -> PolicyPasswordStrength:
    """Say how long a password has to be, and what kinds of characters it has to hold."""
    await _update(call, "password-strength", body)
    row = await find(call.db, call.project.id)
    assert row is not None
    held = policies.of(msgspec.json.decode(row["settings"])).password_strength
    return PolicyPasswordStrength(id="password-strength", **msgspec.structs.asdict(held))


@routes.patch("/v1/project/policies/password-personal-data", **_CHANGE, aliases=(f"{_OF_OLD}/personal-data",))
async def update_password_personal_data_policy(call: Call, body: UpdateDenied) -> Project:
    """Refuse passwords that hold what is known of their user, or a term of the project's own list."""
    return await _update(call, "password-personal-data", body)


@routes.patch("/v1/project/policies/password-pwned", **_CHANGE, reference=False)
async def update_password_pwned_policy(call: Call, body: UpdatePwned) -> Project:
    """Look for passwords among those that leaked elsewhere, and say what follows when one did."""
    return await _update(call, "password-pwned", body)


@routes.patch("/v1/project/policies/password-rotation", **_CHANGE, reference=False)
async def update_password_rotation_policy(call: Call, body: UpdateRotation) -> Project:
    """Have passwords changed that are older than so many seconds."""
    return await _update(call, "password-rotation", body)


@routes.patch(
    "/v1/project/policies/session-duration",
    **_CHANGE,
    aliases=(f"{_OF_OLD}/duration",),
)
async def update_session_duration_policy(call: Call, body: UpdateSessionDuration) -> Project:
    """Say how many seconds a session lasts. Those that are open keep their end."""
    return await _update(call, "session-duration", body)


@routes.patch(
    "/v1/project/policies/session-limit",
    **_CHANGE,
    aliases=(f"{_OF_OLD}/max-sessions",),
    older={"limit": "total"},
)
async def update_session_limit_policy(call: Call, body: UpdateSessionLimit) -> Project:
    """Say how many sessions a user has at most. The oldest end when another is opened."""
    return await _update(call, "session-limit", body)


@routes.patch(
    "/v1/project/policies/user-limit",
    **_CHANGE,
    aliases=(f"{_OF_OLD}/limit",),
    older={"limit": "total"},
)
async def update_user_limit_policy(call: Call, body: UpdateUserLimit) -> Project:
    """Say how many users may register; any number with null or 0."""
    _must_say(body.total, "total")
    return await _update(call, "user-limit", body)


@routes.patch(
    "/v1/project/policies/membership-privacy",
    **_CHANGE,
    aliases=(f"{_OF_OLD}/memberships-privacy",),
    older={"mfa": "userMFA"},
)
async def update_membership_privacy_policy(call: Call, body: UpdateMembershipPrivacy) -> Project:
    """Say what the members of a team see of each other."""
    return await _update(call, "membership-privacy", body)


@routes.patch("/v1/project/policies/mfa-factors", **_CHANGE, name="updateMFAFactorsPolicy")
async def update_mfa_factors_policy(call: Call, body: UpdateMfaFactors) -> Project:
    """Say by what a challenge of the second factor may be answered."""
    return await _update(call, "mfa-factors", body)


@routes.patch("/v1/project/policies/passkey", **_CHANGE, reference=False)
async def update_passkey_policy(call: Call, body: UpdatePasskey) -> Project:
    """Say to which domain passkeys belong. Those of another domain do not work any more."""
    return await _update(call, "passkey", body)


def _switched(policy_id: str, name: str, says: str, *, alias: str = "") -> None:
    """Declare the endpoint of a policy that is only on or off."""

    async def update(call: Call, body: UpdateSwitch) -> Project:
        return await _update(call, policy_id, body)

    update.__doc__ = says
    routes.patch(
        f"/v1/project/policies/{policy_id}",
        **_CHANGE,
        name=name,
        aliases=(f"{_OF_OLD}/{alias}",) if alias else (),
        older={"alerts": "enabled"} if policy_id == "session-alert" else None,
        reference=not policy_id.startswith("deny-"),
    )(update)


_switched(
    "session-alert",
    "updateSessionAlertPolicy",
    "Tell users by mail of sessions on devices that they have not used before.",
    alias="session-alerts",
)
_switched(
    "session-invalidation",
    "updateSessionInvalidationPolicy",
    "End a user's other sessions when the password changes.",
    alias="session-invalidation",
)
_switched(
    "deny-aliased-email",
    "updateDenyAliasedEmailPolicy",
    "Refuse e-mail addresses that are another name of a mailbox, such as `jane+shop@example.com`.",
)
_switched(
    "deny-disposable-email",
    "updateDenyDisposableEmailPolicy",
    "Refuse e-mail addresses of mailboxes that are thrown away after use.",
)
_switched(
    "deny-free-email",
    "updateDenyFreeEmailPolicy",
    "Refuse e-mail addresses that anybody gets for free.",
)
_switched(
    "deny-corporate-email",
    "updateDenyCorporateEmailPolicy",
    "Refuse e-mail addresses that are not of a company's own domain.",
)


def _must_say(value: object, name: str) -> None:
    """Tell what is not sent from null, which switches a policy off. Raises InvalidParameter."""
    if value is UNSET:
        raise InvalidParameter(name=name, reason="It is required.")


async def _update(call: Call, policy_id: str, body: msgspec.Struct) -> Project:
    said = {name: 0 if value is None else value for name, value in msgspec.to_builtins(body).items()}
    call.event_ids.update(projectId=call.project.id, policy=policy_id)
    await store.set_policy(call.db, call.project.id, policy_id, msgspec.json.encode(said))
    call.changed(project_tag(call.project.id))
    return await current_project(call)
