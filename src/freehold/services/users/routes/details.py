"""Endpoints of what is known of a user: its name, addresses, password, labels, and what it may."""

from __future__ import annotations

from freehold.access import policies
from freehold.services import account
from freehold.services.users import email_rules, password_rules, store
from freehold.services.users.errors import (
    EMAIL_ERRORS,
    PASSWORD_ERRORS,
    EmailTaken,
    PhoneTaken,
    UserNotFound,
)
from freehold.services.users.models import (
    UpdateEmail,
    UpdateEmailVerification,
    UpdateImpersonator,
    UpdateLabels,
    UpdateName,
    UpdatePassword,
    UpdatePhone,
    UpdatePhoneVerification,
    UpdatePrefs,
    UpdateStatus,
    User,
)
from freehold.services.users.routes.changes import changed
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Json, encoded_prefs

routes = Routes("users", raises=(UserNotFound,))


@routes.patch(
    "/v1/users/{userId}/email",
    scope="users.write",
    event="users.[userId].update.email",
    raises=(EmailTaken, *EMAIL_ERRORS),
)
async def update_email(call: Call, user_id: str, body: UpdateEmail) -> User:
    """Change a user's e-mail address, which has to be verified anew. An empty one takes it away."""
    email = await email_rules.admitted_email(call, body.email) if body.email else None
    return changed(call, await store.set_email(call.db, call.project.id, user_id, email))


@routes.patch("/v1/users/{userId}/name", scope="users.write", event="users.[userId].update.name")
async def update_name(call: Call, user_id: str, body: UpdateName) -> User:
    """Rename a user."""
    return changed(call, await store.set_name(call.db, call.project.id, user_id, body.name))


@routes.patch(
    "/v1/users/{userId}/password",
    scope="users.write",
    event="users.[userId].update.password",
    raises=PASSWORD_ERRORS,
)
async def update_password(call: Call, user_id: str, body: UpdatePassword) -> User:
    """Change a user's password; an empty one takes it away. The user's sessions end, unless the project
    keeps them."""
    password_hash = None
    if body.password:
        user = await store.find(call.app.db, call.project.id, user_id)
        if user is None:
            raise UserNotFound()
        password_hash = await password_rules.new_hash(call, body.password, user=user)
    row = await store.set_password(call.db, call.project.id, user_id, password_hash)
    if policies.of(call.project.settings).session_invalidation:
        await account.close_sessions(call.db, call.project.id, user_id)
    await account.drop_tokens(call, user_id)
    return changed(call, row)


@routes.patch(
    "/v1/users/{userId}/phone",
    scope="users.write",
    event="users.[userId].update.phone",
    raises=(PhoneTaken,),
)
async def update_phone(call: Call, user_id: str, body: UpdatePhone) -> User:
    """Change a user's phone number, which has to be verified anew. An empty one takes it away."""
    return changed(call, await store.set_phone(call.db, call.project.id, user_id, body.number or None))


@routes.get("/v1/users/{userId}/prefs", scope="users.read", model="preferences")
async def get_prefs(call: Call, user_id: str) -> Json:
    """Get a user's preferences."""
    row = await store.find(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    return Json(bytes(row["prefs"]))


@routes.patch(
    "/v1/users/{userId}/prefs",
    scope="users.write",
    event="users.[userId].update.prefs",
    model="preferences",
)
async def update_prefs(call: Call, user_id: str, body: UpdatePrefs) -> Json:
    """Replace a user's preferences."""
    prefs = encoded_prefs(body.prefs)
    changed(call, await store.set_prefs(call.db, call.project.id, user_id, prefs))
    return Json(prefs)


@routes.patch(
    "/v1/users/{userId}/verification", scope="users.write", event="users.[userId].update.verification"
)
async def update_email_verification(call: Call, user_id: str, body: UpdateEmailVerification) -> User:
    """Say whether a user's e-mail address is verified."""
    row = await store.set_email_verified(call.db, call.project.id, user_id, body.email_verification)
    return changed(call, row)


@routes.patch(
    "/v1/users/{userId}/verification/phone", scope="users.write", event="users.[userId].update.verification"
)
async def update_phone_verification(call: Call, user_id: str, body: UpdatePhoneVerification) -> User:
    """Say whether a user's phone number is verified."""
    row = await store.set_phone_verified(call.db, call.project.id, user_id, body.phone_verification)
    return changed(call, row)


@routes.put("/v1/users/{userId}/labels", scope="users.write", event="users.[userId].update.labels")
async def update_labels(call: Call, user_id: str, body: UpdateLabels) -> User:
    """Replace a user's labels. Each gives the user the role `label:NAME`."""
    labels = list(dict.fromkeys(body.labels))
    return changed(call, await store.set_labels(call.db, call.project.id, user_id, labels))


@routes.patch("/v1/users/{userId}/status", scope="users.write", event="users.[userId].update.status")
async def update_status(call: Call, user_id: str, body: UpdateStatus) -> User:
    """Block a user, or let it in again. A blocked user's sessions stop working at once."""
    return changed(call, await store.set_enabled(call.db, call.project.id, user_id, body.status))


@routes.patch(
    "/v1/users/{userId}/impersonator", scope="users.write", event="users.[userId].update.impersonator"
)
async def update_impersonator(call: Call, user_id: str, body: UpdateImpersonator) -> User:
    """Say whether a user may act for others, by `X-Appwrite-Impersonate-User-Id`, `-Email` or `-Phone`."""
    return changed(call, await store.set_impersonator(call.db, call.project.id, user_id, body.impersonator))
