"""Every file of a Go service, by path."""

from __future__ import annotations

from freehold.generator.migrations import History
from freehold.generator.plan import ServicePlan
from freehold.generator.render import go_string, render
from freehold.generator.targets.common import emit as common
from freehold.generator.targets.go.shape import pairs, shaped
from freehold.generator.targets.go.target import FILES, TEMPLATES, context
from freehold.schema.model import Schema

API_KEYS = ("internal/auth/apikeys.go", "cmd/api-key/main.go", "tests/api_keys_test.go")
PER_ENTITY = ("types.go", "routes.go", "repository.go", "hooks.go")
FEATURE = "internal/feature/"


def emit(schema: Schema, plan: ServicePlan, history: History) -> dict[str, str]:
    values = common.values(schema, plan) | context(plan)
    values["constraint_lines"] = list(
        pairs(
            (go_string(name), f"{{{', '.join(map(go_string, fields))}}}")
            for name, fields in values["constraints"].items()
        )
    )
    found = common.tree(
        FILES, TEMPLATES, values, once=lambda name: not name.startswith(FEATURE), api_keys=API_KEYS
    )
    for entity in values["entities"]:
        for name in PER_ENTITY:
            if name == "hooks.go" and entity.plan.read_only:
                continue
            text = render(TEMPLATES, f"{FEATURE}{name}.j2", values | {"e": entity})
            found[f"internal/{entity.package}/{name}"] = text
    sources = {
        path: shaped(_within(text, values["module"])) for path, text in found.items() if path.endswith(".go")
    }
    return found | sources | common.contract(schema, plan, history)


def _within(text: str, module: str) -> str:
    """The files and templates are those of a module called `service`."""
    return text.replace('"service/internal/', f'"{module}/internal/').replace(
        'service "service"', f'service "{module}"'
    )
