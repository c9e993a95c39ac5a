"""Every field that only some may read or write: the service shows and takes it as its freehold.yaml says."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from .everybody import ENTITIES, POLICIES, Place, body_of, check, defaults, outcome
from .policies import Entity, Row
from .resources import BY_NAME, RESOURCES, Resource
from .world import Response, World

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
