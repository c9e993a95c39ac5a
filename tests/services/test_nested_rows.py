"""Rows written together with those they are related to."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of
from tests.services.relating import ANYBODY, NAME, ROWS, conflict, ids, told


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """Books have an author, tags, and a cover of their own; authors have a country."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("books", "authors", "countries", "tags", "covers"):
        tables.create_table("db", table_id, table_id, ANYBODY, columns=[NAME])
    relate = tables.create_relationship_column
    relate(
        "db", "books", "authors", RelationshipType.MANYTOONE, True, "author", "books", RelationMutate.SETNULL
    )
    relate("db", "authors", "countries", RelationshipType.MANYTOONE, True, "country", "authors")
    relate("db", "books", "tags", RelationshipType.MANYTOMANY, True, "tags", "books", RelationMutate.SETNULL)
    relate("db", "books", "covers", RelationshipType.ONETOONE, True, "cover", "book", RelationMutate.SETNULL)
    return tables


def count(tables: TablesDB) -> dict[str, int]:
    names = ("books", "authors", "countries", "tags", "covers")
    return {each: int(tables.list_rows("db", each).total) for each in names}


def test_a_row_is_made_with_all_that_it_is_related_to(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "tags", "old", {"name": "Old"})
    told(project)
    made = tables.create_row(
        "db", "books", "b1",
        {
            "name": "B1",
            "author": {"$id": "jo", "name": "Jo", "country": {"$id": "no", "name": "Norway"}},
            "tags": ["old", {"$id": "new", "name": "New"}],
            "cover": {"$id": "red", "name": "Red", "$permissions": ['read("guests")']},
        },
    )  # fmt: skip
    read = tables.get_row(
        "db", "books", "b1", [Query.select(["author.country.name", "tags.name", "cover.*"])]
    )

    assert made.data["name"] == "B1"
    assert made.data["author"]["country"]["name"] == "Norway"
    assert [each if isinstance(each, str) else each["$id"] for each in made.data["tags"]] == ["old", "new"]
    assert read.data["author"]["country"]["name"] == "Norway"
    assert [each["name"] for each in read.data["tags"]] == ["Old", "New"]
    assert read.data["cover"]["$permissions"] == ['read("guests")']
    assert sorted(told(project)) == [
        "authors.rows.jo.create",
        "books.rows.b1.create",
        "countries.rows.no.create",
        "covers.rows.red.create",
        "tags.rows.new.create",
    ]


def test_a_list_of_related_rows_is_the_new_whole(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "authors", "jo", {"books": [{"$id": "b1"}, {"$id": "b2"}]})
    tables.create_row("db", "books", "b3", {"tags": [{"$id": "t1"}, {"$id": "t2"}]})
    told(project)
    tables.update_row("db", "authors", "jo", {"books": ["b3", {"$id": "b2", "name": "Two"}, {"$id": "b4"}]})
    tables.update_row("db", "books", "b3", {"tags": ["t2", {"$id": "t3"}]})
    tables.update_row("db", "tags", "t1", {"books": ["b1"]})

    assert ids(tables, "books", Query.equal("author", "jo")) == ["b2", "b3", "b4"]
    assert tables.get_row("db", "books", "b2").data["name"] == "Two"
    assert ids(tables, "tags", Query.equal("books", "b3")) == ["t2", "t3"]
    assert ids(tables, "tags", Query.equal("books", "b1")) == ["t1"]
    assert "books.rows.b1.update" in told(project)
    tables.update_row("db", "authors", "jo", {"books": []})
    tables.update_row("db", "books", "b3", {"tags": []})
    assert ids(tables, "books", Query.is_not_null("author")) == []
    assert ids(tables, "tags", Query.is_not_null("books")) == ["t1"]


def test_an_id_that_comes_twice_is_one_row(tables: TablesDB) -> None:
    tables.create_row("db", "tags", "t1", {})
    made = tables.create_row("db", "books", "b1", {"tags": ["t1", "t1"]})
    put = tables.upsert_row("db", "authors", "jo", {"books": ["b1", {"$id": "b2"}, "b1"]})

    assert made.data["tags"] == ["t1"]
    assert [put.data["books"][0], put.data["books"][1]["$id"]] == ["b1", "b2"]
    assert len(put.data["books"]) == 2


