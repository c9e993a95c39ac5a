"""The languages that a service can be written in: one package each, and one line here."""

from freehold.generator.target import Target
from freehold.generator.targets.go import GO
from freehold.generator.targets.python import PYTHON

TARGETS: dict[str, Target] = {target.name: target for target in (PYTHON, GO)}
"""By the name that `--lang` takes."""
