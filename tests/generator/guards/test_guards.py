"""Each guard of an emitted service is guarded itself: without it, the service's own tests fail."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from freehold.generator import TARGETS
from tests.conformance.running import do, emitted, environment, installed
from tests.generator.golden import HERE
from tests.generator.guards import go, python, typescript
from tests.generator.guards.mutants import Mutant, applied
from tests.postgres import Server

SCHEMA = HERE / "schemas" / "guards" / "freehold.yaml"
ALONE = os.environ.get("MUTANTS") == "alone"
"""Whether each guard is taken out alone (`make fuzz`), and not with others that it has nothing to do with."""

Failed = Callable[[list[Mutant], list[str]], set[str]]
"""Of some tests, those that fail when these guards are taken out."""


def turns(mutants: Iterable[Mutant]) -> list[list[Mutant]]:
    known = list(mutants)
    if ALONE:
        return [[each] for each in known]
    return [[each for each in known if each.turn == number] for number in (1, 2)]


def check(mutants: tuple[Mutant, ...], failed: Failed) -> None:
    assert failed([], sorted({each.test for each in mutants})) == set()
    unnoticed: list[str] = []
    for together in turns(mutants):
        noticed = failed(together, sorted({each.test for each in together}))
        unnoticed += [each.guard for each in together if each.test not in noticed]
    assert unnoticed == []


def tried(command: list[str], folder: Path, database_url: str, **environ: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ | {"PATH": os.environ["PATH"], "TEST_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


def restored(before: dict[Path, str]) -> None:
    for file, text in before.items():
        file.write_text(text, encoding="utf-8")


@pytest.fixture
def database_url(postgres: Server) -> Iterable[str]:
    database = postgres.create_database()
    yield database.admin_url
    postgres.drop_database(database)


def test_tests_in_python_notice_a_guard_that_is_missing(tmp_path: Path, database_url: str):
    target = TARGETS["python"]
    service = emitted(target, SCHEMA, tmp_path)
    interpreter = str(installed(target, service) / "venv" / "bin" / "python")

    def failed(mutants: list[Mutant], tests: list[str]) -> set[str]:
        before = applied(service, mutants)
        command = [
            interpreter,
            "-B",
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--tb=no",
            "-q",
            "-rA",
            *tests,
        ]
        told = tried(command, service, database_url)
        restored(before)
        said = dict(re.findall(r"^(?:(?:PASSED|FAILED) (tests/.*?))(?: - .*)?$()", told, re.MULTILINE))
        assert said.keys() == set(tests), set(tests) - said.keys()
        return {test for test in tests if re.search(rf"^FAILED {re.escape(test)}( - |$)", told, re.MULTILINE)}

    check(python.MUTANTS, failed)


def test_tests_in_typescript_notice_a_guard_that_is_missing(tmp_path: Path, database_url: str):
    target = TARGETS["typescript"]
    service = emitted(target, SCHEMA, tmp_path)
    do(target.commands.build[0], service, installed(target, service))

    def failed(mutants: list[Mutant], tests: list[str]) -> set[str]:
        before = applied(service, mutants)
        names = {test: test.partition("::")[2] for test in tests}
        files = sorted({test.partition("::")[0] for test in tests})
        command = ["node", "--import", "tsx", "--test", "--test-reporter", "tap", "--test-concurrency", "2"]
        command += [f"--test-name-pattern=^{re.escape(name)}$" for name in names.values()]
        told = tried([*command, *files], service, database_url)
        restored(before)
        said = {
            name.replace("\\#", "#"): ok == "ok"
            for ok, name in re.findall(r"^ *(ok|not ok) \d+ - (.*)$", told, re.MULTILINE)
        }
        assert set(names.values()) <= said.keys(), set(names.values()) - said.keys()
        return {test for test, name in names.items() if not said[name]}

    check(typescript.MUTANTS, failed)


def test_tests_in_go_notice_a_guard_that_is_missing(tmp_path: Path, database_url: str):
    target = TARGETS["go"]
    service = emitted(target, SCHEMA, tmp_path)
    cache = installed(target, service)
    for file in applied(service, list(go.MUTANTS)):
        text = file.read_text(encoding="utf-8")
        file.write_text(
            re.sub(
                r"^(package \w+\n)", r'\1\nimport "guards/internal/off"\n', text, count=1, flags=re.MULTILINE
            ),
            encoding="utf-8",
        )
    (service / "internal" / "off").mkdir()
    (service / "internal" / "off" / "off.go").write_text(go.SWITCH, encoding="utf-8")
    do(("go", "test", "-c", "-o", "own.test", "./tests"), service, cache, **environment(target))

    def failed(mutants: list[Mutant], tests: list[str]) -> set[str]:
        functions = sorted({test.partition("/")[0] for test in tests})
        command = [str(service / "own.test"), "-test.v", "-test.run", f"^({'|'.join(functions)})$"]
        told = tried(command, service / "tests", database_url, OFF="\n".join(each.guard for each in mutants))
        said = {
            name: outcome
            for outcome, name in re.findall(r"^ *--- (PASS|FAIL|SKIP): (.*) \(", told, re.MULTILINE)
        }
        assert set(tests) <= said.keys(), set(tests) - said.keys()
        return {test for test in tests if said[test] == "FAIL"}

    check(go.MUTANTS, failed)
