"""Rows to try a service with: two tenants with somebody for each role, and the same ids every time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from freehold.db.ddl import quote
from freehold.generator import names
from freehold.generator.plan import EntityPlan, FieldPlan, ServicePlan
from freehold.generator.samples import alphabets_of, sample
from freehold.schema.model import PLACES, Kind

TENANTS = 2
ROWS = 2
"""Of each resource in each tenant, unless they are the callers: of those there is one for each role."""

HEAD = """\
-- Rows to try the service with: two tenants, and what they have. `make seed` runs it as app_admin, who
-- sees both of them.
-- Running it again changes nothing.
"""


@dataclass(frozen=True)
class Seed:
    """One row: what its columns hold, as SQL."""

    id: str
    tenant: int | None
    """Which tenant's it is; None for rows of nobody."""
    columns: dict[str, str]


@dataclass(frozen=True)
class Caller:
    """Somebody whom `make token` can make a token for."""

    role: str
    tenant: str
    user: str


def text(plan: ServicePlan) -> str:
    """The statements, parents first."""
    statements = [HEAD]
    for name, rows in seeds(plan).items():
        if rows:
            statements += list(_statements(plan.entity(name), rows))
    return "\n".join(statements)


def callers(plan: ServicePlan) -> list[Caller]:
    """Of each tenant, somebody for each role: a row where the schema has users, and else an id alone."""
    tenants = [_id(plan, plan.tenant_kind, 0, tenant, tenant + 1) for tenant in range(TENANTS)]
    users = seeds(plan).get(plan.user_entity or "", [])
    found = []
    for tenant, tenant_id in enumerate(tenants):
        there = [row for row in users if row.tenant in (tenant, None)]
        for number, role in enumerate(plan.roles or ("service",)):
            user = there[number % len(there)].id if there else f"user-{number + 1}"
            found.append(Caller(role, tenant_id if _has_tenants(plan) else "", user))
    return found


def _has_tenants(plan: ServicePlan) -> bool:
    return any(entity.tenant != "none" for entity in plan.entities)


def seeds(plan: ServicePlan) -> dict[str, list[Seed]]:
    """Entity to its rows, in an order in which they can be inserted."""
    found: dict[str, list[Seed]] = {}
    places = {entity.name: place for place, entity in enumerate(plan.entities, 1)}
    for entity in _ordered(plan):
        rows: list[Seed] = []
        for tenant in _tenants(entity):
            for number in range(_count(plan, entity, tenant, found)):
                row = _row(plan, entity, tenant, places[entity.name], number, len(rows), found)
                if not any(_clash(entity, row, other) for other in rows):
                    rows.append(row)
        found[entity.name] = rows
    return found


def _ordered(plan: ServicePlan) -> Iterator[EntityPlan]:
    """Tenants and users early, and nothing before what it needs. What needs itself has no rows."""
    early = ("self", "none")
    left = sorted(
        (each for each in plan.entities if not each.read_only),
        key=lambda each: (each.tenant not in early, each.name != plan.user_entity),
    )
    needs = {entity.name: _needs(entity) for entity in left}
    there: set[str] = set()
    while ready := next((entity for entity in left if needs[entity.name] <= there), None):
        left = [entity for entity in left if entity is not ready]
        there.add(ready.name)
        yield ready


def _needs(entity: EntityPlan) -> set[str]:
    return {each.target for each in entity.writable if each.target and not each.nullable}


def _tenants(entity: EntityPlan) -> list[int | None]:
    return [None] if entity.tenant == "none" else list(range(TENANTS))


def _count(plan: ServicePlan, entity: EntityPlan, tenant: int | None, found: dict[str, list[Seed]]) -> int:
    if entity.tenant == "self":
        return 1
    if entity.name == plan.user_entity:
        return max(len(plan.roles), 1)
    bounds = [
        len(_reachable(found[each.target], tenant))
        for each in entity.writable
        if each.target and not each.nullable
    ]
    return min([ROWS, *bounds])


