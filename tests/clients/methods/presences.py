"""Who is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.clients.methods import Scene
from tests.services.second_factor import ok

LEFT_OUT: dict[str, str] = {}

_DESK = "/presences/desk"
_FOR_USERS = ['read("users")']


def _at_desk(on: Scene) -> None:
    """Jane is there, for herself alone."""
    on.ask("PUT", _DESK, status="online", metadata={"room": 7})


def _bob_finds(on: Scene) -> int:
    """How Bob is answered who asks whether she is there."""
    return on.project.new_user("Bob").client.get(_DESK).status_code


def list(on: Scene) -> None:  # noqa: A001
    _at_desk(on)
    bob = on.project.new_user("Bob")
    ok(bob.client.put("/presences/bobs", json={"status": "online"}))
    found = on.user.list()

    assert ([each["$id"] for each in found["presences"]], found["total"]) == (["desk"], 1)


def get(on: Scene) -> None:
    _at_desk(on)
    found = on.user.get(presenceId="desk")

    assert (found["userId"], found["status"], found["metadata"]) == (on.jane.id, "online", {"room": 7})


def upsert(on: Scene) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = {"presenceId": "desk", "userId": on.jane.id, "status": "online", "expiresAt": later}
    on.user.upsert(**said, metadata={"room": 7})
    assert _bob_finds(on) == 404
    on.user.upsert(**said | {"status": "away"}, permissions=_FOR_USERS)

    kept = on.get(_DESK)
    assert (kept["userId"], kept["status"]) == (on.jane.id, "away")
    assert datetime.fromisoformat(kept["expiresAt"]) == datetime.fromisoformat(later).replace(
        microsecond=datetime.fromisoformat(later).microsecond // 1000 * 1000
    )
    assert _bob_finds(on) == 200


def update(on: Scene) -> None:
    _at_desk(on)
    on.user.update(presenceId="desk", userId=on.jane.id, status="away", permissions=_FOR_USERS)

    kept = on.get(_DESK)
    assert (kept["status"], kept["metadata"]) == ("away", {"room": 7})
    assert _bob_finds(on) == 200


def delete(on: Scene) -> None:
    _at_desk(on)
    on.user.delete(presenceId="desk")

    assert on.is_gone(_DESK)
