"""What a schema must mean: names resolve, tenancy holds together, rules can be kept by the database."""

from __future__ import annotations

from msgspec.structs import replace

from freehold.schema.check_access import AccessChecker
from freehold.schema.check_entities import EntityChecker
from freehold.schema.checker import Checker
from freehold.schema.design import design
from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.model import Schema
from freehold.schema.names import spelled
from freehold.schema.problems import Problems, did_you_mean
from freehold.schema.table_names import relation_names


def check(schema: Schema, drafts: Drafts, problems: Problems) -> Schema:
    """The schema with its conditions resolved; what is wrong with it is added to the problems."""
    tenancy = _TenancyChecker(schema, drafts, problems)
    tenancy.tenant()
    tenancy.memberships()
    tenancy.session()
    access = AccessChecker(schema, drafts, problems)
    access.roles()
    entities = EntityChecker(schema, drafts, problems)
    for entity in schema.entities:
        entities.entity(entity)
    entities.inverses()
    entities.first_rows()
    names = _NameChecker(schema, drafts, problems)
    names.in_code()
    resolved = access.conditions()
    if not problems.found:
        names.in_postgresql(resolved)
    return resolved


class _TenancyChecker(Checker):
    """That there is one tenant, and that callers are of one."""

    def tenant(self) -> None:
        tenancy, at = self.schema.tenancy, self.drafts.tenancy
        selves = [entity.name for entity in self.schema.entities if entity.tenant == "self"]
        if self.drafts.has_tenancy and tenancy is None:
            return
        if tenancy is None or at is None:
            for entity in self.schema.entities:
                if entity.tenant != "none":
                    self.wrong(
                        self.drafts.entities[entity.name].get("tenant") or self.drafts.entities[entity.name],
                        f"is `{entity.tenant}`, but the schema has no `tenancy:`",
                        "add `tenancy: { entity: organization }`, or say `tenant: none`",
                    )
            return
        named = self.by_name.get(tenancy.entity)
        if named is None and tenancy.entity in self.drafts.seen:
            return
        if named is None:
            self.wrong(
                at, f"there is no entity `{tenancy.entity}`", did_you_mean(tenancy.entity, self.by_name)
            )
        elif named.tenant != "self":
            self.wrong(at, f"`{named.name}` is not `tenant: self`", f"say so in `entities.{named.name}`")
        for name in selves:
            if name != tenancy.entity:
                body = self.drafts.entities[name]
                self.wrong(
                    body.get("tenant") or body,
                    f"is `self`, but the tenant is `{tenancy.entity}`",
                    "say `scoped` or `none`",
                )

    def memberships(self) -> None:
        name, at = self.schema.auth.tenant if self.schema.auth else "", self.drafts.memberships
        if not name or at is None:
            return
        named = self.by_name.get(name)
        if named is None and name not in self.drafts.seen:
            self.wrong(at, f"there is no entity `{name}`", did_you_mean(name, self.by_name))
        elif named is not None and named.tenant != "scoped":
            self.wrong(
                at,
                f"`{name}` is not `tenant: scoped`: its rows should say who belongs to which tenant",
                f"say so in `entities.{name}`",
            )

    def session(self) -> None:
        auth, at = self.schema.auth, self.drafts.session
        if auth is None or at is None:
            return
        if auth.sessions:
            self.wrong(
                at, "excludes `sessions`: there is one login", "leave out the one that callers do not use"
            )
        if self.schema.tenancy is not None and self.drafts.memberships is None:
            self.wrong(
                at,
                "says who calls, and not in which tenant",
                "add `auth.tenant`, the entity of memberships",
            )


class _NameChecker(Checker):
    """That no two things have one name, in code and in the database."""

    def in_code(self) -> None:
        plurals: dict[str, str] = {}
        classes: dict[str, str] = {}
        for entity in self.schema.entities:
            body = self.drafts.entities[entity.name]
            self._spelled_alike(entity.name, classes, self.drafts.named[entity.name])
            members: dict[str, str] = {}
            for field in entity.fields:
                self._spelled_alike(field.name, members, self.drafts.field_maps[entity.name])
            if entity.plural in plurals:
                self.wrong(
                    body.get("plural") or body,
                    f"`{plurals[entity.plural]}` has the plural `{entity.plural}` too",
                    "set `plural:`",
                )
            plurals[entity.plural] = entity.name

    def _spelled_alike(self, name: str, taken: dict[str, str], at: Value) -> None:
        """`line_1` and `line1` are both `Line1` where names are spelled without underscores."""
        other = taken.setdefault(spelled(name), name)
        if other != name:
            self.wrong(
                at,
                f"in code, `{other}` and `{name}` would both be called `{spelled(name)}`",
                "rename one of them",
                key=name,
            )

    def in_postgresql(self, schema: Schema) -> None:
        """Tables and indexes share one space of names in PostgreSQL."""
        taken: dict[str, str] = {}
        named = replace(
            schema,
            entities=tuple(
                replace(
                    each, id=each.name, fields=tuple(replace(field, id=field.name) for field in each.fields)
                )
                for each in schema.entities
            ),
        )
        for table in design(named):
            at = self.drafts.entities.get(table.key.split(".")[0], self.drafts.root)
            for name, what in relation_names(table):
                if name in taken:
                    self.wrong(
                        at,
                        f"{what} would be called `{name}`, as is {taken[name]}",
                        "set `table:` or `column:` of one of them",
                    )
                else:
                    taken[name] = what
