"""Continents, countries, currencies and languages, as CLDR and the numbering plans have them. Pure."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from babel import numbers
from babel.core import get_global

from freehold.services.locale.models import Currency, Language, Phone
from freehold.web.countries import CODES, ENGLISH, IN_CLDR, locale_of, name_of

CONTINENTS = {"AF": "002", "AN": "AQ", "AS": "142", "EU": "150", "NA": "003", "OC": "009", "SA": "005"}
"""The continents by the codes of the wire, and what CLDR knows their names by."""

_COUNTRIES_OF = {
    "AF": """AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR
             MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW""",
    "AN": "AQ BV GS HM TF",
    "AS": """AE AF AM AZ BD BH BN BT CC CN CX CY GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM
             MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE""",
    "EU": """AD AL AT AX BA BE BG BY CH CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV
             MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK""",
    "NA": """AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM
             PR SV SX TC TT US VC VG VI""",
    "OC": "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS",
    "SA": "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
}
CONTINENT_OF = {country: code for code, listed in _COUNTRIES_OF.items() for country in listed.split()}
"""The continent of each country. Those on two lie where the United Nations (M49) put them, but for Cyprus."""

EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
"""The members of the European Union."""

LOCALES = (
    "af", "ar-ae", "ar-bh", "ar-dz", "ar-eg", "ar-iq", "ar-jo", "ar-kw", "ar-lb", "ar-ly", "ar-ma",
    "ar-om", "ar-qa", "ar-sa", "ar-sy", "ar-tn", "ar-ye", "as", "az", "be", "bg", "bh", "bn", "bs",
    "ca", "cs", "cy", "da", "de", "de-at", "de-ch", "de-li", "de-lu", "el", "en", "en-au", "en-bz",
    "en-ca", "en-gb", "en-ie", "en-jm", "en-nz", "en-tt", "en-us", "en-za", "eo", "es", "es-ar",
    "es-bo", "es-cl", "es-co", "es-cr", "es-do", "es-ec", "es-gt", "es-hn", "es-mx", "es-ni",
    "es-pa", "es-pe", "es-pr", "es-py", "es-sv", "es-uy", "es-ve", "et", "eu", "fa", "fi", "fo",
    "fr", "fr-be", "fr-ca", "fr-ch", "fr-lu", "ga", "gd", "he", "hi", "hr", "hu", "id", "is", "it",
    "it-ch", "ja", "ji", "ko", "ku", "lt", "lv", "mk", "ml", "ms", "mt", "nb", "ne", "nl", "nl-be",
    "nn", "no", "pa", "pl", "pt", "pt-br", "rm", "ro", "ro-md", "ru", "ru-md", "sb", "sk", "sl",
    "sq", "sr", "sv", "sv-fi", "th", "tn", "tr", "ts", "ua", "ur", "ve", "vi", "xh", "zh-cn",
    "zh-hk", "zh-sg", "zh-tw", "zu",
)  # fmt: skip
"""The locales that the wire knows."""


class Place(NamedTuple):
    """What is known of a country beside its name."""

    continent_code: str
    continent: str
    eu: bool
    currency: str


def place_of(country: str, language: str) -> Place:
    """Where a country is, in a language."""
    continent = CONTINENT_OF[country]
    current = numbers.get_territory_currencies(country, date.today())  # noqa: DTZ011: of a day anywhere
    return Place(
        continent, name_of(CONTINENTS[continent], language), country in EU, current[0] if current else ""
    )


def locale_name(code: str) -> str:
    """What a locale is called in English, such as `German (Austria)`."""
    language, _, territory = code.partition("-")
    name = str(ENGLISH.languages[IN_CLDR.get(language, language)])
    return f"{name} ({name_of(territory.upper())})" if territory else name


@lru_cache(maxsize=16)  # for so many languages, which anybody may name
def phones(language: str) -> list[Phone]:
    """The calling codes of countries, by the names of these."""
    found = [
        Phone(code=f"+{code}", country_code=country, country_name=name_of(country, language))
        for country in CODES
        if (code := phonenumbers.country_code_for_region(country))
    ]
    return sorted(found, key=lambda each: each.country_name)


@cache
def currencies() -> list[Currency]:
    """The currencies that are paid with somewhere today, by their codes."""
    at_home: dict[str, str] = {}
    for country in CODES:
        for code in numbers.get_territory_currencies(country, date.today()):
            at_home.setdefault(code, country)
    return [_currency(code, at_home[code]) for code in sorted(at_home)]


def _currency(code: str, country: str) -> Currency:
    fractions = get_global("currency_fractions")
    digits, rounding, *_ = fractions.get(code, fractions["DEFAULT"])
    return Currency(
        code=code,
        name=numbers.get_currency_name(code, locale=ENGLISH),
        name_plural=numbers.get_currency_name(code, count=2, locale=ENGLISH),
        symbol=numbers.get_currency_symbol(code, locale=ENGLISH),
        symbol_native=numbers.get_currency_symbol(code, locale=_spoken_in(code, country)),
        decimal_digits=digits,
        rounding=rounding / 10**digits,
    )


def _spoken_in(currency: str, country: str) -> str:
    """The locale of the country of a currency: the one its code begins with, if that is one."""
    home = currency[:2] if currency[:2] in CODES else country
    spoken = get_global("territory_languages").get(home, {})
    usual = max(spoken, key=lambda each: spoken[each]["population_percent"], default="en")
    return str(locale_of(f"{usual.partition('_')[0]}-{home.lower()}"))


@cache
def languages() -> list[Language]:
    """The languages of ISO 639-1, by their codes."""
    found = []
    for code in sorted(each for each in map(str, ENGLISH.languages) if len(each) == 2):
        own = locale_of(code)
        native = own.languages.get(code) if own.language == code else None
        name = str(ENGLISH.languages[code])
        found.append(Language(code=code, name=name, native_name=str(native or name)))
    return found
