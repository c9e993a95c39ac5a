"""From a schema to a backend service that its owner keeps: `generate` is pure, `write` puts it on the disk.

`Schema > Plan > Target > templates > {path: text} > write`. Decisions are in the plan or a target's tables.
"""

from freehold.generator.generate import TARGETS, generate

__all__ = ["TARGETS", "generate"]
