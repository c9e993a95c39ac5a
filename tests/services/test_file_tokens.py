"""Tokens of files: links that open one file to whoever has them, until they expire or are deleted."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from appwrite.exception import AppwriteException
from appwrite.input_file import InputFile
from appwrite.models.resource_token import ResourceToken
from appwrite.query import Query
from appwrite.services.storage import Storage
from appwrite.services.tokens import Tokens

from tests.platform import Platform, Project, User, error_of

CONTENTS = "/storage/buckets/box/files/{}/{}"


@pytest.fixture
def tokens(project: Project) -> Tokens:
    """Two files that nobody but the server may read."""
    storage = Storage(project.sdk(key=project.key))
    storage.create_bucket("box", "Box")
    for name in ("letter", "other"):
        storage.create_file("box", name, InputFile.from_bytes(f"Dear {name}".encode(), f"{name}.txt"))
    return Tokens(project.sdk(key=project.key))


def fetch(client: httpx.Client, secret: str, file_id: str = "letter", how: str = "view") -> httpx.Response:
    return client.get(CONTENTS.format(file_id, how), params={"token": secret})


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize("how", ["view", "download"])
def test_a_token_opens_its_file_to_anybody(project: Project, tokens: Tokens, jane: User, how: str) -> None:
    token = tokens.create_file_token("box", "letter")

    for client in (project.guest, jane.client):
        assert client.get(CONTENTS.format("letter", how)).status_code == 404
        assert fetch(client, token.secret, how=how).text == "Dear letter"
        part = client.get(
            CONTENTS.format("letter", how), params={"token": token.secret}, headers={"Range": "bytes=0-3"}
        )
        assert (part.status_code, part.text) == (206, "Dear")
    assert (token.resourcetype, token.resourceid, token.expire) == ("files", "box:letter", "")


def test_a_token_opens_nothing_but_the_contents_of_its_file(project: Project, tokens: Tokens) -> None:
    secret = tokens.create_file_token("box", "letter").secret
    told = {"token": secret}

    assert error_of(fetch(project.guest, secret, "other")) == (404, "storage_file_not_found")
    assert project.guest.get("/storage/buckets/box/files/letter", params=told).status_code == 404
    assert project.guest.get("/storage/buckets/box/files", params=told).status_code == 401
    assert project.guest.delete("/storage/buckets/box/files/letter", params=told).status_code == 401


def test_a_token_is_of_one_project_alone(platform: Platform, project: Project, tokens: Tokens) -> None:
    secret = tokens.create_file_token("box", "letter").secret
    other = platform.new_project()
    storage = Storage(other.sdk(key=other.key))
    storage.create_bucket("box", "Box")
    storage.create_file("box", "letter", InputFile.from_bytes(b"Not yours", "letter.txt"))

    assert error_of(fetch(other.guest, secret)) == (404, "storage_file_not_found")


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: "",
        lambda secret: "nonsense",
        lambda secret: secret[:-2] + ("aa" if secret[-2:] != "aa" else "bb"),
        lambda secret: "eyJhbGciOiJub25lIn0." + secret.split(".")[1] + ".",
        lambda secret: ".".join(["e30", *secret.split(".")[1:]]),
    ],
)
def test_what_is_no_token_opens_nothing(project: Project, tokens: Tokens, change: object) -> None:
    secret = change(tokens.create_file_token("box", "letter").secret)  # type: ignore[operator]

    assert error_of(fetch(project.guest, secret)) == (404, "storage_file_not_found")


async def test_an_expired_token_opens_nothing_and_holds_again_when_it_is_given_time(
    project: Project, tokens: Tokens
) -> None:
    token = tokens.create_file_token("box", "letter", soon(60))
    opened = fetch(project.guest, token.secret)
    connection = await asyncpg.connect(project.platform.admin_url)
    await connection.execute(
        "update freehold.file_tokens set expires_at = now() - interval '1 second' where id = $1", token.id
    )
    await connection.close()
    expired = fetch(project.guest, token.secret)
    by_server = fetch(project.server, token.secret)
    renewed = tokens.update(token.id, soon(60))

    assert opened.status_code == 200
    assert error_of(expired) == (401, "token_expired")
    assert by_server.status_code == 200  # which needs none
    assert renewed.secret == token.secret
    assert fetch(project.guest, token.secret).status_code == 200


def test_a_token_that_would_be_expired_at_once_is_refused(project: Project, tokens: Tokens) -> None:
    refused = project.server.post("/tokens/buckets/box/files/letter", json={"expire": soon(-1)})

    assert error_of(refused) == (400, "general_argument_invalid")
    assert tokens.list("box", "letter").total == 0


def test_a_deleted_token_opens_nothing_at_once(project: Project, tokens: Tokens) -> None:
    token = tokens.create_file_token("box", "letter")
    kept = tokens.create_file_token("box", "letter")
    tokens.delete(token.id)

    assert error_of(fetch(project.guest, token.secret)) == (404, "storage_file_not_found")
    assert fetch(project.guest, kept.secret).status_code == 200
    with pytest.raises(AppwriteException) as refused:
        tokens.get(token.id)
    assert refused.value.type == "token_not_found"


def test_tokens_go_with_their_file(project: Project, tokens: Tokens) -> None:
    token = tokens.create_file_token("box", "letter")
    project.server.delete("/storage/buckets/box/files/letter")

    assert error_of(project.server.get(f"/tokens/{token.id}")) == (404, "token_not_found")
    assert error_of(fetch(project.guest, token.secret)) == (404, "storage_file_not_found")


def test_tokens_are_listed_and_say_when_they_were_used(project: Project, tokens: Tokens) -> None:
    first, second = (tokens.create_file_token("box", "letter", soon(60)) for _ in range(2))
    tokens.create_file_token("box", "other")
    fetch(project.guest, first.secret)
    found = {each.id: each for each in tokens.list("box", "letter").tokens}
    newest = tokens.list("box", "letter", [Query.order_desc("$createdAt"), Query.limit(1)])

    assert set(found) == {first.id, second.id}
    assert found[first.id].accessedat > found[first.id].createdat
    assert found[second.id].accessedat == ""
    assert found[first.id].secret == first.secret
    assert (newest.total, [each.id for each in newest.tokens]) == (2, [second.id])


def test_a_bucket_that_is_switched_off_opens_to_no_token(project: Project, tokens: Tokens) -> None:
    secret = tokens.create_file_token("box", "letter").secret
    Storage(project.sdk(key=project.key)).update_bucket("box", "Box", enabled=False)

    assert error_of(fetch(project.guest, secret)) == (404, "storage_bucket_not_found")


@pytest.mark.parametrize("where", ["box/files/nothing", "nothing/files/letter"])
def test_there_is_no_token_of_what_is_not_there(project: Project, tokens: Tokens, where: str) -> None:
    refused = project.server.post(f"/tokens/buckets/{where}", json={})

    assert refused.status_code == 404


def test_no_event_tells_the_secret(project: Project, tokens: Tokens) -> None:
    token: ResourceToken = tokens.create_file_token("box", "letter")

    async def payloads() -> list[str]:
        connection = await asyncpg.connect(project.platform.admin_url)
        rows = await connection.fetch(
            "select event, payload from freehold.outbox where project_id = $1 and event like 'tokens.%'",
            project.id,
        )
        await connection.close()
        assert [row["event"] for row in rows] == [f"tokens.{token.id}.create"]
        return [row["payload"] for row in rows]

    [payload] = asyncio.run(payloads())
    assert json.loads(payload)["resourceId"] == "box:letter"
    assert token.secret not in payload
