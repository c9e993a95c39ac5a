"""What is emitted for containers, workflows and platforms, as the linters of each see it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import yaml

from freehold.generator import TARGETS, generate
from freehold.generator.command import run
from freehold.schema.keys import DEPLOY
from freehold.schema.read import read_schema
from tests.conformance.running import ROOT
from tests.generator.tools import Answer, Tools, tools

CRM = ROOT / "examples" / "crm" / "freehold.yaml"
SCHEMA_FILES = Path(__file__).parent / "schemas"

pytestmark = pytest.mark.xdist_group("deploy")  # the tools are made once, by the first who asks


@pytest.fixture(scope="session")
def linters() -> Tools:
    return tools()


def emitted(folder: Path, lang: str = "python") -> Path:
    """A service with every file that can be deployed."""
    schema = msgspec.structs.replace(read_schema(CRM), deploy=DEPLOY)
    for path, text in generate(schema, lang).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def hadolint(linters: Tools, service: Path) -> Answer:
    return linters.run("hadolint", "--failure-threshold", "style", "Dockerfile", folder=service)


def compose(linters: Tools, service: Path) -> Answer:
    return linters.run(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml", folder=service
    )


def workflow_schema(linters: Tools, service: Path) -> Answer:
    return linters.run(
        "check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW, folder=service
    )


def actionlint(linters: Tools, service: Path) -> Answer:
    return linters.run("actionlint", "-no-color", WORKFLOW, folder=service)


def zizmor(linters: Tools, service: Path) -> Answer:
    return linters.run("zizmor", "--offline", "--no-progress", WORKFLOW, folder=service)


def renovate(linters: Tools, service: Path) -> Answer:
    return linters.run(
        "check-jsonschema", "--builtin-schema", "vendor.renovate", "renovate.json", folder=service
    )


def own_schema(file: str, schema: str) -> Callable[[Tools, Path], Answer]:
    def lint(linters: Tools, service: Path) -> Answer:
        return linters.run(
            "check-jsonschema", "--schemafile", SCHEMA_FILES / schema, service / file, folder=service
        )

    return lint


def kubernetes(linters: Tools, service: Path) -> Answer:
    """Both overlays, rendered as kubectl does, and each object held against the schemas of Kubernetes."""
    said = ""
    for overlay in OVERLAYS:
        rendered = linters.run("render", f"deploy/kubernetes/overlays/{overlay}", folder=service)
        if rendered.code:
            return rendered
        file = service / f"{overlay}.yaml"
        kept = [each for each in yaml.safe_load_all(rendered.text) if each["kind"] != "ExternalSecret"]
        file.write_text(yaml.safe_dump_all(kept), encoding="utf-8")
        answer = linters.run("kubernetes-validate", "--strict", file, folder=service)
        said += answer.text
        if answer.code:
            return answer
    return Answer(0, said)


def external_secrets(linters: Tools, service: Path) -> Answer:
    """The secrets of the overlay that has them, rendered, each held against our schema of the operator's."""
    rendered = linters.run("render", f"deploy/kubernetes/overlays/{OVERLAYS[-1]}", folder=service)
    if rendered.code:
        return rendered
    found = [each for each in yaml.safe_load_all(rendered.text) if each["kind"] == "ExternalSecret"]
    assert len(found) == 2
    paths = [service / f"secret-{number}.json" for number in range(len(found))]
    for path, each in zip(paths, found, strict=True):
        path.write_text(json.dumps(each), encoding="utf-8")
    return linters.run(
        "check-jsonschema", "--schemafile", SCHEMA_FILES / "external-secret.json", *paths, folder=service
    )


def cfn_lint(linters: Tools, service: Path) -> Answer:
    return linters.run("cfn-lint", "--non-zero-exit-code", "informational", AWS, folder=service)


