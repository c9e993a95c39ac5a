"""`python -m bench.services`: generated services against hand-written ones of the same stack, in turns.

Both serve the same tables of the same PostgreSQL as the same role, held by row-level security, to a caller
whose token they verify; both commit before they answer. The generated one also does what the hand-written one
leaves out: it refuses unknown parameters, keeps ids, logs, metrics, idempotency, versions and filters.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import Request, urlopen
from uuid import UUID

import asyncpg
import jwt

from bench import load, processes
from bench.document import publish, verdict
from bench.peers import free_port
from freehold.db.embedded import SUPERUSER, EmbeddedPostgres
from freehold.generator import TARGETS
from freehold.generator.target import Command, Target
from tests.conformance.running import do, emitted, environment, installed, words

HERE = Path(__file__).parent
TARGET = 0.9
_ABOUT = """\
Generated services against hand-written ones of the same stack (`bench/services/peers`), in turns on the same
core and the same tables. The generated ones also refuse unknown parameters, log, count, keep versions and
filter. Processor time is how much of it the hand-written one takes for a request, beside the generated one.

| language | operation | requests per second | target | | processor time | generated/s | by hand/s |
|---|---|---|---|---|---|---|---|"""
SECRET = "only-for-benchmarks-" + "0123456789" * 2
TENANTS = [UUID(f"01930000-0000-7000-8000-00000000000{number}") for number in (1, 2)]
ROWS = 5_000
"""Of each tenant."""


class ByHand(NamedTuple):
    """Where a hand-written service is put in the folder of the generated one, and how it is started there."""

    source: str
    place: str
    build: tuple[Command, ...]
    start: Command


BY_HAND = {
    "python": ByHand("python/peer.py", "peer.py", (), ("{cache}/venv/bin/python", "peer.py")),
    "typescript": ByHand("typescript/peer.js", "peer.js", (), ("node", "peer.js")),
    "go": ByHand(
        "go/main.go", "cmd/peer/main.go", (("go", "build", "-o", "bin/peer", "./cmd/peer"),), ("bin/peer",)
    ),
}


@dataclass
class Service:
    """One that answers."""

    port: int
    root: int


def main() -> int:
    options = _options()
    cores = sorted(os.sched_getaffinity(0))
    server_core = cores[0] if len(cores) > 1 else None
    if server_core is not None:
        os.sched_setaffinity(0, cores[1:])  # us, and PostgreSQL, which inherits it
    with tempfile.TemporaryDirectory(prefix="freehold-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may be another user
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        try:
            lines = [
                line
                for language in options.languages
                for line in _compare(TARGETS[language], postgres, folder, server_core, options)
            ]
        finally:
            postgres.stop()
    publish("bench.services", "\n".join([_ABOUT, *lines]), written=options.write)
    return 0


def _compare(
    target: Target, postgres: EmbeddedPostgres, folder: Path, core: int | None, options: argparse.Namespace
) -> Iterator[str]:
    """A line of each operation."""
    sys.stderr.write(f"bench: {target.name}\n")
    place = folder / target.name
    place.mkdir()
    service = emitted(target, HERE / "freehold.yaml", place)
    cache = installed(target, service)
    by_hand = BY_HAND[target.name]
    (service / by_hand.place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "peers" / by_hand.source, service / by_hand.place)
    for command in (*target.commands.build, *by_hand.build):
        do(command, service, cache, **environment(target))
    url = asyncio.run(_database(postgres, target.name))
    asyncio.run(_script(url, (service / "db" / "roles.sql").read_text(encoding="utf-8")))
    told = environment(
        target,
        DATABASE_URL=url,
        DATABASE_ROLE="app_api",
        MIGRATE_DATABASE_URL=url,
        MIGRATE_ROLE="app_owner",
        AUTH_PROVIDER="dev",
        AUTH_DEV_SECRET=SECRET,
    )
    do(target.commands.migrate, service, cache, **told)
    ids = asyncio.run(_fill(url))
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(
                _running(words(command, cache), service, told, core, place / f"{name}.log")
            )
            for name, command in (("generated", target.commands.start), ("by hand", by_hand.start))
        }
        for operation, workload in _workloads(ids).items():
            found = _in_turns(started, workload, options)
            ours, theirs = found["generated"], found["by hand"]
            ratio = statistics.median(one[0] / two[0] for one, two in zip(ours, theirs, strict=True))
            cost = statistics.median(two[1] / one[1] for one, two in zip(ours, theirs, strict=True))
            yield (
                f"| {target.name} | {operation} | **{ratio:.2f}x** | at least {TARGET:g}x"
                f" | {verdict(ratio, TARGET, at_most=False)} | {cost:.2f}x"
                f" | {statistics.median(one[0] for one in ours):,.0f}"
                f" | {statistics.median(one[0] for one in theirs):,.0f} |"
            )


def _in_turns(
    started: dict[str, Service], workload: Callable[[int], load.Workload], options: argparse.Namespace
) -> dict[str, list[tuple[float, float]]]:
    """Of each round, requests per second and processor seconds of one of them. The first only warms up."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in started}
    for number in range(options.rounds + 1):
        for name in list(started)[:: 1 if number % 2 else -1]:
            one = started[name]
            tree = processes.tree(one.root)
            before = processes.cpu_seconds(tree)
            sample = load.run(
                ("127.0.0.1", one.port),
                workload(one.port),
                connections=options.connections,
                seconds=options.seconds,
            )
            spent = processes.cpu_seconds(tree) - before
            if number > 0:
                found[name].append((sample.per_second, spent / sample.requests))
    return found


