"""Names in generated code: what may be a name at all, and how each language spells it."""

from __future__ import annotations

import keyword
import re

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
# What the emitted modules themselves define or import beside an entity's names.
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
    ["core", "constraints", "features", "main", "migrate", "permissions", "settings", "token"]
)


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


def words(name: str) -> str:
    """`deal_line` in a sentence: `deal line`."""
    return name.replace("_", " ")


def article(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeio" else f"a {noun}"


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