def _clash(entity: EntityPlan, row: Seed, other: Seed) -> bool:
    """Whether a unique key cannot have both rows; a column that neither names has its default, or null."""
    null = {each.column for each in entity.writable if each.nullable and not each.has_default}
    return any(
        all(
            row.columns.get(column) == other.columns.get(column)
            and (column in row.columns or column not in null)
            for column in key
        )
        for key in entity.keys
    )


def _reachable(rows: list[Seed], tenant: int | None) -> list[Seed]:
    return [row for row in rows if row.tenant in (tenant, None)]


def _row(
    plan: ServicePlan,
    entity: EntityPlan,
    tenant: int | None,
    place: int,
    number: int,
    count: int,
    found: dict[str, list[Seed]],
) -> Seed:
    """The row of the number in its tenant. `place` is the resource's among all, `count` the row's in it."""
    own_id = (
        _id(plan, entity.id_kind, 0, tenant or 0, (tenant or 0) + 1)
        if entity.tenant == "self"
        else _id(plan, entity.id_kind, place, tenant, count + 1)
    )
    columns = {entity.system["id"]: literal(own_id)}
    if entity.tenant_column is not None and tenant is not None:
        columns[entity.tenant_column] = literal(_id(plan, plan.tenant_kind, 0, tenant, tenant + 1))
    named = sample(entity)
    for each in entity.writable:
        if each.target is not None:
            rows = _reachable(found.get(each.target, []), tenant)
            if rows:
                columns[each.column] = literal(rows[number % len(rows)].id)
        elif each.name in named and not each.nullable and (not each.has_default or each.kind is Kind.ENUM):
            columns[each.column] = _value(plan, entity, each, number, count + 1)
    return Seed(own_id, tenant, columns)


def _id(plan: ServicePlan, kind: str, place: int, tenant: int | None, number: int) -> str:
    """An id that says where it is from: the resource, the tenant and the number."""
    owner = 0 if tenant is None else tenant + 1
    if kind == "uuid":
        return f"01930000-0000-7000-8{owner if place else 0:03x}-{place:04x}{number:08x}"
    if kind == "serial":
        return str(number)
    return f"{'tenant' if not place else plan.entities[place - 1].name}-{number}"


def _value(plan: ServicePlan, entity: EntityPlan, each: FieldPlan, number: int, count: int) -> str:
    """The value of a field in the row of the number, which is `count` among all rows of the resource."""
    one = _one(plan, entity, each, number, count)
    if each.kind is Kind.POLYGON:  # its rings
        return literal(_array(place(ring) for ring in one))
    if each.kind in PLACES:
        return literal(_array([place(one)]) if each.array else place(one))
    if each.array:
        return literal(_array([one if isinstance(one, str) else json.dumps(one)]))
    return literal(json.dumps(one) if each.kind is Kind.JSON else one)


def _array(texts: Iterable[str]) -> str:
    return "{" + ",".join(json.dumps(text, ensure_ascii=False) for text in texts) + "}"


def _one(plan: ServicePlan, entity: EntityPlan, each: FieldPlan, number: int, count: int) -> Any:
    if each.pattern is not None or each.kind in (Kind.STRING, Kind.TEXT):
        return _text(entity, each, count)
    match each.kind:
        case Kind.EMAIL:
            who = plan.roles[number] if entity.name == plan.user_entity and plan.roles else entity.name
            return f"{who}.{count}@example.com"
        case Kind.URL:
            return f"https://example.com/{entity.path}/{count}"
        case Kind.IP:
            return f"192.0.2.{count}"
        case Kind.INT | Kind.BIGINT:
            least = int(each.least) if each.least is not None else 0
            most = int(each.most) if each.most is not None else least + 1_000_000
            return min(least, most) + count % max(most - least + 1, 1)
        case Kind.DECIMAL:
            return _decimal(each, count)
        case Kind.ENUM:
            return each.values[(count - 1) % len(each.values)]
        case Kind.UUID:
            return f"01930000-0000-7000-8fff-{count:012x}"
        case Kind.BOOL:
            return bool(each.default) if each.has_default else count % 2 == 1
        case Kind.BYTES:
            return r"\x" + f"seed {count}".encode().hex()
        case _:
            recipe = sample(entity)[each.name]
            return _made(recipe.get("list", recipe), count)


