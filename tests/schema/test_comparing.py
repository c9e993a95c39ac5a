"""Two schemas, and the changes between them."""

from __future__ import annotations

from freehold.db import ddl
from freehold.schema import compare, lock_of, parse_schema
from freehold.schema.changes import (
    AddColumn,
    AddConstraint,
    AddEventTriggers,
    AddIndex,
    AddPolicy,
    Change,
    ChangeCheck,
    ChangeDefault,
    ChangeNullability,
    ChangeType,
    CommentColumn,
    CreateTable,
    DisableRowSecurity,
    DropColumn,
    DropConstraint,
    DropEventTriggers,
    DropIndex,
    DropPolicy,
    DropTable,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
)
from freehold.schema.table_names import foreign_key_name, index_name
from tests.schema.texts import with_fields


def changes(before: str, after: str) -> list[Change]:
    old = parse_schema(before)
    return compare(old, parse_schema(after, lock=lock_of(old)))


def kinds(before: str, after: str) -> list[type[Change]]:
    return [type(change) for change in changes(before, after)]


def test_nothing_changes_between_equals_in_another_order() -> None:
    assert changes(with_fields("a: int", "b: text"), with_fields("b: text", "a: int")) == []


def test_what_only_the_api_sees_changes_no_table() -> None:
    before = with_fields("a: string(5)")
    after = with_fields(
        "a: { type: string(5), read: admin, filter: false, list: false }", access="{ read: public }"
    )

    assert changes(before, after) == []


def test_a_field_comes_and_goes_with_its_check() -> None:
    one, two = with_fields("a: int"), with_fields("a: int", "b: string(5)")

    assert kinds(one, two) == [AddColumn, AddConstraint]
    assert kinds(two, one) == [DropColumn]


def test_a_rename_renames_all_that_is_named_after_it() -> None:
    before = with_fields("size: { type: int, min: 0, unique: true, index: true, default: 3 }")
    after = with_fields("amount: { type: int, min: 0, unique: true, index: true, default: 3, was: size }")

    assert kinds(before, after) == [RenameIndex, RenameColumn, RenameConstraint]


def test_another_api_name_for_the_same_column_changes_no_table() -> None:
    assert (
        changes(with_fields("budget: int"), with_fields("amount: { type: int, was: budget, column: budget }"))
        == []
    )


def test_a_renamed_entity_keeps_its_table_and_moves_what_points_at_it() -> None:
    before = with_fields("tag: ref(tag)", "name: { type: string(5), unique: true }")
    found = changes(before, before.replace("  task:\n", "  job:\n    was: task\n"))

    assert isinstance(found[0], RenameTable)
    assert not any(
        isinstance(each, (CreateTable, DropTable, AddConstraint, DropConstraint)) for each in found
    )
    assert {each.to for each in found if isinstance(each, RenameConstraint)} == {
        "job_tag_id_fkey", "job_name_length_check",
    }  # fmt: skip


def test_an_enum_that_gets_a_member_changes_its_check_only() -> None:
    assert kinds(with_fields("a: enum(x, y)"), with_fields("a: enum(x, y, z)")) == [ChangeCheck]


def test_a_type_that_is_kept_alike_changes_checks_only() -> None:
    assert kinds(with_fields("a: string(5)"), with_fields("a: string(9)")) == [ChangeCheck]
    assert kinds(with_fields("a: string(5)"), with_fields("a: text")) == [DropConstraint]


def test_a_new_type_takes_the_default_away_and_puts_it_back() -> None:
    found = kinds(with_fields("a: { type: int, default: 1 }"), with_fields("a: { type: bigint, default: 1 }"))

    assert found == [ChangeDefault, ChangeType, ChangeDefault]


def test_a_type_that_cannot_be_converted_is_a_new_column() -> None:
    before, after = with_fields("a: json"), with_fields("a: point")

    assert kinds(before, after) == [DropColumn, AddColumn]