def terraform(linters: Tools, service: Path) -> Answer:
    """Formatted as `terraform fmt` would, and read by two parsers. The provider's schemas are not at hand."""
    files = sorted((service / "deploy" / "terraform").glob("*.tf"))
    formatted = linters.run("formatted", *files, folder=service)
    if formatted.code:
        return formatted
    answers = [linters.run("hcl2tojson", file, folder=service) for file in files]
    return Answer(max(answer.code for answer in answers), "".join(answer.text for answer in answers))


def squawk(linters: Tools, service: Path) -> Answer:
    """By the script that the service has for it."""
    return linters.run("sh", "db/lint.sh", folder=service, SQUAWK=str(linters.path("squawk")))


WORKFLOW = ".github/workflows/ci.yml"
AWS = "deploy/aws/service.yaml"
KUBERNETES = "deploy/kubernetes/base/"
OVERLAYS = ("staging", "production", "production-external-secrets")
TERRAFORM = "deploy/terraform/"
MIGRATION = "db/migrations/0001_create_tables.sql"


@dataclass(frozen=True)
class Mistake:
    """What somebody might write, and what is said about it."""

    lint: Callable[[Tools, Path], Answer]
    file: str
    right: str
    wrong: str
    said: str


MISTAKES = {
    "no exec form": Mistake(hadolint, "Dockerfile", r"CMD \[.*\]", "CMD run the service", "DL3025"),
    "an image that is not pinned": Mistake(
        hadolint, "Dockerfile", r"FROM (\w+):\S+ AS", r"FROM \1 AS", "DL3006"
    ),
    "a misspelled healthcheck": Mistake(compose, "compose.yaml", "interval:", "intervl:", "intervl"),
    "steps that are no list": Mistake(workflow_schema, WORKFLOW, "steps:\n", "steps: 1\n    x:\n", "steps"),
    "an unknown runner": Mistake(actionlint, WORKFLOW, "ubuntu-24.04", "ubuntu-24.40", "label"),
    "a secret in a script": Mistake(
        actionlint, WORKFLOW, "make lint$", "make ${{ github.event.pull_request.title }}", "untrusted"
    ),
    "an action that can be moved": Mistake(
        zizmor, WORKFLOW, r"checkout@\w+ # v[\d.]+", "checkout@v6", "unpinned-uses"
    ),
    "a token that may write": Mistake(
        zizmor, WORKFLOW, "contents: read", "contents: write", "excessive-permissions"
    ),
    "credentials that stay": Mistake(
        zizmor, WORKFLOW, "persist-credentials: false", "fetch-tags: false", "artipacked"
    ),
    "a word for a flag": Mistake(renovate, "renovate.json", '"enabled": false', '"enabled": "no"', "enabled"),
    "a check that Fly does not know": Mistake(
        own_schema("fly.toml", "fly.json"), "fly.toml", "grace_period", "graceperiod", "graceperiod"
    ),
    "a variable without a value": Mistake(
        own_schema("render.yaml", "render.json"), "render.yaml", "sync: false", "sync: true", "sync"
    ),
    "two commands before a deploy": Mistake(
        own_schema("railway.json", "railway.json"), "railway.json", r' up"', '", "up"', "preDeployCommand"
    ),
    "a misspelled probe": Mistake(
        kubernetes, KUBERNETES + "deployment.yaml", "readinessProbe", "readynessProbe", "readynessProbe"
    ),
    "a resource that is not there": Mistake(
        kubernetes, KUBERNETES + "kustomization.yaml", "network.yaml", "networks.yaml", "networks.yaml"
    ),
    "a policy that the operator does not know": Mistake(
        external_secrets,
        f"deploy/kubernetes/overlays/{OVERLAYS[-1]}/secrets.yaml",
        "creationPolicy: Owner",
        "creationPolicy: Owned",
        "Owned",
    ),
    "an unknown property of a stack": Mistake(cfn_lint, AWS, "StorageEncrypted", "StorageEncryptd", "E3002"),
    "a reference to nothing": Mistake(cfn_lint, AWS, "!Ref Targets", "!Ref Target", "E1020"),
    "a misaligned argument": Mistake(
        terraform, TERRAFORM + "database.tf", r"engine +=", "engine =", "not formatted"
    ),
    "a brace that is missing": Mistake(terraform, TERRAFORM + "outputs.tf", r"}\n$", "", "Unclosed"),
    "a lock on a table in use": Mistake(
        squawk,
        MIGRATION,
        "-- migrate:down",
        "alter table tag alter column name set not null;\n-- migrate:down",
        "adding-not-nullable-field",
    ),
}

