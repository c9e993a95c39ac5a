"""A server's cost is that of all its processes, and it runs where it was put."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import processes

# A parent that sleeps, and a child that works for as long as it is let.
FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "while True: sum(range(1000))"])
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    before = os.sched_getaffinity(0)
    said = tmp_path / "said"
    process = processes.start(
        [sys.executable, "-c", FAMILY], core=min(before), log=tmp_path / "log", stdout=said
    )
    assert os.sched_getaffinity(0) == before
    while not said.read_text():
        time.sleep(0.01)
    yield process
    processes.stop(process)


def test_the_time_and_the_memory_of_children_count(family: subprocess.Popen[bytes]) -> None:
    pids = processes.tree(family.pid)
    before, began = processes.cpu_seconds(pids), time.monotonic()
    used = 0.0
    while used <= processes.cpu_seconds([family.pid]) and time.monotonic() < began + 120:
        time.sleep(0.05)
        used = processes.cpu_seconds(pids) - before

    assert len(pids) == 2
    assert processes.cpu_seconds([family.pid]) < used  # the parent only sleeps
    assert used < time.monotonic() - began + 0.1  # they are on one core, and times come in hundredths
    memory = processes.memory(pids)
    assert memory.processes == 2
    assert 0 < memory.pss <= memory.rss
    assert memory.rss > processes.memory([family.pid]).rss


def test_a_server_and_its_children_stay_on_their_core(family: subprocess.Popen[bytes]) -> None:
    assert [os.sched_getaffinity(pid) for pid in processes.tree(family.pid)] == [
        {min(os.sched_getaffinity(0))}
    ] * 2


def test_what_was_stopped_leaves_no_process_behind(family: subprocess.Popen[bytes]) -> None:
    pids = processes.tree(family.pid)
    processes.stop(family)

    assert family.poll() is not None
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
