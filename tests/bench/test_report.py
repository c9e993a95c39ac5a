"""Ratios are taken round by round, and a target that is missed is named with its distance."""

from __future__ import annotations

from bench import profile, report
from bench.dataset import make
from bench.measure import Measurement, Plan, Results
from bench.peers import Operation, Running
from bench.peers.freehold_once import CASCADE, EXPANSION

PLAN = Plan(rounds=3, seconds=1, connections=1, operations=tuple(Operation))


def measured(per_second: float, server_us: float, database_us: float = 10) -> Measurement:
    return Measurement(per_second, 1.0, 2.0, server_us, database_us)


def results() -> Results:
    found = Results()
    # A slow second round, for both: their ratio stays the same.
    found.measurements["freehold", Operation.GET] = [
        measured(900, 200),
        measured(90, 2000),
        measured(900, 240),
    ]
    found.measurements["bare", Operation.GET] = [measured(1800, 100), measured(180, 1000), measured(1800, 60)]
    found.measurements["directus", Operation.GET] = [
        measured(100, 900),
        measured(30, 9000),
        measured(100, 900),
    ]
    return found


def test_a_ratio_compares_what_was_measured_in_the_same_round() -> None:
    ratio = results().ratio("freehold", "bare", Operation.GET, "server_us")

    assert ratio is not None
    assert (ratio.least, ratio.median, ratio.most) == (2.0, 2.0, 4.0)


def test_a_missed_target_is_named_and_a_met_one_is_not() -> None:
    found = results()
    assert report.misses(found) == []

    found.measurements["freehold", Operation.GET] = [measured(400, 300)] * 3

    assert report.misses(found) == [
        "get row: 3.00x server CPU per request, beside the bare loop; the target is at most 2.5x",
        "get row: 4.00x requests per second, beside Directus; the target is at least 5x",
    ]


def test_a_peer_that_is_absent_is_reported_by_name() -> None:
    found = results()
    found.absent["pocketbase"] = "Go is not installed."

    text = report.markdown(found, {}, PLAN, 100, "18.0")

    assert "| requests per second, beside PocketBase | | not measured | at least 1x | |" in text
    assert "**pocketbase** was not measured: Go is not installed." in text


def test_what_is_done_once_a_round_is_told_in_seconds() -> None:
    found = results()
    found.once["freehold", CASCADE] = [0.2, 0.1, 0.9]
    found.once["freehold", EXPANSION] = [0.03]
    text = report.markdown(found, {}, PLAN, 100, "18.0")

    assert f"| {CASCADE} | freehold | **0.200** (0.100 to 0.900) | at most 1 s | met |" in text
    assert f"| {EXPANSION} | freehold | **0.030** (0.030 to 0.030) |  |  |" in text
    assert report.misses(found) == []
    found.once["freehold", CASCADE] = [1.5]
    assert report.misses(found) == [f"{CASCADE}: 1.50 s; the target is at most 1 s"]


def test_a_peer_tells_what_it_was_measured_with() -> None:
    running = Running(("127.0.0.1", 1), 1, {}, "rules on", lambda: None)

    assert "- **bare**: rules on." in report.markdown(results(), {"bare": running}, PLAN, 100, "18.0")


def test_the_page_of_a_list_holds_only_own_rows_below_the_bound() -> None:
    data = make(2000)
    bound = data.below[0]
    page = data.page(bound)

    assert len(page) == 25
    assert [row.amount for row in page] == sorted((row.amount for row in page), reverse=True)
    assert all(row.is_mine and row.status == "active" and row.amount < bound for row in page)
    assert make(2000) == data


def test_a_profile_gives_each_sample_to_its_innermost_layer_and_leaves_idle_ones_out() -> None:
    text = profile.summary(
        [
            "main (freehold/cli.py:1);handle (freehold/web/application.py:20);fetch (asyncpg/x.py:3) 30",
            "main (freehold/cli.py:1);answer (freehold/web/application.py:25) 10",
            "main (freehold/cli.py:1);epoll_wait (libc.so.6) 1000",
            "_worker (concurrent/futures/thread.py:81);_queue_SimpleQueue_get (_queuemodule.c:1) 90",
        ],
        "get row",
    )

    assert "40 samples" in text
    assert " 75.0%  SQL in PostgreSQL's driver (asyncpg)" in text
    assert " 25.0%  Freehold" in text
    assert " 75.0%  handle (freehold/web/application.py)" in text
    assert "main (freehold/cli.py)" not in text
    assert "epoll_wait" not in text
