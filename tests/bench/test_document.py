"""Each command writes its own section of the page, and leaves those of the others."""

from __future__ import annotations

from bench.document import replaced, verdict


def test_a_section_takes_the_place_of_its_last_one_and_the_others_stay() -> None:
    page = replaced("", "bench.files", "## Files\n\nold\n")
    page = replaced(page, "bench", "## The platform beside others\n\n### Ratios\n\nmany\n")
    page = replaced(page, "bench.files", "## Files\n\nnew\n")

    assert page.startswith("# Benchmarks\n")
    assert "\nold\n" not in page
    assert page.index("### Ratios\n\nmany\n") < page.index("## Files\n\nnew\n")
    assert page.endswith("new\n")


def test_what_is_exactly_the_target_meets_it() -> None:
    assert [verdict(each, 2, at_most=True) for each in (1, 2, 3)] == ["met", "met", "missed"]
    assert [verdict(each, 2, at_most=False) for each in (1, 2, 3)] == ["missed", "met", "met"]