LINTERS = {mistake.lint: mistake.file for mistake in MISTAKES.values()}


@pytest.mark.parametrize("lang", TARGETS)
def test_no_linter_has_anything_to_say(lang: str, tmp_path: Path, linters: Tools):
    service = emitted(tmp_path, lang)

    for lint, file in LINTERS.items():
        answer = lint(linters, service)
        assert answer.code == 0, f"{file}: {answer.text}"


DIFFER = frozenset({"Dockerfile", WORKFLOW})
"""The files of which languages have more of their own than the words of a command."""


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        (name, lang)
        for name, mistake in MISTAKES.items()
        for lang in (TARGETS if mistake.file in DIFFER else ["python"])
    ],
)
def test_a_mistake_in_the_same_place_is_seen(name: str, lang: str, tmp_path: Path, linters: Tools):
    mistake = MISTAKES[name]
    service = emitted(tmp_path, lang)
    file = service / mistake.file
    spoiled, count = re.subn(
        mistake.right, lambda match: match.expand(mistake.wrong), file.read_text(), flags=re.MULTILINE
    )
    assert count
    file.write_text(spoiled, encoding="utf-8")
    answer = mistake.lint(linters, service)

    assert answer.code != 0
    assert mistake.said in answer.text


def test_each_word_of_deploy_brings_its_files_and_the_image_that_they_need():
    schema = read_schema(CRM)
    brought = {
        word: set(generate(msgspec.structs.replace(schema, deploy=(word,)), "python"))
        - set(generate(msgspec.structs.replace(schema, deploy=()), "python"))
        for word in DEPLOY
    }

    image = {"Dockerfile", ".dockerignore", "renovate.json"}
    assert brought.pop("docker") == image
    for word, files in brought.items():
        assert files > image, word
    assert "compose.yaml" in brought["compose"]
    assert brought["github"] - image == {WORKFLOW, ".github/CODEOWNERS"}
    assert brought["fly"] - image == {"fly.toml"}
    assert brought["render"] - image == {"render.yaml"}
    assert brought["railway"] - image == {"railway.json"}
    assert {path.rpartition("/")[0] for path in brought["kubernetes"] - image} == {
        "deploy/kubernetes/base",
        "deploy/kubernetes/overlays/staging",
        "deploy/kubernetes/overlays/production",
        "deploy/kubernetes/overlays/production-external-secrets",
    }
    assert brought["aws"] - image == {AWS}
    assert {path.rpartition("/")[0] for path in brought["terraform"] - image} == {"deploy/terraform"}


def test_what_a_changed_schema_adds_locks_no_table_that_is_in_use(tmp_path: Path, linters: Tools):
    schema = tmp_path / "freehold.yaml"
    text = CRM.read_text(encoding="utf-8")
    schema.write_text(text, encoding="utf-8")
    service = tmp_path / "service"
    run("python", service, schema)
    changes = {
        "title:      { type: string(80), nullable: true }": "title: { type: string(120), default: none }",
        "enum(piece, hour, day, month, year)": "enum(piece, hour, day, week, month, year)",
        "index: [[is_sold, name]]": "index: [[is_sold, name], [unit, name]]",
        "is_default: { type: bool, default: false }": "is_default: bool\n"
        "      owner: { type: ref(user), nullable: true }",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    schema.write_text(text, encoding="utf-8")
    run("python", service, schema)
    files = sorted(path.name for path in (service / "db" / "migrations").iterdir())
    answer = squawk(linters, service)

    assert len(files) > 3
    assert answer.code == 0, answer.text
