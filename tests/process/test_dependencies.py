"""What an installation from the package brings: all that the code needs, without a developer's tools."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from tests.process.installation import Installation

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "freehold"

# Found on the path of a process, it is imported before anything else.
REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"{{name}} comes with the tools of developers alone", name=name)

sys.meta_path.insert(0, Refusing())
"""


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return {distribution(line) for line in (*project["dependencies"], *optional)}


def distribution(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def with_what_they_need(names: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                needed = requires(name) or []
            except PackageNotFoundError:  # of another platform
                continue
            waiting += [distribution(each) for each in needed if "extra ==" not in each]
    return found


@pytest.fixture
def without_tools() -> Iterator[Path]:
    """A folder that, on PYTHONPATH, hides what no dependency of ours brings."""
    path = Path(tempfile.mkdtemp(prefix="fh-tools-", dir="/tmp"))
    path.chmod(0o755)
    brought = with_what_they_need(declared()) | {"freehold"}
    hidden = {
        module
        for module, owners in packages_distributions().items()
        if not {distribution(each) for each in owners} & brought and not module.startswith("_")
    }
    assert "pytest" in hidden
    (path / "sitecustomize.py").write_text(REFUSING.format(names=hidden))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_everything_that_the_code_imports_is_declared() -> None:
    owners = packages_distributions()
    imported: dict[str, str] = {}
    for file in CODE.rglob("*.py"):
        if "files" in file.relative_to(CODE).parts:  # of the generated service
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                modules = [each.name for each in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            imported |= {each.partition(".")[0]: file.name for each in modules}
    foreign = {name: file for name, file in imported.items() if name not in sys.stdlib_module_names}
    del foreign["freehold"]

    undeclared = {
        name: file
        for name, file in foreign.items()
        if not {distribution(each) for each in owners.get(name, [])} & declared("mcp")
    }

    assert undeclared == {}


def test_an_installation_without_the_tools_of_developers_starts_and_answers(without_tools: Path) -> None:
    directory = Path(tempfile.mkdtemp(prefix="fh-bare-", dir="/tmp"))
    directory.chmod(0o711)
    installation = Installation(directory / "data", {"PYTHONPATH": str(without_tools)})
    try:
        installation.start()

        assert installation.get().status_code == 200
    finally:
        installation.stop()
        installation.log.unlink(missing_ok=True)
        shutil.rmtree(directory, ignore_errors=True)
