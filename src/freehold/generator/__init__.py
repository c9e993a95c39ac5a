"""From a schema to a backend service that its owner keeps: `generate` is pure, `write` puts it on the disk.

`Schema > Plan > Target > templates > {path: text} > write`. Decisions are in the plan or a target's tables.
"""

from freehold.generator.generate import generate
from freehold.generator.targets import TARGETS

__all__ = ["TARGETS", "generate"]
