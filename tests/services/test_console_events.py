"""What sockets of the console are told of the projects that their users work on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platform import Platform, running_platform
from tests.postgres import Server
from tests.services.sockets import Socket, socket
from tests.services.test_organization_roles import EMAILS, Member

COLUMN = {"size": 20, "required": False}


@pytest.fixture(scope="module")
def office(postgres: Server) -> Iterator[Platform]:
    """A platform on whose console several people may register."""
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS=",".join(EMAILS)) as running:
        running.register_root()
        yield running


def test_the_console_is_told_of_columns_and_indexes_of_projects_that_its_user_may_see(
    office: Platform,
) -> None:
    """S19, S42: of one's own project by its channel or by `console`; nothing without a role there."""
    shop, other = office.new_project(), office.new_project()
    ada = Member(office, EMAILS[0], "developer")
    ben = Member(office, EMAILS[1], f"project-{other.id}-developer")
    jane = shop.new_user()
    for each in (shop, other):
        each.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
        table = {"tableId": "t", "name": "T", "permissions": ['read("any")']}
        assert each.server.post("/tablesdb/d/tables", json=table).status_code == 201

    def signed_in(member: Member) -> dict[str, str]:
        return {"X-Appwrite-Session": member.session}

    def told(socket: Socket) -> list[tuple[str, list[str]]]:
        last = "databases.d.tables.t.columns.end.create"
        events = socket.events_until(last)[:-1]
        return [(each["events"][0], each["channels"][:2]) for each in events]

    with (
        socket(office, "console", headers=signed_in(ada)) as adas,
        socket(office, "console", headers=signed_in(ben)) as bens,
        socket(office, "console") as guest,
        socket(shop, user=jane) as inside,
    ):
        for each in (bens, guest, inside):
            each.subscribe("console", f"projects.{shop.id}")
        adas.subscribe(f"projects.{shop.id}")
        columns = "/tablesdb/d/tables/t/columns/varchar"
        made = shop.server.post(columns, json={"key": "name", **COLUMN})
        assert made.status_code == 202, made.text
        index = {"key": "by_name", "type": "key", "columns": ["name"]}
        assert shop.server.post("/tablesdb/d/tables/t/indexes", json=index).status_code == 202
        assert shop.server.delete("/tablesdb/d/tables/t/indexes/by_name").status_code == 204
        other.server.post(columns, json={"key": "hers", **COLUMN})
        shop.server.post(columns, json={"key": "end", **COLUMN})
        seen = told(adas)
        other.server.post(columns, json={"key": "end", **COLUMN})
        of_ben = told(bens)
        assert guest.ask("ping") == inside.ask("ping") == {"type": "pong"}

    table = "databases.d.tables.t"
    assert seen == [
        (f"{table}.{each}", ["console", f"projects.{shop.id}"])
        for each in ("columns.name.create", "indexes.by_name.create", "indexes.by_name.update")
    ]
    assert of_ben == [(f"{table}.columns.hers.create", ["console", f"projects.{other.id}"])]
