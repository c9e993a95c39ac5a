"""S35: how long an answer takes does not tell whether anybody has the address either.

Known and unknown addresses are asked in turn, so that whatever else the machine does meanwhile falls on both.
The means are trimmed, the bounds are wide, and one measurement of three has to keep to them: what is to be
found is work that is done for one of them alone, as checking a password or speaking to a mail server, which
takes many times as long as all the rest.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from tests.platform import Project, User, unique

PAIRS = 15
MEASUREMENTS = 3
MOST_TIMES = 2.5
AT_LEAST_MS = 2.0
"""Differences below this are not to be told from those of the network."""

PAGE = "http://localhost:3000/"

WAYS = {
    "login": ("/account/sessions/email", {"password": "wrong horse battery"}),
    "recovery": ("/account/recovery", {"url": PAGE}),
    "recovery by code": ("/account/recovery/otp", {}),
    "code by mail": ("/account/tokens/email", {"userId": "unique()"}),
    "magic URL": ("/account/tokens/magic-url", {"userId": "unique()", "url": PAGE}),
}


def trimmed_mean(values: list[float]) -> float:
    """The mean without the fifth of the slowest and of the quickest."""
    cut = len(values) // 5
    kept = sorted(values)[cut : len(values) - cut]
    return sum(kept) / len(kept)


def ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def are_alike(known: Callable[[], object], unknown: Callable[[], object]) -> str:
    """Nothing, if two ways take about as long in one of some measurements; what they took, if not."""
    told = ""
    for _ in range(MEASUREMENTS):
        pairs = [(ms(known), ms(unknown)) for _ in range(PAIRS)]
        one, other = (trimmed_mean(list(times)) for times in zip(*pairs, strict=True))
        if abs(one - other) < AT_LEAST_MS or 1 / MOST_TIMES < one / other < MOST_TIMES:
            return ""
        told += f" {one:.1f} and {other:.1f} ms;"
    return told


@pytest.mark.parametrize("way", WAYS)
def test_s35_a_known_address_takes_as_long_as_an_unknown_one(project: Project, jane: User, way: str) -> None:
    path, body = WAYS[way]
    strangers = (f"{unique('stranger')}@example.com" for _ in itertools.count())

    def ask(email: str) -> int:
        return project.guest.post(path, json={**body, "email": email}).status_code

    assert ask(jane.email) == ask(next(strangers))  # and connections are open, statements prepared
    assert are_alike(lambda: ask(jane.email), lambda: ask(next(strangers))) == ""


def test_s35_inviting_somebody_known_takes_as_long_as_inviting_a_stranger(
    project: Project, jane: User
) -> None:
    team = jane.client.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    known = [project.new_user("Known").email for _ in range(2)]
    emails = (known[0], f"{unique('stranger')}@example.com")

    def invite(email: str) -> int:
        body = {"roles": ["player"], "email": email, "url": PAGE}
        return jane.client.post(f"/teams/{team}/memberships", json=body).status_code

    assert [invite(email) for email in emails] == [201, 201]  # from now on it is sent again, with a new link
    assert are_alike(lambda: invite(emails[0]), lambda: invite(emails[1])) == ""


def test_s35_registering_hashes_the_password_whether_or_not_the_address_is_taken(
    project: Project, jane: User
) -> None:
    def register(email: str) -> int:
        body = {"userId": "unique()", "email": email, "password": "correct horse battery"}
        return project.guest.post("/account", json=body).status_code

    assert (register(jane.email), register(f"{unique('new')}@example.com")) == (409, 201)
    taken, free = (lambda: register(jane.email)), (lambda: register(f"{unique('new')}@example.com"))
    assert are_alike(taken, free) == ""


def test_s35_a_difference_would_be_seen() -> None:
    assert are_alike(lambda: time.sleep(0.004), lambda: time.sleep(0.02)) != ""
    assert are_alike(lambda: time.sleep(0.004), lambda: time.sleep(0.004)) == ""
