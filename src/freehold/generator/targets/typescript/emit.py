"""Every file of a TypeScript service, by path."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from freehold.generator.migrations import History
from freehold.generator.plan import ServicePlan
from freehold.generator.render import render
from freehold.generator.targets.common import emit as common
from freehold.generator.targets.typescript.format import CONFIGURATION, SUFFIXES, formatted
from freehold.generator.targets.typescript.target import FILES, TEMPLATES, context
from freehold.schema.model import Schema

API_KEYS = ("src/core/api-keys.ts", "src/api-key.ts", "tests/api-keys.test.ts")
PER_ENTITY = ("schemas.ts", "routes.ts", "repository.ts", "hooks.ts")
LOCK = "package-lock.json"


def emit(schema: Schema, plan: ServicePlan, history: History) -> dict[str, str]:
    values = common.values(schema, plan) | context(plan)
    found = common.tree(
        FILES, TEMPLATES, values, once=lambda name: not name.startswith("src/feature/"), api_keys=API_KEYS
    )
    for entity in values["entities"]:
        for name in PER_ENTITY:
            if name == "hooks.ts" and entity.plan.read_only:
                continue
            template = f"src/feature/{name}.j2"
            found[f"src/{entity.folder}/{name}"] = render(TEMPLATES, template, values | {"e": entity})
    found[LOCK] = _locked(found[LOCK], plan.name)
    code = {path: text for path, text in found.items() if path.endswith(SUFFIXES)}
    with ThreadPoolExecutor(max_workers=1) as beside:
        in_shape = beside.submit(formatted, code, found[CONFIGURATION])
        found |= common.contract(schema, plan, history)
        return found | in_shape.result()


def _locked(text: str, name: str) -> str:
    """The lock file of a package of the name."""
    lock = json.loads(text)
    lock["name"] = lock["packages"][""]["name"] = name
    return json.dumps(lock, indent=2, ensure_ascii=False) + "\n"
