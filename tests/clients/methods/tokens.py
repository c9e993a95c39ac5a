"""Tokens of files, as servers make them for links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.clients.methods import Scene
from tests.services.second_factor import ok

LEFT_OUT: dict[str, str] = {}

_OF_LETTER = "/tokens/buckets/box/files/letter"


def _letter(on: Scene) -> None:
    """A file that guests may not read."""
    on.post("/storage/buckets", bucketId="box", name="Box")
    files = {"file": ("letter.txt", b"Dear reader")}
    ok(on.project.server.post("/storage/buckets/box/files", data={"fileId": "letter"}, files=files))


def _opens(on: Scene, secret: str) -> bool:
    """Whether the secret shows the file to a guest."""
    answer = on.project.guest.get("/storage/buckets/box/files/letter/view", params={"token": secret})
    return answer.status_code == 200 and answer.content == b"Dear reader"


def _later() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def list(on: Scene) -> None:  # noqa: A001
    _letter(on)
    made = {on.post(_OF_LETTER)["$id"] for _ in range(2)}
    found = on.server.list(bucketId="box", fileId="letter")

    assert {each["$id"] for each in found["tokens"]} == made


def create_file_token(on: Scene) -> None:
    _letter(on)
    made = on.server.createFileToken(bucketId="box", fileId="letter", expire=_later())

    assert (made["resourceType"], made["resourceId"]) == ("files", "box:letter")
    assert _opens(on, made["secret"])


def get(on: Scene) -> None:
    _letter(on)
    token = on.post(_OF_LETTER)

    assert on.server.get(tokenId=token["$id"])["secret"] == token["secret"]


def update(on: Scene) -> None:
    _letter(on)
    token = on.post(_OF_LETTER)
    on.server.update(tokenId=token["$id"], expire=_later())

    assert on.get(f"/tokens/{token['$id']}")["expire"] > token["$createdAt"]
    assert _opens(on, token["secret"])


def delete(on: Scene) -> None:
    _letter(on)
    token = on.post(_OF_LETTER)
    assert _opens(on, token["secret"])
    on.server.delete(tokenId=token["$id"])

    assert on.is_gone(f"/tokens/{token['$id']}")
    assert not _opens(on, token["secret"])
