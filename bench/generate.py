"""`python -m bench.generate`: how long the generator takes for a large schema, and how much it emits."""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from bench.dense import dense
from freehold.generator import TARGETS, generate

ENTITIES = 100
MOST_SECONDS = 1.0
MOST_BYTES = 5_000_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__)
    parser.add_argument("--entities", type=int, default=ENTITIES, choices=range(2, 1001), metavar="2..1000")
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 101), metavar="1..100")
    options = parser.parse_args()
    schema = dense(options.entities)
    print(f"{options.entities} densely related entities, the median of {options.rounds} rounds:")
    print("| language | seconds | target | bytes | target | files |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in TARGETS:
        emitted = generate(schema, name)
        took = []
        for _ in range(options.rounds):
            started = time.perf_counter()
            generate(schema, name)
            took.append(time.perf_counter() - started)
        seconds, size = statistics.median(took), size_of(emitted)
        print(
            f"| {name} | {seconds:.2f} | {_against(seconds, MOST_SECONDS)} "
            f"| {size:,} | {_against(size, MOST_BYTES)} | {len(emitted)} |"
        )
    # A target that is missed is told, not punished: the seconds of a shared machine are no reason to fail.
    return 0


def size_of(emitted: dict[str, str]) -> int:
    return sum(len(text.encode()) for text in emitted.values())


def _against(found: float, most: float) -> str:
    return f"{'met' if found < most else 'missed'}: {most:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
