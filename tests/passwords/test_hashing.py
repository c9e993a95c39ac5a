"""Hashing passwords and checking them, beside a loop that goes on answering."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time

import pytest

from freehold import passwords
from freehold.passwords import Abandoned, PasswordsBusy, Workshop, formats, hung_up

MD5 = formats.md5_hash("5f4dcc3b5aa765d61d8327deb882cf99")  # password


async def test_a_long_password_counts_to_its_last_letter() -> None:
    kept = await passwords.hash_password("x" * 255 + "y")

    assert await passwords.password_matches("x" * 255 + "y", kept)
    assert not await passwords.password_matches("x" * 255 + "z", kept)


async def test_a_letter_counts_as_the_same_however_it_was_typed() -> None:
    kept = await passwords.hash_password("cafe\N{COMBINING ACUTE ACCENT} au lait")

    assert await passwords.password_matches("café au lait", kept)
    assert not await passwords.password_matches("cafe au lait", kept)


async def test_a_hash_of_another_system_is_met_by_what_was_typed_there() -> None:
    typed = "cafe\N{COMBINING ACUTE ACCENT} au lait"
    # printf 'cafe\xcc\x81 au lait' | md5sum
    kept = formats.md5_hash("5291a34510a6b3d57fb17132c6d2272c")

    assert await passwords.password_matches(typed, kept)
    assert not await passwords.password_matches("cafe au lait", kept)


async def test_only_hashes_that_are_not_ours_are_outdated() -> None:
    ours = await passwords.hash_password("correct horse")

    assert not passwords.is_outdated(ours)
    assert passwords.is_outdated(MD5)
    assert passwords.is_outdated(ours.replace("$argon2id$", "$argon2i$"))


async def test_nobody_and_a_quick_hash_take_as_long_as_a_wrong_password() -> None:
    ours = await passwords.hash_password("correct horse")
    took: dict[str | None, list[float]] = {None: [], MD5: [], ours: []}
    for _ in range(9):
        for kept, times in took.items():
            began = time.perf_counter()
            assert not await passwords.password_matches("wrong password", kept)
            times.append(time.perf_counter() - began)
    wrong = statistics.median(took[ours])

    assert statistics.median(took[None]) > wrong / 2
    assert statistics.median(took[MD5]) > wrong / 2


async def test_so_many_work_and_so_many_wait_and_the_next_is_told_to_come_back() -> None:
    workshop, door = Workshop(at_once=2, waiting=3), threading.Event()
    tasks = [asyncio.create_task(workshop.run(door.wait, 10)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(PasswordsBusy):
        await workshop.run(door.is_set)
    door.set()

    assert await asyncio.gather(*tasks) == [True] * 5
    assert await workshop.run(door.is_set)


async def test_what_nobody_waits_for_any_more_is_not_begun_and_leaves_its_place() -> None:
    workshop, door, gone, done = Workshop(at_once=1, waiting=3), threading.Event(), asyncio.Event(), []

    async def leave() -> None:
        await gone.wait()

    async def ask() -> None:
        hung_up.set(leave)
        await workshop.run(done.append, "asked for by nobody")

    first = asyncio.create_task(workshop.run(door.wait, 30))
    leavers = [asyncio.create_task(ask()) for _ in range(2)]
    cancelled = asyncio.create_task(workshop.run(done.append, "cancelled"))
    await asyncio.sleep(0)
    with pytest.raises(PasswordsBusy):
        await workshop.run(done.append, "too many")
    gone.set()
    cancelled.cancel()
    left = await asyncio.gather(*leavers, cancelled, return_exceptions=True)
    waiting = [asyncio.create_task(workshop.run(done.append, "asked for")) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(PasswordsBusy):  # what runs is still in hand
        await workshop.run(done.append, "too many")
    door.set()
    await asyncio.gather(first, *waiting)

    assert [type(each) for each in left] == [Abandoned, Abandoned, asyncio.CancelledError]
    assert done == ["asked for"] * 3


async def test_what_has_begun_counts_until_it_ends_though_its_asker_hung_up() -> None:
    workshop, begun, door = Workshop(at_once=1, waiting=0), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work() -> str:
        loop.call_soon_threadsafe(begun.set)
        door.wait(30)
        return "done"

    async def leave() -> None:
        await begun.wait()

    hung_up.set(leave)
    task = asyncio.create_task(workshop.run(work))
    await begun.wait()
    with pytest.raises(PasswordsBusy):
        await workshop.run(work)
    door.set()

    assert await task == "done"


async def test_the_loop_goes_on_while_many_passwords_are_checked() -> None:
    kept = await passwords.hash_password("correct horse")
    checks = [asyncio.create_task(passwords.password_matches("wrong", kept)) for _ in range(20)]
    turns = 0
    while not all(check.done() for check in checks):
        turns += 1
        await asyncio.sleep(0)

    assert turns > 100