def test_one_related_row_is_connected_changed_and_disconnected(tables: TablesDB) -> None:
    tables.create_row("db", "authors", "jo", {"name": "Jo"})
    tables.create_row("db", "books", "b1", {"author": "jo"})
    tables.update_row("db", "books", "b1", {"author": {"$id": "jo", "name": "Johan"}})
    changed = tables.get_row("db", "authors", "jo").data["name"]
    tables.update_row("db", "books", "b1", {"author": {"name": "New"}})
    new = tables.get_row("db", "books", "b1", [Query.select(["author.name"])]).data["author"]
    tables.update_row("db", "books", "b1", {"author": None})

    assert changed == "Johan"
    assert new["name"] == "New"
    assert new["$id"] != "jo"
    assert tables.get_row("db", "books", "b1").data["author"] is None
    assert count(tables)["authors"] == 2


def test_the_other_side_of_a_one_to_one_can_be_written_too(tables: TablesDB) -> None:
    tables.create_row("db", "covers", "red", {"book": {"$id": "b1", "name": "B1"}})
    tables.create_row("db", "books", "b2", {})
    tables.update_row("db", "covers", "red", {"book": "b2"})

    assert tables.get_row("db", "books", "b1").data["cover"] is None
    assert tables.get_row("db", "books", "b2").data["cover"] == "red"
    tables.update_row("db", "covers", "red", {"book": None})
    assert tables.get_row("db", "books", "b2").data["cover"] is None


def test_of_a_one_to_one_a_row_has_no_second(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "books", "b1", {"cover": {"$id": "red"}})
    taken = project.server.post(ROWS.format("books"), json={"rowId": "b2", "data": {"cover": "red"}})

    assert error_of(taken) == (409, "row_unique_constraint_violation")
    assert "`cover`" in taken.json()["message"]
    assert ids(tables, "books") == ["b1"]


def test_an_upsert_writes_related_rows_whether_the_row_is_there_or_not(tables: TablesDB) -> None:
    tables.upsert_row("db", "authors", "jo", {"name": "Jo", "books": [{"$id": "b1"}, {"$id": "b2"}]})
    again = tables.upsert_row("db", "authors", "jo", {"books": ["b1"], "country": {"$id": "no"}})

    assert (again.data["name"], again.data["books"]) == ("Jo", ["b1"])
    assert ids(tables, "books", Query.equal("author", "jo")) == ["b1"]
    assert tables.get_row("db", "authors", "jo").data["country"] == "no"


def test_many_rows_are_made_each_with_those_that_it_is_related_to(project: Project, tables: TablesDB) -> None:
    tables.create_row("db", "tags", "old", {"name": "Old"})
    told(project)
    made = tables.create_rows(
        "db", "books",
        [
            {"$id": "b1", "author": {"$id": "jo", "name": "Jo"}, "tags": ["old", {"$id": "new"}]},
            {"$id": "b2", "author": {"$id": "jo", "name": "Joan"}, "cover": {"$id": "red"}},
            {"$id": "b3", "$permissions": ['read("guests")'], "name": "alone"},
        ],
    ).rows  # fmt: skip

    assert [row.id for row in made] == ["b1", "b2", "b3"]
    assert [made[0].data["author"]["name"], made[1].data["author"]["name"]] == ["Joan", "Joan"]
    assert ids(tables, "books", Query.equal("author", "jo")) == ["b1", "b2"]
    assert ids(tables, "tags", Query.equal("books", "b1")) == ["new", "old"]
    assert tables.get_row("db", "books", "b3").permissions == ['read("guests")']
    assert sorted(told(project)) == [
        "authors.rows.jo.create",
        "books.rows.b1.create",
        "books.rows.b2.create",
        "books.rows.b3.create",
        "covers.rows.red.create",
        "tags.rows.new.create",
    ]


def test_many_rows_are_upserted_each_with_those_that_it_is_related_to(tables: TablesDB) -> None:
    tables.create_row("db", "authors", "jo", {"books": [{"$id": "b1"}, {"$id": "b2"}]})
    tables.create_row("db", "authors", "al", {"books": [{"$id": "b3", "tags": [{"$id": "t1"}]}]})
    put = tables.upsert_rows(
        "db", "authors",
        [
            {"$id": "jo", "books": ["b3", {"$id": "b1", "name": "One", "tags": ["t1"]}]},
            {"$id": "al", "books": [{"$id": "b4"}]},
            {"$id": "new", "country": {"$id": "no"}},
        ],
    ).rows  # fmt: skip

    assert [row.id for row in put] == ["jo", "al", "new"]
    assert ids(tables, "books", Query.equal("author", "jo")) == ["b1", "b3"]
    assert ids(tables, "books", Query.equal("author", "al")) == ["b4"]
    assert tables.get_row("db", "books", "b2").data["author"] is None
    assert ids(tables, "books", Query.equal("tags", "t1")) == ["b1", "b3"]
    assert tables.get_row("db", "authors", "new").data["country"] == "no"


