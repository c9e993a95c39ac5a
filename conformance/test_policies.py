"""Every entity, action and kind of caller: the service answers what its freehold.yaml says."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from .everybody import (
    ENTITIES,
    POLICIES,
    Outcome,
    Place,
    Who,
    body_of,
    check,
    defaults,
    lacking,
    outcome,
    told,
)
from .policies import Entity, Row
from .resources import BY_NAME
from .world import Response, World

EVERY = pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.name)


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


def refers(entity: Entity, row: Row) -> bool:
    """Whether the row refers to one of its tenant."""
    references = {entity.key(field): str(body["type"]) for field, body in entity.fields.items()}
    return any(
        row.get(key) is not None
        and kind.startswith("ref(")
        and POLICIES.entities[kind[4:-1]].tenant == "scoped"
        for key, kind in references.items()
    )


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
