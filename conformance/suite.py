"""The suite, put together in a folder: the black-box tests of Python services, pointed at any service."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from freehold.generator.targets import python

HERE = Path(__file__).parent
EMITTED = Path(python.__file__).parent / "files" / "tests"

SUPPORT = ("__init__.py", "resources.py", "samples.py", "world.py")
TESTS = (
    "test_crud.py",
    "test_lists.py",
    "test_audit.py",
    "test_batches.py",
    "test_exports.py",
    "test_idempotency.py",
    "test_includes.py",
    "test_isolation.py",
    "test_permissions.py",
    "test_references.py",
    "test_versions.py",
)
"""What knows a service by its contract, its resources and its database alone."""
API_KEYS = "test_api_keys.py"
"""For services that take API keys."""
IN_BODIES = "only-in-a-body"
"""What the suite sends as a value, and what therefore no log line has."""
HARD = (
    "policies.py",
    "everybody.py",
    "test_policies.py",
    "test_field_policies.py",
    "test_attacks.py",
    "test_spellings.py",
)
"""What knows the schema that is meant to be hard by its names."""


def assemble(folder: Path, service: Path, schema: Path | None = None) -> Path:
    """The suite for the service whose repository is in a folder. Answers with the folder to run pytest in."""
    package = folder / "suite"
    package.mkdir(parents=True)
    contract = (service / "openapi.json").read_text(encoding="utf-8")
    takes_keys = "api_key" in json.loads(contract)["components"]["securitySchemes"]
    for name in (*SUPPORT, *TESTS, *([API_KEYS] if takes_keys else [])):
        shutil.copyfile(EMITTED / name, package / name)
    if schema is not None:
        for name in HARD:
            shutil.copyfile(HERE / name, package / name)
        shutil.copyfile(schema, package / "freehold.yaml")
    shutil.copyfile(HERE / "anywhere.py", package / "conftest.py")
    shutil.copyfile(service / "tests" / "resources.json", package / "resources.json")
    (package / "openapi.json").write_text(contract, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -q -p no:cacheprovider\n", encoding="utf-8")
    return folder
