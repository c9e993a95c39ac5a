"""`generate(schema, target)`: the whole tree of a service as a dictionary, and nothing else."""

from __future__ import annotations

from freehold.generator import deploy
from freehold.generator.migrations import History
from freehold.generator.planner import plan
from freehold.generator.target import Target
from freehold.generator.targets import TARGETS
from freehold.schema.model import Schema


class UnknownTarget(ValueError):
    """A language that there is no target for."""


def generate(schema: Schema, target: str, history: History | None = None) -> dict[str, str]:
    """Path to text of every file of the service. The same schema and history give the same bytes."""
    language = find(target)
    planned = plan(schema)
    emitted = language.emit(schema, planned, history or History()) | deploy.files(planned, language.container)
    return dict(sorted(emitted.items()))


def find(target: str) -> Target:
    """The target of the name."""
    found = TARGETS.get(target)
    if found is None:
        raise UnknownTarget(f"there is no target {target!r}; there are: {', '.join(TARGETS)}")
    return found
