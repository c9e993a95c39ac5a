"""`generate(schema, target)`: the whole tree of a service as a dictionary, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from freehold.generator.migrations import History
from freehold.generator.plan import plan
from freehold.generator.targets.python.emit import emit as emit_python
from freehold.schema.model import Schema

Emit = Callable[..., dict[str, str]]

TARGETS: dict[str, Emit] = {
    "python": emit_python,
}
"""The languages, by the name that `--lang` takes."""


class UnknownTarget(ValueError):
    """A language that there is no target for."""


def generate(schema: Schema, target: str, history: History | None = None) -> dict[str, str]:
    """Path to text of every file of the service. The same schema and history give the same bytes."""
    emit = TARGETS.get(target)
    if emit is None:
        raise UnknownTarget(f"there is no target {target!r}; there are: {', '.join(TARGETS)}")
    return dict(sorted(emit(schema, plan(schema), history or History()).items()))
