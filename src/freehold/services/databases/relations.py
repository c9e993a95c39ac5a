"""Related rows: what a query says of them, who may know of which, and loading them, a statement a level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from freehold.db.ddl import qualified, quote
from freehold.db.pool import Queries
from freehold.db.queries import GROUPS, Page, Query
from freehold.db.rows import MAX_RELATED, Link, Load, Related, RowTable, Scope, Shape, load
from freehold.errors import BadRequest, InvalidQuery
from freehold.schema.table_names import link_columns, link_name
from freehold.services.databases import tables
from freehold.services.databases.relation import Relation
from freehold.services.databases.tables import Reach, Table, TableChanged, reach
from freehold.web import formats
from freehold.web.call import Call

MAX_DEPTH = 3
"""How many relations away from a row queries and nested rows may lead."""

MAX_REPEATED = 10 * MAX_RELATED
"""How often rows of one relation may stand in an answer: one that is related to many is in each of them."""

MAX_FOLLOWED = 100
"""So many relations can one query load, and so many of its filters and orders lead through relations."""

NO_ROWS = Scope(grants=())


class TooManyRelated(BadRequest, type="general_query_invalid"):
    """More than {most} rows are related by `{key}`. List the rows of `{table}` themselves, in pages."""


class Expansion(NamedTuple):
    """A relation whose rows are to be loaded, and what of them."""

    relation: Relation
    related: Related
    shape: Shape
    nested: tuple[Expansion, ...]
    only_for_this: bool
    """Whether the column that leads to the other row was not asked for itself."""


class Prepared(NamedTuple):
    """A query on rows and on those that they are related to, ready to be run."""

    reached: Reach
    shape: Shape
    expansions: tuple[Expansion, ...]


async def prepare(call: Call, table: Table, reached: Reach, wanted: Page) -> Prepared:
    """Find the tables that a query leads to, and decide what of them the caller may know.

    Raises InvalidQuery when there is no such relation or column, whether or not there are rows.
    """
    if not table.relations:
        return Prepared(reached, reached.rows.selected(wanted.select), ())
    walk = _Walk(call, reached.setting)
    rows = await walk.asked(table, reached.rows, _attributes(wanted), 1)
    select = wanted.select
    if not select and formats.expects_related(call.request):
        select = ("*", *[f"{key}.*" for key in table.relations if await walk.knows(table, rows, key)])
    shape, expansions = await walk.expanded(table, rows, select, 1)
    return Prepared(reached._replace(rows=rows, setting=walk.setting), shape, expansions)


async def asked(call: Call, table: Table, reached: Reach, wanted: Page) -> Reach:
    """What the caller may do, to rows that are chosen by what they are related to as well."""
    if not table.relations:
        return reached
    walk = _Walk(call, reached.setting)
    rows = await walk.asked(table, reached.rows, _attributes(wanted), 1)
    return reached._replace(rows=rows, setting=walk.setting)


class _Parents(NamedTuple):
    """Rows that wait for those that are related to them."""

    table: RowTable
    rows: list[dict[str, Any]]
    weights: list[int]
    """How often each of them stands in the answer."""
    expansions: Sequence[Expansion]


async def expand(
    db: Queries, rows: RowTable, found: list[dict[str, Any]], expansions: Sequence[Expansion]
) -> None:
    """Put related rows into rows: level by level, each in one statement. Raises TooManyRelated."""
    level = [_Parents(rows, found, [1] * len(found), expansions)]
    while level:
        level = await _next_level(db, level)


async def _next_level(db: Queries, level: list[_Parents]) -> list[_Parents]:
    waiting = [
        (parents, each, _keys(parents.table, parents.rows, each))
        for parents in level
        for each in parents.expansions
    ]
    loads = [Load(each.related, each.shape, list(set(filter(None, keys)))) for _, each, keys in waiting]
    statement = load(loads)
    records = await db.rows(statement.sql, *statement.values) if any(each.keys for each in loads) else []
    loaded: list[list[tuple[str, dict[str, Any]]]] = [[] for _ in loads]
    for at, near, record, *_ in records:
        loaded[at].append((near, loads[at].shape.row(record)))
    following = []
    for (parents, expansion, keys), pairs in zip(waiting, loaded, strict=True):
        weights = _attach(parents, expansion, keys, pairs)
        if expansion.nested and pairs:
            rows = [row for _, row in pairs]
            following.append(_Parents(expansion.related.rows, rows, weights, expansion.nested))
    return following


def _keys(rows: RowTable, parents: list[dict[str, Any]], expansion: Expansion) -> list[Any]:
    """What ties each of some rows to others, as the driver takes it."""
    column = expansion.relation.column_key
    if not column:
        return [rows.encode_id(row["$id"]) for row in parents]
    encode = expansion.related.rows.encode_id
    return [None if row[column] is None else encode(row[column]) for row in parents]


def _attach(
    parents: _Parents, expansion: Expansion, keys: list[Any], pairs: list[tuple[str, dict[str, Any]]]
) -> list[int]:
    """Put rows into those that they are related to. Gives how often each of them stands in the answer."""
    relation = expansion.relation
    places: dict[str, list[int]] = {}
    for at, (near, _) in enumerate(pairs):
        places.setdefault(near, []).append(at)
    weights = [0] * len(pairs)
    for parent, weight, key in zip(parents.rows, parents.weights, keys, strict=True):
        if expansion.only_for_this:
            parent.pop(relation.column_key, None)
        tied = [] if key is None else places.get(str(key), [])
        for at in tied:
            weights[at] += weight
        rows = [pairs[at][1] for at in tied]
        parent[relation.key] = rows if relation.to_many else rows[0] if rows else None
    if len(pairs) > MAX_RELATED or sum(weights) > MAX_REPEATED:
        raise TooManyRelated(most=MAX_RELATED, key=relation.key, table=relation.target)
    return weights


class _Walk:
    """The way of one query through tables that are related."""

    def __init__(self, call: Call, setting: str) -> None:
        self.call = call
        self.setting = setting
        self.loaded = 0

    async def asked(self, table: Table, rows: RowTable, attributes: Iterable[str], depth: int) -> RowTable:
        """The table as one that can be asked about these attributes of related rows too."""
        ways: dict[str, list[str]] = {}
        for attribute in attributes:
            relation = await self._leading(table, rows, attribute)
            if relation is not None:
                ways.setdefault(relation.key, []).append(attribute[len(relation.key) + 1 :])
        if sum(map(len, ways.values())) > MAX_FOLLOWED:
            raise InvalidQuery(reason=f"at most {MAX_FOLLOWED} filters and orders lead through relations.")
        if not ways:
            return rows
        related = {}
        for key, further in ways.items():
            other, found = await self._follow(table, key, depth)
            asked = await self.asked(other, found.rows, filter(None, further), depth + 1)
            related[key] = found._replace(rows=asked)
        return rows.related_to(related)

    async def expanded(
        self, table: Table, rows: RowTable, select: Sequence[str], depth: int
    ) -> tuple[Shape, tuple[Expansion, ...]]:
        """The shape of rows with what is selected of them, and the relations that are selected."""
        own: list[str] = []
        ways: dict[str, list[str]] = {}
        for name in select:
            relation = await self._leading(table, rows, name)
            if relation is None:
                own.append(name)
            else:
                ways.setdefault(relation.key, []).append(name[len(relation.key) + 1 :] or "*")
        expansions = []
        self.loaded += len(ways)
        if self.loaded > MAX_FOLLOWED:
            raise InvalidQuery(reason=f"at most {MAX_FOLLOWED} relations can be selected.")
        for key, names in ways.items():
            other, related = await self._follow(table, key, depth)
            shape, nested = await self.expanded(other, related.rows, names, depth + 1)
            relation = table.relations[key]
            column = relation.column_key
            extra = bool(column) and column not in own and "*" not in own
            expansions.append(Expansion(relation, related, shape, nested, extra and column != key))
            if extra:
                own.append(column)
        return rows.selected(own or (["$id"] if select else [])), tuple(expansions)

    async def _leading(self, table: Table, rows: RowTable, attribute: str) -> Relation | None:
        """The relation that an attribute such as `author.name` leads through, if the caller may know."""
        if attribute in rows.columns:
            return None
        for key, relation in table.relations.items():
            if attribute == key or attribute.startswith(f"{key}."):
                return relation if await self.knows(table, rows, key) else None
        return None

    async def _follow(self, table: Table, key: str, depth: int) -> tuple[Table, Related]:
        """The other table of a relation, and what the caller may know of its rows. Raises InvalidQuery."""
        if depth > MAX_DEPTH:
            raise InvalidQuery(
                reason=f"queries lead through at most {MAX_DEPTH} relations, to `{key}` no more."
            )
        other, reached = await self._other(table, key)
        self.setting = self.setting or (reached.setting if reached is not None else "")
        known = other.rows if reached is None else reached.rows
        scope = NO_ROWS if reached is None else reached.scope
        relation = table.relations[key]
        return other, Related(link_of(table, relation, other), known, scope, relation.to_many)

    async def knows(self, table: Table, rows: RowTable, key: str) -> bool:
        """Whether the caller may know of a relation at all: of the column that it is kept in."""
        if not table.follows_schema:
            return True
        relation = table.relations[key]
        holder = rows
        if not relation.holds:
            other, reached = await self._other(table, key)
            holder = other.rows if reached is None else reached.rows
        return any(field.id == relation.field_id for field in holder.entity.fields)

    async def _other(self, table: Table, key: str) -> tuple[Table, Reach | None]:
        other = await tables.related(self.call, table, table.relations[key].target)
        return other, reach(self.call, other, "read") if tables.is_open(self.call, other) else None


def link_of(table: Table, relation: Relation, other: Table) -> Link:
    """How the rows of a table are tied to those of another by a relation. Raises TableChanged."""
    holder = table if relation.holds else other
    field = next((each for each in holder.entity.fields if each.id == relation.field_id), None)
    if field is None:
        raise TableChanged()
    own_id, other_id = quote(table.entity.layout.id), quote(other.entity.layout.id)
    if not relation.is_link:
        column = quote(field.column)
        return Link(column, other_id) if relation.holds else Link(own_id, column)
    near, far = (quote(column) for column in link_columns(holder.entity, field))
    if not relation.holds:
        near, far = far, near
    return Link(own_id, other_id, qualified(table.namespace, link_name(holder.entity, field)), near, far)


def _attributes(wanted: Page) -> Iterator[str]:
    for query in (*wanted.filters, *wanted.orders):
        yield from _attributes_of(query)


def _attributes_of(query: Query) -> Iterator[str]:
    if query.method in GROUPS:
        for each in query.values:
            yield from _attributes_of(each)
    else:
        yield query.attribute
