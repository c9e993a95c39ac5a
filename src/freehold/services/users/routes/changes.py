"""What is answered and told of a user that was changed."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.services.users.errors import UserNotFound
from freehold.services.users.models import User, as_user, with_hash
from freehold.web.call import Call
from freehold.web.users import user_tag


def shown(call: Call, row: Record | None) -> User:
    """A user as the caller may see it. Raises UserNotFound."""
    if row is None:
        raise UserNotFound()
    user = as_user(row)
    return with_hash(user, row) if call.sees_secrets else user


def changed(call: Call, row: Record | None) -> User:
    """A user after a change. No event tells its password's hash. Raises UserNotFound."""
    answer = shown(call, row)
    assert row is not None
    call.tells(as_user(row))
    call.changed(user_tag(call.project.id, answer.id))
    return answer
