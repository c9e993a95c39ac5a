"""Which country an IP address is in, and what countries are called: from data that comes with the libraries.

Addresses are looked up in what the regional registries have handed out (iptocc); names are those of the
Unicode CLDR (Babel). Nothing is asked of anybody.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import iptocc
from babel import Locale, UnknownLocaleError

ENGLISH = Locale.parse("en")

_NO_COUNTRIES = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ")
)
"""Codes of two letters that CLDR names and ISO 3166-1 only reserves, or that stand for groups and tests."""

CODES = tuple(
    sorted(code for code in map(str, ENGLISH.territories) if len(code) == 2 and code not in _NO_COUNTRIES)
)
"""The countries of ISO 3166-1, and XK."""


IN_CLDR = {"bh": "bho", "ji": "yi", "sb": "hsb", "ua": "uk"}
"""Languages that the wire has under another code."""


class Country(NamedTuple):
    """A country by its code, and its name in somebody's language."""

    code: str = "--"
    name: str = "Unknown"


def country_of(address: str, language: str = "") -> Country:
    """The country of an IP address, named in a language such as `de` or `pt-br`, or else in English."""
    try:
        code = iptocc.country_code(address)
    except ValueError:
        code = None
    return Country(code, name_of(code, language)) if code is not None and code in CODES else Country()


def name_of(code: str, language: str = "") -> str:
    """What a territory of CLDR is called in a language, or else in English."""
    return str(locale_of(language).territories.get(code) or ENGLISH.territories[code])


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """What CLDR knows of a language such as `de` or `pt-br`; of one that it does not know, English."""
    told = language.strip().replace("_", "-")
    try:
        return Locale.parse(IN_CLDR.get(told, told), sep="-") if told else ENGLISH
    except (UnknownLocaleError, ValueError):
        return ENGLISH
