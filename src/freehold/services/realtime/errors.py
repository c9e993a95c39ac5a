"""What can go wrong on a socket, and with the change feed. Statuses are the codes that clients look at."""

from __future__ import annotations

from freehold.errors import BadRequest, Problem


class InvalidMessage(Problem, type="realtime_message_format_invalid", status=1003):
    """The message could not be read: {reason}"""


class PolicyViolation(Problem, type="realtime_policy_violation", status=1008):
    """{reason}"""


class TooManyMessages(Problem, type="realtime_too_many_messages", status=1013):
    """{reason}"""


class EventsGone(Problem, type="realtime_events_gone", status=410):
    """Not all events since {since} are kept any more. Read what you follow anew, and go on from {latest}."""


class InvalidToken(BadRequest, type="general_argument_invalid"):
    """Invalid `since` param: It has to be what an earlier answer gave as `since`."""