def test_a_thousand_rows_are_made_with_a_related_row_each_or_none_is(
    project: Project, tables: TablesDB
) -> None:
    rows = [{"$id": f"b{n}", "author": {"$id": f"a{n % 500}", "name": f"{n}"}} for n in range(1000)]
    bad = [*rows[:-1], {"$id": "last", "cover": {"name": "x" * 41}}]
    refused = project.server.post(ROWS.format("books"), json={"rows": bad})
    nothing = count(tables)
    made = tables.create_rows("db", "books", rows)

    assert error_of(refused) == (400, "row_invalid_structure")
    assert refused.json()["message"].startswith("rows[999].cover: ")
    assert set(nothing.values()) == {0}
    assert made.total == 1000
    assert (count(tables)["books"], count(tables)["authors"]) == (1000, 500)
    assert tables.get_row("db", "authors", "a0").data["name"] == "500"


def test_a_call_on_many_rows_writes_no_more_related_ones_than_it_may(
    project: Project, tables: TablesDB
) -> None:
    rows = [{"tags": [{} for _ in range(101)]} for _ in range(100)]
    made = project.server.post(ROWS.format("books"), json={"rows": rows})

    assert error_of(made) == (400, "relationship_value_invalid")
    assert set(count(tables).values()) == {0}


def test_rows_that_swap_what_only_one_can_have_do_so_in_one_call(project: Project, tables: TablesDB) -> None:
    tables.create_rows("db", "books", [{"$id": f"b{n}", "cover": {"$id": f"c{n}"}} for n in (1, 2, 3)])
    tables.upsert_rows("db", "books", [{"$id": "b1", "cover": "c2"}, {"$id": "b2", "cover": "c1"}])
    swapped = [tables.get_row("db", "books", each).data["cover"] for each in ("b1", "b2")]
    tables.upsert_rows(
        "db", "covers", [{"$id": "c1", "book": "b1"}, {"$id": "c2", "book": {"$id": "b2", "name": "Two"}}]
    )
    back = [tables.get_row("db", "books", each).data["cover"] for each in ("b1", "b2")]
    taken = project.server.put(ROWS.format("books"), json={"rows": [{"$id": "b1", "cover": "c3"}]})

    assert (swapped, back) == (["c2", "c1"], ["c1", "c2"])
    assert error_of(taken) == (409, "row_unique_constraint_violation")
    assert tables.get_row("db", "books", "b1").data["cover"] == "c1"


def test_a_row_that_is_named_in_several_places_is_one_row(project: Project, tables: TablesDB) -> None:
    both = {"$id": "jo", "name": "Jo"}, {"$id": "jo", "country": {"$id": "no"}}
    tables.create_row("db", "countries", "no", {"name": "Norway"})
    told(project)
    made = tables.create_row(
        "db", "tags", "t", {"books": [{"$id": f"b{n}", "author": each} for n, each in enumerate(both)]}
    )
    adds = [{"$id": "jo", "name": '{"method":"stringConcat","values":["x"]}'} for _ in range(2)]
    twice = project.server.put(
        ROWS.format("books"), json={"rows": [{"$id": f"b{n}", "author": each} for n, each in enumerate(adds)]}
    )

    assert [each["author"]["name"] for each in made.data["books"]] == ["Jo", "Jo"]
    assert tables.get_row("db", "authors", "jo").data == {"name": "Jo", "country": "no"}
    assert sorted(told(project)) == [
        "authors.rows.jo.create", "books.rows.b0.create", "books.rows.b1.create", "tags.rows.t.create"
    ]  # fmt: skip
    assert error_of(twice) == (400, "relationship_value_invalid")


def test_one_way_relationships_are_written_and_never_shown_on_the_other_side(
    project: Project, tables: TablesDB
) -> None:
    tables.create_relationship_column("db", "countries", "tags", RelationshipType.ONETOMANY, key="labels")
    tables.create_row("db", "countries", "no", {"labels": [{"$id": "t1", "name": "North"}]})
    country = tables.get_row("db", "countries", "no", [Query.select(["labels.name"])]).data
    refused = project.server.post(ROWS.format("tags"), json={"rowId": "t2", "data": {"countries": "no"}})

    assert [each["name"] for each in country["labels"]] == ["North"]
    assert tables.get_row("db", "tags", "t1").data == {"name": "North"}
    assert error_of(refused) == (400, "row_invalid_structure")
    assert ids(tables, "tags") == ["t1"]


