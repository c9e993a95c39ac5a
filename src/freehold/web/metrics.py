"""Numbers about requests and jobs, for Prometheus; summed up over the processes of a machine.

Counting happens on every request, so it is a few additions in this process's memory. Once a second a process
writes what it has counted to a file of its own; whoever is asked for the numbers adds the files up.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import msgspec

_REQUEST_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_JOB_BOUNDS = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_WRITE_EVERY_S = 1.0


class Durations(msgspec.Struct, array_like=True):
    """How many took up to each bound, and how long all of them took."""

    counts: list[int]
    seconds: float = 0.0

    def add(self, other: Durations) -> None:
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


class Numbers(msgspec.Struct):
    """What has been counted; the labels are joined by a line break, which none of them contains."""

    requests: dict[str, Durations] = msgspec.field(default_factory=dict)
    jobs: dict[str, Durations] = msgspec.field(default_factory=dict)


_numbers = Numbers()
_requests: dict[tuple[str, str, int], Durations] = {}


def observe(method: str, route: str, status: int, elapsed_s: float) -> None:
    """Count a request that was answered. `route` is the template, never the path that was asked for."""
    durations = _requests.get((method, route, status // 100))
    if durations is None:
        durations = _new_request_durations(method, route, status)
    durations.counts[bisect_left(_REQUEST_BOUNDS, elapsed_s)] += 1
    durations.seconds += elapsed_s


def _new_request_durations(method: str, route: str, status: int) -> Durations:
    # A caller can make up methods; they must not make up labels.
    shown = method if method in _METHODS else "other"
    label = f"{shown}\n{route}\n{status // 100}xx"
    durations = _numbers.requests.setdefault(label, Durations([0] * (len(_REQUEST_BOUNDS) + 1)))
    if shown == method:
        _requests[method, route, status // 100] = durations
    return durations


def observe_job(kind: str, outcome: str, elapsed_s: float) -> None:
    """Count a job that ended, one way or another."""
    durations = _numbers.jobs.setdefault(f"{kind}\n{outcome}", Durations([0] * (len(_JOB_BOUNDS) + 1)))
    durations.counts[bisect_left(_JOB_BOUNDS, elapsed_s)] += 1
    durations.seconds += elapsed_s


def prepare_directory(directory: Path) -> None:
    """Empty a directory for the processes of one run."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    if os.geteuid() == 0:  # started by root for once, its owner has to be able to empty it again
        owner = directory.parent.stat()
        os.chown(directory, owner.st_uid, owner.st_gid)


def write(directory: Path) -> None:
    """Write what this process has counted to its file in the directory."""
    path = directory / f"{os.getpid()}.json"
    unfinished = path.with_suffix(".new")
    with suppress(OSError):  # a full disk must not end what is being counted
        unfinished.write_bytes(msgspec.json.encode(_numbers))
        unfinished.replace(path)


async def keep_writing(directory: Path) -> None:
    """Write once a second, and once more when cancelled."""
    try:
        while True:
            write(directory)
            await asyncio.sleep(_WRITE_EVERY_S)
    finally:
        write(directory)


def read_directory(directory: Path) -> Numbers:
    """The sum of what the processes of a directory have counted, those that have ended included."""
    total = Numbers()
    for path in directory.glob("*.json"):
        with suppress(OSError, msgspec.DecodeError):
            one = msgspec.json.decode(path.read_bytes(), type=Numbers)
            for mine, theirs in ((total.requests, one.requests), (total.jobs, one.jobs)):
                for label, durations in theirs.items():
                    if label in mine:
                        mine[label].add(durations)
                    else:
                        mine[label] = durations
    return total


def render(numbers: Numbers | None = None, gauges: Mapping[str, tuple[str, float]] | None = None) -> bytes:
    """Numbers (this process's own, when none are given) and gauges in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
    from prometheus_client.registry import Collector

    shown = numbers or _numbers

    class Everything(Collector):
        def collect(self) -> Iterable[Metric]:
            for name, says, labels, bounds, found in (
                (
                    "freehold_request_seconds", "How long requests took, and how many there were.",
                    ("method", "route", "status"), _REQUEST_BOUNDS, shown.requests,
                ),
                (
                    "freehold_job_seconds", "How long jobs took, and how they ended.",
                    ("kind", "outcome"), _JOB_BOUNDS, shown.jobs,
                ),
            ):  # fmt: skip
                family = HistogramMetricFamily(name, says, labels=labels)
                names = [*map(str, bounds), "+Inf"]
                for label, durations in sorted(found.items()):
                    buckets = list(zip(names, accumulate(durations.counts), strict=True))
                    family.add_metric(label.split("\n"), buckets, durations.seconds)
                yield family
            for name, (says, value) in (gauges or {}).items():
                yield GaugeMetricFamily(name, says, value=value)

    registry = CollectorRegistry()
    registry.register(Everything())
    return generate_latest(registry)
