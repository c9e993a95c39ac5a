"""Tables ready for use: found once, remembered until they change, and who may reach which of their rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from freehold.access.permissions import Permission
from freehold.access.roles import Membership
from freehold.db.ddl import text_literal
from freehold.db.pool import Record
from freehold.db.rows import ID_ENCODERS, RowTable, Scope
from freehold.db.sealing import SealBroken
from freehold.errors import ResourceLocked, UserUnauthorized
from freehold.schema.model import Entity, IdKind, Schema
from freehold.schema.values import Misfit
from freehold.services.databases import relation, store
from freehold.services.databases.errors import DatabaseNotFound, NoTenant, NotPermitted, TableNotFound
from freehold.services.databases.vocabulary import Vocabulary, spoken
from freehold.usage import Used
from freehold.web.call import Call
from freehold.web.identity import Identity

Answer = TypeVar("Answer")

_ALL_ROWS = Scope()


class TableChanged(Exception):
    """Two tables that are remembered do not belong together any more."""


CHANGED = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidCachedStatementError,
    TableChanged,
)
"""What PostgreSQL says to a statement that was written for a table as it was a moment ago."""

UNREADABLE = (SealBroken, asyncpg.DataError, ValueError, OverflowError)
"""What comes of a row with values that this API lets nobody write, such as a day before the year 1."""


def database_tag(project_id: str, database_id: str) -> str:
    """The cache tag of a database and all its tables."""
    return f"database:{project_id}:{database_id}"


class Table:
    """A table as requests see it."""

    def __init__(self, record: Record, vocabulary: Vocabulary, secret: str) -> None:
        """`secret` is the installation's, for columns that are encrypted."""
        self.vocabulary = vocabulary
        self.id: str = record["id"]
        self.database_id: str = record["database_id"]
        self.made_at: datetime = record["created_at"]
        self.enabled: bool = record["enabled"] and record["database_enabled"]
        self.row_security: bool = record["row_security"]
        self.namespace: str = record["namespace"]
        self.entity = msgspec.json.decode(record["entity"], type=Entity)
        self.schema = (
            msgspec.json.decode(record["schema"], type=Schema) if record["schema"] is not None else None
        )
        self._allowed = frozenset(record["permissions"])
        self._constants = {"$databaseId": self.database_id, vocabulary.table_id: self.id}
        self._id_kinds: Mapping[str, IdKind] = (
            {entity.name: entity.id_kind for entity in self.schema.entities}
            if self.schema is not None
            else {}
        )
        self.follows_schema = self.schema is not None and self.schema.entity(self.entity.name) is not None
        """Whether the table came from a schema file, so that its access rules are the policy."""
        tenancy = self.schema.tenancy if self.schema is not None else None
        tenant_kind: IdKind = self._id_kinds[tenancy.entity] if tenancy is not None else "uuid"
        relations = (
            relation.of_schema(self.schema, self.entity)
            if self.follows_schema and self.schema is not None
            else relation.made_over_api(self.id, record["relationships"])
        )
        self.all_relations = tuple(relations)
        """Those included that rows do not show."""
        self.relations = {each.key: each for each in self.all_relations if not each.is_hidden}
        self.references = {
            each.column_key: each for each in self.all_relations if self.follows_schema and each.column_key
        }
        """What the columns that come from a schema file refer to, by their keys."""
        if not self.follows_schema:
            self._id_kinds = {each.target: "text" for each in self.all_relations}
        self._rows_of = partial(
            RowTable, self.namespace, id_kinds=self._id_kinds, tenant=tenant_kind, secret=secret
        )
        self.rows = self._rows_of(self._shown_entity(), constants=self._constants)
        self._views: dict[frozenset[str], RowTable] = {frozenset(): self.rows}
        self.is_tenant_scoped = self.entity.tenant != "none" and self.follows_schema
        self.encode_tenant = ID_ENCODERS[tenant_kind]

    def _shown_entity(self) -> Entity:
        hidden = {each.field_id for each in self.all_relations if each.is_hidden and each.holds}
        if not hidden:
            return self.entity
        shown = tuple(field for field in self.entity.fields if field.id not in hidden)
        return msgspec.structs.replace(self.entity, fields=shown)

    def without(self, hidden: frozenset[str]) -> RowTable:
        """The same table as one that has no such fields: they can be neither read nor asked about."""
        view = self._views.get(hidden)
        if view is None:
            visible = tuple(field for field in self.entity.fields if field.name not in hidden)
            entity = msgspec.structs.replace(self.entity, fields=visible)
            columns = [field.column for field in self.entity.columns if field.name in hidden]
            view = self._rows_of(entity, constants=self._constants, hidden=columns)
            self._views[hidden] = view
        return view

    def soft_children(self, entity: Entity) -> Iterator[tuple[RowTable, str]]:
        """The tables whose rows are deleted softly with this entity's, and their columns that refer to it."""
        for child in self.schema.entities if self.schema is not None else ():
            for field in child.columns:
                if field.type.target == entity.name and field.on_delete == "cascade" and child.soft_delete:
                    yield self._rows_of(child, constants={}), field.column

    def allows(self, permission: Permission, identity: Identity) -> bool:
        """Whether the table's own permissions let the caller do this to all of its rows."""
        return not self._allowed.isdisjoint(identity.asks(permission))


