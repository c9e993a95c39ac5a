"""The entities of `freehold.yaml`, with their fields, indexes and access."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

import msgspec

from freehold.schema import keys, names
from freehold.schema.conditions import ConditionSyntaxError, parse_condition
from freehold.schema.document import Value
from freehold.schema.model import (
    ACTIONS,
    Access,
    Entity,
    Field,
    Grant,
    IdKind,
    Index,
    IndexPart,
    Kind,
    Layout,
    OnDelete,
    Tenant,
    Type,
    Uniqueness,
)
from freehold.schema.patterns import refusal
from freehold.schema.read_values import ValueReader
from freehold.schema.types import TypeSyntaxError, parse_type
from freehold.schema.values import NUMBERS, TEXTS, Misfit, fit, fit_number

MAX_ENTITIES = 500
MAX_FIELDS = 400

_UNORDERED = frozenset({Kind.JSON, Kind.POINT, Kind.LINE, Kind.POLYGON, Kind.MANY})
_UNBOUNDED = frozenset({Kind.TEXT, Kind.BYTES})
_SEARCHED = frozenset({Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.ENUM})


class Defaults(NamedTuple):
    """What an entity has that does not say otherwise."""

    id: IdKind = "uuid"
    timestamps: bool = True
    version: bool = True


class EntityReader(ValueReader):
    """Reads entities, and remembers where each part of them stands."""

    def _entities(self, documents: list[Value], defaults: Defaults) -> tuple[Entity, ...]:
        entities: list[Entity] = []
        for part in documents:
            value = part.get("entities")
            if value is None or not self._is(value, "map", "a map of entities by their names"):
                continue
            for name, body in value.items():
                if name in self.drafts.entities:
                    first = self.drafts.entities[name]
                    self.problems.add(
                        value.problem(
                            f"`{name}` is here a second time",
                            f"the first is in {first.file}:{first.line}",
                            key=name,
                        )
                    )
                    continue
                self._entity_name(value, name, body)
                self.drafts.seen.add(name)
                if self._is(body, "map", "an entity is a map with `tenant:` and `fields:`"):
                    self.drafts.entities[name] = body
                    self.drafts.named[name] = value
                    entities.append(self._entity(name, body, defaults))
        if len(entities) > MAX_ENTITIES:
            self.problems.add(documents[0].problem(f"there are more than {MAX_ENTITIES} entities"))
        return tuple(entities)

    def _entity_name(self, holder: Value, name: str, body: Value) -> None:
        if not names.is_snake_case(name):
            self.problems.add(
                holder.problem(
                    f"`{name}` cannot name an entity",
                    f"snake_case and singular, such as `{names.snake_case(name)}`",
                    key=name,
                )
            )
        elif (refused := names.entity_refusal(name)) is not None:
            self.problems.add(holder.problem(*refused, key=name))
        elif (one := names.singular(name)) != name and not (body.kind == "map" and body.get("plural")):
            proposal = one if names.entity_refusal(one) is None else f"{one}_entry"
            self.problems.add(
                holder.problem(
                    f"`{name}` is a plural", f"call it `{proposal}`, or say its own with `plural:`", key=name
                )
            )

    def _entity(self, name: str, body: Value, defaults: Defaults) -> Entity:
        self._known(body, keys.ENTITY)
        system = self._system(body, defaults)
        tenant = body.get("tenant")
        if tenant is None:
            self.problems.add(
                body.problem(
                    "does not say its `tenant:`", "`tenant: self`, `scoped` or `none`; there is no default"
                )
            )
        which: Tenant = self._one_of(tenant, get_args(Tenant), "none")
        audit = self._flag(body, "audit", False)
        return Entity(
            id="",
            name=name,
            table=self._identifier(body.get("table"), name),
            plural=self._plural(body.get("plural"), name),
            description=self._description(body),
            tenant=which,
            id_kind=system.id,
            layout=Layout(
                id="id",
                created_at="created_at" if system.timestamps else None,
                updated_at="updated_at" if system.timestamps else None,
                version="version" if system.version else None,
                tenant="tenant_id" if which == "scoped" else None,
                deleted_at="deleted_at" if self._flag(body, "soft_delete", False) else None,
                created_by="created_by" if audit else None,
                updated_by="updated_by" if audit else None,
            ),
            fields=self._fields(name, body.get("fields")),
            indexes=(
                *self._indexes(body.get("index"), unique=False),
                *self._indexes(body.get("unique"), unique=True),
            ),
            access=self._access(body.get("access")),
            audit=audit,
            sql_events=self._flag(body, "sql_events", False),
        )

    def _plural(self, value: Value | None, name: str) -> str:
        if value is None:
            return names.plural(name) if names.is_snake_case(name) else name
        text = self._text(value, "the plural, such as `people`") or name
        if not names.is_snake_case(text):
            self.problems.add(
                value.problem(
                    f"`{text}` cannot be a plural", f"snake_case, such as `{names.snake_case(text)}`"
                )
            )
        elif (refused := names.plural_refusal(text)) is not None:
            self.problems.add(value.problem(*refused))
        return text

    def _indexes(self, value: Value | None, *, unique: bool) -> list[Index]:
        example = "write `unique: [[name, owner]]`" if unique else "write `index: [[status, -created_at]]`"
        if value is None or not self._is(value, "list", example):
            return []
        if len(value.data) > 60:
            self.problems.add(value.problem("there are more than 60 of them"))
        found: list[Index] = []
        for each in value.data:
            parts: list[IndexPart] = []
            for word in self._words(each, f"a list of fields; {example}"):
                if word.startswith("-") and unique:
                    self.problems.add(
                        each.problem(
                            f"`{word}` has a direction, and uniqueness has none", f"write `{word[1:]}`"
                        )
                    )
                parts.append(IndexPart(field=word.removeprefix("-"), descending=word.startswith("-")))
            if not parts:
                self.problems.add(each.problem("names no field", example))
                continue
            if len(parts) > 12:
                self.problems.add(each.problem("has more than 12 fields"))
            found.append(Index(parts=tuple(parts), unique=unique))
            self.drafts.indexes[(each.path.split(".")[1], found[-1])] = each
        return found

    def _access(self, value: Value | None) -> Access:
        if value is None or not self._is(value, "map", "write `access: { read: viewer }`"):
            return Access()
        self._known(value, keys.ACCESS)
        return Access(**{action: self._grants(each) for action, each in value.items() if action in ACTIONS})

    def _grants(self, value: Value) -> tuple[Grant, ...]:
        lines = value.data if value.kind == "list" else [value]
        grants: list[Grant] = []
        for line in lines:
            if line.kind == "text":
                grants.append(Grant(role=line.data))
            elif self._is(line, "map", "a role, or `{ role: member, where: owner = me }`"):
                self._known(line, keys.GRANT)
                role, where = line.get("role"), line.get("where")
                if role is None:
                    self.problems.add(line.problem("does not say whose `role:`", "add `role: member`"))
                    continue
                grant = Grant(role=self._text(role, "the name of a role") or "", where=self._where(where))
                grants.append(grant)
            else:
                continue
            self.drafts.grants.append((line.path.split(".")[1], grants[-1], line))
        return tuple(grants)

    def _where(self, value: Value | None) -> tuple[Any, ...]:
        if value is None:
            return ()
        text = self._text(value, "a condition such as `owner = me`")
        if text is None:
            return ()
        try:
            return parse_condition(text)
        except ConditionSyntaxError as error:
            self.problems.add(value.problem(error.message, error.hint))
            return ()

    def _system(self, value: Value, otherwise: Defaults) -> Defaults:
        return Defaults(
            id=self._one_of(value.get("id"), get_args(IdKind), otherwise.id),
            timestamps=self._flag(value, "timestamps", otherwise.timestamps),
            version=self._flag(value, "version", otherwise.version),
        )

    # Fields

    def _fields(self, entity: str, value: Value | None) -> tuple[Field, ...]:
        if value is None or not self._is(value, "map", "a map of fields by their names"):
            return ()
        if len(value.data) > MAX_FIELDS:
            self.problems.add(value.problem(f"there are more than {MAX_FIELDS} fields"))
        fields: list[Field] = []
        for name, body in value.items():
            self.drafts.fields[(entity, name)] = body
            self.drafts.field_maps[entity] = value
            field = self._field(value, name, body)
            if field is not None:
                fields.append(field)
            else:
                self.drafts.unread.add((entity, name))
        return tuple(fields)

    def _field(self, holder: Value, name: str, body: Value) -> Field | None:
        settings = self._field_settings(body)
        type_ = self._type(body) if settings is not None else None
        self._field_name(holder, name, type_, settings)
        if settings is None or type_ is None:
            return None
        self._applicable(body, type_)
        column = names_column = f"{name}_id" if type_.kind is Kind.REF else name
        if type_.kind is Kind.MANY:
            column = ""
        elif "column" in settings:
            column = self._identifier(settings["column"], names_column)
        field = Field(
            id="",
            name=name,
            type=type_,
            column=column,
            nullable=self._flag(body, "nullable", False),
            unique=self._unique(settings.get("unique")),
            natural_key=self._flag(body, "natural_key", False),
            index=self._flag(body, "index", False),
            search=self._flag(body, "search", False),
            in_lists=self._flag(body, "list", True),
            read=self._role(settings.get("read")),
            write=self._role(settings.get("write")),
            filterable=self._flag(body, "filter", True),
            sortable=self._flag(body, "sort", False),
            description=self._description(body),
            on_delete=self._one_of(
                settings.get("on_delete"),
                get_args(OnDelete),
                "cascade" if type_.kind is Kind.MANY else "restrict",
            ),
            inverse=self._inverse(settings.get("inverse")),
            owned=self._flag(body, "owned", False),
            min=self._bound(settings.get("min"), type_),
            max=self._bound(settings.get("max"), type_),
            pattern=self._pattern(settings.get("pattern")),
        )
        return self._with_default(field, settings.get("default"))

    def _field_settings(self, body: Value) -> dict[str, Value] | None:
        """A field's keys. Its short form, a type alone, has none."""
        if body.kind == "text":
            return {}
        if not self._is(body, "map", "a type such as `string(120)`, or a map with `type:`"):
            return None
        self._known(body, keys.FIELD)
        return dict(body.items())

    def _type(self, body: Value) -> Type | None:
        written = body if body.kind == "text" else body.get("type")
        if written is None:
            self.problems.add(body.problem("has no `type:`", "such as `type: string(120)`"))
            return None
        text = self._text(written, "a type such as `string(120)`")
        if text is None:
            return None
        try:
            return parse_type(text)
        except TypeSyntaxError as error:
            self.problems.add(written.problem(error.message, error.hint))
            return None

    def _field_name(
        self, holder: Value, name: str, type_: Type | None, settings: dict[str, Value] | None
    ) -> None:
        is_ref = type_ is not None and type_.kind is Kind.REF
        filtered = settings is not None and not ("filter" in settings and settings["filter"].data is False)
        if not names.is_snake_case(name):
            message, hint = f"`{name}` cannot name a field", f"snake_case, such as `{names.snake_case(name)}`"
        elif name in names.SYSTEM_NAMES:
            message, hint = (
                f"`{name}` is a column that every table may have",
                "leave it out, or give it another name",
            )
        elif is_ref and name.endswith("_id"):
            message, hint = (
                f"`{name}` names a relation, not its key",
                f"call it `{name[:-3]}`; its key will be `{name}`",
            )
        elif name in names.LIST_PARAMETERS and filtered:
            message, hint = (
                f"`{name}=` has a meaning in every list",
                f"call it `{name}_value`, or say `filter: false`",
            )
        elif (refused := names.field_refusal(name)) is not None:
            message, hint = refused
        else:
            return
        self.problems.add(holder.problem(message, hint, key=name))

    def _applicable(self, body: Value, type_: Type) -> None:
        """Refuse keys that say nothing about a type."""
        if body.kind != "map":
            return
        kind = type_.kind
        is_text = kind in TEXTS and not type_.array
        ordered = kind not in _UNORDERED and not type_.array
        allowed = {
            "nullable": kind is not Kind.MANY,
            "default": kind is not Kind.MANY,
            "column": kind is not Kind.MANY,
            "unique": ordered and kind not in _UNBOUNDED,
            "natural_key": ordered and kind not in _UNBOUNDED,
            "index": kind not in (Kind.JSON, Kind.MANY) and kind not in _UNBOUNDED,
            "sort": ordered and kind not in _UNBOUNDED,
            "min": kind in NUMBERS or is_text,
            "max": kind in NUMBERS or is_text,
            "pattern": is_text,
            "search": kind in _SEARCHED and not type_.array,
            "on_delete": kind in (Kind.REF, Kind.MANY),
            "owned": kind is Kind.REF,
            "inverse": kind in (Kind.REF, Kind.MANY),
        }
        for key, _ in body.items():
            if not allowed.get(key, True):
                value = body.data[key]
                if value.data is False or value.kind == "null":
                    continue
                hint = "a `string(n)` can" if kind in _UNBOUNDED else "leave it out"
                self.problems.add(body.problem(f"a `{type_}` cannot have `{key}:`", hint, key=key))

    def _with_default(self, field: Field, value: Value | None) -> Field:
        if value is None or value.kind == "null" or field.type.kind is Kind.MANY:
            return field
        if field.type.kind is Kind.REF:
            if value.data == "me":
                return _replace(field, default_me=True)
            self.problems.add(
                value.problem("the only default of a relation is the caller", "write `default: me`")
            )
            return field
        try:
            return _replace(field, default=fit(field, value.plain(), value.raw))
        except Misfit as error:
            self.problems.add(value.problem(f"the default {error.message}", error.hint))
            return field

    def _bound(self, value: Value | None, type_: Type) -> int | float | str | None:
        if value is None or value.kind == "null":
            return None
        if type_.kind in NUMBERS:
            try:
                return fit_number(type_, value.plain(), value.raw)
            except Misfit as error:
                self.problems.add(value.problem(error.message, error.hint))
                return None
        if type_.kind not in TEXTS:
            return None
        if not isinstance(value.data, int) or isinstance(value.data, bool) or value.data < 0:
            self.problems.add(value.problem(f"`{value.raw}` is not a number of characters", "such as `2`"))
            return None
        return value.data

    def _pattern(self, value: Value | None) -> str | None:
        if value is None:
            return None
        text = self._text(value, 'a regular expression in quotes, such as "^[a-z]+$"')
        if text is None:
            return None
        refused = refusal(text)
        if refused is not None:
            self.problems.add(value.problem(*refused))
            return None
        return text

    def _unique(self, value: Value | None) -> Uniqueness | None:
        if value is None or value.data is False:
            return None
        if value.data is True:
            return "tenant"
        if value.data == "global":
            return "global"
        self.problems.add(value.problem("is not `true`, `false` or `global`", "`true` is unique per tenant"))
        return None

    def _role(self, value: Value | None) -> str | None:
        if value is None:
            return None
        text = self._text(value, "the name of a role")
        if text is not None:
            self.drafts.role_words.append((text, value))
        return text

    def _inverse(self, value: Value | None) -> str | None:
        if value is None:
            return None
        text = self._text(value, "what the relation is called from the other side, such as `tasks`")
        if text is not None and not names.is_snake_case(text):
            self.problems.add(
                value.problem(
                    f"`{text}` cannot name a relation", f"snake_case, such as `{names.snake_case(text)}`"
                )
            )
        elif text is not None and (refused := names.field_refusal(text)) is not None:
            self.problems.add(value.problem(refused[0], f"such as `{text}_rows`"))
        return text


def _replace(field: Field, **changes: Any) -> Field:
    return msgspec.structs.replace(field, **changes)
