"""From the tables of a PostgreSQL database to a schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from freehold.db.ddl.spelling import AUDIT_FUNCTION, TENANT_SETTING
from freehold.importing.column_types import plain_type, read_type
from freehold.importing.expressions import is_now, read_default
from freehold.importing.introspection import Column, Database, ForeignKey, Index, Table
from freehold.schema import names
from freehold.schema.model import Field, IdKind, Kind
from freehold.schema.sketch import Sketch, field_name
from freehold.schema.table_names import AUDIT_LOG
from freehold.schema.types import parse_type
from freehold.schema.values import Misfit, fit

BOOKKEEPING = frozenset(
    {
        AUDIT_LOG, "schema_migrations", "_prisma_migrations", "alembic_version", "django_migrations",
        "flyway_schema_history", "knex_migrations", "knex_migrations_lock", "ar_internal_metadata",
        "spatial_ref_sys", "typeorm_metadata", "migrations", "SequelizeMeta", "databasechangelog",
        "databasechangeloglock", "goose_db_version", "__EFMigrationsHistory", "idempotency_key", "api_key",
    }
)  # fmt: skip
"""Tables that tools keep for themselves, ours among them."""

ID_KINDS: dict[str, IdKind] = {"uuid": "uuid", "text": "text", "int": "serial", "bigint": "serial"}
UNKNOWN_HERE = (
    "a database does not say roles, who may read and write which fields, `default: me`, `owned`,"
    " `natural_key`, `sort`, `list`, `filter`, and what relations are called from the other side: say what"
    " you need of it"
)


def sketch_of(database: Database, *, service: str, accounts: str | None = None) -> Sketch:
    """The schema of a database. `accounts` is a table of users that lies elsewhere: `auth.users`."""
    return _Reader(database, service, accounts).sketch_all()


class _Reader:
    def __init__(self, database: Database, service: str, accounts: str | None) -> None:
        self.database = database
        self.accounts = accounts
        self.sketch = Sketch(service)
        self.tables: dict[str, Table] = {}
        """Those that become entities, by name."""
        self.links: dict[str, Table] = {}
        self.entities: dict[str, str] = {}
        """Of each table, which entity it is."""
        self.fields: dict[tuple[str, str], str] = {}
        """Of each column of a table, which field it is. System columns are themselves."""
        self.tenants: dict[str, str] = {}
        """Of each table that belongs to a tenant, the column that says to which."""
        self.tenant: str | None = None

    def sketch_all(self) -> Sketch:
        for table in self.database.tables:
            if table.name in BOOKKEEPING:
                self.sketch.left_out(table.name, "the table: a tool keeps it for itself")
                continue
            self._find_tenant(table)
            (self.links if self._is_link(table) else self.tables)[table.name] = table
        for table in self.tables.values():
            self._entity(table)
        for table in self.tables.values():
            for column in table.columns:
                self._column(table, column)
            self._indexes(table)
        for table in self.links.values():
            self._link(table)
        self._tenancy()
        self.sketch.decide_access()
        self.sketch.decide("", UNKNOWN_HERE)
        for other in self.database.others:
            if other != f"function {AUDIT_FUNCTION}()":
                self.sketch.left_out(other, "is no table")
        return self.sketch

    # Entities

    def _find_tenant(self, table: Table) -> None:
        for policy in table.policies:
            setting = rf"NULLIF\(current_setting\('{re.escape(TENANT_SETTING)}'"
            found = re.match(rf'\("?(\w+)"? = \(*{setting}', policy.using or "")
            if found:
                column = found.group(1)
                if table.primary_key is not None and table.primary_key.columns == [column]:
                    self.tenant = table.name
                else:
                    self.tenants[table.name] = column

    def _own(self, table: Table, columns: Iterable[str]) -> list[str]:
        """The columns, less the tenant's."""
        tenant = self.tenants.get(table.name)
        return [column for column in columns if column != tenant]

    def _is_link(self, table: Table) -> bool:
        """Whether a table holds nothing but pairs of keys of two tables."""
        keys = [self._own(table, key.columns) for key in table.foreign_keys]
        if len(keys) != 2 or any(len(key) != 1 for key in keys) or keys[0] == keys[1]:
            return False
        pair = {keys[0][0], keys[1][0]}
        unique = [
            set(self._own(table, columns))
            for columns in (
                *([table.primary_key.columns] if table.primary_key else []),
                *(key.columns for key in table.uniques),
                *([column or "" for column in index.columns] for index in table.indexes if index.is_unique),
            )
        ]
        rest = set(self._own(table, (column.name for column in table.columns))) - pair
        stamps = {column.name for column in table.columns if is_now(column.default or "")}
        return pair in unique and rest <= stamps

    def _entity(self, table: Table) -> None:
        name = self.entities[table.name] = self.sketch.add_entity(table.name, table=table.name)
        body = self.sketch.entities[name]
        if table.comment:
            body["description"] = table.comment
        columns = {column.name: column for column in table.columns}
        self._id(table, name, body, columns)
        self._system(table, name, body, columns)
        for policy in table.policies:
            if TENANT_SETTING not in (policy.using or ""):
                self.sketch.decide(
                    name, _told_policy(policy.name, policy.command, policy.roles, policy.using, policy.check)
                )
        if table.row_security and not table.policies:
            self.sketch.decide(name, "row-level security without a policy let nobody in: say its `access:`")
        for key in table.foreign_keys:
            if len(self._own(table, key.columns)) != 1:
                self.sketch.decide(
                    name,
                    f"the key `{key.name}`, over {', '.join(key.columns)}, to `{key.table}` is not taken:"
                    " refer to it by its id, or keep the key in a migration of your own",
                )
        for check in table.checks:
            if len(check.columns) != 1:
                self.sketch.decide(
                    name,
                    f"the check `{check.name}`, {check.expression}, is not taken:"
                    " keep it in a hook, or in a migration of your own",
                )
        for trigger in table.triggers:
            if not body.get("audit"):
                self.sketch.left_out(name, f"the trigger `{trigger}`")

    def _id(self, table: Table, name: str, body: dict[str, Any], columns: dict[str, Column]) -> None:
        key = self._own(table, table.primary_key.columns) if table.primary_key else []
        if len(key) == 1:
            column = columns[key[0]]
            type_ = plain_type(column) or ""
            kind = "text" if type_.startswith("string") else ID_KINDS.get(type_)
            pointing = [each for each in table.foreign_keys if self._own(table, each.columns) == key]
            is_key = any(self._is_here(each) for each in pointing)
            for each in pointing:
                if not self._is_here(each):
                    self.sketch.decide(
                        name, f"its id is one of `{each.namespace}.{each.table}`: who gives it one here?"
                    )
            if kind is not None and not is_key:
                body["id"] = kind
                self.fields[(table.name, column.name)] = "id"
                if column.name != "id":
                    self.sketch.changed(name, f"the key `{column.name}` is called `id`")
                if type_ == "int":
                    self.sketch.changed(name, "the id is a bigint, which was an integer")
                return
        body["id"] = "uuid"
        if key:
            self.sketch.changed(name, f"has an id of its own; what was its key is unique: {', '.join(key)}")
        else:
            self.sketch.changed(name, "has an id, where it had no key")

    def _system(self, table: Table, name: str, body: dict[str, Any], columns: dict[str, Column]) -> None:
        plain = {names.snake_case(column): column for column in columns}
        stamps = [
            plain[each]
            for each in ("created_at", "updated_at")
            if each in plain and columns[plain[each]].type.startswith("timestamp")
        ]
        body["timestamps"] = bool(stamps)
        if len(stamps) == 1:
            self.sketch.changed(name, f"has created_at and updated_at, where it had {stamps[0]} alone")
        system = {column: names.snake_case(column) for column in stamps}
        version = columns.get("version")
        body["version"] = version is not None and version.type == "integer" and version.default == "1"
        if body["version"]:
            system["version"] = "version"
        deleted = columns.get(plain.get("deleted_at", ""))
        if deleted is not None and not deleted.not_null and deleted.type.startswith("timestamp"):
            body["soft_delete"] = True
            system[deleted.name] = "deleted_at"
        if "audit" in table.triggers and {"created_by", "updated_by"} <= columns.keys():
            body["audit"] = True
            system |= {"created_by": "created_by", "updated_by": "updated_by"}
        if table.name in self.tenants:
            body["tenant"] = "scoped"
            system[self.tenants[table.name]] = "tenant_id"
        for column, own in system.items():
            self.fields[(table.name, column)] = own
            if column != own:
                self.sketch.changed(name, f"the column `{column}` is called `{own}`")

    # Fields

    def _column(self, table: Table, column: Column) -> None:
        if (table.name, column.name) in self.fields:
            return
        entity = self.entities[table.name]
        key = next(
            (key for key in table.foreign_keys if self._own(table, key.columns) == [column.name]), None
        )
        target = self._target(key)
        if key is not None and target is None:
            self._pointed_elsewhere(entity, column, key)
        is_ref = target is not None
        where = f"{entity}.{field_name(column.name, self.sketch.entities[entity]['fields'], is_ref=is_ref)}"
        if column.is_generated:
            if column.type != "tsvector":
                self.sketch.left_out(where, "a column that the database works out")
            return
        checks = [check for check in table.checks if check.columns == [column.name]]
        type_, settings = (f"ref({target})", {}) if is_ref else read_type(self.sketch, where, column, checks)
        if not type_:
            return
        if key is not None and is_ref:
            settings["on_delete"] = {"c": "cascade", "n": "set_null"}.get(key.on_delete)
            if key.on_delete == "d":
                self.sketch.decide(
                    where, "`on delete set default` is not known: it is `restrict` until you say"
                )
        settings |= {
            "nullable": not column.not_null,
            "description": column.comment,
            **self._unique(table, column),
        }
        name = self.sketch.add_field(entity, column.name, {"type": type_, **settings}, column=column.name)
        self.fields[(table.name, column.name)] = name
        self._default(entity, name, column, type_)

    def _is_here(self, key: ForeignKey) -> bool:
        """Whether a key points at a table that becomes an entity."""
        return key.namespace == self.database.namespace and key.table in self.tables

    def _target(self, key: ForeignKey | None) -> str | None:
        """The entity that a key of one column points at, by its id."""
        if key is None or not self._is_here(key):
            return None
        target = self.tables[key.table]
        wanted = self._own(target, key.target_columns)
        is_id = len(wanted) == 1 and self.fields.get((key.table, wanted[0])) == "id"
        return self.entities[key.table] if is_id else None

    def _pointed_elsewhere(self, entity: str, column: Column, key: ForeignKey) -> None:
        pointed = f"{key.namespace}.{key.table}"
        if pointed == self.accounts:
            self.sketch.decide(
                f"{entity}.{column.name}",
                f"held the id of an account (`{pointed}`); make it a relation if users become an entity here",
            )
        else:
            self.sketch.left_out(
                f"{entity}.{column.name}",
                f"pointed at `{pointed}` ({', '.join(key.target_columns)}), which is no id here",
            )

    def _default(self, entity: str, name: str, column: Column, type_: str) -> None:
        written = column.default
        if written is None:
            return
        where = f"{entity}.{name}"
        known, value = read_default(written)
        if not known or type_.startswith("ref("):
            self.sketch.decide(
                where, f"the default {written} is worked out by the database, so there is none here"
            )
            return
        if value is None:
            return
        body = self.sketch.entities[entity]["fields"][name]
        field = Field(id="", name=name, type=parse_type(type_), column=name)
        try:
            raw = str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
            body["default"] = fit(field, float(value) if field.type.kind is Kind.FLOAT else value, raw)
        except (Misfit, ValueError, TypeError):
            self.sketch.decide(where, f"the default {written} is not a `{type_}`, so there is none here")

    def _unique(self, table: Table, column: Column) -> dict[str, Any]:
        scoped = table.name in self.tenants
        for columns in self._unique_columns(table):
            if self._own(table, columns) == [column.name]:
                is_global = scoped and len(columns) == 1
                return {"unique": "global" if is_global else True}
        return {}

    def _unique_columns(self, table: Table) -> list[list[str]]:
        """The columns that are unique together, by constraint or by index."""
        found = [key.columns for key in table.uniques]
        for index in table.indexes:
            if index.is_unique and all(index.columns) and self._is_live(table, index):
                found.append([column or "" for column in index.columns])
        if table.primary_key is not None and self.sketch.entities[self.entities[table.name]]["id"] == "uuid":
            own = self._own(table, table.primary_key.columns)
            if not any(self.fields.get((table.name, column)) == "id" for column in own):
                found.append(table.primary_key.columns)
        return found

    def _is_live(self, table: Table, index: Index) -> bool:
        """Whether an index is over all rows, or over all that are not deleted."""
        if index.condition is None:
            return True
        return any(
            own == "deleted_at" and re.fullmatch(rf'\("?{re.escape(column)}"? IS NULL\)', index.condition)
            for (name, column), own in self.fields.items()
            if name == table.name
        )

    def _indexes(self, table: Table) -> None:
        entity = self.entities[table.name]
        body = self.sketch.entities[entity]
        for columns in self._unique_columns(table):
            fields = [self.fields.get((table.name, column)) for column in self._own(table, columns)]
            if len(fields) > 1 and all(fields):
                body.setdefault("unique", []).append(fields)
        for index in table.indexes:
            if not index.is_unique or not self._is_live(table, index):
                self._index(table, entity, body, index)

    def _index(self, table: Table, entity: str, body: dict[str, Any], index: Index) -> None:
        columns = {column.name: column for column in table.columns}
        searched = [
            columns[column]
            for column in index.columns
            if column in columns and columns[column].type == "tsvector"
        ]
        if searched:
            self._searched(table, body, searched[0], index)
            return
        if (
            index.is_unique
            or (index.condition is not None and not self._is_live(table, index))
            or not all(index.columns)
        ):
            place = re.search(r"USING gist \(box\(\(*(?:polygon\(pclose\()?\"?(\w+)", index.definition)
            if place and (table.name, place.group(1)) in self.fields:
                body["fields"][self.fields[(table.name, place.group(1))]]["index"] = True
                return
            self.sketch.left_out(entity, f"the index {index.definition}")
            return
        pairs = [
            (self.fields.get((table.name, column or "")), down)
            for column, down in zip(index.columns, index.descending, strict=True)
            if column != self.tenants.get(table.name)
        ]
        if len(pairs) > 1 and pairs[-1][0] == "id":  # which puts rows in one order
            pairs.pop()
        fields = [(name, down) for name, down in pairs if name is not None]
        if len(fields) == 1 and fields[0][0] in body["fields"]:
            field = body["fields"][fields[0][0]]
            if not str(field["type"]).startswith("ref(") and not field.get("unique"):
                field["index"] = True
        elif fields and index.method == "btree":
            body.setdefault("index", []).append([f"-{name}" if down else name for name, down in fields])
        elif fields:
            self.sketch.left_out(entity, f"the index {index.definition}")

    def _searched(self, table: Table, body: dict[str, Any], vector: Column, index: Index) -> None:
        """What a search goes through cannot be seen in the index; the texts are told by their names."""
        words = self._words(table, vector)
        for column in words:
            body["fields"][self.fields[(table.name, column)]]["search"] = True
        if not words:
            self.sketch.left_out(self.entities[table.name], f"the index {index.definition}")

    def _words(self, table: Table, vector: Column) -> list[str]:
        """The texts that a generated column of words is made of."""
        used = set(re.findall(r"\w+", vector.expression or ""))
        return [
            column.name
            for column in table.columns
            if column.name in used
            and self.fields.get((table.name, column.name))
            in self.sketch.entities[self.entities[table.name]]["fields"]
        ]

    # Relations and tenancy

    def _link(self, table: Table) -> None:
        targets = [self._target(key) for key in table.foreign_keys]
        if None in targets:
            self.sketch.left_out(table.name, "the table of links: it is not between two entities")
            return
        first, second = table.foreign_keys
        own, other = str(targets[0]), str(targets[1])
        prefix = f"{first.table}_"
        source = table.name.removeprefix(prefix) if table.name.startswith(prefix) else names.plural(other)
        settings = {
            "type": f"many({other})",
            "description": table.comment,
            "on_delete": "restrict" if {first.on_delete, second.on_delete} <= {"a", "r"} else None,
        }
        name = self.sketch.add_field(own, source, settings)
        columns = [self._own(table, key.columns)[0] for key in table.foreign_keys]
        expected = [f"{own}_id", f"{other}_id" if other != own else f"other_{other}_id"]
        if table.name != f"{first.table}_{name}" or columns != expected:
            self.sketch.changed(
                f"{own}.{name}",
                f"its links lie in `{first.table}_{name}` ({', '.join(expected)}), which was `{table.name}`"
                f" ({', '.join(columns)})",
            )

    def _tenancy(self) -> None:
        if self.tenant is None or self.tenant not in self.entities:
            self.sketch.decide_tenancy()
            for table in self.tenants:
                if table in self.entities:
                    self.sketch.entities[self.entities[table]]["tenant"] = "none"
            return
        entity = self.entities[self.tenant]
        self.sketch.head["tenancy"] = {"entity": entity, "isolation": "rls"}
        self.sketch.entities[entity]["tenant"] = "self"


def _told_policy(
    name: str, command: str, roles: Collection[str], using: str | None, check: str | None
) -> str:
    action = {"r": "read", "a": "create", "w": "update", "d": "delete", "*": "everything"}[command]
    rule = using or check or "true"
    uid = r"\(*\s*(?:SELECT )?auth\.uid\(\)(?: AS uid)?\)*"
    mine = re.search(rf'{uid}\s*= "?(\w+)|"?(\w+)"? = {uid}', rule)
    own = mine and (mine.group(1) or mine.group(2))
    hint = f"; as an access line: `{{ role: ..., where: {own.removesuffix('_id')} = me }}`" if own else ""
    return f"the policy `{name}` let {', '.join(roles)} {action} where {rule}{hint}"
