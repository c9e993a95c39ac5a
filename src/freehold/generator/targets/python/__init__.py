"""FastAPI, Pydantic and asyncpg, with the SQL written out."""

import ast

from freehold.generator.target import Commands, Target
from freehold.generator.targets.python.emit import emit
from freehold.generator.targets.python.format import formatter

PYTHON = Target(
    name="python",
    title="Python: FastAPI, Pydantic and asyncpg",
    emit=emit,
    formatter=formatter,
    parsers={".py": ast.parse},
    commands=Commands(
        locks=("requirements-dev.txt",),
        setup=(
            ("{python}", "-m", "venv", "{cache}/venv"),
            ("{cache}/venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--require-hashes", "-r", "requirements-dev.txt"),
        ),
        build=(),
        migrate=("{cache}/venv/bin/python", "-m", "app.migrate", "up"),
        start=("{cache}/venv/bin/python", "-m", "app.main"),
    ),
)  # fmt: skip
