"""FastAPI, Pydantic and asyncpg, with the SQL written out."""

import ast

from freehold.generator import own_routes
from freehold.generator.deploy import Action, Container
from freehold.generator.target import Commands, Target
from freehold.generator.targets.python.emit import emit
from freehold.generator.targets.python.format import formatter

_PYTHON = "python:3.13.9-slim-trixie@sha256:326df678c20c78d465db501563f3492d17c42a4afe33a1f2bf5406a1d56b0e86"

PYTHON = Target(
    name="python",
    title="Python: FastAPI, Pydantic and asyncpg",
    emit=emit,
    formatter=formatter,
    parsers={".py": ast.parse},
    once=("app/*/hooks.py", "app/extra.py", own_routes.FILE),
    commands=Commands(
        locks=("requirements.txt", "requirements-dev.txt"),
        setup=(
            ("{python}", "-m", "venv", "{cache}/venv"),
            ("{cache}/venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "--require-hashes", "-r", "requirements-dev.txt"),
        ),
        build=(),
        migrate=("{cache}/venv/bin/python", "-m", "app.migrate", "up"),
        start=("{cache}/venv/bin/python", "-m", "app.main"),
        api_key=("{cache}/venv/bin/python", "-m", "app.api_key"),
    ),
    container=Container(
        build_image=_PYTHON,
        locks=("requirements.txt",),
        install=(
            "python -m venv /venv"
            " && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt",
        ),
        image=_PYTHON,
        environment={"PATH": "/venv/bin:$PATH", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        built=(("/venv", "/venv"),),
        files=("app", "db", "openapi.json"),
        start=("python", "-m", "app.main"),
        migrate=("python", "-m", "app.migrate"),
        api_key=("python", "-m", "app.api_key"),
        setup=Action(
            "actions/setup-python", "a309ff8b426b58ec0e2a45f0f869d46889d02405", "v6.2.0",
            {"python-version": "3.13", "cache": "pip", "cache-dependency-path": "requirements*.txt"},
        ),
        ignored=(".venv", "**/__pycache__"),
    ),
)  # fmt: skip
