"""Stable ids: given once, kept through renames, and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.schema import (
    AmbiguousChange,
    Decisions,
    Lock,
    SchemaError,
    lock_of,
    lock_text,
    parse_schema,
    read_lock,
    read_schema,
    write_lock,
)
from freehold.schema.model import Schema
from tests.schema.texts import FRAME, with_fields


def ids(schema: Schema) -> dict[str, str]:
    found = {entity.name: entity.id for entity in schema.entities}
    return found | {
        f"{entity.name}.{field.name}": field.id for entity in schema.entities for field in entity.fields
    }


def locked(text: str) -> tuple[Lock, dict[str, str]]:
    schema = parse_schema(text)
    return lock_of(schema), ids(schema)


def test_ids_stay_when_order_changes_and_others_come() -> None:
    lock, before = locked(with_fields("a: int", "b: text"))
    after = ids(parse_schema(with_fields("c: json", "b: text", "a: int"), lock=lock))

    assert {name: id_ for name, id_ in after.items() if name != "task.c"} == before
    assert after["task.c"] not in before.values()


def test_the_same_text_gets_the_same_ids() -> None:
    assert locked(with_fields("a: int", "b: text")) == locked(with_fields("a: int", "b: text"))


def test_an_id_has_no_second_life() -> None:
    first = parse_schema(with_fields("a: int", "b: json"))
    lock = lock_of(first)
    without = parse_schema(with_fields("a: int"), lock=lock)
    lock = lock_of(without, lock)
    again = parse_schema(with_fields("a: int", "b: json"), lock=lock)

    assert ids(again)["task.b"] != ids(first)["task.b"]


def test_was_is_a_rename_and_may_stay_afterwards() -> None:
    lock, before = locked(with_fields("budget: int"))
    renamed = with_fields("amount: { type: bigint, was: budget }")
    after = parse_schema(renamed, lock=lock)
    later = parse_schema(renamed, lock=lock_of(after, lock))

    assert ids(after)["task.amount"] == ids(later)["task.amount"] == before["task.budget"]


def test_was_renames_an_entity() -> None:
    lock, before = locked(with_fields("a: int"))
    after = ids(
        parse_schema(with_fields("a: int").replace("  task:\n", "  job:\n    was: task\n"), lock=lock)
    )

    assert (after["job"], after["job.a"]) == (before["task"], before["task.a"])


def test_a_drop_and_an_add_that_could_be_a_rename_are_a_question() -> None:
    lock, _ = locked(with_fields("budget: int", "title: text"))
    with pytest.raises(AmbiguousChange) as raised:
        parse_schema(with_fields("amount: decimal(12,2)", "title: text"), lock=lock)

    (question,) = raised.value.questions
    assert (question.path, question.candidates) == ("task.budget", ("amount",))
    assert "add `was: budget` to `amount`" in raised.value.problems[0].hint
    assert raised.value.problems[0].line == 12


def test_an_answer_settles_the_question() -> None:
    lock, before = locked(with_fields("budget: int"))
    text = with_fields("amount: int")
    renamed = parse_schema(text, lock=lock, decisions=Decisions(renames={"task.budget": "amount"}))
    dropped = parse_schema(text, lock=lock, decisions=Decisions(drops=frozenset({"task.budget"})))

    assert ids(renamed)["task.amount"] == before["task.budget"]
    assert ids(dropped)["task.amount"] not in before.values()


def test_a_drop_and_an_add_that_cannot_be_a_rename_are_no_question() -> None:
    lock, before = locked(with_fields("budget: int", "title: text"))
    after = ids(parse_schema(with_fields("settings: json", "title: text"), lock=lock))

    assert after["task.settings"] not in before.values()


def test_an_entity_that_looks_like_one_that_is_gone_is_a_question() -> None:
    lock, before = locked(with_fields("a: int", "b: int", "c: int"))
    text = with_fields("a: int", "b: int", "d: json").replace("  task:\n", "  job:\n")
    with pytest.raises(AmbiguousChange) as raised:
        parse_schema(text, lock=lock)
    settled = parse_schema(text, lock=lock, decisions=Decisions(renames={"task": "job"}))

    assert [each.path for each in raised.value.questions] == ["task"]
    assert ids(settled)["job"] == before["task"]


def test_was_of_something_that_never_was_is_told() -> None:
    lock, _ = locked(with_fields("budget: int"))
    with pytest.raises(SchemaError, match=r"no field of `task` called `buget`.*did you mean `budget`"):
        parse_schema(with_fields("budget: int", "amount: { type: int, was: buget }"), lock=lock)


def test_was_of_something_that_is_still_here_is_told() -> None:
    lock, _ = locked(with_fields("a: int", "b: int"))
    with pytest.raises(SchemaError, match="`a` is still here"):
        parse_schema(with_fields("a: int", "b: { type: int, was: a }"), lock=lock)


def test_the_lock_lies_beside_the_schema_and_is_only_written_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "freehold.yaml").write_text(FRAME)
    assert read_lock(tmp_path) is None
    lock = lock_of(read_schema(tmp_path))

    assert write_lock(tmp_path, lock) is True
    assert write_lock(tmp_path, lock) is False
    assert read_lock(tmp_path) == lock
    assert read_schema(tmp_path) == parse_schema(FRAME, lock=lock)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["freehold.yaml", "schema.lock.json"]


def test_a_lock_has_one_thing_a_line_so_that_branches_merge() -> None:
    lock, _ = locked(with_fields("a: int", "b: enum(x, 'y, z')"))

    lines = lock_text(lock).splitlines()

    assert lines.count('          "type": "int"') == 1
    assert '          "name": "a",' in lines


def test_a_broken_lock_is_told(tmp_path: Path) -> None:
    (tmp_path / "freehold.yaml").write_text(FRAME)
    (tmp_path / "schema.lock.json").write_text("{<<<<<<< HEAD")
    with pytest.raises(SchemaError, match="restore it from version control"):
        read_schema(tmp_path)
