"""What is formatted lies in memory where there is room, and on the disk otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.generator import scratch


@pytest.mark.parametrize("memory", [scratch.MEMORY, Path("/nothing/is/here")])
def test_files_are_there_meanwhile_wherever_that_is(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MEMORY", memory)
    with scratch.scratch({"a/b.py": "b = 1\n", "c.toml": ""}) as folder:
        found = {path.name: path.read_text() for path in folder.rglob("*.*")}

    assert found == {"b.py": "b = 1\n", "c.toml": ""}
    assert not folder.exists()


def test_memory_without_room_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 99

    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda path: Usage)
    with scratch.scratch({"a.py": "0123456789"}) as folder:
        assert scratch.MEMORY not in folder.parents
