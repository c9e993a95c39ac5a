"""A project with tables of every kind of permission, and those who call it, as the model knows them."""

from __future__ import annotations

from random import Random
from typing import Literal

from tests.platform import Project, User
from tests.rules import chance as by
from tests.rules.model import DATABASE, Caller, Links, Relation, Table

OnDelete = Literal["cascade", "setNull", "restrict"]


def make_callers(project: Project, jane: User, bob: User) -> list[Caller]:
    server = project.server
    assert server.post("/teams", json={"teamId": "crew", "name": "Crew"}).status_code == 201
    assert server.put(f"/users/{jane.id}/labels", json={"labels": ["vip"]}).status_code == 200
    joined = server.post("/teams/crew/memberships", json={"userId": bob.id, "roles": ["cook"]})
    assert joined.status_code == 201, joined.text
    return [
        Caller("guest", frozenset(("any", "guests"))),
        Caller("jane", frozenset((*_of(jane.id), "label:vip")), jane.id),
        Caller(
            "bob",
            frozenset((*_of(bob.id), "team:crew", "team:crew/cook", f"member:{joined.json()['$id']}")),
            bob.id,
        ),
        Caller("key", frozenset(), privileged=True),
    ]


def make_tables(project: Project, chance: Random, roles: list[str]) -> list[Table]:
    server = project.server
    assert server.post("/tablesdb", json={"databaseId": DATABASE, "name": "DB"}).status_code == 201
    tables = []
    for number in range(4):
        actions = chance.choices(("read", "create", "update", "delete"), k=chance.randint(0, 4))
        granted = [f'{action}("{chance.choice(roles)}")' for action in actions]
        table = Table(f"t{number}", frozenset(granted), number != 0, tuple(by.DOMAINS))
        body = {
            "tableId": table.id,
            "name": table.id,
            "permissions": granted,
            "rowSecurity": table.row_security,
            "columns": by.COLUMNS,
            "indexes": [
                {"key": "by_number", "type": "key", "columns": ["number"]},
                {"key": "words", "type": "fulltext", "columns": ["text"]},
            ],
        }
        made = server.post(f"/tablesdb/{DATABASE}/tables", json=body)
        assert made.status_code == 201, made.text
        tables.append(table)
    _relate(project, tables[1], "link", tables[2], "linked", "setNull")
    _relate(project, tables[3], "parent", tables[3], "children", "cascade")
    _relate(project, tables[2], "keeper", tables[3], "kept", "restrict")
    _relate(project, tables[1], "twin", tables[2], "twin_of", "setNull", "oneToOne")
    _relate(project, tables[1], "marks", tables[3], "marked", "setNull", "manyToMany")
    _relate(project, tables[0], "peers", tables[2], "peer_of", "setNull", "manyToMany")
    return tables


def _relate(
    project: Project,
    near: Table,
    key: str,
    far: Table,
    back: str,
    on_delete: OnDelete,
    type_: str = "manyToOne",
) -> None:
    """Let rows of a table name some of another, and these show it."""
    made = project.server.post(
        f"/tablesdb/{DATABASE}/tables/{near.id}/columns/relationship",
        json={
            "relatedTableId": far.id,
            "type": type_,
            "twoWay": True,
            "key": key,
            "twoWayKey": back,
            "onDelete": on_delete,
        },
    )
    assert made.status_code == 202, made.text
    if type_ == "manyToMany":
        pairs: set[tuple[str, str]] = set()
        near.relations[key] = Relation(far, "", back, True, on_delete, links=Links(pairs))
        far.relations[back] = Relation(near, "", key, True, on_delete, links=Links(pairs, is_far=True))
        return
    is_unique = type_ == "oneToOne"
    near.relations[key] = Relation(far, key, back, False, on_delete, holds=True, is_unique=is_unique)
    far.relations[back] = Relation(near, key, key, not is_unique, on_delete)


def _of(user_id: str) -> tuple[str, ...]:
    """The roles of a user whose e-mail is not verified."""
    return ("any", "users", "users/unverified", f"user:{user_id}", f"user:{user_id}/unverified")