def test_rows_of_one_table_are_related_to_each_other(tables: TablesDB) -> None:
    tables.create_relationship_column(
        "db", "tags", "tags", RelationshipType.ONETOMANY, True, "children", "parent", RelationMutate.CASCADE
    )
    tables.create_row("db", "tags", "a", {"children": [{"$id": "b", "children": [{"$id": "c"}]}]})

    assert (
        tables.get_row("db", "tags", "c", [Query.select(["parent.parent.name"])]).data["parent"]["parent"][
            "$id"
        ]
        == "a"
    )
    tables.delete_row("db", "tags", "a")
    assert ids(tables, "tags") == []


@pytest.mark.parametrize(
    "data",
    [
        {"author": "nobody"},
        {"author": 5},
        {"author": ["jo"]},
        {"tags": "crime"},
        {"tags": [None]},
        {"tags": ["nobody"]},
        {"tags": [["crime"]]},
        {"cover": {"name": {"$ne": None}}},
        {"author": {"nope": 1}},
        {"author": {"country": {"authors": [{"name": "x", "country": {"name": "too deep"}}]}}},
    ],
)
def test_what_a_relationship_cannot_be_is_refused_and_nothing_is_written(
    project: Project, tables: TablesDB, data: dict[str, Any]
) -> None:
    told(project)
    made = project.server.post(
        ROWS.format("books"), json={"rowId": "b1", "data": {"tags": [{"name": "first"}]} | data}
    )

    assert made.status_code == 400, made.text
    assert made.json()["type"] in ("relationship_value_invalid", "row_invalid_structure")
    assert set(count(tables).values()) == {0}
    assert told(project) == []


def test_a_call_writes_no_more_rows_than_it_may(project: Project, tables: TablesDB) -> None:
    many = [{"name": str(number)} for number in range(1001)]
    made = project.server.post(ROWS.format("authors"), json={"rowId": "jo", "data": {"books": many}})

    assert error_of(made) == (400, "relationship_value_invalid")
    assert set(count(tables).values()) == {0}


# -- who may write what ------------------------------------------------------------------------------------


def refusal(response: Any) -> tuple[int, str]:
    return error_of(response)


