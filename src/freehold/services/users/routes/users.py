"""Endpoints of the users service."""

from __future__ import annotations

from freehold import ids, passwords
from freehold.services.users import store
from freehold.services.users.errors import UserAlreadyExists, UserNotFound
from freehold.services.users.models import (
    CreateUser,
    UpdateLabels,
    UpdateStatus,
    User,
    UserList,
    as_user,
)
from freehold.web.auth import user_tag
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import SearchQuery

routes = Routes("users")


@routes.get("/v1/users", scope="users.read", name="list")
async def list_users(call: Call, query: SearchQuery) -> UserList:
    """List the project's users."""
    found = await store.fetch(call.db, call.project.id, query.queries, query.search, query.total)
    return UserList(total=found.total, users=[as_user(row) for row in found.rows])


@routes.post(
    "/v1/users",
    scope="users.write",
    event="users.[userId].create",
    status=201,
    raises=(UserAlreadyExists,),
)
async def create(call: Call, body: CreateUser) -> User:
    """Create a user."""
    user = store.NewUser(
        id=ids.resolve(body.user_id),
        name=body.name,
        email=store.checked_email(body.email) if body.email else None,
        phone=body.phone,
        password_hash=await passwords.hash_password(body.password) if body.password else None,
    )
    return as_user(await store.create(call.db, call.project.id, user))


@routes.get("/v1/users/{userId}", scope="users.read", raises=(UserNotFound,))
async def get(call: Call, user_id: str) -> User:
    """Get a user."""
    row = await store.find(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    return as_user(row)


@routes.delete(
    "/v1/users/{userId}",
    scope="users.write",
    event="users.[userId].delete",
    status=204,
    raises=(UserNotFound,),
)
async def delete(call: Call, user_id: str) -> None:
    """Delete a user, its sessions and its memberships."""
    row = await store.delete(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    call.tells(as_user(row))
    call.changed(user_tag(call.project.id, user_id))


@routes.put(
    "/v1/users/{userId}/labels",
    scope="users.write",
    event="users.[userId].update.labels",
    raises=(UserNotFound,),
)
async def update_labels(call: Call, user_id: str, body: UpdateLabels) -> User:
    """Replace a user's labels. Each gives the user the role `label:NAME`."""
    row = await store.set_labels(call.db, call.project.id, user_id, list(dict.fromkeys(body.labels)))
    if row is None:
        raise UserNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return as_user(row)


@routes.patch(
    "/v1/users/{userId}/status",
    scope="users.write",
    event="users.[userId].update.status",
    raises=(UserNotFound,),
)
async def update_status(call: Call, user_id: str, body: UpdateStatus) -> User:
    """Block a user, or let it in again. A blocked user's sessions stop working at once."""
    row = await store.set_enabled(call.db, call.project.id, user_id, body.status)
    if row is None:
        raise UserNotFound()
    call.changed(user_tag(call.project.id, user_id))
    return as_user(row)
