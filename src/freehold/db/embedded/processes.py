"""The processes of a server: they end with us, and what an earlier life of ours left behind is ended."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from freehold.db.embedded.errors import EmbeddedError

STOP_TIMEOUT_S = 40.0


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a server: its sessions are ended, what they committed is on disk."""
    for sign, patience_s in (
        (signal.SIGINT, STOP_TIMEOUT_S),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    ):
        if process.poll() is not None:
            break
        process.send_signal(sign)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue


def stop_leftovers(cluster: Path) -> None:
    """Stop what an earlier life of ours left running on this cluster, so that two never write to it."""
    if not cluster.exists():
        return
    began = time.monotonic()
    asked: dict[int, signal.Signals] = {}
    while leftovers := list(_processes_in(cluster)):
        waited_s = time.monotonic() - began
        postmaster = _recorded_postmaster(cluster)
        for pid in leftovers:
            if waited_s > STOP_TIMEOUT_S:
                sign = signal.SIGKILL
            elif waited_s > STOP_TIMEOUT_S / 2 or postmaster not in leftovers:
                # Sessions without a postmaster: what they had committed is in the log that the next start
                # replays.
                sign = signal.SIGQUIT
            elif pid == postmaster:
                sign = signal.SIGINT  # it ends its own sessions
            else:
                continue
            if asked.get(pid) != sign:
                asked[pid] = sign
                _signal(pid, sign)
        if waited_s > STOP_TIMEOUT_S + 5:
            raise EmbeddedError(
                f"An earlier PostgreSQL still runs on {cluster} and does not stop (processes"
                f" {', '.join(map(str, leftovers))}). End them, then start again."
            )
        time.sleep(0.02)
    if sys.platform.startswith("linux"):
        # Nothing runs here, so the file is stale; its number may by now be another program's.
        (cluster / "postmaster.pid").unlink(missing_ok=True)


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None
_PR_SET_PDEATHSIG = 1


def stop_when_parent_dies() -> None:
    """In the child, after the change of user: let the kernel send it a fast shutdown when we are gone."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)


def _recorded_postmaster(cluster: Path) -> int | None:
    try:
        first = (cluster / "postmaster.pid").read_text().split("\n", 1)[0].strip()
    except OSError:
        return None
    return int(first) if first.isdigit() else None


def _processes_in(cluster: Path) -> Iterator[int]:
    """The processes of a server on this cluster: each of them works in the cluster's directory."""
    if sys.platform.startswith("linux"):
        place = cluster.stat()
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                where = Path(f"/proc/{entry.name}/cwd").stat()
                is_server = Path(f"/proc/{entry.name}/comm").read_text().startswith("postgres")
            except OSError:
                continue
            if is_server and (where.st_dev, where.st_ino) == (place.st_dev, place.st_ino):
                yield int(entry.name)
        return
    pid = _recorded_postmaster(cluster)
    if pid is not None:
        listed = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False
        )
        if "postgres" in listed.stdout and str(cluster) in listed.stdout:
            yield pid


def _signal(pid: int, sign: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, sign)
