"""`python -m bench`: install what is missing, start everyone, measure in turns, print and perhaps write."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import uvloop

from bench import dataset, load, processes, report
from bench.document import publish
from bench.measure import Plan, Results, measure
from bench.peers import Operation, Peer, PeerError, Running, Setting
from bench.peers.bare import Bare
from bench.peers.directus import Directus
from bench.peers.freehold import Freehold
from bench.peers.pocketbase import PocketBase
from bench.profile import ProfileError, profile
from freehold.db.embedded import EmbeddedPostgres

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("bare", "pocketbase", "directus")


def main() -> int:
    options = _options()
    if platform.system() != "Linux":
        print("bench: processor time and memory are read from /proc, so this needs Linux.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[0] if len(cores) > 1 else None
    if server_core is not None:
        os.sched_setaffinity(0, cores[1:])  # us, and PostgreSQL, which inherits it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freehold-bench-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        stack.callback(postgres.stop)
        cache = ROOT / ".cache" / "bench"
        cache.mkdir(parents=True, exist_ok=True)
        setting = Setting(cache, folder, postgres, dataset.make(options.rows), server_core, _say)
        try:
            if options.profile:
                return _profile(setting, options, stack)
            return _measure(setting, options, stack)
        except (PeerError, ProfileError) as error:
            _say(str(error))
            return 1
        finally:
            if options.keep_logs:
                for log in folder.glob("*.log"):
                    shutil.copy(log, cache)


def _measure(setting: Setting, options: argparse.Namespace, stack: ExitStack) -> int:
    plan = Plan(options.rounds, options.seconds, options.connections, options.operations)
    results = Results()
    peers: dict[str, Running] = {}
    for peer in _peers(options.peers):
        try:
            started = time.monotonic()
            peer.install(setting)
            running = peer.start(setting)
        except PeerError as error:
            if isinstance(peer, Freehold):
                raise
            results.absent[peer.name] = str(error)
            _say(f"{peer.name} is left out: {error}")
            continue
        stack.callback(running.stop)
        peers[peer.name] = running
        _say(f"{peer.name} is ready ({time.monotonic() - started:.0f} s)")
    _say(f"measuring takes about {plan.duration_s(len(peers)) / 60:.1f} minutes")
    assert setting.postgres.pid is not None
    measure(peers, plan, setting.postgres.pid, results, _say)
    version = uvloop.run(_server_version(setting.postgres))
    text = report.markdown(results, peers, plan, len(setting.dataset.customers), version)
    publish("bench", text, written=options.write)
    for miss in report.misses(results):
        _say(f"missed: {miss}")
    return 1 if results.absent else 0


async def _server_version(postgres: EmbeddedPostgres) -> str:
    connection = await asyncpg.connect(postgres.dsn())
    try:
        return str(await connection.fetchval("SHOW server_version"))
    finally:
        await connection.close()


def _profile(setting: Setting, options: argparse.Namespace, stack: ExitStack) -> int:
    freehold = Freehold()
    running = freehold.start(setting)
    stack.callback(running.stop)
    for operation in options.operations:
        _say(f"profiling {operation}")
        worker = _busiest(running, operation, options.connections)
        print(
            profile(
                running,
                worker,
                operation,
                connections=options.connections,
                seconds=max(options.seconds, 5),
                into=setting.folder,
            ),
            end="\n\n",
        )
    return 0


def _busiest(running: Running, operation: Operation, connections: int) -> int:
    """The process of the tree that answers: the one that a little load keeps busy."""
    before = {pid: processes.cpu_seconds([pid]) for pid in processes.tree(running.root)}
    load.run(running.address, running.workloads[operation], connections=connections, seconds=0.5)
    return max(before, key=lambda pid: processes.cpu_seconds([pid]) - before[pid])


def _peers(names: list[str]) -> list[Peer]:
    """Freehold always takes part, and comes first: the bare loop serves its tables."""
    freehold = Freehold()
    known: dict[str, Peer] = {"bare": Bare(freehold), "pocketbase": PocketBase(), "directus": Directus()}
    return [freehold, *(known[name] for name in names)]


def _options() -> argparse.Namespace:
    def listed(known: dict[str, object]) -> object:
        def read(text: str) -> list[object]:
            names = [name.strip() for name in text.split(",") if name.strip()]
            if wrong := [name for name in names if name not in known]:
                raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: known are {', '.join(known)}")
            return [known[name] for name in names]

        return read

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    every = {operation.split()[0]: operation for operation in Operation}
    parser.add_argument(
        "--peers",
        type=listed({name: name for name in PEERS}),  # type: ignore[arg-type]
        default=list(PEERS),
        metavar="NAMES",
        help=f"whom to measure against, separated by commas (default: {','.join(PEERS)})",
    )
    parser.add_argument(
        "--operations",
        type=listed(every),  # type: ignore[arg-type]
        default=list(Operation),
        metavar="NAMES",
        help=f"separated by commas (default: {','.join(every)})",
    )
    parser.add_argument("--rounds", type=_within(1, 100), default=5)
    parser.add_argument("--seconds", type=_within(1, 60), default=2, help="of each measurement")
    parser.add_argument("--connections", type=_within(1, 256), default=16)
    parser.add_argument("--rows", type=_within(1000, 10_000_000), default=dataset.ROWS)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    parser.add_argument(
        "--profile", action="store_true", help="tell where one API worker spends its time, instead"
    )
    parser.add_argument("--keep-logs", action="store_true", help="copy the servers' logs to .cache/bench")
    return parser.parse_args()


def _within(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
