"""What a run found, as Markdown: ratios first, then the numbers that they come from."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Plan, Results, Spread
from bench.peers import Operation, Running
from bench.peers.freehold_once import CASCADE


@dataclass(frozen=True)
class Target:
    """What the platform has to reach beside a peer; of no operation where the ratio is only of interest."""

    peer: str
    quantity: str
    said: str
    bound: float
    at_most: bool
    operations: tuple[Operation, ...]

    def is_met(self, ratio: Spread) -> bool:
        return ratio.median <= self.bound if self.at_most else ratio.median >= self.bound


EVERY = tuple(Operation)
BASICS = (Operation.GET, Operation.LIST, Operation.CREATE, Operation.SESSION)
READS = (Operation.GET, Operation.LIST, Operation.RELATED, Operation.DISTANT, Operation.SESSION)
LEAST_BESIDE_LOGINS = 0.8
"""So much of the rows that it reads alone has the platform to read beside logins."""
COUNTED = (Operation.COUNTED,)
MOST_S = {CASCADE: 1.0}
"""So long may what is asked once take."""

TARGETS = (
    Target("bare", "server_us", "server CPU per request, beside the bare loop", 2.5, True, BASICS),
    Target("bare", "total_us", "CPU per request with PostgreSQL's, beside the bare loop", 0, True, ()),
    Target("directus", "per_second", "requests per second, beside Directus", 5, False, BASICS),
    Target("pocketbase", "per_second", "requests per second, beside PocketBase", 1, False, READS),
    Target("pocketbase", "per_second", "counted lists per second, beside PocketBase", 5, False, COUNTED),
    Target("pocketbase", "total_us", "CPU per request with the database's, beside PocketBase", 0, True, ()),
)


def markdown(results: Results, peers: dict[str, Running], plan: Plan, rows: int, server_version: str) -> str:
    """The whole report."""
    return "\n".join(
        [
            *_ratios(results),
            "",
            *_numbers(results, peers),
            "",
            *_once(results),
            "",
            *_memory(results, peers),
            "",
            *_conditions(results, peers, plan, rows, server_version),
        ]
    )


def misses(results: Results) -> list[str]:
    """The targets that were measured and not reached, with the distance."""
    found = []
    for target in TARGETS:
        for operation in target.operations:
            ratio = results.ratio("freehold", target.peer, operation, target.quantity)
            if ratio and not target.is_met(ratio):
                found.append(
                    f"{operation}: {ratio.median:.2f}x {target.said}; the target is {_bound(target)}"
                )
    ratio = _beside_logins(results)
    if ratio and ratio.median < LEAST_BESIDE_LOGINS:
        found.append(
            f"{Operation.BESIDE}: {ratio.median:.2f}x of the reads alone; the target is at least"
            f" {LEAST_BESIDE_LOGINS:g}x"
        )
    for (_, what), took in results.once.items():
        median, most = Spread.of(took).median, MOST_S.get(what)
        if most is not None and median > most:
            found.append(f"{what}: {median:.2f} s; the target is at most {most:g} s")
    return found


def _beside_logins(results: Results) -> Spread | None:
    """How many rows are read beside logins, of those that are read alone, round by round."""
    beside, alone = (
        results.measurements.get(("freehold", each)) for each in (Operation.BESIDE, Operation.GET)
    )
    if not beside or not alone:
        return None
    return Spread.of(one.per_second / two.per_second for one, two in zip(beside, alone, strict=False))


def _ratios(results: Results) -> Iterable[str]:
    yield "### Ratios"
    yield ""
    yield "Freehold's number over the peer's, round by round: median (least to most)."
    yield ""
    yield "| | operation | ratio | target | |"
    yield "|---|---|---|---|---|"
    for target in TARGETS:
        if target.peer in results.absent:
            yield f"| {target.said} | | not measured | {_bound(target) if target.operations else ''} | |"
            continue
        for operation in EVERY:
            ratio = results.ratio("freehold", target.peer, operation, target.quantity)
            if ratio is None or target is not _speaker(target, operation):
                continue
            counts = operation in target.operations
            verdict = ("met" if target.is_met(ratio) else "missed") if counts else ""
            yield (
                f"| {target.said} | {operation} | **{_times(ratio.median)}** ({_times(ratio.least)} to"
                f" {_times(ratio.most)}) | {_bound(target) if counts else ''} | {verdict} |"
            )
    if ratio := _beside_logins(results):
        verdict = "met" if ratio.median >= LEAST_BESIDE_LOGINS else "missed"
        yield (
            f"| rows read per second, beside those read alone | {Operation.BESIDE} |"
            f" **{_times(ratio.median)}** ({_times(ratio.least)} to {_times(ratio.most)}) |"
            f" at least {LEAST_BESIDE_LOGINS:g}x | {verdict} |"
        )


def _speaker(target: Target, operation: Operation) -> Target:
    """Of the targets with one quantity beside one peer, the one that speaks of the operation."""
    alike = [one for one in TARGETS if (one.peer, one.quantity) == (target.peer, target.quantity)]
    return next((one for one in alike if operation in one.operations), alike[0])


def _numbers(results: Results, peers: dict[str, Running]) -> Iterable[str]:
    yield "### Numbers"
    yield ""
    yield (
        "Medians of the rounds. The rates depend on the machine and on what else it did, the ratios much"
        " less. CPU is processor time per request, server and PostgreSQL apart."
    )
    yield ""
    yield "| operation | peer | requests/s | p50 ms | p99 ms | server CPU µs (range) | PostgreSQL CPU µs |"
    yield "|---|---|---|---|---|---|---|"
    for operation in EVERY:
        for name, running in peers.items():
            rate = results.spread(name, operation, "per_second")
            server = results.spread(name, operation, "server_us")
            if rate is None or server is None:
                continue
            p50, p99 = results.spread(name, operation, "p50_ms"), results.spread(name, operation, "p99_ms")
            database = results.spread(name, operation, "database_us")
            assert p50 is not None
            assert p99 is not None
            assert database is not None
            yield (
                f"| {operation} | {name} | {rate.median:,.0f} | {p50.median:.2f} | {p99.median:.2f} |"
                f" {server.median:,.0f} ({server.least:,.0f} to {server.most:,.0f}) |"
                f" {f'{database.median:,.0f}' if running.uses_postgres else 'in the server'} |"
            )


def _once(results: Results) -> Iterable[str]:
    yield "### Once a round"
    yield ""
    yield "Seconds: median (least to most)."
    yield ""
    yield "| | peer | seconds | target | |"
    yield "|---|---|---|---|---|"
    for (name, what), took in results.once.items():
        spread, most = Spread.of(took), MOST_S.get(what)
        verdict = "" if most is None else "met" if spread.median <= most else "missed"
        bound = "" if most is None else f"at most {most:g} s"
        yield (
            f"| {what} | {name} | **{spread.median:.3f}** ({spread.least:.3f} to {spread.most:.3f}) |"
            f" {bound} | {verdict} |"
        )


def _memory(results: Results, peers: dict[str, Running]) -> Iterable[str]:
    yield "### Memory after the load"
    yield ""
    yield "| | processes | RSS MB | PSS MB |"
    yield "|---|---|---|---|"
    for name, memory in results.memory.items():
        about = f"{name} ({peers[name].memory_of})" if peers[name].memory_of else name
        yield f"| {about} | {memory.processes} | {memory.rss / 1e6:,.0f} | {memory.pss / 1e6:,.0f} |"
    if results.database_memory:
        memory = results.database_memory
        yield (
            f"| PostgreSQL, shared by all of them | {memory.processes} | {memory.rss / 1e6:,.0f} |"
            f" {memory.pss / 1e6:,.0f} |"
        )


def _conditions(
    results: Results, peers: dict[str, Running], plan: Plan, rows: int, server_version: str
) -> Iterable[str]:
    yield "### Conditions"
    yield ""
    yield (
        f"- {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}, PostgreSQL {server_version}"
        " with `fsync` and `synchronous_commit` on."
    )
    yield (
        "- The server of each peer is pinned to one core, all of it; PostgreSQL and the load generator have"
        " the rest. So PocketBase does its database's work on the server's core, and the others do not."
        if (os.cpu_count() or 1) > 1
        else "- Everything shares the only core, the load generator too."
    )
    yield (
        f"- Load average before the measuring: {results.load_before:.1f}. Above the number of cores, other"
        " work took part of them, and the spread is wide."
    )
    yield (
        f"- {rows:,} rows, half of them hidden from the user who asks by a rule that is looked at row by row."
        f" {plan.rounds} rounds of {plan.seconds:g} s for each peer and operation, interleaved, after one"
        f" that is thrown away; {plan.connections} connections, each with one request under way."
    )
    yield (
        "- `list 25`: status equal to a value, amount below a random bound, ordered by amount downwards,"
        " without a count; there is an index over (status, amount). `session check` is `GET /v1/account`,"
        " and PocketBase's the refresh of a token, which answers with the account too. `beside 50 logins,"
        " get row`: 50 connections sign in by password all the while, with argon2id."
    )
    yield (
        "- `counted list 25` is the same list with its total: Freehold counts up to 5,000, the others to the"
        " end. `related list 25`: orders of active customers, newest first, where the customer may be read;"
        " `distant list 25`: parcels whose order is one of those, over two relations, with the rule of the"
        " customer at their end."
        " `bulk create 1,000` makes a thousand rows in one request, all or none, two requests at a time."
    )
    yield (
        "- Before the measuring, every peer is seen to list the right rows, and to refuse hidden rows and"
        " strangers."
    )
    for name, running in peers.items():
        yield f"- **{name}**: {running.about}."
    for name, reason in results.absent.items():
        yield f"- **{name}** was not measured: {' '.join(reason.split())}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"


def _bound(target: Target) -> str:
    return f"{'at most' if target.at_most else 'at least'} {target.bound:g}x"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except FileNotFoundError:
        found = None
    return found[1] if found else platform.machine()
