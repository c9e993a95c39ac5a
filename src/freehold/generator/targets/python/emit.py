"""Every file of a Python service, by path."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from freehold.generator import migrations, openapi
from freehold.generator.constraints import constraint_fields, tenant_tables
from freehold.generator.identity import presets_of
from freehold.generator.plan import ServicePlan
from freehold.generator.render import render
from freehold.generator.samples import Samples
from freehold.generator.targets.python.target import FILES, TEMPLATES, context
from freehold.schema.model import Schema

PER_ENTITY = ("__init__.py", "schemas.py", "routes.py", "repository.py")


class FormatterMissing(RuntimeError):
    """ruff, which comes with freehold, cannot be run."""


def emit(schema: Schema, plan: ServicePlan, history: migrations.History) -> dict[str, str]:
    values = context(plan) | {
        "presets": presets_of(plan.provider, plan.overrides),
        "constraints": constraint_fields(schema),
        "tenant_tables": tenant_tables(schema),
        "samples": Samples(plan),
    }
    found = _static()
    for template in sorted(TEMPLATES.rglob("*.j2")):
        name = template.relative_to(TEMPLATES).as_posix()
        if not name.startswith("app/feature/"):
            found[_path(name)] = render(TEMPLATES, name, values)
    for entity in values["entities"]:
        for name in PER_ENTITY:
            template_name = f"app/feature/{name}.j2"
            found[f"app/{entity.package}/{name}"] = render(TEMPLATES, template_name, values | {"e": entity})
    found["openapi.json"] = openapi.text(plan)
    found["db/schema.sql"] = migrations.schema_sql(schema)
    found[migrations.SNAPSHOT] = migrations.snapshot(schema)
    found |= migrations.migrations(schema, history)
    if "docker" not in plan.deploy:
        for name in ("Dockerfile", ".dockerignore"):
            found.pop(name)
    if "compose" not in plan.deploy:
        found.pop("compose.yaml")
    return found | formatted({name: text for name, text in found.items() if name.endswith(".py")})


def _path(template: str) -> str:
    """`dot.gitignore.j2` is emitted as `.gitignore`."""
    folder, _, name = template.removesuffix(".j2").rpartition("/")
    name = "." + name.removeprefix("dot.") if name.startswith("dot.") else name
    return f"{folder}/{name}" if folder else name


def _static() -> dict[str, str]:
    found = {}
    for path in sorted(FILES.rglob("*")):
        name = path.relative_to(FILES)
        is_cache = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if path.is_file() and not is_cache:
            found[_path(name.as_posix())] = path.read_text(encoding="utf-8")
    return found


def formatted(files: dict[str, str]) -> dict[str, str]:
    """The Python files without unused imports, with sorted ones, and as `ruff format` leaves them."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        raise FormatterMissing("ruff cannot be found beside Python: install freehold again")
    with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
        root = Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (root / "ruff.toml").write_text((FILES / "ruff.toml").read_text(encoding="utf-8"), encoding="utf-8")
        _run([ruff, "check", "--quiet", "--no-cache", "--fix", "--select", "I,F401", "."], root)
        _run([ruff, "format", "--quiet", "--no-cache", "."], root)
        return {name: (root / name).read_text(encoding="utf-8") for name in files}


def _run(command: list[Any], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the emitted Python cannot be formatted:\n{done.stdout}{done.stderr}")
