"""Names in generated code: what may be a name at all, and how each language spells it."""

from __future__ import annotations

import keyword
import re

from freehold.schema.model import ACTIONS, Entity, Kind, Layout, Schema

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
ROLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")

# Attributes of pydantic's BaseModel, which a field of the same name would hide.
_MODEL_ATTRIBUTES = frozenset(
    [
        "construct",
        "copy",
        "dict",
        "fields_set",
        "from_orm",
        "json",
        "parse_file",
        "parse_obj",
        "parse_raw",
        "schema",
        "schema_json",
        "update_forward_refs",
        "validate",
    ]
)
_MODEL_PREFIXES = ("model_",)
# What the emitted modules themselves define or import beside an entity's
_LIST_QUERY_NAMES = frozenset(
    [
        "check",
        "count",
        "cursor",
        "deleted",
        "entity",
        "filters",
        "fingerprint",
        "limit",
        "offset",
        "order",
        "read",
        "sent",
        "sort",
        "sort_keys",
    ]
)
_PACKAGES = frozenset(
    [
        "api_key",
        "core",
        "constraints",
        "extra",
        "features",
        "main",
        "migrate",
        "permissions",
        "relations",
        "settings",
        "token",
    ]
)


_CLASSES = (
    "",
    "BatchCreate",
    "BatchDelete",
    "BatchUpdate",
    "Change",
    "Create",
    "Include",
    "Page",
    "Query",
    "Rows",
    "Sort",
    "Summary",
    "Update",
)
"""What follows the name of an entity in the names of its classes."""

_SHARED_CLASSES = (
    "CountMode",
    "DeletedMode",
    "JsonValue",
    "OnConflict",
    "PageInfo",
    "Problem",
    "ProblemError",
)
"""Schemas of the contract that belong to no entity."""


class UnsafeName(ValueError):
    """A name that cannot stand in code."""


def identifier(name: str, where: str) -> str:
    """The name, if it is one in every language and in a path; anything else is refused."""
    if IDENTIFIER.fullmatch(name) is None:
        raise UnsafeName(
            f"{where}: {name[:80]!r} is not a name; use letters, digits and underscores, at most 63"
        )
    return name


def role(name: str, where: str) -> str:
    if ROLE.fullmatch(name) is None:
        raise UnsafeName(f"{where}: {name[:80]!r} is not the name of a role")
    return name


def slug(text: str) -> str:
    """A name for packages, folders and images: lower case, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-") or "service"


def pascal(name: str) -> str:
    """`deal_line` as a class: `DealLine`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part)


def camel(name: str) -> str:
    """`list_deal_lines` as an operation: `listDealLines`."""
    spelled = pascal(name)
    return spelled[:1].lower() + spelled[1:]


def kebab(name: str) -> str:
    return name.replace("_", "-")


def singular(name: str) -> str:
    """`tags` as one of them: `tag`."""
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


def link_key(name: str) -> str:
    """`tags` as the key of a body that holds the ids of all of them: `tag_ids`."""
    return singular(name) + "_ids"


def words(name: str) -> str:
    """`deal_line` in a sentence: `deal line`."""
    return name.replace("_", " ")


def article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeio" else f"a {noun}"


def enum_class(entity: str, field: str) -> str:
    """The values of a field as a class: `DealStage`. One that the entity has otherwise ends in `Value`."""
    spelled = pascal(field)
    return pascal(entity) + spelled + ("Value" if spelled in _CLASSES else "")


def python_attribute(name: str, *, in_query: bool = False) -> str:
    """A field as an attribute of a Python model; a name that means something else gets an underscore."""
    taken = (
        keyword.iskeyword(name)
        or keyword.issoftkeyword(name)
        or name in _MODEL_ATTRIBUTES
        or name.startswith(_MODEL_PREFIXES)
        or (in_query and name in _LIST_QUERY_NAMES)
        or name == "sent"
    )
    bare = name.lstrip("_") or "field"
    return f"{bare}_" if taken or bare != name else name


def python_package(plural: str) -> str:
    """The folder of an entity's feature."""
    return f"{plural}_feature" if plural in _PACKAGES or keyword.iskeyword(plural) else plural


def typescript_folder(plural: str) -> str:
    """The folder of an entity's feature."""
    return "core-feature" if plural == "core" else kebab(plural)


def plural(entity: Entity) -> str:
    """What an entity's rows are called together, in paths and folders."""
    return (entity.plural or entity.name + "s").replace("-", "_")


def system_columns(layout: Layout) -> dict[str, str]:
    """What the API calls the system columns that it shows, and the columns."""
    shown = {
        "id": layout.id,
        "created_at": layout.created_at,
        "updated_at": layout.updated_at,
        "version": layout.version,
        "deleted_at": layout.deleted_at,
        "created_by": layout.created_by,
        "updated_by": layout.updated_by,
    }
    return {name: column for name, column in shown.items() if column is not None}


def check(schema: Schema) -> None:
    """Refuse names that cannot stand in code, and those that two things would have there."""
    seen = dict.fromkeys(_SHARED_CLASSES, "the service itself")
    for name, inherited in schema.roles.items():
        for each in (name, *inherited):
            role(each, "roles")
    for entity in schema.entities:
        identifier(entity.name, "entities")
        identifier(entity.table, f"{entity.name}.table")
        identifier(plural(entity), f"{entity.name}.plural")
        _check_class_names(seen, entity)
        for column in entity.layout.columns():
            identifier(column, f"{entity.name}: system column")
        taken = set(system_columns(entity.layout))
        for field in entity.fields:
            identifier(field.name, f"{entity.name}.{field.name}")
            if field.is_column:
                identifier(field.column, f"{entity.name}.{field.name}.column")
            key = field.wire_name if field.is_column else link_key(field.name)
            if key in taken:
                raise UnsafeName(f"{entity.name}: two fields are called {key}")
            taken.add(key)
            for holder in (field.read, field.write):
                if holder is not None:
                    role(holder, f"{entity.name}.{field.name}")
        for action in ACTIONS:
            for grant in entity.access.grants(action):
                role(grant.role, f"{entity.name}.access.{action}")


def _check_class_names(seen: dict[str, str], entity: Entity) -> None:
    """The class of an entity, the classes beside it, and its package: each belongs to one entity only."""
    name = pascal(entity.name)
    package = python_package(plural(entity))
    enums = [enum_class(entity.name, each.name) for each in entity.fields if each.type.kind is Kind.ENUM]
    for spelled in dict.fromkeys((package, *(name + each for each in _CLASSES), *enums)):
        owner = seen.setdefault(spelled, entity.name)
        if owner != entity.name:
            raise UnsafeName(
                f"{entity.name}: {spelled} is also what {owner} has in code: "
                f"call the entity otherwise, such as {entity.name}_entry"
            )
