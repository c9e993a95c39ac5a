"""What a socket wants to hear of: channels, narrowed down by queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from freehold import ids
from freehold.db import queries
from freehold.db.queries import Query
from freehold.errors import BadRequest, InvalidQuery

MAX_CHANNELS = 100
MAX_CHANNEL_CHARACTERS = 256
MAX_SUBSCRIPTIONS = 100
MAX_CHARACTERS = 262_144
"""Of all channels and queries of a socket, for they are kept as long as it is open."""

ACTIONS = frozenset(("create", "update", "upsert", "delete"))


class InvalidSubscription(BadRequest, type="realtime_policy_violation"):
    """This cannot be subscribed to: {reason}"""


class Subscription:
    """Channels, and the queries that have to hold of what is told on them."""

    __slots__ = ("asked", "channels", "characters", "heard", "id", "queries")

    def __init__(self, subscription_id: str, asked: Sequence[str], asked_queries: Sequence[str]) -> None:
        """Raises InvalidSubscription, InvalidQuery."""
        if len(asked) > MAX_CHANNELS:
            raise InvalidSubscription(reason=f"at most {MAX_CHANNELS} channels, these are {len(asked)}.")
        if any(len(channel) > MAX_CHANNEL_CHARACTERS for channel in asked):
            raise InvalidSubscription(
                reason=f"the name of a channel has at most {MAX_CHANNEL_CHARACTERS} characters."
            )
        self.id = subscription_id
        self.asked = tuple(dict.fromkeys(asked))
        self.characters = sum(map(len, (*self.asked, *asked_queries)))
        self.queries = read_queries(asked_queries)
        self.channels: frozenset[str] = frozenset()
        """As they are of this caller; see `own`."""
        self.heard = 0
        """The number of the last event that was told it, or found to be none of its business."""

    def own(self, user_id: str) -> None:
        """Make the channels those of a user; empty for nobody."""
        self.channels = channels_of(self.asked, user_id)

    def fits(self, payload: Mapping[str, Any]) -> bool:
        """Tell whether all of the queries hold."""
        return all(holds(query, payload) for query in self.queries)


def must_be_few(subscriptions: Collection[Subscription]) -> None:
    """Refuse what is too much for one socket. Raises InvalidSubscription."""
    if len(subscriptions) > MAX_SUBSCRIPTIONS:
        raise InvalidSubscription(reason=f"at most {MAX_SUBSCRIPTIONS} subscriptions on one socket.")
    if sum(each.characters for each in subscriptions) > MAX_CHARACTERS:
        raise InvalidSubscription(
            reason=f"the channels and queries of one socket have at most {MAX_CHARACTERS} characters."
        )


def channels_of(asked: Sequence[str], user_id: str) -> frozenset[str]:
    """The channels that are meant: `account` is one's own, and another's is nobody's."""
    return frozenset(filter(None, (_rewritten(channel, user_id) for channel in asked)))


def _rewritten(channel: str, user_id: str) -> str:
    if channel != "account" and not channel.startswith("account."):
        return channel
    whose = channel.removeprefix("account").removeprefix(".")
    name, dot, action = whose.rpartition(".")
    if whose in ACTIONS:
        whose, action = "", whose
    elif dot and action in ACTIONS:
        whose = name
    else:
        action = ""
    if not user_id or whose not in ("", user_id):
        return ""
    return f"account.{user_id}" + (f".{action}" if action else "")


# -- queries -----------------------------------------------------------------------------------------------


def _equal(value: Any, wanted: Sequence[Any]) -> bool:
    if isinstance(value, list):
        return any(each in wanted for each in value)
    return value in wanted


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Sequence[Any]], bool]:
    def is_so(value: Any, wanted: Sequence[Any]) -> bool:
        try:
            return value is not None and any(compare(value, each) for each in wanted)
        except TypeError:
            return False  # a text is neither more nor less than a number

    return is_so


_METHODS: Mapping[str, Callable[[Any, Sequence[Any]], bool]] = {
    "equal": _equal,
    "notEqual": lambda value, wanted: not _equal(value, wanted),
    "lessThan": _ordered(lambda a, b: a < b),
    "lessThanEqual": _ordered(lambda a, b: a <= b),
    "greaterThan": _ordered(lambda a, b: a > b),
    "greaterThanEqual": _ordered(lambda a, b: a >= b),
    "isNull": lambda value, wanted: value is None,
    "isNotNull": lambda value, wanted: value is not None,
}


def holds(query: Query, payload: Mapping[str, Any]) -> bool:
    """Tell whether a query holds of what is told."""
    if query.method == "and":
        return all(holds(each, payload) for each in query.values)
    if query.method == "or":
        return any(holds(each, payload) for each in query.values)
    if query.method == "select":
        return True
    return _METHODS[query.method](payload.get(query.attribute), query.values)


def read_queries(texts: Sequence[str]) -> tuple[Query, ...]:
    """The queries of a subscription. Raises InvalidQuery."""
    read = tuple(queries.parse(texts))
    for query in read:
        _check(query)
    return read


def _check(query: Query) -> None:
    if query.method in ("and", "or"):
        for each in query.values:
            _check(each)
    elif query.method == "select":
        if query.values != ("*",):
            raise InvalidQuery(reason='a subscription selects `["*"]` or nothing.')
    elif query.method not in _METHODS:
        known = ", ".join([*_METHODS, "and", "or", "select"])
        raise InvalidQuery(reason=f"`{query.method}` cannot narrow a subscription. Use one of {known}.")


# -- subscriptions in the URL, as older SDKs have them -----------------------------------------------------

_SLOT = re.compile(r"(.+?)\[(\d{1,3})\]\[(?:\d{1,3})?\]")


def of_url(pairs: Sequence[tuple[str, str]]) -> dict[str, Subscription]:
    """The subscriptions of a query string, by their slots. Raises InvalidSubscription, InvalidQuery.

    `channels[]=rows&rows[0][]=QUERY`: a channel stands in each slot that it has queries in, or else in 0.
    """
    channels = [value for name, value in pairs if re.fullmatch(r"channels(?:\[\d*\])?", name)]
    narrowed: dict[str, dict[str, list[str]]] = {}
    for name, value in pairs:
        if (match := _SLOT.fullmatch(name)) is not None:
            narrowed.setdefault(match[1], {}).setdefault(match[2], []).append(value)
    slots: dict[str, tuple[list[str], list[str]]] = {}
    for channel in channels:
        asked = narrowed.get(channel.replace(".", "_")) or narrowed.get(channel) or {"0": []}
        for slot, texts in asked.items():
            together = slots.setdefault(slot, ([], texts))
            together[0].append(channel)
    subscriptions = {slot: Subscription(ids.new_id(), *said) for slot, said in slots.items()}
    must_be_few(subscriptions.values())
    return subscriptions
