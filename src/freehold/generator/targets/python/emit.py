"""Every file of a Python service, by path."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from freehold.generator.migrations import History
from freehold.generator.plan import ServicePlan
from freehold.generator.render import render
from freehold.generator.targets.common import emit as common
from freehold.generator.targets.python.format import formatted
from freehold.generator.targets.python.target import FILES, TEMPLATES, context
from freehold.schema.model import Schema

API_KEYS = ("app/core/api_keys.py", "app/api_key.py", "tests/test_api_keys.py")
PER_ENTITY = ("__init__.py", "schemas.py", "routes.py", "repository.py", "hooks.py")


def emit(schema: Schema, plan: ServicePlan, history: History) -> dict[str, str]:
    values = common.values(schema, plan) | context(plan)
    found = common.tree(
        FILES, TEMPLATES, values, once=lambda name: not name.startswith("app/feature/"), api_keys=API_KEYS
    )
    for entity in values["entities"]:
        for name in PER_ENTITY:
            if name == "hooks.py" and entity.plan.read_only:
                continue
            template = f"app/feature/{name}.j2"
            found[f"app/{entity.package}/{name}"] = render(TEMPLATES, template, values | {"e": entity})
    python = {name: text for name, text in found.items() if name.endswith(".py")}
    with ThreadPoolExecutor(max_workers=1) as beside:
        in_shape = beside.submit(formatted, python, found["ruff.toml"])
        found |= common.contract(schema, plan, history)
        return found | in_shape.result()
