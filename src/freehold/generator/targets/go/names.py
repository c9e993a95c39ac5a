"""Names as Go spells them, and what they must not be."""

from __future__ import annotations

from collections.abc import Iterable

from freehold.generator.names import UnsafeName
from freehold.generator.plan import EntityPlan, ServicePlan


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INITIALISMS = _words(
    "api cpu css dns html http https id ip json sku sql ssh tcp tls ttl udp ui uri url uuid xml"
)

# Folders that the service has beside those of its entities, and names that their packages know otherwise.
_PACKAGES = _words(
    "access api auth cmp config context db fmt http json migrate pgx problem server service slices strings"
    " time traces uuid wire"
)
_KEYWORDS = _words(
    "break case chan const continue default defer else fallthrough for func go goto if import interface map"
    " package range return select struct switch type var"
)
_NO_FOLDERS = frozenset(
    ["internal", "vendor", "testdata", "main", "con", "prn", "aux", "nul"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]
)
# Folders of Go's own packages, which a module of the same name would hide.
_STANDARD = _words(
    "all archive arena bufio builtin bytes cmd cmp compress container context crypto database debug embed"
    " encoding errors expvar flag fmt go hash html image index io iter log maps math mime net os path plugin"
    " reflect regexp runtime slices sort std strconv strings structs sync syscall test testing text time tool"
    " unicode unique unsafe weak"
)


def module(plan: ServicePlan) -> str:
    """The path of the service's module."""
    return f"{plan.name}-service" if plan.name in _STANDARD | _NO_FOLDERS else plan.name


def exported(name: str) -> str:
    """`owner_id` as a field of a struct: `OwnerID`."""
    parts = [part for part in name.split("_") if part]
    spelled = "".join(
        part.upper() if part.lower() in _INITIALISMS else part[:1].upper() + part[1:] for part in parts
    )
    return spelled if spelled[:1].isalpha() else f"X{spelled}"


def distinct(wanted: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names in their order; one that is taken gets underscores."""
    known = set(taken)
    found = []
    for name in wanted:
        while name in known:
            name += "_"
        known.add(name)
        found.append(name)
    return found


def packages(plan: ServicePlan) -> dict[str, str]:
    """Entity to the folder and package of its feature."""
    found: dict[str, str] = {}
    for entity in plan.entities:
        spelled = entity.plural.lower().replace("_", "")
        if spelled in found.values():
            spelled = entity.plural.lower().strip("_")
        if not spelled[:1].isalpha() or spelled in _PACKAGES | _KEYWORDS | _NO_FOLDERS:
            spelled = f"the{spelled}"
        if spelled in found.values():
            raise UnsafeName(
                f"{entity.name}: its plural gives the Go package {spelled}, as another one's does"
            )
        found[entity.name] = spelled
    return found


def type_name(entity: EntityPlan) -> str:
    """The type of an entity's rows."""
    spelled = entity.class_name
    # Of `Create` there would be a type CreateCreate and a function of the same name.
    hidden = spelled in (
        "Routes",
        "Related",
        "Create",
        "Update",
        "Read",
        "List",
        "Export",
        "Get",
        "Delete",
        "Restore",
        "Reach",
        "Upsert",
    )
    if not spelled[:1].isalpha():
        spelled = f"X{spelled}"
    return f"{spelled}Entity" if hidden else spelled