def _workloads(ids: list[UUID]) -> dict[str, Callable[[int], load.Workload]]:
    now = int(time.time())
    claims = {"iss": "dev", "iat": now, "exp": now + 86_400, "roles": ["admin"], "tenant_id": str(TENANTS[0])}
    headers = {"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"}
    body = {"name": "Ada", "email": "ada@example.com", "status": "active", "city": "Graz", "revenue": "12.50"}

    def asking(
        method: str, paths: list[str], status: int, sent: bytes = b""
    ) -> Callable[[int], load.Workload]:
        def at(port: int) -> load.Workload:
            host = f"127.0.0.1:{port}"
            return load.Workload(
                [load.request(method, path, headers, sent, host=host) for path in paths], status
            )

        return at

    return {
        "get": asking("GET", [f"/v1/customers/{each}" for each in ids], 200),
        "list 25": asking("GET", ["/v1/customers?limit=25"], 200),
        "create": asking("POST", ["/v1/customers"], 201, json.dumps(body).encode()),
    }


@contextmanager
def _running(
    command: list[str], folder: Path, told: dict[str, str], core: int | None, log: Path
) -> Iterator[Service]:
    port = free_port()
    more = {"HOST": "127.0.0.1", "PORT": str(port), "LOG_LEVEL": "warning"}
    process = processes.start(command, core=core, log=log, env=told | more, cwd=folder)
    try:
        _wait(f"http://127.0.0.1:{port}/v1/customers", process.poll, log)
        yield Service(port, process.pid)
    finally:
        processes.stop(process)


def _wait(url: str, exited: Callable[[], int | None], log: Path) -> None:
    for _ in range(300):
        if exited() is not None:
            break
        try:
            with urlopen(Request(url), timeout=5):
                return
        except URLError as error:
            if getattr(error, "code", None) == 401:  # it is there, and knows to refuse
                return
            time.sleep(0.1)
    sys.exit(f"bench: a service does not answer:\n{log.read_text(errors='replace')[-4000:]}")


async def _database(postgres: EmbeddedPostgres, name: str) -> str:
    await _script(postgres.dsn(role=SUPERUSER, database="postgres"), f"create database bench_{name}")
    return postgres.dsn(role=SUPERUSER, database=f"bench_{name}", tcp=True)


async def _script(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _fill(url: str) -> list[UUID]:
    """The rows of both tenants; answers with some ids of the first."""
    connection = await asyncpg.connect(url)
    try:
        for tenant in TENANTS:
            await connection.execute("insert into account (id, name) values ($1, 'One of two')", tenant)
            await connection.execute(
                "insert into customer (tenant_id, id, name, email, status, city, revenue)"
                " select $1, gen_random_uuid(), 'Customer ' || number, 'c' || number || '@example.com',"
                " 'active', 'Graz', number::numeric / 100 from generate_series(1, $2::int) number",
                tenant,
                ROWS,
            )
        await connection.execute("analyze")
        rows = await connection.fetch("select id from customer where tenant_id = $1 limit 500", TENANTS[0])
        return [row["id"] for row in rows]
    finally:
        await connection.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.services", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "languages", nargs="*", default=list(TARGETS), metavar="LANGUAGE", help=", ".join(TARGETS)
    )
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--seconds", type=int, default=2, choices=range(1, 61), metavar="1..60")
    parser.add_argument("--connections", type=int, default=8, choices=range(1, 257), metavar="1..256")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    if wrong := [name for name in options.languages if name not in TARGETS]:
        parser.error(f"{', '.join(wrong)}: known are {', '.join(TARGETS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
