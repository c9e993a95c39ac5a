"""Everybody who may call, and what the schema lets each of them do."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .policies import Entity, Policies, Row
from .resources import BY_NAME, Resource
from .world import Response, World

POLICIES = Policies(Path(__file__).parent / "freehold.yaml")
ENTITIES = tuple(POLICIES.entities.values())
Outcome = tuple[int, str]
"""A status, and the code of a refusal."""
DONE = {"read": 200, "create": 201, "update": 200, "delete": 204}


@dataclass(frozen=True)
class Who:
    """Somebody who calls."""

    label: str
    role: str
    tenant: Any
    me: str | None = None
    key: str = ""

    def headers(self, world: World) -> dict[str, str]:
        if self.key:
            return {"X-API-Key": self.key}
        if self.role == "public":
            return {}
        token = world.service.sign(self.role, str(self.tenant or ""), self.me or "")
        return {"Authorization": f"Bearer {token}"}


class Place:
    """Two tenants, two people in one of them, and everybody who may call."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._kept: dict[tuple[str, str], str] = {}
        self.ours, self.theirs = str(world.tenant()), str(world.tenant())
        self.me, self.other, self.third = (
            str(world.row(BY_NAME["person"], self.ours)["id"]) for _ in range(3)
        )

    def callers(self, entity: Entity) -> list[Who]:
        """Everybody, where rows or fields differ in who reaches them; otherwise one of each kind."""
        top, roles = POLICIES.roles[0], (*POLICIES.roles, "authenticated", "service")
        found = [Who("nobody", "public", None)]
        found += [Who(f"{role}, the owner", role, self.ours, self.me) for role in roles]
        found += [Who(f"{top}, of another tenant", top, self.theirs, self.me)]
        found += [Who("service, of no tenant", "service", None, self.me)]
        found += [Who(f"{top}, a key", top, self.ours, None, self.key(top))]
        if entity.is_plain:
            return found
        found += [Who(f"{role}, a member", role, self.ours, self.third) for role in roles]
        found += [Who(f"{role}, a key", role, self.ours, None, self.key(role)) for role in roles[1:]]
        found += [Who("service, of another tenant", "service", self.theirs, self.me)]
        found += [Who(f"{top}, a key of another tenant", top, self.theirs, None, self.key(top, self.theirs))]
        return [*found, Who(f"{top}, of no tenant", top, None, self.me)]

    def key(self, role: str, tenant: str = "") -> str:
        """A new API key."""
        key_id = secrets.token_hex(5)
        key = f"ak_dev_{key_id}_{secrets.token_hex(16)}"
        self.world.sql(
            "insert into api_key (id, hash, name, tenant, roles) values ($1, $2, 'a test', $3, $4)",
            key_id,
            hashlib.sha256(key.encode()).hexdigest(),
            tenant or self.ours,
            [role],
        )
        return key

    def send(self, who: Who, method: str, path: str, **options: Any) -> Response:
        headers = who.headers(self.world) | options.pop("headers", {})
        return self.world.service.send(method, path, headers=headers, **options)

    def made(self, entity: Entity, values: Row, **columns: Any) -> tuple[str, Row]:
        """A row with the values: its id, and what is in it."""
        resource = BY_NAME[entity.name]
        if entity.tenant == "self":
            return self.ours, self.stored(resource, self.ours)
        if "id" in values:
            return values["id"], self.stored(resource, values["id"])
        links = {name: ids for name, ids in values.items() if isinstance(ids, list)}
        plain = {name: value for name, value in values.items() if name not in links}
        row_id = self.world.row(resource, self.ours, **plain | columns)["id"]
        for name, ids in links.items():
            for each in ids:
                self.world.link(resource.relations[name], self.ours, row_id, each)
        return str(row_id), self.stored(resource, row_id) | links

    def stored(self, resource: Resource, row_id: Any) -> Row:
        (found,) = self.world.sql(
            f"select to_jsonb(t.*)::text as row from {resource.table} t "
            f"where {resource.columns['id']}::text = $1",
            str(row_id),
        )
        self._kept[resource.name, str(row_id)] = found["row"]
        row = json.loads(found["row"])
        return {name: row[column.strip('"')] for name, column in resource.columns.items()}

    def put_back(self, entity: Entity, row_id: str, row: Row) -> None:
        """Undo a delete."""
        resource = BY_NAME[entity.name]
        if entity.soft_delete:
            self.world.sql(
                f"update {resource.table} set deleted_at = null where {resource.columns['id']}::text = $1",
                row_id,
            )
            return
        columns = [*resource.columns.values(), *([resource.tenant_column] if resource.tenant_column else [])]
        names = ", ".join(columns)
        self.world.sql(
            f"insert into {resource.table} ({names}) overriding system value "
            f"select {names} from jsonb_populate_record(null::{resource.table}, $1::jsonb)",
            self._kept[resource.name, row_id],
        )
        for name in row.keys() & resource.relations.keys():
            for each in row[name]:
                self.world.link(resource.relations[name], self.ours, row_id, each)


def outcome(answer: Response) -> Outcome:
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""


def lacking(entity: Entity, action: str, who: Who) -> Outcome | None:
    """What is said to whoever may do it to no row."""
    lines = POLICIES.lines(entity, action, who.role)
    if not lines and who.role == "public":
        return 401, "unauthenticated"
    makes_one = entity.tenant == "self" and action == "create"
    if who.tenant is None and entity.tenant != "none" and not makes_one:
        return 403, "no_tenant"
    return None if lines else (403, "forbidden")


def told(place: Place, entity: Entity, action: str, who: Who, row: Row) -> Outcome:
    """What the schema says of one row."""
    refused = lacking(entity, action, who)
    if refused is not None:
        return refused
    if entity.tenant != "none" and who.tenant != place.ours:
        return 404, "not_found"
    if POLICIES.reaches(entity, action, who.role, who.me, row):
        return DONE[action], ""
    readable = POLICIES.reaches(entity, "read", who.role, who.me, row)
    return (403, "forbidden") if readable and action != "read" else (404, "not_found")


def check(found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    """Both tables are the same; those lines that differ are shown."""
    differences = {
        line: {"found": found.get(line), "wanted": wanted.get(line)}
        for line in found.keys() | wanted.keys()
        if found.get(line) != wanted.get(line)
    }
    assert differences == {}
    assert found


def defaults(entity: Entity, who: Who) -> Row:
    """What the schema puts where a body says nothing."""
    told = {entity.key(field): body["default"] for field, body in entity.fields.items() if "default" in body}
    return {key: who.me if value == "me" else value for key, value in told.items()}


def body_of(place: Place, entity: Entity, who: Who) -> tuple[Row, bool]:
    """A body less what only some may write, and whether the caller may read all that it refers to."""
    resource = BY_NAME[entity.name]
    body = {key: value for key, value in resource.sample().items() if key not in entity.restricted("write")}
    readable = True
    for key in resource.required:
        target = POLICIES.entities[resource.references[key]]
        rows = [place.made(target, values) for values in POLICIES.rows(target, place.me, place.other)]
        seen = [row_id for row_id, row in rows if POLICIES.reaches(target, "read", who.role, who.me, row)]
        readable = readable and bool(seen)
        row_id = seen[0] if seen else rows[0][0]
        body[key] = int(row_id) if BY_NAME[target.name].id_kind == "serial" else row_id
    return body, readable
