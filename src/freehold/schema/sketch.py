"""A schema as it is found out elsewhere: names are made ours; what the language refuses is left out and told.

Those who read something else (`.apsorc`, a database, a config) fill in a Sketch; `finished` makes it the
text of a `freehold.yaml` that reads without errors, with a note on everything that is not as it was there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from freehold.schema import keys, names
from freehold.schema.model import Kind, Type, Value
from freehold.schema.problems import Problem, SchemaError
from freehold.schema.read import parse_schema

NoteKind = Literal["decide", "changed", "left_out"]
Body = dict[str, Any]

ROUNDS = 30
ENTITY_ORDER = (
    "tenant",
    "description",
    *(
        key
        for key in keys.ENTITY
        if key not in ("tenant", "description", "access", "fields", "index", "unique")
    ),
    "access",
    "fields",
    "index",
    "unique",
)
TENANT_WORDS = (
    "organization",
    "organisation",
    "workspace",
    "tenant",
    "company",
    "account",
    "team",
    "agency",
)
LENGTH_OF_KEYS = 255
"""Characters of a text that is unique or has an index, where it did not say how many."""


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Note(Value, frozen=True, kw_only=True):
    """Something that is not as it was where it comes from."""

    kind: NoteKind
    """`decide`: somebody has to say what holds. `changed`: it is another way here. `left_out`: it is gone."""
    where: str
    """`project.budget` of the new schema, or the name of what is not in it."""
    what: str

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        # What others called their things is shown on a terminal, to which it must say nothing.
        return _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


HEADINGS: dict[NoteKind, str] = {
    "decide": "To be decided:",
    "changed": "Otherwise than it was:",
    "left_out": "Left out:",
}


def told(notes: Iterable[Note]) -> list[str]:
    """Notes as lines for people, what is to be decided first."""
    lines: list[str] = []
    for kind, heading in HEADINGS.items():
        found = [f"  {note}" for note in notes if note.kind == kind]
        lines += [heading, *found] if found else []
    return lines


class Imported(Value, frozen=True, kw_only=True):
    text: str
    """A `freehold.yaml`."""
    notes: tuple[Note, ...]


class Sketch:
    """What is known so far, in the words of the language."""

    def __init__(self, service: str, description: str = "") -> None:
        self.head: Body = {"freehold": 1, "service": service_name(service)}
        if description:
            self.head["description"] = description[:4_000]
        self.entities: dict[str, Body] = {}
        self.tail: Body = {}
        self.notes: list[Note] = []

    def note(self, kind: NoteKind, where: str, what: str) -> None:
        found = Note(kind=kind, where=where, what=what)
        if found not in self.notes:
            self.notes.append(found)

    def decide(self, where: str, what: str) -> None:
        self.note("decide", where, what)

    def changed(self, where: str, what: str) -> None:
        self.note("changed", where, what)

    def left_out(self, where: str, what: str) -> None:
        self.note("left_out", where, what)

    def decide_tenancy(self) -> None:
        """Tell that nothing says whose rows are whose, and which entity looks like the tenant."""
        likely = next((word for word in TENANT_WORDS if word in self.entities), None)
        hint = f" `{likely}` looks like the tenant." if likely else ""
        self.decide(
            "",
            "it does not say whose rows are whose: every entity is `tenant: none`, so callers share all rows."
            f"{hint} Say `tenancy: {{ entity: ... }}`, and `tenant:` in each entity.",
        )

    def decide_access(self) -> None:
        """Tell that nothing says who may do what, and that until then nobody but servers may."""
        self.decide(
            "",
            "it does not say who may do what: everything is for `service` alone, your own servers."
            " Say `roles:`, and `access:` in each entity.",
        )

    def add_entity(self, source: str, *, table: str | None = None) -> str:
        """Begin an entity that is called `source` elsewhere. Its table keeps the name that it has there."""
        name = entity_name(source, self.entities)
        body: Body = {
            "tenant": "none",
            "access": dict.fromkeys(("read", "create", "update", "delete"), "service"),
        }
        if table is not None and table != name:
            body["table"] = table
        body["fields"] = {}
        self.entities[name] = body
        return name

    def add_field(
        self, entity: str, source: str, settings: Mapping[str, Any], *, column: str | None = None
    ) -> str:
        """Add a field that is called `source` elsewhere. Its column keeps the name that it has there."""
        fields = self.entities[entity]["fields"]
        type_ = str(settings["type"])
        is_ref = type_.startswith("ref(")
        name = field_name(source, fields, is_ref=is_ref)
        body = {key: value for key, value in settings.items() if value is not None and value is not False}
        usual = f"{name}_id" if is_ref else name
        if (
            column is not None
            and column not in {usual, *names.SYSTEM_NAMES}
            and not type_.startswith("many(")
        ):
            body["column"] = column
        fields[name] = body
        return name

    def finished(self) -> Imported:
        """The text, after everything was left out or changed that the language does not take."""
        self._open_circles()
        self._bound_keys()
        for _ in range(ROUNDS):
            text = spelled(self._document())
            try:
                parse_schema(text)
            except SchemaError as error:
                refused = error
                if not self._repaired(error.problems):
                    raise
            else:
                return Imported(text=text, notes=tuple(self.notes))
        raise refused

    def _document(self) -> Body:
        common = {
            key: Counter(body[key] for body in self.entities.values() if key in body).most_common(1)[0][0]
            for key in keys.SYSTEM
            if any(key in body for body in self.entities.values())
        }
        entities = {
            name: {
                key: body[key]
                for key in ENTITY_ORDER
                if key in body and (key not in common or body[key] != common[key])
            }
            for name, body in self.entities.items()
        }
        defaults = {"defaults": common} if common else {}
        return {**self.head, **defaults, "entities": entities, **self.tail}

    def _open_circles(self) -> None:
        """Relations that are required in a circle would let nobody write the first row."""
        for name, body in self.entities.items():
            for field_name_, field in body["fields"].items():
                target = _target(field)
                if target is not None and not field.get("nullable") and self._needs(target, name):
                    field["nullable"] = True
                    self.changed(
                        f"{name}.{field_name_}",
                        f"may be left empty, since a `{target}` needs a `{name}` first",
                    )

    def _bound_keys(self) -> None:
        """A text that an index looks up has to have an end."""
        for name, body in self.entities.items():
            listed = {
                part.removeprefix("-")
                for key in ("index", "unique")
                for parts in body.get(key, ())
                for part in parts
            }
            for each, field in body["fields"].items():
                if field["type"] == "text" and (each in listed or field.get("unique") or field.get("index")):
                    field["type"] = f"string({LENGTH_OF_KEYS})"
                    self.changed(
                        f"{name}.{each}",
                        f"is looked up by an index, so it has {LENGTH_OF_KEYS} characters at most",
                    )

    def _needs(self, start: str, goal: str) -> bool:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            each = waiting.pop()
            if each == goal:
                return True
            if each in seen or each not in self.entities:
                continue
            seen.add(each)
            for field in self.entities[each]["fields"].values():
                target = _target(field)
                if target is not None and not field.get("nullable"):
                    waiting.append(target)
        return False

    def _repaired(self, problems: Iterable[Problem]) -> bool:
        """Leave out what is refused, the smallest part that is. Says whether anything was."""
        places = sorted({(_steps(each.path), each.message) for each in problems}, reverse=True)
        gone: list[tuple[str, ...]] = []
        for steps, message in places:
            removed = self._remove(steps, message) if steps not in gone else False
            if removed:
                gone.append(steps)
        return bool(gone)

    def _remove(self, steps: tuple[str, ...], message: str) -> bool:
        if len(steps) < 2 or steps[0] != "entities" or steps[1] not in self.entities:
            return False
        name, body = steps[1], self.entities[steps[1]]
        if len(steps) == 2:
            del self.entities[name]
            self.left_out(name, f"the entity: {message}")
            return True
        if steps[2] == "fields" and len(steps) > 3:
            return self._remove_field(name, body["fields"], steps[3:], message)
        if steps[2] in ("index", "unique") and len(steps) > 3:
            listed = body[steps[2]]
            at = int(steps[3])
            if at >= len(listed):
                return False
            self.left_out(name, f"{steps[2]} over {', '.join(listed[at])}: {message}")
            del listed[at]
            if not listed:
                del body[steps[2]]
            return True
        if steps[2] == "tenant" or steps[2] not in body:
            return False
        self.left_out(name, f"`{steps[2]}`: {message}")
        del body[steps[2]]
        return True

    def _remove_field(self, name: str, fields: dict[str, Body], steps: tuple[str, ...], message: str) -> bool:
        field = fields.get(steps[0])
        if field is None:
            return False
        if len(steps) == 1 or steps[1] == "type" or steps[1] not in field:
            del fields[steps[0]]
            self.left_out(f"{name}.{steps[0]}", f"the field: {message}")
        else:
            del field[steps[1]]
            self.left_out(f"{name}.{steps[0]}", f"`{steps[1]}`: {message}")
        return True


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in re.split(r"[.\[\]]+", path) if step)


def _target(field: Body) -> str | None:
    type_ = str(field.get("type", ""))
    return type_[4:-1] if type_.startswith("ref(") else None


# Names


def service_name(text: str) -> str:
    """The nearest name of a service: of `My Shop`, `my-shop`."""
    words = names.path_of(names.snake_case(text))[:60].strip("-")
    return words if words and words != "name" else "service"


def entity_name(source: str, taken: Iterable[str]) -> str:
    """The name of an entity that is called `source` elsewhere: of `OrderItems`, `order_item`."""
    name = names.singular(names.snake_case(source))
    if names.entity_refusal(name) is not None or names.singular(name) != name:
        name = f"{name}_entry"
    return _untaken(name, taken)


def field_name(source: str, others: Mapping[str, Body], *, is_ref: bool = False) -> str:
    """The name of a field that is called `source` elsewhere: of `ownerId`, when it is a relation, `owner`.

    Neither it nor the column of a relation is called as one of the entity's other fields.
    """
    name = names.snake_case(source)
    if is_ref:
        name = name.removesuffix("_id") or name
    kept = name in names.SYSTEM_NAMES or name in names.LIST_PARAMETERS
    if kept or names.field_refusal(name) is not None:
        name = f"{name}_value"
    columns = [f"{each}_id" for each, body in others.items() if str(body.get("type", "")).startswith("ref(")]
    return _untaken(name, [*others, *columns], column="_id" if is_ref else "")


def _untaken(name: str, taken: Iterable[str], *, column: str = "") -> str:
    spellings = {names.spelled(each) for each in taken}
    found, letter = name, ord("b")
    while not spellings.isdisjoint((names.spelled(found), names.spelled(found + column))):
        found, letter = f"{name}_{chr(letter)}", letter + 1
    return found


# Text

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*")
_PLAIN_TYPE = re.compile(r"[a-z]+(?:\([A-Za-z0-9_, -]*\))?(?:\[\])?")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")
_BLOCKS = frozenset({"entities", "fields", "platform", "buckets", "functions", "sites", "topics"})


def spelled(document: Body) -> str:
    """A document as people write it: entities and fields in blocks, the rest in lines."""
    return "\n".join(_block(document, 0)) + "\n"


def _block(body: Body, depth: int) -> Iterator[str]:
    margin = "  " * depth
    for key, value in body.items():
        is_entity = depth == 1 and isinstance(value, dict) and "fields" in value
        if isinstance(value, dict) and value and (key in _BLOCKS or is_entity):
            yield f"{margin}{_scalar(key)}:"
            yield from _block(value, depth + 1)
        elif isinstance(value, dict) and value.keys() == {"type"}:
            type_ = str(value["type"])
            yield f"{margin}{_scalar(key)}: {type_ if _PLAIN_TYPE.fullmatch(type_) else _scalar(type_)}"
        elif key in ("index", "unique") and isinstance(value, list):
            yield f"{margin}{key}:"
            yield from (f"{margin}  - {_flow(each)}" for each in value)
        else:
            yield f"{margin}{_scalar(key)}: {_flow(value)}"
        if is_entity:
            yield ""


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return str(json.dumps(value))
    text: str = value.encode("utf-8", "replace").decode()  # half a surrogate pair is no character
    is_plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS_OF_YAML and len(text) < 80
    if is_plain or re.fullmatch(r"-[a-z][a-z0-9_]*", text):  # which is a direction of an index
        return text
    quoted = str(json.dumps(text, ensure_ascii=False))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def member_list(values: Iterable[str]) -> str:
    """An enum's members as its type has them."""
    return str(Type(kind=Kind.ENUM, values=tuple(values)))
