"""The code in the README runs as it is written there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.platform import Platform, platform
from tests.process.installation import until

__all__ = ["platform"]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert len(found) == 1, f"one block of {language} is expected"
    return found[0]


async def fetch(url: str, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(sql)
    finally:
        await connection.close()
    return found


@pytest.fixture
def environment(platform: Platform) -> dict[str, str]:
    told = {
        "FREEHOLD_ENDPOINT": platform.endpoint,
        "FREEHOLD_PROJECT": platform.project,
        "FREEHOLD_KEY": platform.key,
    }
    return {**os.environ, **told}


def test_the_walk_through_the_sdks_and_psql_works_as_written(
    platform: Platform, environment: dict[str, str], tmp_path: Path
) -> None:
    python = subprocess.run(
        [sys.executable, "-c", block("python") + block("py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found, kept = python.stdout.splitlines()
    assert found.endswith("The Left Hand of Darkness")
    assert kept.startswith("image/svg+xml ")

    script = ROOT / "tests" / "clients" / ".readme.mjs"
    script.write_text(block("js"), encoding="utf-8")
    try:
        node = subprocess.run(
            ["node", script], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    finally:
        script.unlink()
    assert node.stdout.startswith("Kindred [")

    rows = asyncio.run(fetch(platform.database_url, block("sql")))
    assert [(row["title"], row["year"]) for row in rows] == [
        ("The Left Hand of Darkness", 1969),
        ("Kindred", 1979),
    ]
    a_page_is_told_of_rows(platform)


def a_page_is_told_of_rows(platform: Platform) -> None:
    code = block("javascript")
    for said, here in (
        ("http://127.0.0.1:8080/v1", platform.endpoint),
        ('setProject("default")', f'setProject("{platform.project}")'),
    ):
        assert said in code
        code = code.replace(said, here)
    clients = ROOT / "tests" / "clients"
    script = clients / ".readme-page.mjs"
    script.write_text(code, encoding="utf-8")
    page = subprocess.Popen(
        ["node", "--import", clients / "page.mjs", script], stdout=subprocess.PIPE, text=True
    )
    try:
        assert page.stdout is not None
        told = ThreadPoolExecutor(1).submit(page.stdout.readline)
        headers = {"X-Appwrite-Project": platform.project, "X-Appwrite-Key": platform.key}
        with httpx.Client(base_url=platform.endpoint, headers=headers, timeout=30) as server:
            until(lambda: _made_a_row(server) and told.done(), 60)
        assert told.result() == "Kindred 1979\n"
    finally:
        page.kill()
        page.wait()
        script.unlink()


def _made_a_row(server: httpx.Client) -> bool:
    """What is written before the page is connected is not told, so that rows are made until one is."""
    row = {"rowId": "unique()", "data": {"title": "Kindred", "year": 1979}}
    return server.post("/tablesdb/library/tables/books/rows", json=row).status_code == 201


def test_what_the_readme_points_at_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"{target} is not there"
