"""The published JSON Schema: it is current, it takes what the reader takes, and refuses what it can see."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from freehold.schema import SchemaError, document, parse_schema
from freehold.schema.json_schema import json_schema
from freehold.schema.problems import Problems
from tests.schema import test_mistakes
from tests.schema.texts import FRAME, with_fields

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    [
        *ROOT.glob("examples/*/freehold.yaml"),
        *ROOT.glob("tests/generator/schemas/*/freehold.yaml"),
        ROOT / "tests/bridge/freehold.yaml",
    ]
)
VALIDATOR = Draft7Validator(json_schema())


def plain(text: str) -> Any:
    return document.parse(text, file="freehold.yaml", problems=Problems()).plain()


def complaints(text: str) -> list[str]:
    return [f"{each.json_path}: {each.message}" for each in VALIDATOR.iter_errors(plain(text))]


def test_the_published_file_is_what_the_command_prints() -> None:
    Draft7Validator.check_schema(json_schema())
    printed = subprocess.run(
        [sys.executable, "-m", "freehold", "json-schema"], capture_output=True, check=True, timeout=60
    ).stdout

    assert (ROOT / "freehold.schema.json").read_bytes() == printed
    assert json.loads(printed) == json_schema()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_it_takes_every_example(path: Path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


def test_it_takes_every_type_in_both_styles_and_every_key() -> None:
    types = [
        "string(120)", "text", "int", "bigint", "float", "decimal(12, 2)", "bool", "date", "time", "datetime",
        "uuid", "json", "bytes", "enum(a, 1st, 'b, c')[]", "email", "url", "ip", "point", "line", "polygon",
        "ref(tag)", "many(tag)", "text[]", "decimal(5,2)[]",
    ]  # fmt: skip
    text = with_fields(
        *(f"f{at}x: {json.dumps(each)}" for at, each in enumerate(types)),
        *(f"g{at}x: {{ type: {json.dumps(each)}, description: x }}" for at, each in enumerate(types)),
        "owner: { type: ref(tag), default: me, nullable: true, on_delete: set_null, inverse: tasks, index: true }",
        "code: { type: string(9), unique: global, natural_key: true, min: 1, max: 3, pattern: '^a', search: true,"
        " list: true, read: admin, write: service, filter: true, sort: true, column: c, description: x }",
        "price: { type: 'decimal(5,2)', min: '0.10', default: 0.5 }",
        access="{ read: public, update: [admin, { role: member, where: owner = me }] }",
        index="[[code, -created_at]]",
        unique="[[code, price]]",
    )

    parse_schema(text)
    assert complaints(text) == []


def test_it_takes_what_is_beside_the_entities() -> None:
    text = FRAME + (
        "auth: { provider: clerk, api_keys: true, audience: [a], require: { token_use: access } }\n"
        "defaults: { id: serial, timestamps: false, version: false }\n"
        "deploy: [docker, fly]\n"
        "platform:\n"
        "  buckets: { avatars: { max_size: 5MB, extensions: [png], file_security: true }, plain: ~ }\n"
        '  functions: { on-signup: { runtime: node-22, timeout: 15, events: ["users.*.create"] } }\n'
        "  sites: { web: { framework: astro } }\n"
        "  topics: { news: { subscribe: [users] } }\n"
    )

    parse_schema(text)
    assert complaints(text) == []


def test_it_takes_another_login() -> None:
    text = (
        "freehold: 1\nservice: shop\nauth:\n  gateway: true\n"
        "  session: { table: login.session, token_column: token, hash: sha256, user: userId, expires: until,"
        " cookie: a.b-c_d }\n"
    )

    parse_schema(text)
    assert complaints(text) == []


def test_it_takes_an_included_file() -> None:
    assert complaints("entities:\n  deal: { tenant: none, fields: { a: int } }\n") == []


def refusals(test: Any, at: int = 1) -> list[Any]:
    """The examples of a test of the reader."""
    (mark,) = [each for each in test.pytestmark if each.name == "parametrize"]
    return [row[0] for row in mark.args[at]]


SEEN_BY_THE_READER_ALONE = [
    # Names that are looked up, values against their type, the grammars of patterns and conditions.
    "ref(tga)", "many(tga)", "enum(x, x)", "enum(x-y", "enum(x,,y)", "string(0)", "decimal(2,5)", "default:", "max: 3",
    "string(5), max: 9", "min: -1", "min: 2026", "pattern:", "text, unique", "json, index", "int, search",
    "int, on_delete", "many(tag), nullable", "string(2000)", "natural_key", "set_null", "owned", "inverse: name",
    "read: memer", "column:", "many(tag), on_delete", "class:", "constructor:", "id: int", "tenant_id:", "tag_id:", "limit:", "task:",
]  # fmt: skip


@pytest.mark.parametrize(
    "line", refusals(test_mistakes.test_a_mistake_in_a_field_is_told_with_how_to_mend_it)
)
def test_it_refuses_the_mistakes_in_fields_that_it_can_see(line: str) -> None:
    seen = bool(complaints(with_fields(line)))

    assert seen is not any(each in line for each in SEEN_BY_THE_READER_ALONE), complaints(with_fields(line))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (FRAME.replace("tenancy:", "tenacy:"), "$"),
        (FRAME.replace("freehold: 1", "freehold: 2"), "$.freehold"),
        (FRAME.replace("service: shop", "service: Shop!"), "$.service"),
        (FRAME.replace("tenant: none", "tenant: nobody"), "$.entities.kind.tenant"),
        (FRAME.replace("tenant: none, ", ""), "$.entities.kind"),
        (FRAME.replace("  kind:", "  Kind:"), "$.entities"),
        (FRAME + "deploy: [dokcer]\n", "$.deploy[0]"),
        (FRAME + "auth: { provider: auth1 }\n", "$.auth.provider"),
        (FRAME + "auth: { session: { table: s, token_column: t, user: u } }\n", "$.auth.session"),
        (
            FRAME + "auth: { session: { table: a b, token_column: t, user: u, expires: e } }\n",
            "$.auth.session.table",
        ),
        (FRAME + "platform: { buckets: { a: { max_size: 5XB } } }\n", "$.platform.buckets.a"),
        (FRAME + "platform: { buckets: { a: { file_security: maybe } } }\n", "$.platform.buckets.a"),
        (FRAME + "platform: { bucket: {} }\n", "$.platform"),
        (with_fields("a: int", access="{ raed: member }"), "$.entities.task.access"),
        (with_fields("a: int", index="[a]"), "$.entities.task.index[0]"),
    ],
)
def test_the_reader_and_it_refuse_the_same_mistakes_around_fields(text: str, where: str) -> None:
    with pytest.raises(SchemaError):
        parse_schema(text)
    assert any(each.startswith(f"{where}:") for each in complaints(text)), complaints(text)