async def find(call: Call, database_id: str, table_id: str) -> Table:
    """Find a table that the caller may know of. Raises DatabaseNotFound, TableNotFound."""
    table = await known(call, database_id, table_id)
    if table is None:
        if await store.find_database(call.app.db, call.project.id, database_id) is None:
            raise DatabaseNotFound(id=database_id)
        raise TableNotFound(id=table_id)
    if not is_open(call, table):
        raise TableNotFound(id=table_id)
    return table


def is_open(call: Call, table: Table) -> bool:
    """Whether the caller may know of the table at all."""
    return table.enabled or call.identity.privileged


async def related(call: Call, table: Table, table_id: str) -> Table:
    """Find a table that another one is related to, be it open or not. Raises TableChanged."""
    found = await known(call, table.database_id, table_id)
    if found is None:
        raise TableChanged()
    return found


async def known(call: Call, database_id: str, table_id: str) -> Table | None:
    """A table, whether or not the caller may know of it; None when there is none."""
    cache = call.app.cache("tables", size=10_000, ttl_s=300)
    # A realm rather than an id: the tables of a deleted project are none of a new one with its id.
    vocabulary = spoken(call)
    key = (call.project.realm, database_id, table_id, vocabulary)
    table: Table | None = cache.get(key)
    if table is None:
        tag = database_tag(call.project.id, database_id)
        table = await cache.load(key, tag, lambda: _load(call, vocabulary, database_id, table_id))
    return table


async def using(
    call: Call, database_id: str, table_id: str, act: Callable[[Table], Awaitable[Answer]]
) -> Answer:
    """Find a table and act on its rows; once more when the table has changed in between, and anew when others
    who write the same rows came in the way.

    An act is one transaction, so that one which failed has done nothing. Raises ResourceLocked when the table
    keeps changing.
    """

    async def find_and_act() -> Answer:
        return await act(await find(call, database_id, table_id))

    try:
        answer = await call.app.db.undisturbed(find_and_act)
    except CHANGED:
        # The change has committed, but what is cached here does not say so yet.
        call.app.stamps.touch(database_tag(call.project.id, database_id))
        try:
            answer = await call.app.db.undisturbed(find_and_act)
        except CHANGED as error:
            raise ResourceLocked() from error
    is_write = call.endpoint.emits != ""
    call.app.uses.count(Used(call.project.id, database_id, table_id), is_write=is_write)
    return answer


async def _load(call: Call, vocabulary: Vocabulary, database_id: str, table_id: str) -> Table | None:
    record = await store.find_table(call.app.db, call.project.id, database_id, table_id)
    return Table(record, vocabulary, call.app.settings.secret) if record is not None else None


class Reach(NamedTuple):
    """What a caller may do to a table's rows: which ones, and which of their fields."""

    scope: Scope
    rows: RowTable
    setting: str
    """What tells PostgreSQL tenant and actor at the begin of a transaction; empty when nothing has to."""
    locked: frozenset[str]
    """The fields that the caller may not write."""


def reach(call: Call, table: Table, permission: Permission, row_id: str = "") -> Reach | None:
    """Decide what the caller may do; None is nothing at all. The one place where this is decided.

    `row_id` is the row that is meant, when it is one: a row of the tenant's own table is its tenant.
    """
    identity = call.identity
    if not table.follows_schema:
        if identity.privileged or table.allows(permission, identity):
            return Reach(_ALL_ROWS, table.rows, "", frozenset())
        if table.row_security and permission != "create":
            return Reach(Scope(asks=identity.asks(permission)), table.rows, "", frozenset())
        return None
    return _reach_by_schema(call, table, permission, row_id)


