"""What a tree of processes costs: processor time and memory, as Linux counts them. And where it may run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Memory:
    """Bytes. `pss` counts a page that is shared by n processes as an n-th of it, so it can be summed."""

    rss: int
    pss: int
    processes: int


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (status := _stat(int(entry.name))):
            children.setdefault(int(status[1]), []).append(int(entry.name))
    found, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += children.get(pid, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time used so far, in user space and in the kernel, by all threads."""
    ticks = 0
    for pid in pids:
        if status := _stat(pid):
            ticks += int(status[11]) + int(status[12])
    return ticks / TICKS_PER_SECOND


def memory(pids: Iterable[int]) -> Memory:
    """What the processes have in memory now."""
    rss = pss = counted = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        sizes = dict(re.findall(r"^(Rss|Pss): +(\d+) kB", text, re.MULTILINE))
        rss += int(sizes["Rss"]) * 1024
        pss += int(sizes["Pss"]) * 1024
        counted += 1
    return Memory(rss, pss, counted)


def start(
    command: list[str],
    *,
    core: int | None,
    log: Path,
    stdout: Path | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server on a core. It is there from its first instruction: some count their cores only once."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        with log.open("ab") as errors, (stdout or log).open("ab") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=env, cwd=cwd
            )
    finally:
        os.sched_setaffinity(0, before)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a process that we started to end, and make sure that it and all below it have."""
    if process.poll() is not None:
        return
    below = {pid: _started_at(pid) for pid in tree(process.pid)}
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_TIMEOUT_S)
    for pid, started_at in below.items():
        # A number may belong to somebody else by now; the moment of the start tells.
        if started_at is not None and _started_at(pid) == started_at:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()


def _started_at(pid: int) -> str | None:
    status = _stat(pid)
    return status[19] if status else None


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: the state first, then the parent."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(") ")[2].split()
