"""The measuring itself: every peer, every operation, round after round, side by side."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench import load, processes
from bench.peers import Operation, Running

WARM_UP_S = 0.3


@dataclass(frozen=True)
class Plan:
    """How long a run takes: rounds x operations x peers x (seconds + WARM_UP_S)."""

    rounds: int
    seconds: float
    connections: int
    operations: Sequence[Operation]

    def duration_s(self, peers: int) -> float:
        return (self.rounds + 1) * len(self.operations) * peers * (self.seconds + WARM_UP_S)


@dataclass(frozen=True)
class Measurement:
    """One peer at one operation in one round."""

    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    """Processor time per request, of all of the server's processes."""
    database_us: float
    """The same of PostgreSQL; nothing where the database lives in the server's process."""

    @property
    def total_us(self) -> float:
        return self.server_us + self.database_us


@dataclass(frozen=True)
class Spread:
    """The middle of several rounds, and how far they lay apart."""

    median: float
    least: float
    most: float

    @staticmethod
    def of(values: Iterable[float]) -> Spread:
        found = list(values)
        return Spread(statistics.median(found), min(found), max(found))


@dataclass
class Results:
    """All that was measured. The n-th measurement of each peer belongs to the n-th round."""

    measurements: dict[tuple[str, Operation], list[Measurement]] = field(default_factory=dict)
    once: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """Seconds, of what a peer is asked once a round."""
    memory: dict[str, processes.Memory] = field(default_factory=dict)
    """After the load, of the server's processes."""
    database_memory: processes.Memory | None = None
    load_before: float = 0.0
    """The machine's load average before the measuring: what others had it do."""
    absent: dict[str, str] = field(default_factory=dict)
    """Peers that were asked for and not measured to the end, and why."""

    def spread(self, peer: str, operation: Operation, quantity: str) -> Spread | None:
        found = self.measurements.get((peer, operation))
        return Spread.of(getattr(one, quantity) for one in found) if found else None

    def ratio(self, peer: str, other: str, operation: Operation, quantity: str) -> Spread | None:
        """A peer's quantity over the other's, round by round: what slowed both down cancels out."""
        ours, theirs = self.measurements.get((peer, operation)), self.measurements.get((other, operation))
        if not ours or not theirs:
            return None
        return Spread.of(
            getattr(one, quantity) / getattr(two, quantity) for one, two in zip(ours, theirs, strict=False)
        )


def measure(
    peers: dict[str, Running], plan: Plan, database_root: int, results: Results, say: Callable[[str], None]
) -> None:
    """Fill in the results. A peer that fails is left out from there on, and said to be absent."""
    names = list(peers)
    results.load_before = os.getloadavg()[0]
    for number in range(plan.rounds + 1):
        for operation in plan.operations:
            for name in names[number % len(names) :] + names[: number % len(names)]:
                if name in results.absent or operation not in peers[name].workloads:
                    continue
                try:
                    found = _measure_one(peers[name], operation, plan, database_root)
                except (load.LoadError, OSError) as error:
                    results.absent[name] = f"{operation}: {error}"
                    say(f"{name} failed at {operation}: {error}")
                    continue
                if number > 0:  # the first round only warms caches and compilers
                    results.measurements.setdefault((name, operation), []).append(found)
        for name, running in peers.items():
            for what, act in running.once.items():
                took = act()
                if number > 0:
                    results.once.setdefault((name, what), []).append(took)
        say(f"round {number} of {plan.rounds} done" if number else "warmed up")
    for name, running in peers.items():
        if name not in results.absent:
            results.memory[name] = processes.memory(processes.tree(running.root))
    results.database_memory = processes.memory(processes.tree(database_root))


def _measure_one(running: Running, operation: Operation, plan: Plan, database_root: int) -> Measurement:
    workload = running.workloads[operation]
    load.run(running.address, workload, connections=plan.connections, seconds=WARM_UP_S)
    # The new connections of a pool are made by now, so the processes of the two trees stay the same.
    server, database = processes.tree(running.root), processes.tree(database_root)
    server_before, database_before = processes.cpu_seconds(server), processes.cpu_seconds(database)
    sample = load.run(running.address, workload, connections=plan.connections, seconds=plan.seconds)
    server_s = processes.cpu_seconds(server) - server_before
    database_s = processes.cpu_seconds(database) - database_before
    time.sleep(0.02)
    return Measurement(
        per_second=sample.per_second,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        server_us=server_s / sample.requests * 1e6,
        database_us=database_s / sample.requests * 1e6 if running.uses_postgres else 0.0,
    )
