"""The names and parts of an entity's statements, as SQL spells them: the same text in every language."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs

from freehold.db.ddl import quote
from freehold.generator.plan import EntityPlan, FieldPlan, Relation, ServicePlan
from freehold.schema.model import SessionTable
from freehold.schema.sql_types import ID_TYPES


@dataclass(frozen=True)
class Insert:
    """A column of an insert, and where its value comes from."""

    column: str
    source: str
    """`tenant` (the caller's), `own_id` (of a tenant that makes itself), `new_id`, `actor` or `field`."""
    field: FieldPlan | None = None


@dataclass(frozen=True)
class CascadeSql:
    """A statement of a soft delete that goes on along a reference."""

    parent: str
    child: str
    table: str
    column: str
    tenant_column: str
    id: str
    deleted_at: str
    touch: str
    assigned: str
    """The name of the list that takes the ids it touches: empty when nothing goes on from them."""
    starts: bool
    """Whether the list starts here, or other ids are in it."""
    from_root: bool
    """Whether it begins at the deleted row itself."""


@dataclass(frozen=True)
class RelationSql:
    """A relation with the names that its statements are made of."""

    plan: Relation
    column: str
    link: str
    here: str
    there: str
    tenant: str


class EntitySql:
    """One entity as SQL spells it. The templates in targets/common/templates/sql print statements from it."""

    def __init__(self, plan: EntityPlan) -> None:
        self.plan = plan
        self.table = quote(plan.table)
        self.columns = {each.name: quote(each.column) for each in plan.fields}
        self.system = {name: quote(column) for name, column in plan.system.items()}
        self.tenant_column = quote(plan.tenant_column) if plan.tenant_column else ""
        self.touch = _touch(self.system)
        self.unchanged = _unchanged(plan)
        self.inserts = tuple(_inserts(self))
        self.placeholders = ", ".join(f"${number}" for number in range(1, len(self.inserts) + 1))
        self.natural = ", ".join(map(quote, plan.natural_columns))
        self.search = quote(plan.search_column) if plan.search_column else ""
        self.relations = tuple(map(_relation, plan.relations))
        self.links = tuple(each for each in self.relations if each.plan.body)
        self.cascades = tuple(_cascade(plan, position) for position in range(len(plan.cascades)))


@dataclass(frozen=True)
class MembershipSql:
    """The table of memberships as SQL spells it."""

    table: str
    tenant_column: str
    tenant_type: str
    user_column: str
    role_column: str
    deleted_column: str


def session_sql(plan: ServicePlan) -> SessionTable | None:
    """The table of sessions with its names as SQL spells them."""
    found = plan.session
    if found is None:
        return None
    return structs.replace(
        found,
        table=".".join(map(quote, found.table.split("."))),
        token_column=quote(found.token_column),
        user=quote(found.user),
        expires=quote(found.expires),
    )


def membership_sql(plan: ServicePlan) -> MembershipSql | None:
    found = plan.membership
    if found is None:
        return None
    return MembershipSql(
        table=quote(found.table),
        tenant_column=quote(found.tenant_column),
        tenant_type=ID_TYPES[plan.tenant_kind],
        user_column=quote(found.user_column),
        role_column=quote(found.role_column) if found.role_column else "",
        deleted_column=quote(found.deleted_column) if found.deleted_column else "",
    )


def _inserts(sql: EntitySql) -> list[Insert]:
    plan = sql.plan
    found: list[Insert] = []
    if plan.tenant == "scoped":
        found.append(Insert(sql.tenant_column, "tenant"))
    if plan.tenant == "self":
        found.append(Insert(sql.columns["id"], "own_id"))
    elif plan.id_kind != "serial":
        found.append(Insert(sql.columns["id"], "new_id"))
    found += [Insert(sql.columns[each.name], "field", each) for each in plan.writable]
    found += [
        Insert(sql.system[name], "actor") for name in ("created_by", "updated_by") if name in sql.system
    ]
    return found


def _relation(plan: Relation) -> RelationSql:
    def spelled(name: str) -> str:
        return quote(name) if name else ""

    return RelationSql(
        plan=plan,
        column=spelled(plan.column),
        link=spelled(plan.link),
        here=spelled(plan.link_here),
        there=spelled(plan.link_there),
        tenant=spelled(plan.link_tenant),
    )


def _cascade(plan: EntityPlan, position: int) -> CascadeSql:
    each = plan.cascades[position]
    goes_on = any(other.parent == each.child for other in plan.cascades)
    return CascadeSql(
        parent=each.parent,
        child=each.child,
        table=quote(each.table),
        column=quote(each.column),
        tenant_column=quote(each.tenant_column) if each.tenant_column else "",
        id=quote(each.system["id"]),
        deleted_at=quote(each.system["deleted_at"]),
        touch=_touch({name: quote(column) for name, column in each.system.items()}),
        assigned=f"{each.child}_ids" if goes_on else "",
        starts=all(other.child != each.child for other in plan.cascades[:position]),
        from_root=each.parent == plan.name,
    )


def _touch(system: dict[str, str]) -> str:
    """What every change of a row sets, whatever else it changes; empty where nothing tells of changes."""
    parts = {
        "updated_at": "{} = now()",
        "updated_by": "{} = nullif(current_setting('app.actor_id', true), '')",
        "version": "{0} = {0} + 1",
    }
    found = [text.format(system[name]) for name, text in parts.items() if name in system]
    return ",\n    ".join(found)


def _unchanged(plan: EntityPlan) -> str:
    """What a change sets that changes nothing. An id that the database counts cannot be set."""
    last = (plan.tenant_column, plan.system.get("deleted_at"), plan.system["id"])
    column = quote(next(each for each in (*(each.column for each in plan.writable), *last) if each))
    return f"{column} = {column}"
