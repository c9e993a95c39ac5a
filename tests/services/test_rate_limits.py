"""How often clients may write rows, with rate limits on as they are in production."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from tests.platform import Platform, Project, error_of, running_platform
from tests.postgres import Server

ROWS = "/tablesdb/shop/tables/books/rows"
DOCUMENTS = "/databases/shop/collections/books/documents"


@pytest.fixture(scope="module")
def strict(postgres: Server) -> Iterator[Platform]:
    """A platform with two workers that is not in development mode."""
    with running_platform(postgres) as running:
        running.register_root()
        yield running


@pytest.fixture
def shop(strict: Platform) -> Project:
    project = strict.new_project()
    project.server.post("/tablesdb", json={"databaseId": "shop", "name": "Shop"})
    made = project.server.post(
        "/tablesdb/shop/tables",
        json={
            "tableId": "books",
            "name": "Books",
            "permissions": ['create("users")', 'delete("users")'],
            "columns": [{"key": "pages", "type": "integer", "required": False}],
        },
    )
    assert made.status_code == 201
    return project


def let_in(answers: list[httpx.Response], status: int) -> tuple[Counter[str], set[str]]:
    """How many calls came through in each window of time, and the windows in which some did not."""
    through = Counter(each.headers["x-ratelimit-reset"] for each in answers if each.status_code == status)
    refused = [each for each in answers if each.status_code != status]
    assert {error_of(each) for each in refused} <= {(429, "general_rate_limit_exceeded")}
    return through, {each.headers["x-ratelimit-reset"] for each in refused}


def test_a_user_makes_120_rows_a_minute_in_both_vocabularies_together(shop: Project) -> None:
    jane, bob = shop.new_user("Jane"), shop.new_user("Bob")
    answers = []
    for at in range(300):  # so many that they are too many even when a new minute begins meanwhile
        path, name = (ROWS, "rowId") if at % 2 else (DOCUMENTS, "documentId")
        answers.append(jane.client.post(path, json={name: "unique()", "data": {"pages": at}}))

    through, refused = let_in(answers, 201)
    assert refused
    assert all(120 <= through[window] < 132 for window in refused)
    assert shop.server.get(ROWS).json()["total"] == through.total()
    assert answers[0].headers["x-ratelimit-limit"] == "120"
    assert bob.client.post(ROWS, json={"rowId": "unique()", "data": {}}).status_code == 201


def test_a_user_deletes_60_rows_a_minute(shop: Project) -> None:
    for at in range(150):
        shop.server.post(ROWS, json={"rowId": f"r{at}", "data": {}})
    jane = shop.new_user("Jane")
    answers = [jane.client.delete(f"{ROWS}/r{at}" if at % 2 else f"{DOCUMENTS}/r{at}") for at in range(150)]

    through, refused = let_in(answers, 204)
    assert refused
    assert all(60 <= through[window] < 66 for window in refused)
    assert shop.server.get(ROWS).json()["total"] == 150 - through.total()


def test_keys_and_the_console_write_as_often_as_they_want(shop: Project) -> None:
    for client in (shop.server, shop.admin):
        for _ in range(130):
            made = client.post(DOCUMENTS, json={"documentId": "unique()", "data": {}})
            assert made.status_code == 201
            assert "x-ratelimit-limit" not in made.headers

    assert shop.server.get(ROWS).json()["total"] == 260


def test_reading_is_not_limited(shop: Project) -> None:
    jane = shop.new_user("Jane")

    assert "x-ratelimit-limit" not in jane.client.get(ROWS).headers


def test_each_operation_of_a_transaction_counts(shop: Project) -> None:
    jane = shop.new_user("Jane")
    create = {"databaseId": "shop", "tableId": "books", "action": "create", "data": {"pages": 1}}
    answers = []
    for _ in range(9):  # so many that they are too many even when a new minute begins meanwhile
        transaction = jane.client.post("/tablesdb/transactions", json={}).json()["$id"]
        path = f"/tablesdb/transactions/{transaction}/operations"
        answers.append(jane.client.post(path, json={"operations": [create] * 40}))

    through, refused = let_in(answers, 201)
    assert refused
    assert all(through[window] == 3 for window in refused)


def test_s36_a_user_tries_fifty_codes_a_day_whatever_the_challenge(shop: Project) -> None:
    user = shop.new_user()
    body = {"otp": "000000"}
    answers = [
        user.client.put("/account/mfa/challenges", json={"challengeId": f"challenge-{at}", **body})
        for at in range(60)
    ]

    assert {error_of(each) for each in answers[:45]} == {(401, "user_invalid_token")}
    assert error_of(answers[-1]) == (429, "general_rate_limit_exceeded")


def test_of_two_limits_the_nearer_one_is_told_and_when_to_come_back(shop: Project) -> None:
    def ask(number: int) -> httpx.Response:
        body = {"userId": "unique()", "email": f"someone{number}@example.com", "url": "http://localhost/"}
        return shop.guest.post("/account/tokens/magic-url", json=body)

    answers = [ask(0), ask(0), ask(1)]
    told = [
        [value for name, value in answer.headers.multi_items() if name.startswith("x-ratelimit-")]
        for answer in answers
    ]
    assert [len(each) for each in told] == [3, 3, 3]
    # By address two are left of 60 after two calls; by caller, whoever is written to, three have been made.
    assert [each[:2] for each in told] == [["60", "59"], ["60", "58"], ["60", "57"]]
    assert "retry-after" not in answers[0].headers

    wrong = {"email": "nobody@example.com", "password": "wrong horse battery"}
    refused = [shop.guest.post("/account/sessions/email", json=wrong) for _ in range(21)][-1]
    assert error_of(refused) == (429, "general_rate_limit_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert f"in {refused.headers['retry-after']} seconds" in refused.json()["message"]
    assert refused.headers.get_list("x-ratelimit-remaining") == ["0"]
