"""Buckets and files that tests make."""

from __future__ import annotations

import os
from pathlib import Path

import asyncpg
import httpx

from tests.platform import Platform, Project

PART = 5 * 1024 * 1024


def new_bucket(project: Project, bucket_id: str = "photos", **said: object) -> str:
    made = project.server.post("/storage/buckets", json={"bucketId": bucket_id, "name": "Photos", **said})
    assert made.status_code == 201, made.text
    return str(made.json()["$id"])


def upload(
    client: httpx.Client,
    contents: bytes = b"hello",
    *,
    name: str = "a.txt",
    bucket: str = "photos",
    file_id: str = "unique()",
    **said: object,
) -> httpx.Response:
    data = {"fileId": file_id, **{key: value for key, value in said.items() if key != "headers"}}
    return client.post(
        f"/storage/buckets/{bucket}/files",
        data=data,
        files={"file": (name, contents)},
        headers=said.get("headers"),  # type: ignore[arg-type]
    )


def part_of(
    client: httpx.Client, whole: bytes, number: int, *, file_id: str = "unique()", upload_id: str = ""
) -> httpx.Response:
    start = (number - 1) * PART
    end = min(start + PART, len(whole))
    headers = {"Content-Range": f"bytes {start}-{end - 1}/{len(whole)}"}
    if upload_id:
        headers["X-Appwrite-ID"] = upload_id
    return upload(client, whole[start:end], name="big.bin", file_id=file_id, headers=headers)


def contents_on_disk(platform: Platform) -> set[Path]:
    # A walk bears directories that go away meanwhile.
    return {
        Path(above, name)
        for above, _, names in os.walk(platform.installation.data / "files")
        for name in names
    }


async def fetch(platform: Platform, sql: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(platform.database_url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(sql, *values)
        return found
    finally:
        await connection.close()