def not_permitted(table: Table, permission: Permission) -> NotPermitted:
    """What to tell a caller whose reach has no such row, whether or not there is one."""
    if table.follows_schema:
        where = "that a role of yours has to have by the schema"
    elif table.row_security and permission != "create":
        where = "on the table or on the row"
    else:
        where = "on the table"
    return NotPermitted(reason=f"it takes the permission `{permission}` {where}")


def reach_at_all(call: Call, table: Table, row_id: str) -> Reach:
    """What the caller may do, whichever it is. Raises UserUnauthorized when that is nothing."""
    for permission in _PERMISSIONS:
        reached = reach(call, table, permission, row_id)
        if reached is not None:
            return reached
    raise UserUnauthorized()


_PERMISSIONS: tuple[Permission, ...] = ("read", "update", "delete", "create")


def _reach_by_schema(call: Call, table: Table, permission: Permission, row_id: str) -> Reach | None:
    schema, identity = table.schema, call.identity
    assert schema is not None
    tenant: Any = None
    membership: Membership | None = None
    if table.is_tenant_scoped:
        # A tenant's own row is made by its members: the id of one's team is not another's to take.
        makes_tenant = table.entity.tenant == "self" and permission == "create"
        named = row_id if makes_tenant else named_tenant(call)
        membership = _membership(call, named)
        if membership is None and not identity.privileged:
            return None
        tenant_text = membership.team_id if membership is not None else named
        if table.entity.tenant == "self" and not tenant_text:
            tenant_text = row_id
        if tenant_text:
            tenant = _tenant_value(table, tenant_text)
        else:
            raise NoTenant(reason="Name the tenant whose rows you mean.")
    setting = _settings(call, tenant) if table.is_tenant_scoped or table.entity.audit else ""
    if identity.privileged:
        return Reach(Scope(tenant=tenant), table.rows, setting, frozenset())
    held = _schema_roles(schema, identity, membership)
    allowed = [grant.where for grant in table.entity.access.grants(permission) if grant.role in held]
    if not allowed:
        return None
    unconditional = any(not where for where in allowed)
    hidden = frozenset(field.name for field in table.entity.fields if field.read and field.read not in held)
    locked = frozenset(
        table.entity.wire_name(field)
        for field in table.entity.fields
        if field.write and field.write not in held
    )
    scope = Scope(tenant=tenant, grants=None if unconditional else tuple(allowed), user_id=identity.user_id)
    return Reach(scope, table.without(hidden), setting, locked)


def _labels(identity: Identity) -> Iterable[str]:
    labels: list[str] = identity.user["labels"] if identity.user is not None else []
    return labels


def named_tenant(call: Call) -> str:
    """The tenant that the caller has named."""
    if call.staged is not None:
        return call.staged.tenant
    return call.request.header(b"x-tenant-id").strip()


def _membership(call: Call, named: str) -> Membership | None:
    """The caller's membership of the tenant: of the team that is named, or of its only one."""
    teams = call.identity.teams
    if named:
        return next((each for each in teams if each.team_id == named), None)
    return teams[0] if len(teams) == 1 else None


def _tenant_value(table: Table, text: str) -> Any:
    """The tenant's id as PostgreSQL takes it. Raises NoTenant."""
    try:
        return table.encode_tenant(text)
    except Misfit as misfit:
        raise NoTenant(reason=f"`{text[:100]}` {misfit.message}.") from misfit


def _settings(call: Call, tenant: Any) -> str:
    """The settings of a transaction that row-level security and the audit trigger read."""
    values = {
        "app.tenant_id": "" if tenant is None else str(tenant),
        "app.actor_id": call.identity.user_id or call.identity.actor,
        "app.request_id": call.request.id,
    }
    return "select " + ", ".join(
        f"set_config({text_literal(name)}, {text_literal(value)}, true)" for name, value in values.items()
    )


def _schema_roles(schema: Schema, identity: Identity, membership: Membership | None) -> frozenset[str]:
    """The roles of the schema file that the caller holds, with those that they inherit."""
    held = {"public"}
    if identity.kind == "user":
        held.add("authenticated")
        named: Iterable[str] = membership.roles if membership is not None else _labels(identity)
        pending = [role for role in named if role in schema.roles]
        while pending:
            role = pending.pop()
            if role not in held:
                held.add(role)
                pending += schema.roles.get(role, ())
    return frozenset(held)