def test_small_properties_are_changes_of_their_own() -> None:
    before = with_fields("a: int", "b: int")
    after = with_fields("a: { type: int, nullable: true, default: 3 }", "b: { type: int, description: Big. }")

    assert kinds(before, after) == [ChangeNullability, ChangeDefault, CommentColumn]


def test_soft_delete_turns_uniqueness_into_one_among_the_living() -> None:
    field = "code: { type: string(5), unique: true }"

    assert kinds(with_fields(field), with_fields(field, soft_delete="true")) == [
        DropConstraint,
        AddColumn,
        AddIndex,
    ]
    assert kinds(with_fields(field, soft_delete="true"), with_fields(field)) == [DropColumn, AddConstraint]


def test_leaving_the_tenants_lets_go_of_policy_and_keys() -> None:
    found = kinds(with_fields("a: int"), with_fields("a: int", tenant="none"))

    assert found == [DropPolicy, DisableRowSecurity, DropColumn, AddConstraint]


def test_isolation_by_predicate_has_no_policies() -> None:
    before = with_fields("a: int")
    found = changes(before, before.replace("{ entity: org }", "{ entity: org, isolation: where }"))

    assert {type(each) for each in found} == {DropPolicy, DisableRowSecurity}
    assert {type(each) for each in changes(before.replace("org }", "org, isolation: where }"), before)} > {
        AddPolicy
    }


def test_two_fields_exchange_their_columns_by_stepping_aside() -> None:
    found = changes(
        with_fields("a: { type: int, column: x }", "b: { type: int, column: y }"),
        with_fields("a: { type: int, column: y }", "b: { type: int, column: x }"),
    )

    assert [(each.column, each.to) for each in found if isinstance(each, RenameColumn)] == [
        ("x", "x_stepping_aside"),
        ("y", "x"),
        ("x_stepping_aside", "y"),
    ]


def test_many_is_a_table_of_links() -> None:
    (create, *rest) = changes(with_fields("a: int"), with_fields("a: int", "tags: many(tag)"))

    assert isinstance(create, CreateTable)
    assert create.definition.name == "task_tags"
    assert create.definition.primary_key.columns == ("tenant_id", "task_id", "tag_id")
    assert [key.target_columns for key in create.definition.foreign_keys] == [("tenant_id", "id")] * 2
    assert rest


def test_an_index_that_is_no_more_is_dropped() -> None:
    assert kinds(with_fields("a: { type: int, index: true }"), with_fields("a: int")) == [DropIndex]


def test_names_are_those_that_the_generator_can_foresee() -> None:
    assert foreign_key_name("project", "owner_id") == "project_owner_id_fkey"
    assert index_name("project", ("tenant_id", "code")) == "project_tenant_id_code_idx"


def test_long_names_are_cut_within_the_limit_and_told_apart() -> None:
    one = index_name("t" * 60, ("a" * 50,))
    two = index_name("t" * 60, ("a" * 49 + "b",))

    assert one != two
    assert len(one) == len(two) == 63
    assert one.endswith("_idx")
    assert len(foreign_key_name("é" * 31, "ü" * 31).encode()) <= 63


def test_triggers_that_tell_of_sql_come_go_and_follow_the_name_of_the_table() -> None:
    field = "a: int"
    quiet, loud = with_fields(field), with_fields(field, sql_events="true")

    assert kinds(quiet, loud) == [AddEventTriggers]
    assert kinds(loud, quiet) == [DropEventTriggers]
    renamed = loud.replace("  task:\n", "  job:\n    was: task\n")
    assert set(kinds(loud, renamed)) >= {DropEventTriggers, RenameTable, AddEventTriggers}
    assert not {AddEventTriggers, DropEventTriggers} & set(
        kinds(loud, with_fields(field, "b: text", sql_events="true"))
    )


def test_the_migrations_of_a_service_have_no_triggers_of_a_platform() -> None:
    loud = parse_schema(with_fields("a: int", sql_events="true"))

    assert not any("EVENTS_OF" in step.sql.upper() for step in ddl.create(loud))
    assert any("EVENTS_OF" in step.sql.upper() for step in ddl.create(loud, namespace="shop"))
