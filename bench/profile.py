"""Where one API worker spends its time: py-spy looks at it, from outside, while it is under load."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from bench import load
from bench.peers import Operation, Running

SAMPLES_PER_SECOND = 400

LAYERS = (
    ("system calls: reading and writing sockets", re.compile(r"^(?:read|write|writev|send|recv) \(libc")),
    ("SQL in PostgreSQL's driver (asyncpg)", re.compile(r"asyncpg/|\((?:protocol|pgproto|recordobj)\.c")),
    ("JSON (msgspec)", re.compile(r"msgspec")),
    (
        "reading HTTP (httptools)",
        re.compile(r"httptools/parser|\((?:parser|url_parser|llhttp|http_parser|api)\.c"),
    ),
    ("HTTP server (uvicorn)", re.compile(r"uvicorn/")),
    ("Freehold", re.compile(r"[(/]freehold/")),
    (
        "event loop (uvloop, asyncio)",
        re.compile(r"uvloop|asyncio|\((?:loop|linux|stream|core|loop-watcher|timer)\.c"),
    ),
)
"""A sample belongs to the innermost of its frames that one of these names; the rest is Python's own.

Extensions in C are known by their source files, which is how py-spy names their frames.
"""

_WAITING = re.compile(r"^(?:epoll_\w+ \(libc|.*SimpleQueue_get)")
"""Of a thread that has nothing to do."""


class ProfileError(Exception):
    """The profile could not be taken."""


def profile(
    running: Running, worker: int, operation: Operation, *, connections: int, seconds: float, into: Path
) -> str:
    """Load one operation, sample the worker, and tell where the time went."""
    program = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if program is None:
        raise ProfileError("--profile needs py-spy: pip install py-spy.")
    raw = into / f"profile-{operation.replace(' ', '-')}.txt"
    how = ["--native", "--format=raw", f"--rate={SAMPLES_PER_SECOND}", f"--duration={seconds:.0f}"]
    sampler = subprocess.Popen(
        [program, "record", *how, f"--output={raw}", f"--pid={worker}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        load.run(
            running.address, running.workloads[operation], connections=connections, seconds=seconds + 1.5
        )
        said, _ = sampler.communicate(timeout=seconds + 60)
    finally:
        if sampler.poll() is None:
            sampler.kill()
            sampler.wait()
    if sampler.returncode or not raw.exists():
        raise ProfileError(
            f"py-spy could not look at process {worker}: {said.decode(errors='replace').strip()}"
        )
    return summary(raw.read_text().splitlines(), operation)


def summary(lines: Iterable[str], operation: str) -> str:
    """Shares of the samples by layer, by function alone, and by function with all that it calls."""
    alone: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    layers: Counter[str] = Counter()
    total = 0
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = [_function(frame) for frame in stack.split(";")]
        if not count.isdigit() or _is_idle(frames):
            continue
        total += int(count)
        alone[frames[-1]] += int(count)
        layers[_layer(frames)] += int(count)
        for frame in set(frames):
            inclusive[frame] += int(count)
    if not total:
        return f"### {operation}\n\nThe worker was idle."

    def is_ours(name: str) -> bool:
        return "freehold/" in name and inclusive[name] < total  # what is in every sample tells nothing

    def table(
        title: str, counted: Counter[str], wanted: int, keep: Callable[[str], bool] = bool
    ) -> list[str]:
        found = [(name, count) for name, count in counted.most_common() if keep(name)][:wanted]
        return ["", title, "", *(f"    {count / total:6.1%}  {name}" for name, count in found)]

    return "\n".join(
        [
            f"### {operation}: {total:,} samples of a busy worker",
            *table("By layer (the innermost that is named)", layers, 10),
            *table("By function, alone", alone, 22),
            *table("By function of ours, with what it calls", inclusive, 25, is_ours),
        ]
    )


def _function(frame: str) -> str:
    """`get (freehold/web/cache.py:17)` without its line, and without where the library is installed."""
    frame = re.sub(r":\d+\)$", ")", frame)
    return re.sub(r"\((?:[^()]*/)?(?:site-packages|src|python3\.\d+)/", "(", frame)


def _is_idle(frames: list[str]) -> bool:
    return any(_WAITING.match(frame) for frame in frames)


def _layer(frames: list[str]) -> str:
    for frame in reversed(frames):
        for name, pattern in LAYERS:
            if pattern.search(frame):
                return name
    return "Python itself"
