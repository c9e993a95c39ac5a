"""Every entity, action, field and kind of caller: the service answers what its freehold.yaml says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .policies import Entity, Policies, Row
from .resources import BY_NAME, RESOURCES, Resource
from .world import Response, World

POLICIES = Policies(Path(__file__).parent / "freehold.yaml")
ENTITIES = tuple(POLICIES.entities.values())
EVERY = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)
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


@EVERY
def test_everybody_reads_changes_and_deletes_the_rows_that_the_schema_says(
    world: World, entity: Entity
) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    callers = place.callers(entity)
    found: dict[Any, Outcome] = {}
    wanted: dict[Any, Outcome] = {}
    for number, values in enumerate(POLICIES.rows(entity, place.me, place.other)):
        row_id, row = place.made(entity, values)
        path = f"{resource.path}/{row_id}"
        for who in callers:
            for action, method, options in (
                ("read", "GET", {}),
                ("update", "PATCH", {"json": {}}),
                ("delete", "DELETE", {}),
            ):
                line = (action, number, who.label)
                wanted[line] = told(place, entity, action, who, row)
                if entity.tenant == "self" and wanted[line][0] == 204:
                    continue
                found[line] = outcome(place.send(who, method, path, **options))
                if found[line][0] == 204:
                    place.put_back(entity, row_id, row)
    if entity.tenant == "self":
        wanted = {line: each for line, each in wanted.items() if each[0] != 204}

    check(found, wanted)


@EVERY
def test_everybody_finds_the_rows_in_lists_that_the_schema_says(world: World, entity: Entity) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    made = [place.made(entity, values) for values in POLICIES.rows(entity, place.me, place.other)]
    gone = (
        [
            place.made(entity, values, deleted_at="2026-01-01T00:00:00.000Z")
            for values in POLICIES.rows(entity, place.me, place.other)
        ]
        if entity.soft_delete
        else []
    )
    found: dict[Any, Any] = {}
    wanted: dict[Any, Any] = {}

    def shown(rows: list[tuple[str, Row]], who: Who, *actions: str) -> Any:
        refused = [each for action in actions if (each := lacking(entity, action, who)) is not None]
        if refused:
            return refused[0]
        if entity.tenant != "none" and who.tenant != place.ours:
            return set()
        return {
            row_id
            for row_id, row in rows
            if all(POLICIES.reaches(entity, each, who.role, who.me, row) for each in actions)
        }

    for who in place.callers(entity):
        for choice, rows, actions in (("exclude", made, ["read"]), ("only", gone, ["read", "delete"])):
            if choice == "only" and not entity.soft_delete:
                continue
            parameters = {"deleted": choice} if entity.soft_delete else {}
            sought = {"id.in": [row_id for row_id, _ in rows]}
            for form in ("json",) if entity.is_plain else ("json", "csv"):
                options = {"headers": {"Accept": "text/csv"}} if form == "csv" else {}
                answer = place.send(who, "GET", resource.path, params=parameters | sought, **options)
                line = (choice, form, who.label)
                found[line] = outcome(answer) if answer.status_code >= 400 else ids_of(answer)
                wanted[line] = shown(rows, who, *actions)

    check(found, wanted)


def ids_of(answer: Response) -> set[str]:
    if answer.headers["Content-Type"].startswith("text/csv"):
        return {row["id"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))}
    return {str(row["id"]) for row in answer.json()["data"]}


def defaults(entity: Entity, who: Who) -> Row:
    """What the schema puts where a body says nothing."""
    told = {entity.key(field): body["default"] for field, body in entity.fields.items() if "default" in body}
    return {key: who.me if value == "me" else value for key, value in told.items()}


def refers(entity: Entity, row: Row) -> bool:
    """Whether the row refers to one of its tenant."""
    references = {entity.key(field): str(body["type"]) for field, body in entity.fields.items()}
    return any(
        row.get(key) is not None
        and kind.startswith("ref(")
        and POLICIES.entities[kind[4:-1]].tenant == "scoped"
        for key, kind in references.items()
    )


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


@EVERY
def test_everybody_makes_the_rows_that_the_schema_says(world: World, entity: Entity) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    conditions = [condition for line in entity.lines["create"] for condition in line.where]
    keys = {entity.key(condition.field) for condition in conditions}
    variants: list[Row] = [{}]
    for values in POLICIES.rows(entity, place.me, place.other):
        variant = {key: value for key, value in values.items() if key in keys}
        variants += [variant] if variant not in variants else []
    found: dict[Any, Outcome] = {}
    wanted: dict[Any, Outcome] = {}
    for who in place.callers(entity):
        for number, variant in enumerate(variants):
            for form in ("one", "batch") if entity.tenant != "self" else ("one",):
                body, readable = body_of(place, entity, who)
                body = {key: value for key, value in body.items() if key not in keys} | variant
                row = defaults(entity, who) | body
                line = (form, number, who.label)
                path, sent = (
                    (resource.path, body) if form == "one" else (f"{resource.path}/batch", {"items": [body]})
                )
                found[line] = outcome(place.send(who, "POST", path, json=sent))
                refused = lacking(entity, "create", who)
                if refused is not None:
                    wanted[line] = refused
                elif entity.tenant == "scoped" and who.tenant != place.ours and refers(entity, row):
                    wanted[line] = (422, "unknown_reference")
                elif not POLICIES.reaches(entity, "create", who.role, who.me, row):
                    wanted[line] = (403, "forbidden")
                else:
                    wanted[line] = (201, "") if readable else (422, "unknown_reference")

    check(found, wanted)


@pytest.mark.parametrize(
    "entity", [each for each in ENTITIES if each.tenant != "self"], ids=lambda entity: entity.name
)
def test_many_rows_are_changed_and_deleted_by_those_who_may_do_so_to_each(
    world: World, entity: Entity
) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    found: dict[Any, Outcome] = {}
    wanted: dict[Any, Outcome] = {}
    callers = place.callers(entity)
    for number, values in enumerate(POLICIES.rows(entity, place.me, place.other)):
        row_id, row = place.made(entity, values)
        sent = int(row_id) if resource.id_kind == "serial" else row_id
        for who in callers:
            for action, path, body in (
                ("update", "batch-update", {"items": [{"id": sent}]}),
                ("delete", "batch-delete", {"ids": [sent]}),
            ):
                line = (action, number, who.label)
                status, code = told(place, entity, action, who, row)
                wanted[line] = (status, code)
                found[line] = outcome(place.send(who, "POST", f"{resource.path}/{path}", json=body))
                if found[line][0] == 204:
                    place.put_back(entity, row_id, row)

    check(found, wanted)


HIDING = pytest.mark.parametrize(
    "entity", [each for each in ENTITIES if each.restricted("read")], ids=lambda entity: entity.name
)


def parameters_of(world: World, resource: Resource) -> dict[str, dict[str, Any]]:
    """The parameters of a list, by their names."""
    openapi = world.service.openapi
    told = openapi["paths"][resource.path]["get"]["parameters"]
    shared = openapi["components"].get("parameters", {})
    each = [shared[one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in told]
    return {one["name"]: one for one in each}


@HIDING
def test_a_field_is_shown_sorted_and_sought_by_those_who_may_read_it(world: World, entity: Entity) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    parameters = parameters_of(world, resource)
    found: dict[Any, Any] = {}
    wanted: dict[Any, Any] = {}
    rows = [place.made(entity, values) for values in POLICIES.rows(entity, place.me, place.other)]
    for who in place.callers(entity):
        seen = [row_id for row_id, row in rows if POLICIES.reaches(entity, "read", who.role, who.me, row)]
        if who.tenant != place.ours or not seen:
            continue
        one = place.send(who, "GET", f"{resource.path}/{seen[0]}").json()
        (listed,) = place.send(who, "GET", resource.path, params={"id.in": seen[0]}).json()["data"]
        table = place.send(
            who, "GET", resource.path, params={"id.in": seen[0]}, headers={"Accept": "text/csv"}
        )
        header = next(csv.reader(io.StringIO(table.text)))
        for key in entity.restricted("read"):
            may = POLICIES.may("read", entity, key, who.role)
            for form, is_shown in (("row", key in one), ("list", key in listed), ("csv", key in header)):
                found[form, key, who.label] = is_shown
                wanted[form, key, who.label] = may
            asked = [(name, resource.filters[name]) for name in parameters if name.partition(".")[0] == key]
            asked += [("sort", sort) for sort in resource.sorts if sort.removeprefix("-") == key]
            for name, value in asked:
                for form, accept in (("list", "application/json"), ("csv", "text/csv")):
                    answer = place.send(
                        who, "GET", resource.path, params={name: value}, headers={"Accept": accept}
                    )
                    found[form, name, value, who.label] = outcome(answer)
                    wanted[form, name, value, who.label] = (200, "") if may else (400, "invalid_parameter")

    check(found, wanted)


@pytest.mark.parametrize("name", ["person", "project"])
def test_a_field_is_shown_with_other_rows_to_those_who_may_read_it(world: World, name: str) -> None:
    place, entity = Place(world), POLICIES.entities[name]
    ways = [
        (resource, way, relation)
        for resource in RESOURCES
        for way, relation in resource.relations.items()
        if relation.target == entity.name and relation.key != "id" and resource.name in POLICIES.entities
    ]
    target, _ = place.made(entity, POLICIES.rows(entity, place.me, place.other)[0])
    found: dict[Any, Any] = {}
    wanted: dict[Any, Any] = {}
    for resource, way, relation in ways:
        other = POLICIES.entities[resource.name]
        rows = [place.made(other, values) for values in POLICIES.rows(other, place.me, place.other)]
        for row_id, _ in rows:
            world.sql(
                f"update {resource.table} set {resource.columns[relation.key]} = $1 "
                f"where {resource.columns['id']}::text = $2",
                target,
                row_id,
            )
        for who in place.callers(entity):
            reads = (
                row_id
                for row_id, row in rows
                if POLICIES.reaches(other, "read", who.role, who.me, row | {relation.key: target})
            )
            row_id = next(reads, None) if who.tenant == place.ours else None
            if row_id is not None:
                answer = place.send(who, "GET", f"{resource.path}/{row_id}", params={"include": way})
                shown = answer.json()[way]
                for key in entity.restricted("read"):
                    found[resource.name, way, key, who.label] = shown is not None and key in shown
                    wanted[resource.name, way, key, who.label] = shown is not None and POLICIES.may(
                        "read", entity, key, who.role
                    )

    check(found, wanted)


SEALING = pytest.mark.parametrize(
    "entity", [each for each in ENTITIES if each.restricted("write")], ids=lambda entity: entity.name
)


@SEALING
def test_a_field_is_set_by_those_who_may_write_it(world: World, entity: Entity) -> None:
    place, resource = Place(world), BY_NAME[entity.name]
    rows = [place.made(entity, values) for values in POLICIES.rows(entity, place.me, place.other)]
    found: dict[Any, Any] = {}
    wanted: dict[Any, Any] = {}

    def one(answer: Response, pointer: str) -> Any:
        """The refusal, and whether it names the field."""
        if answer.status_code < 400:
            return answer.status_code
        faults = [each.get("pointer") for each in answer.json()["errors"]]
        return (
            answer.status_code,
            answer.json()["code"],
            faults == ([pointer] if answer.json()["code"] == "forbidden_field" else []),
        )

    for who in place.callers(entity):
        if who.tenant != place.ours:
            continue
        reached = [
            row_id for row_id, row in rows if POLICIES.reaches(entity, "update", who.role, who.me, row)
        ]
        for key in entity.restricted("write"):
            may = POLICIES.may("write", entity, key, who.role)
            value = {"decimal": "2.50", "int": 3, "text": "x", "string": "x"}[
                re.split(r"\W", entity.type_of(key))[0]
            ]
            lines: dict[str, tuple[str, str, str, Any]] = {}
            if reached:
                row_id = reached[0]
                for form, each in (("change", value), ("clear", None)):
                    if each is not None or entity.fields[key].get("nullable"):
                        lines[form] = ("PATCH", f"{resource.path}/{row_id}", f"/{key}", {key: each})
                items = {"items": [{"id": row_id, key: value}]}
                lines["change many"] = ("POST", f"{resource.path}/batch-update", f"/items/0/{key}", items)
            body, readable = body_of(place, entity, who)
            body |= next(
                (
                    v
                    for v in POLICIES.rows(entity, place.me, place.other)
                    if POLICIES.reaches(entity, "create", who.role, who.me, v)
                    and not any(isinstance(e, list) for e in v.values())
                ),
                {},
            )
            creates = bool(POLICIES.lines(entity, "create", who.role)) and readable
            row = defaults(entity, who) | body
            creates = creates and POLICIES.reaches(entity, "create", who.role, who.me, row)
            if creates:
                lines["make"] = ("POST", resource.path, f"/{key}", body | {key: value})
                fresh = body | fresh_keys(resource)
                lines["make many"] = (
                    "POST",
                    f"{resource.path}/batch",
                    f"/items/0/{key}",
                    {"items": [fresh | {key: value}]},
                )
                if resource.natural_key:
                    fresh = body | fresh_keys(resource)
                    for choice in ("update", "ignore"):
                        lines[choice] = (
                            "POST",
                            f"{resource.path}/batch",
                            f"/items/0/{key}",
                            {"items": [fresh | {key: value}], "on_conflict": choice},
                        )
            for form, (method, path, pointer, sent) in lines.items():
                line = (form, key, who.label)
                found[line] = one(place.send(who, method, path, json=sent), pointer)
                done = 200 if form.startswith(("change", "clear")) else 201
                wanted[line] = done if may else (403, "forbidden_field", True)
                if form == "update" and may and not POLICIES.lines(entity, "update", who.role):
                    wanted[line] = (403, "forbidden", True)

    check(found, wanted)


def fresh_keys(resource: Resource) -> Row:
    """New values of what has to be unique."""
    return {resource.natural_key: resource.sample()[resource.natural_key]} if resource.natural_key else {}


def test_the_log_is_shown_to_those_who_see_all_of_the_rows_that_it_tells_of(world: World) -> None:
    place = Place(world)
    log = BY_NAME["audit_entry"].path
    audited = [entity for entity in ENTITIES if entity.audit]
    for entity in audited:
        place.made(entity, POLICIES.rows(entity, place.me, place.other)[0])
    found: dict[Any, Any] = {}
    wanted: dict[Any, Any] = {}
    for who in place.callers(audited[-1]):
        told_of = {entity.name for entity in audited if POLICIES.may_read_log(entity, who.role)}
        answer = place.send(who, "GET", log, params={"limit": 100})
        if who.role == "public":
            wanted[who.label] = (401, "unauthenticated")
        elif who.tenant is None:
            wanted[who.label] = (403, "no_tenant")
        elif not told_of:
            wanted[who.label] = (403, "forbidden")
        else:
            wanted[who.label] = told_of if who.tenant == place.ours else set()
        if answer.status_code == 200:
            found[who.label] = {each["entity"] for each in answer.json()["data"]}
        else:
            found[who.label] = outcome(answer)

    check(found, wanted)