def test_a_related_row_that_may_not_be_read_is_refused_as_one_that_is_not_there(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.update_table("db", "authors", permissions=[], row_security=True)
    tables.create_row("db", "authors", "secret", {"name": "S"})
    rows = ROWS.format("books")
    hidden = jane.client.post(rows, json={"rowId": "b1", "data": {"author": "secret"}})
    missing = jane.client.post(rows, json={"rowId": "b1", "data": {"author": "nobody"}})

    assert error_of(hidden) == error_of(missing) == (400, "relationship_value_invalid")
    assert hidden.json()["message"].replace("secret", "nobody") == missing.json()["message"]
    assert ids(tables, "books") == []


def test_nobody_does_to_a_related_row_what_they_could_not_do_to_it_alone(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.update_table("db", "authors", permissions=['read("any")'])
    tables.create_row("db", "authors", "jo", {"name": "Jo"})
    tables.create_row("db", "books", "b1", {})
    books, one = ROWS.format("books"), ROWS.format("books") + "/b1"
    told(project)
    refused = [
        jane.client.post(books, json={"rowId": "b2", "data": {"author": {"name": "New"}}}),
        jane.client.post(books, json={"rowId": "b2", "data": {"author": {"$id": "jo", "name": "X"}}}),
        jane.client.patch(one, json={"data": {"author": {"$id": "jo", "$permissions": ['read("any")']}}}),
        jane.client.put(one, json={"data": {"author": {"name": "New"}}}),
    ]

    assert {refusal(each) for each in refused} == {(401, "user_unauthorized")}
    assert tables.get_row("db", "authors", "jo").data["name"] == "Jo"
    assert (count(tables)["authors"], ids(tables, "books"), told(project)) == (1, ["b1"], [])
    connected = jane.client.patch(one, json={"data": {"author": "jo"}})
    assert connected.status_code == 200, connected.text


def test_rows_are_tied_from_the_other_side_only_by_those_who_may_change_them(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.update_table("db", "books", permissions=['read("any")'])
    tables.create_row("db", "books", "b1", {})
    tables.create_row("db", "authors", "jo", {"books": [{"$id": "b2"}]})
    author = ROWS.format("authors") + "/jo"
    refused = [
        jane.client.patch(author, json={"data": {"books": ["b1", "b2"]}}),
        jane.client.patch(author, json={"data": {"books": []}}),
        jane.client.patch(author, json={"data": {"books": ["b2", {"name": "new"}]}}),
    ]

    assert {refusal(each) for each in refused} == {(401, "user_unauthorized")}
    assert ids(tables, "books", Query.equal("author", "jo")) == ["b2"]


def test_who_does_not_see_related_rows_does_not_disconnect_them(
    project: Project, tables: TablesDB, jane: User
) -> None:
    tables.update_table("db", "tags", permissions=[], row_security=True)
    tables.update_table("db", "books", permissions=ANYBODY)
    mine = [f'read("user:{jane.id}")', f'update("user:{jane.id}")']
    tables.create_row("db", "tags", "seen", {}, mine)
    tables.create_row("db", "tags", "hidden", {})
    tables.create_row("db", "books", "b1", {"tags": ["seen", "hidden"]})
    changed = jane.client.patch(ROWS.format("books") + "/b1", json={"data": {"tags": []}})

    assert changed.status_code == 200, changed.text
    assert ids(tables, "tags", Query.equal("books", "b1")) == ["hidden"]


def test_a_nested_row_grants_no_role_that_the_caller_lacks(
    project: Project, tables: TablesDB, jane: User
) -> None:
    nested = {"name": "x", "$permissions": ['read("user:somebody")']}
    made = jane.client.post(ROWS.format("books"), json={"rowId": "b1", "data": {"author": nested}})

    assert error_of(made) == (401, "user_unauthorized")
    assert set(count(tables).values()) == {0}


def test_many_rows_are_staged_with_those_inside(tables: TablesDB) -> None:
    transaction = tables.create_transaction().to_dict()["$id"]
    rows = [{"$id": f"b{n}", "tags": [{"name": "x"}]} for n in range(3)]
    staged = tables.create_rows("db", "books", rows, transaction_id=transaction)
    changed = [{"$id": "b1", "tags": []}, {"$id": "b2", "author": {"$id": "jo"}}]
    tables.upsert_rows("db", "books", changed, transaction_id=transaction)
    before = count(tables)
    tables.update_transaction(transaction, commit=True)

    assert set(before.values()) == {0}
    assert count(tables) == {"books": 3, "authors": 1, "tags": 3, "countries": 0, "covers": 0}
    assert tables.get_row("db", "books", "b2").data["author"] == "jo"
    assert ids(tables, "tags", Query.is_not_null("books")) == sorted(
        staged.rows[n].data["tags"][0]["$id"] for n in (0, 2)
    )


def test_nested_rows_are_staged_in_transactions(tables: TablesDB) -> None:
    transaction = tables.create_transaction().to_dict()["$id"]
    staged = tables.create_row(
        "db", "books", "b1", {"author": {"name": "Jo"}, "tags": [{"name": "x"}]}, transaction_id=transaction
    )
    before = count(tables)
    tables.update_transaction(transaction, commit=True)

    assert set(before.values()) == {0}
    assert tables.get_row("db", "books", "b1").data["author"] == staged.data["author"]["$id"]
    assert count(tables) == {"books": 1, "authors": 1, "tags": 1, "countries": 0, "covers": 0}


@pytest.mark.parametrize(
    ("written", "staged", "table", "row"),
    [
        ("books/b", {"author": {"$id": "a", "name": "staged"}}, "authors", "a"),
        ("books/b", {"author": {"$id": "a", "country": {"$id": "c", "name": "staged"}}}, "countries", "c"),
        ("books/b", {"tags": [{"$id": "t", "name": "staged"}]}, "tags", "t"),
        ("covers/k", {"book": "b"}, "books", "b"),
    ],
    ids=["nested", "nested twice", "of a list", "tied"],
)
def test_a_row_that_is_written_within_another_and_changed_by_somebody_else_is_a_conflict(
    tables: TablesDB, written: str, staged: dict[str, Any], table: str, row: str
) -> None:
    tables.create_row("db", "authors", "a", {"name": "Jo", "country": {"$id": "c", "name": "Peru"}})
    tables.create_row("db", "tags", "t", {"name": "Old"})
    tables.create_row("db", "covers", "k", {"name": "Red"})
    tables.create_row("db", "books", "b", {"name": "Book"})
    transaction = tables.create_transaction().to_dict()["$id"]
    tables.update_row("db", *written.split("/"), staged, transaction_id=transaction)
    tables.update_row("db", table, row, {"name": "by somebody else"})

    assert conflict(tables, transaction)
    assert tables.get_row("db", table, row).data["name"] == "by somebody else"
    assert tables.get_transaction(transaction).status == "failed"
