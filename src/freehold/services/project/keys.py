"""What an API key may be given, and who may read it: nobody makes or sees one that can do more."""

from __future__ import annotations

from collections.abc import Iterable

from freehold import secrets
from freehold.access import scopes
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services.project.errors import KeyCreationDenied
from freehold.services.project.models import Key
from freehold.web.call import Call
from freehold.web.wire import wire_time


def sealing_key(secret: str) -> bytes:
    """The key under which the texts of API keys are kept, from the installation's secret."""
    return secrets.derive(secret, "api keys")


def checked_scopes(asked: Iterable[str]) -> list[str]:
    """The scopes, once each. Raises InvalidParameter for one that does not exist."""
    found = list(dict.fromkeys(asked))
    unknown = [scope for scope in found if scope not in scopes.ALL_PROJECT]
    if unknown:
        raise InvalidParameter(name="scopes", reason=f"There is no scope `{unknown[0][:100]}`.")
    return found


def must_hold(call: Call, added: Iterable[str]) -> None:
    """Refuse to hand out what the caller does not hold. Raises KeyCreationDenied."""
    if call.identity.kind == "admin":
        return
    missing = sorted(set(added) - call.identity.scopes)
    if missing:
        raise KeyCreationDenied(
            reason=f"A key grants only scopes that it holds itself, and this one lacks {', '.join(missing)}."
        )


def as_key(call: Call, row: Record) -> Key:
    """A key as this caller may see it: its text only when it can do no more than the caller."""
    may_see = call.identity.kind == "admin" or call.identity.scopes.issuperset(row["scopes"])
    text = secrets.unseal(sealing_key(call.app.settings.secret), row["secret_sealed"]) if may_see else None
    return Key(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        expire=wire_time(row["expires_at"]),
        scopes=row["scopes"],
        secret=text or "",
        accessed_at=wire_time(row["accessed_at"]),
        sdks=row["sdks"],
    )
