"""Endpoints of users themselves: listing, making, reading and deleting them."""

from __future__ import annotations

from freehold import ids
from freehold.services import presences
from freehold.services.users import email_rules, password_rules, store
from freehold.services.users.errors import EMAIL_ERRORS, PASSWORD_ERRORS, UserAlreadyExists, UserNotFound
from freehold.services.users.models import CreateUser, User, UserList, as_user
from freehold.services.users.routes.changes import changed, shown
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.users import user_tag
from freehold.web.wire import SearchQuery

routes = Routes("users")


@routes.get("/v1/users", scope="users.read", name="list")
async def list_users(call: Call, query: SearchQuery) -> UserList:
    """List the project's users."""
    found = await store.fetch(call.db, call.project.id, query.queries, query.search, query.total)
    return UserList(total=found.total, users=[shown(call, row) for row in found.rows])


@routes.post(
    "/v1/users",
    scope="users.write",
    event="users.[userId].create",
    status=201,
    raises=(UserAlreadyExists, *EMAIL_ERRORS, *PASSWORD_ERRORS),
)
async def create(call: Call, body: CreateUser) -> User:
    """Create a user. The project's policies hold for its e-mail address and its password."""
    new = store.NewUser(
        id=ids.resolve(body.user_id),
        name=body.name,
        email=await email_rules.admitted_email(call, body.email) if body.email else None,
        phone=body.phone,
    )
    if body.password:
        new = new._replace(password_hash=await password_rules.new_hash(call, body.password, user=new))
    return changed(call, await store.create(call.db, call.project.id, new))


@routes.get("/v1/users/{userId}", scope="users.read", raises=(UserNotFound,))
async def get(call: Call, user_id: str) -> User:
    """Get a user. Keys and the console see how its password is hashed."""
    return shown(call, await store.find(call.db, call.project.id, user_id))


@routes.delete(
    "/v1/users/{userId}",
    scope="users.write",
    event="users.[userId].delete",
    status=204,
    raises=(UserNotFound,),
)
async def delete(call: Call, user_id: str) -> None:
    """Delete a user, its sessions and its memberships."""
    await presences.end_of_user(call, user_id)
    row = await store.delete(call.db, call.project.id, user_id)
    if row is None:
        raise UserNotFound()
    call.tells(as_user(row))
    call.changed(user_tag(call.project.id, user_id))
