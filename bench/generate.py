"""`python -m bench.generate`: how long the generator takes for a large schema, and how much it emits."""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from bench.dense import dense
from bench.document import publish, verdict
from freehold.generator import TARGETS, generate

ENTITIES = 100
MOST_SECONDS = 1.0
MOST_BYTES = 5_000_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--entities", type=int, default=ENTITIES, choices=range(2, 1001), metavar="2..1000")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 101), metavar="1..100")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args()
    schema = dense(options.entities)
    lines = [
        f"A service of {options.entities} densely related entities, the median of {options.rounds} rounds.",
        "",
        "| language | seconds | target | | bytes | target | | files |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in TARGETS:
        emitted = generate(schema, name)
        took = []
        for _ in range(options.rounds):
            started = time.perf_counter()
            generate(schema, name)
            took.append(time.perf_counter() - started)
        seconds, size = statistics.median(took), size_of(emitted)
        quick, small = verdict(seconds, MOST_SECONDS, at_most=True), verdict(size, MOST_BYTES, at_most=True)
        lines.append(
            f"| {name} | **{seconds:.2f}** | at most {MOST_SECONDS:g} | {quick}"
            f" | **{size:,}** | at most {MOST_BYTES:,} | {small} | {len(emitted)} |"
        )
    publish("bench.generate", "\n".join(lines), written=options.write)
    return 0


def size_of(emitted: dict[str, str]) -> int:
    return sum(len(text.encode()) for text in emitted.values())


if __name__ == "__main__":
    sys.exit(main())
