"""How much a request and an answer may hold: the same in every language."""

from __future__ import annotations

MAX_INCLUDES = 5
MAX_INCLUDED = 2000
"""The rows that one relation of `include` may reach in one answer."""
MAX_LINKS = 1000
MAX_BATCH = 500
MAX_ARRAY = 1000
MAX_TEXT = 1_000_000
DECIMAL_DIGITS = 30
"""Digits before and after the point of a decimal that says neither."""
