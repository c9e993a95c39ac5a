"""Answers that are kept in memory: as old as allowed, of so many bytes, and gone with their tag."""

from __future__ import annotations

from pathlib import Path

from freehold.web.cache import Answers, Stamps


async def load(answers: Answers, key: str, answer: bytes, *, tag: str = "t") -> tuple[bytes, bool]:
    async def find() -> bytes:
        return answer

    return await answers.load(key.encode(), tag, 60, find)


async def test_answers_push_out_the_oldest_when_they_take_too_much(tmp_path: Path) -> None:
    answers = Answers(Stamps(tmp_path / "stamps"), size_bytes=40_000)
    for number in range(12):
        await load(answers, f"k{number}", b"x" * 4_000)

    assert (await load(answers, "k0", b"new")) == (b"new", False)
    assert (await load(answers, "k11", b"new")) == (b"x" * 4_000, True)


async def test_one_answer_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    answers = Answers(Stamps(tmp_path / "stamps"), size_bytes=40_000)
    await load(answers, "small", b"small")
    await load(answers, "large", b"x" * 6_000)

    assert await load(answers, "large", b"new") == (b"new", False)
    assert await load(answers, "small", b"new") == (b"small", True)


async def test_a_touched_tag_makes_its_answers_stale(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    answers = Answers(stamps, size_bytes=40_000)
    await load(answers, "one", b"old", tag="a")
    await load(answers, "two", b"old", tag="b")
    stamps.touch("a")

    assert await load(answers, "one", b"new", tag="a") == (b"new", False)
    assert await load(answers, "two", b"new", tag="b") == (b"old", True)


async def test_a_change_while_an_answer_is_being_found_is_not_missed(tmp_path: Path) -> None:
    stamps = Stamps(tmp_path / "stamps")
    answers = Answers(stamps, size_bytes=40_000)

    async def find() -> bytes:
        stamps.touch("t")
        return b"old"

    await answers.load(b"k", "t", 60, find)
    assert await load(answers, "k", b"new") == (b"new", False)
