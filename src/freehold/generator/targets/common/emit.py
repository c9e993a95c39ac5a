"""The files that are the same in every language, and the templates that a language adds to or overrides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from freehold.generator import diagram, drift, migrations, openapi, permission_table, resources, seeds
from freehold.generator.constraints import constraint_fields, tenant_tables
from freehold.generator.identity import presets_of
from freehold.generator.migrations import History
from freehold.generator.plan import ServicePlan
from freehold.generator.render import COMMON, render
from freehold.generator.sql import membership_sql, session_sql
from freehold.schema.model import Schema

FILES = Path(__file__).parent / "files"

NAMES_NO_TENANT = "Your credential names no tenant."
NAME_A_TENANT = "Name a tenant that you are a member of in X-Tenant-Id."


def values(schema: Schema, plan: ServicePlan) -> dict[str, Any]:
    """What every template may print, in every language."""
    return {
        "plan": plan,
        "callers": seeds.callers(plan),
        "membership": membership_sql(plan),
        "session": session_sql(plan),
        "no_tenant": NAME_A_TENANT if plan.membership is not None or plan.sessions else NAMES_NO_TENANT,
        "outside_tenants": _outside_tenants(plan),
        "presets": presets_of(plan.provider, plan.overrides),
        "constraints": constraint_fields(schema),
        "tenant_tables": tenant_tables(schema),
    }


def _outside_tenants(plan: ServicePlan) -> tuple[str, ...]:
    """How the permissions begin that need no tenant: those of what belongs to none, and to make one."""
    found = {"none": "{}:", "self": "{}:create"}
    return tuple(found[each.tenant].format(each.name) for each in plan.entities if each.tenant in found)


def contract(schema: Schema, plan: ServicePlan, history: History) -> dict[str, str]:
    """The contract, what the tests know of it, and the tables: byte for byte the same in every language."""
    return {
        "openapi.json": openapi.text(plan, history.own_routes),
        "tests/resources.json": resources.text(schema, plan),
        "db/seed.sql": seeds.text(plan),
        "docs/data-model.md": diagram.text(schema),
        "docs/permissions.md": permission_table.text(plan),
        "db/catalog.sql": drift.catalog_sql(),
        "db/schema.sql": migrations.schema_sql(schema),
        migrations.SNAPSHOT: migrations.snapshot(schema),
    } | migrations.migrations(schema, history)


def tree(
    files: Path,
    templates: Path,
    printed: dict[str, Any],
    once: Callable[[str], bool],
    api_keys: tuple[str, ...],
) -> dict[str, str]:
    """The files of a language and the common ones, and every template for which `once` holds.

    `api_keys` are the files that only a service that takes API keys has.
    """
    plan = printed["plan"]
    wanted = {
        "memberships": plan.membership,
        "sessions": plan.sessions,
        "logins": plan.session,
        "gateway": plan.gateway,
        "origins": plan.browsers,
    }
    found = _static(FILES) | _static(files)
    if not plan.api_keys:
        found = {path: text for path, text in found.items() if path not in api_keys}
    for folder in (COMMON, templates):
        for path in sorted(folder.rglob("*.j2")):
            name = path.relative_to(folder).as_posix()
            subject = name.rpartition("/")[2].partition(".")[0]
            if not wanted.get(subject, True):
                continue
            if not name.startswith("sql/") and once(name):
                found[emitted_path(name)] = render(templates, name, printed)
    return found


def emitted_path(template: str) -> str:
    """`dot.gitignore.j2` is emitted as `.gitignore`."""
    folder, _, name = template.removesuffix(".j2").rpartition("/")
    name = "." + name.removeprefix("dot.") if name.startswith("dot.") else name
    return f"{folder}/{name}" if folder else name


def _static(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_cache = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if path.is_file() and not is_cache:
            found[emitted_path(name.as_posix())] = path.read_text(encoding="utf-8")
    return found
