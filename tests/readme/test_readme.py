"""The code in the README runs as it is written there."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.platform import Platform, platform

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
        [sys.executable, "-c", block("python")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert python.stdout.split("\n")[0].endswith("The Left Hand of Darkness")

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


def test_what_the_readme_points_at_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"{target} is not there"
