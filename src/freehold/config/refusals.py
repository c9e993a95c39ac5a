"""Why we do not go on."""

from __future__ import annotations


class Refusal(Exception):
    """We do not go on. The message says why, and what to do, to whoever started us."""


class ConfigError(Refusal):
    """Settings that cannot be used: one line for each, naming where it stands and how to mend it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
