"""Entities as Go spells them, with their relations and what a delete of one goes on to."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.generator import names
from freehold.generator.plan import TEXTS, EntityPlan, ServicePlan
from freehold.generator.render import go_string
from freehold.generator.sql import CascadeSql, EntitySql, Insert, RelationSql
from freehold.generator.targets.go.fields import ID_PARSERS, ID_READERS, ID_TYPES, GoField
from freehold.generator.targets.go.names import distinct, exported, type_name
from freehold.generator.targets.go.shape import CELL, pairs
from freehold.schema.model import Kind
from freehold.schema.types import member_identifier

LOOKUPS = {"unless_all": "api.UnlessAll", "always": "api.Always"}


class GoEntity:
    """One entity as Go spells it."""

    def __init__(self, service: ServicePlan, plan: EntityPlan, package: str) -> None:
        self.plan = plan
        self.sql = EntitySql(plan)
        self.name = plan.name
        self.words = names.words(plan.name)
        self.plural_words = names.words(plan.plural)
        self.package = package
        self.path = plan.path
        self.class_name = type_name(plan)
        self.plural_class = names.pascal(plan.plural)
        self.summary_class = f"{self.class_name}Summary" if plan.heavy else self.class_name
        self.id_type = ID_TYPES[plan.id_kind]
        self.id_parser = ID_PARSERS[plan.id_kind]
        self.fields = self._fields()
        self.enums = [each for each in self.fields if each.enum_type]
        self.writable = [each for each in self.fields if not each.plan.system]
        self.summary = [each for each in self.fields if each.plan.in_lists]
        self.heavy = [each for each in self.fields if not each.plan.in_lists]
        self.sort_keys = [each for each in self.fields if each.plan.sortable]
        by_name = {each.name: each for each in self.fields}
        operators: dict[str, list[str]] = {}
        for _, field, operator in plan.filters():
            operators.setdefault(field.name, []).append(operator)
        self.filters = [by_name[name].filters(each) for name, each in operators.items()]
        self.tenant_condition = (
            (self.sql.tenant_column or self.sql.system["id"]) if plan.tenant != "none" else ""
        )
        self.versions = ", versions []int64" if plan.version else ""
        self.new_id = {"uuid": "db.NewID()", "text": "db.NewID().String()", "serial": ""}[plan.id_kind]
        self.inserts = [self._value(each, by_name) for each in self.sql.inserts]
        self.conditional_create = any(
            () not in permissions.get(f"{plan.name}:create", ((),))
            for permissions in service.permissions.values()
        )
        kinds = {each.name: each.id_kind for each in service.entities}
        self.cascades = [GoCascade(each, ID_TYPES[kinds[each.child]]) for each in self.sql.cascades]
        self.id_reader = ID_READERS[plan.id_kind]
        self.texts = [
            each.name
            for each in self.summary
            if each.plan.kind in (*TEXTS, Kind.ENUM) and not each.plan.array
        ]
        self.upserts = bool(plan.natural_key) and plan.batches
        self.natural = by_name.get(plan.natural_key)
        self.natural_in_tenant = self.sql.tenant_column in self.sql.natural.split(", ")

    def connect(self, entities: dict[str, GoEntity]) -> None:
        """What the relations are called, and whether others lead here."""
        self.relations = [GoRelation(each, self, entities[each.plan.target]) for each in self.sql.relations]
        self.links = [each for each in self.relations if each.body]
        fields = distinct((each.field for each in self.links), {each.go_name for each in self.fields})
        for link, field in zip(self.links, fields, strict=True):
            link.field = field
        by_name = {each.name: each for each in self.fields}
        self.looked_up = [
            (each.name, by_name[each.key]) for each in self.plan.relations if each.lookup != "never"
        ]
        arriving = [
            relation.plan
            for entity in entities.values()
            for relation in entity.sql.relations
            if relation.plan.target == self.name
        ]
        self.related = bool(arriving)
        self.linked = any(each.link for each in arriving)

    @property
    def relation_lines(self) -> Iterator[str]:
        return pairs((go_string(each.name), each.literal) for each in self.relations)

    def _fields(self) -> list[GoField]:
        plan = self.plan
        spelled = distinct(exported(each.name) for each in plan.fields)
        taken = {
            self.class_name,
            *(f"{self.class_name}{kind}" for kind in ("Create", "Update", "Summary", "Change")),
            *(
                f"{verb}{self.class_name}"
                for verb in ("Get", "Create", "Update", "Delete", "Restore", "Reach", "Upsert")
            ),
            f"List{self.plural_class}",
            f"Export{self.plural_class}",
            "Related",
            "Routes",
        }
        found = []
        for each, go_name in zip(plan.fields, spelled, strict=True):
            enum_type = ""
            if each.kind is Kind.ENUM:
                (enum_type,) = distinct([self.class_name + names.pascal(each.name)], taken)
                taken.add(enum_type)
            found.append(GoField(plan, each, go_name, enum_type))
        for field in found:
            wanted = (
                field.enum_type + names.pascal(member_identifier(value).lower())
                for value in field.plan.values
            )
            field.members = distinct(wanted, taken) if field.enum_type else []
            taken |= set(field.members)
        return found

    def select_list(self, fields: list[GoField]) -> str:
        """The columns, each under the name that the API gives it."""
        return ",\n\t".join(
            each.column if each.plan.column == each.name else f'{each.column} as "{each.name}"'
            for each in fields
        )

    def _value(self, insert: Insert, by_name: dict[str, GoField]) -> str:
        """The Go expression of what is inserted."""
        match insert.source:
            case "tenant" | "own_id":
                return "tenant"
            case "new_id":
                return self.new_id
            case "actor":
                return "tx.Caller.Actor()"
        assert insert.field is not None
        field = by_name[insert.field.name]
        if field.plan.default_me:
            return f"body.{field.go_name}.Or(tx.Caller.ID)"
        return f"body.{field.go_name}"

    @property
    def uses_tenant(self) -> bool:
        """Whether a create names the tenant."""
        return any(each.source in ("tenant", "own_id") for each in self.sql.inserts)

    @property
    def reader_lines(self) -> list[str]:
        """What the readers of the fields are called, and what they are."""
        found = [
            f"{each.parser_name}{CELL}= wire.ParseEnum({', '.join(each.members)})"
            for each in self.fields
            if each.enum_type
        ]
        found += [f"{each.reader_name}{CELL}= {each.own_reader}" for each in self.writable if each.own_reader]
        return found

    @property
    def create_readers(self) -> Iterator[str]:
        told = [(each.go_name, each.create_reader) for each in self.writable]
        return pairs(told + [(each.field, each.create_reader) for each in self.links])

    @property
    def update_readers(self) -> Iterator[str]:
        told = [(each.go_name, each.update_reader) for each in self.writable]
        return pairs(told + [(each.field, each.update_reader) for each in self.links])

    @property
    def change_lines(self) -> list[str]:
        """What says which row a change of many is about."""
        version = [f"SeenVersion{CELL}*int64"] if self.plan.version else []
        return [f"ID{CELL}{self.id_type}", *version]

    @property
    def change_readers(self) -> Iterator[str]:
        told = [("ID", f'wire.Required(item, "id", {self.id_reader})')]
        if self.plan.version:
            told.append(("SeenVersion", 'wire.Nullable(item, "version", wire.Int53())'))
        return pairs([*told, (f"{self.class_name}Update", "updateFrom(item)")])

    @property
    def list_lines(self) -> Iterator[str]:
        """What a list is told beside its sorts and filters."""
        told = [("Deleted", "true")] if self.plan.soft_delete else []
        if self.plan.search:
            told.append(("Searched", f"[]string{{{', '.join(map(go_string, self.plan.search))}}}"))
        return pairs(told)


class GoRelation:
    """One relation as Go spells it."""

    def __init__(self, sql: RelationSql, here: GoEntity, target: GoEntity) -> None:
        plan = sql.plan
        self.name = plan.name
        self.go_name = exported(plan.name)
        self.target = plan.target
        self.body = plan.body
        self.field = exported(plan.body) if plan.body else ""
        self.words = names.words(plan.name)
        self.path = names.kebab(plan.name)
        self.id_type, self.id_parser = target.id_type, target.id_parser
        self._sql = sql
        self._column = sql.column or target.sql.columns["id"]
        self._package = target.package
        keyed = here if plan.key == "id" else target
        self._parser = keyed.id_parser
        self._list = f"wire.List({target.id_reader})"

    @property
    def literal(self) -> str:
        """What server/relations.go says of it."""
        plan, sql = self._sql.plan, self._sql
        target = f"{go_string(plan.target)}, {self._package}.Related"
        key = f"{go_string(plan.key)}, api.Keys({self._parser}), {go_string(self._column)}"
        found = (
            f"api.{'Many' if plan.many else 'One'}({target}, {key}, {', '.join(map(go_string, plan.guard))})"
        )
        if plan.lookup != "never":
            found += f".LookedUp({LOOKUPS[plan.lookup]})"
        if sql.link:
            link = ", ".join(map(go_string, (sql.link, sql.here, sql.there, sql.tenant)))
            found += f".Linked({link})"
        return found

    @property
    def create_line(self) -> str:
        return f"{self.field}{CELL}[]{self.id_type}"

    @property
    def update_line(self) -> str:
        return f"{self.field}{CELL}wire.Opt[[]{self.id_type}]"

    @property
    def create_reader(self) -> str:
        return f"wire.Default(body, {go_string(self.body)}, {self._list}, []{self.id_type}{{}})"

    @property
    def update_reader(self) -> str:
        return f"wire.Patched(body, {go_string(self.body)}, {self._list})"


class GoCascade:
    """A statement of a soft delete that goes on."""

    def __init__(self, sql: CascadeSql, id_type: str) -> None:
        self.sql = sql
        self.id_type = id_type
        self.into = _ids(sql.child) if sql.assigned else ""
        self.declared = self.into if sql.starts else ""
        self.source = "[]any{id}" if sql.from_root else _ids(sql.parent)


def _ids(entity: str) -> str:
    return f"{names.camel(entity)}IDs"
