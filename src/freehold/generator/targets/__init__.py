"""The languages that a service can be written in: one package each, and one line here."""

from freehold.generator.target import Target
from freehold.generator.targets.go import GO
from freehold.generator.targets.python import PYTHON
from freehold.generator.targets.typescript import TYPESCRIPT

TARGETS: dict[str, Target] = {target.name: target for target in (PYTHON, GO, TYPESCRIPT)}
"""By the name that `--lang` takes."""