def _made(recipe: dict[str, Any], count: int) -> Any:
    """What the recipe of a sample makes for the row of the number."""
    if "spelled" in recipe:
        return _spelled(recipe["spelled"], count)
    return recipe["number"][0] + count if "number" in recipe else recipe["value"]


def _decimal(each: FieldPlan, count: int) -> str:
    """A number within the bounds and the digits of the column, another for each row."""
    assert each.precision is not None
    assert each.scale is not None
    least = Decimal(str(each.least)) if each.least is not None else Decimal(0)
    most = Decimal(10) ** (each.precision - each.scale) - 1
    most = min(most, Decimal(str(each.most))) if each.most is not None else most
    wished = least + 10 * count
    return f"{wished if wished <= most else least:.{min(each.scale, 4)}f}"


def _text(entity: EntityPlan, each: FieldPlan, count: int) -> str:
    """Words that say what the row is, where the field allows them; else the letters that it allows."""
    least = int(each.least or 0) if each.kind in (Kind.STRING, Kind.TEXT) else 0
    most = min(int(bound) for bound in (each.length, each.most, 1000) if bound is not None)
    is_name = each is next((field for field in entity.writable if field.kind is each.kind), each)
    words = names.words(entity.name if is_name else each.name)
    for candidate in (
        f"{words[:1].upper()}{words[1:]} {count}",
        f"{entity.name.replace('_', '-')}-{count}",
        f"{entity.name[:3].upper()}-{count:04}",
        f"#{count:06x}",
        f"{count:05}",
        str(count),
    ):
        fits = each.pattern is None or re.search(each.pattern, candidate) is not None
        if fits and least <= len(candidate) <= most:
            return candidate
    alphabets = alphabets_of(each.pattern or f"^[a-z]{{{max(least, 1)},{most}}}$", least, each.length or most)
    return _spelled(alphabets, count)


def _spelled(alphabets: list[str], count: int) -> str:
    """The text of the number: the last place counts fastest, like digits."""
    found = [alphabet[0] for alphabet in alphabets]
    left = count
    for place in reversed(range(len(alphabets))):
        found[place] = alphabets[place][left % len(alphabets[place])]
        left //= len(alphabets[place])
    return "".join(found)


def place(value: Any) -> str:
    """A point or a line as PostgreSQL writes it."""
    if isinstance(value[0], (int, float)):
        return f"({value[0]},{value[1]})"
    return f"({','.join(place(point) for point in value)})"


def literal(value: Any) -> str:
    """A value as SQL, whatever characters it has."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    spelled = str(value).replace("\0", "").replace("'", "''")
    return f"'{spelled}'"


def _statements(entity: EntityPlan, rows: list[Seed]) -> Iterator[str]:
    columns = list(dict.fromkeys(column for row in rows for column in row.columns))
    overriding = "overriding system value " if entity.id_kind == "serial" else ""
    lines = [
        "    (" + ", ".join(row.columns.get(column, "default") for column in columns) + ")" for row in rows
    ]
    head = f"insert into {quote(entity.table)} ({', '.join(quote(column) for column in columns)})"
    yield head + "\n" + overriding + "values\n" + ",\n".join(lines) + "\non conflict do nothing;\n"
    if entity.id_kind == "serial":
        table, column = literal(quote(entity.table)), entity.system["id"]
        yield (
            f"select setval(pg_get_serial_sequence({table}, {literal(column)}), max({quote(column)}))"
            f" from {quote(entity.table)};\n"
        )
