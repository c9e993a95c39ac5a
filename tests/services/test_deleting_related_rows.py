"""Rows deleted together with those that go along, or kept because of them."""

from __future__ import annotations

import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of
from tests.services.relating import ANYBODY, NAME, ROWS, conflict, execute, ids, told


@pytest.fixture
def library(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("parents", "children", "grandchildren"):
        tables.create_table("db", table_id, table_id, ANYBODY, columns=[NAME])
    return tables


def relate(tables: TablesDB, kind: str, rule: str) -> None:
    tables.create_relationship_column(
        "db", "parents", "children", RelationshipType(kind), True, "down", "up", RelationMutate(rule)
    )


DOWN = {"oneToOne": "c", "manyToOne": "c", "oneToMany": ["c"], "manyToMany": ["c"]}


@pytest.mark.parametrize(
    ("kind", "deleted", "refused"),
    [
        ("oneToMany", "parents", True),
        ("oneToMany", "children", False),
        ("manyToOne", "children", True),
        ("manyToOne", "parents", False),
        ("oneToOne", "parents", True),
        ("oneToOne", "children", True),
        ("manyToMany", "parents", True),
        ("manyToMany", "children", True),
    ],
)
def test_restrict_refuses_to_delete_a_row_that_has_related_ones(
    project: Project, library: TablesDB, kind: str, deleted: str, refused: bool
) -> None:
    relate(library, kind, "restrict")
    library.create_row("db", "children", "c", {})
    library.create_row("db", "parents", "p", {"down": DOWN[kind]})
    told(project)
    row = "p" if deleted == "parents" else "c"
    one = project.server.delete(ROWS.format(deleted) + f"/{row}")

    if refused:
        many = project.server.request("DELETE", ROWS.format(deleted), json={"queries": []})
        assert error_of(one) == error_of(many) == (403, "row_delete_restricted")
        assert (ids(library, "parents"), ids(library, "children"), told(project)) == (["p"], ["c"], [])
    else:
        assert one.status_code == 204


@pytest.mark.parametrize(
    ("kind", "deleted", "goes_along"),
    [
        ("oneToMany", "parents", True),
        ("oneToMany", "children", False),
        ("manyToOne", "children", True),
        ("manyToOne", "parents", False),
        ("oneToOne", "parents", True),
        ("oneToOne", "children", True),
        ("manyToMany", "parents", True),
        ("manyToMany", "children", False),
    ],
)
@pytest.mark.parametrize("many", [True, False])
def test_cascade_deletes_related_rows_with_an_event_of_each(
    project: Project, library: TablesDB, kind: str, deleted: str, goes_along: bool, many: bool
) -> None:
    relate(library, kind, "cascade")
    library.create_row("db", "children", "c", {})
    library.create_row("db", "children", "other", {})
    library.create_row("db", "parents", "p", {"down": DOWN[kind]})
    told(project)
    row, kept = ("p", "children") if deleted == "parents" else ("c", "parents")
    if many:
        library.delete_rows("db", deleted, [Query.equal("$id", row)])
    else:
        library.delete_row("db", deleted, row)

    events = {f"{deleted}.rows.{row}.delete"}
    if goes_along:
        events.add(f"{kept}.rows.{'c' if kept == 'children' else 'p'}.delete")
    assert set(told(project)) == events
    left = {*ids(library, "parents"), *ids(library, "children")}
    assert left == {"other"} if goes_along else left == {"other", "c" if kept == "children" else "p"}


@pytest.mark.parametrize("rule", ["cascade", "setNull", "restrict"])
def test_a_bulk_delete_that_fits_no_row_deletes_none(library: TablesDB, rule: str) -> None:
    relate(library, "oneToMany", rule)
    library.create_row("db", "parents", "p", {"down": [{"$id": "c"}]})

    assert library.delete_rows("db", "parents", [Query.equal("name", "nobody")]).total == 0
    assert (ids(library, "parents"), ids(library, "children")) == (["p"], ["c"])


@pytest.mark.parametrize("kind", ["oneToOne", "oneToMany", "manyToOne", "manyToMany"])
@pytest.mark.parametrize("deleted", ["parents", "children"])
def test_set_null_lets_go_of_related_rows(
    project: Project, library: TablesDB, kind: str, deleted: str
) -> None:
    relate(library, kind, "setNull")
    library.create_row("db", "children", "c", {})
    library.create_row("db", "parents", "p", {"down": DOWN[kind]})
    library.delete_row("db", deleted, "p" if deleted == "parents" else "c")

    left, key = ("children", "up") if deleted == "parents" else ("parents", "down")
    row = library.list_rows("db", left, [Query.select(["*", f"{key}.*"])]).rows[0]
    assert row.data[key] in (None, [])


def test_a_cascade_goes_on_to_the_rows_below(project: Project, library: TablesDB) -> None:
    relate(library, "oneToMany", "cascade")
    library.create_relationship_column(
        "db", "grandchildren", "children", RelationshipType.MANYTOONE, key="over",
        on_delete=RelationMutate.CASCADE,
    )  # fmt: skip
    library.create_row("db", "parents", "p", {"down": [{"$id": "c1"}, {"$id": "c2"}]})
    library.create_row("db", "grandchildren", "g", {"over": "c2"})
    told(project)
    library.delete_row("db", "parents", "p")

    assert sorted(told(project)) == [
        "children.rows.c1.delete",
        "children.rows.c2.delete",
        "grandchildren.rows.g.delete",
        "parents.rows.p.delete",
    ]
    assert ids(library, "grandchildren") == []


@pytest.mark.parametrize("many", [True, False])
def test_a_cascade_in_a_circle_deletes_each_row_once_with_its_event(
    project: Project, library: TablesDB, many: bool
) -> None:
    cascade = RelationMutate.CASCADE
    library.create_relationship_column(
        "db", "parents", "parents", RelationshipType.MANYTOONE, key="over", on_delete=cascade
    )
    library.create_relationship_column(
        "db", "children", "parents", RelationshipType.MANYTOONE, key="of", on_delete=cascade
    )
    library.create_relationship_column(
        "db", "parents", "children", RelationshipType.MANYTOONE, key="favourite", on_delete=cascade
    )
    for row_id, over in (("p", None), ("q", "p"), ("r", "q"), ("self", "r")):
        library.create_row("db", "parents", row_id, {"over": over})
    library.create_row("db", "children", "c", {"of": "r"})
    library.update_row("db", "parents", "p", {"over": "q", "favourite": "c"})
    library.update_row("db", "parents", "self", {"over": "self"})
    told(project)
    if many:
        library.delete_rows("db", "parents", [Query.equal("$id", "p")])
    else:
        library.delete_row("db", "parents", "p")
    gone = told(project)
    library.delete_row("db", "parents", "self")

    assert sorted(gone) == ["children.rows.c.delete", *(f"parents.rows.{each}.delete" for each in "pqr")]
    assert told(project) == ["parents.rows.self.delete"]
    assert ids(library, "parents") == ids(library, "children") == []


def test_a_restriction_below_keeps_all_that_would_cascade(project: Project, library: TablesDB) -> None:
    relate(library, "oneToMany", "cascade")
    library.create_relationship_column(
        "db", "grandchildren", "children", RelationshipType.MANYTOONE, key="over"
    )
    library.create_row("db", "parents", "p", {"down": [{"$id": "c1"}, {"$id": "c2"}]})
    library.create_row("db", "grandchildren", "g", {"over": "c2"})
    told(project)
    refused = project.server.delete(ROWS.format("parents") + "/p")

    assert error_of(refused) == (403, "row_delete_restricted")
    assert (ids(library, "children"), told(project)) == (["c1", "c2"], [])


def test_what_goes_along_over_too_many_levels_is_refused_as_a_whole(
    project: Project, library: TablesDB
) -> None:
    library.create_relationship_column(
        "db", "parents", "parents", RelationshipType.MANYTOONE, key="over", on_delete=RelationMutate.CASCADE
    )
    namespace = execute(project, "select namespace from freehold.databases where project_id = $1", project.id)
    execute(
        project,
        f'insert into "{namespace[0]["namespace"]}".parents (_id, over_id)'
        " select 'p' || n, case when n > 1 then 'p' || (n - 1) end from generate_series(1, 150) n",
    )
    refused = project.server.delete(ROWS.format("parents") + "/p1")
    library.delete_row("db", "parents", "p100")

    assert error_of(refused) == (400, "general_bad_request")
    assert library.list_rows("db", "parents").total == 99


@pytest.mark.parametrize("kind", ["oneToOne", "manyToMany"])
def test_nobody_deletes_by_a_reference_what_they_could_not_delete(
    project: Project, library: TablesDB, jane: User, kind: str
) -> None:
    relate(library, kind, "cascade")
    library.create_row("db", "children", "c", {})
    made = jane.client.post(ROWS.format("parents"), json={"rowId": "p", "data": {"down": DOWN[kind]}})
    library.update_table("db", "children", permissions=['read("any")'])
    refused = jane.client.delete(ROWS.format("parents") + "/p")

    assert made.status_code == 201, made.text
    assert error_of(refused) == (401, "user_unauthorized")
    assert (ids(library, "parents"), ids(library, "children")) == (["p"], ["c"])


def test_a_hundred_parents_go_with_ten_thousand_children_each_with_its_event(
    project: Project, library: TablesDB
) -> None:
    relate(library, "oneToMany", "cascade")
    namespace = execute(project, "select namespace from freehold.databases where project_id = $1", project.id)
    schema = namespace[0]["namespace"]
    execute(project, f"insert into \"{schema}\".parents (_id) select 'p' || n from generate_series(1, 100) n")
    execute(
        project,
        f'insert into "{schema}".children (_id, up_id)'
        " select 'c' || n, 'p' || (n % 100 + 1) from generate_series(1, 10000) n",
    )
    deleted = library.delete_rows("db", "parents", [])

    assert deleted.total == 100
    assert library.list_rows("db", "children").total == 0
    events = told(project)
    assert (len(events), len(set(events))) == (10_100, 10_100)


@pytest.mark.parametrize("meanwhile", ["changed", "gone", "added"])
@pytest.mark.parametrize("rule", ["cascade", "setNull"])
def test_a_row_that_goes_along_and_was_changed_by_somebody_else_is_a_conflict(
    library: TablesDB, rule: str, meanwhile: str
) -> None:
    relate(library, "oneToMany", rule)
    library.create_row("db", "parents", "p", {"down": [{"$id": "a"}, {"$id": "b"}]})
    transaction = library.create_transaction().to_dict()["$id"]
    library.delete_row("db", "parents", "p", transaction_id=transaction)
    if meanwhile == "changed":
        library.update_row("db", "children", "a", {"name": "kept, please"})
    elif meanwhile == "gone":
        library.delete_row("db", "children", "a")
    else:
        library.create_row("db", "children", "c", {"up": "p"})
    before = ids(library, "children")

    assert conflict(library, transaction)
    assert (ids(library, "parents"), ids(library, "children")) == (["p"], before)


def test_rows_that_go_along_are_no_conflict_when_they_were_made_in_the_same_transaction(
    library: TablesDB,
) -> None:
    relate(library, "oneToMany", "cascade")
    library.create_row("db", "parents", "p", {"down": [{"$id": "a"}]})
    transaction = library.create_transaction().to_dict()["$id"]
    library.create_row("db", "children", "b", {"up": "p"}, transaction_id=transaction)
    library.update_row("db", "children", "a", {"name": "x"}, transaction_id=transaction)
    library.delete_row("db", "parents", "p", transaction_id=transaction)
    library.create_row("db", "parents", "p", {"down": [{"$id": "a"}]}, transaction_id=transaction)

    assert library.update_transaction(transaction, commit=True).status == "committed"
    assert (ids(library, "parents"), ids(library, "children")) == (["p"], ["a"])
