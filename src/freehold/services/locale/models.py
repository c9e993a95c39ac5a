"""Shapes of places, languages and currencies on the wire."""

from __future__ import annotations

from freehold.web.wire import Output


class Locale(Output):
    """Where the caller is, as far as its address tells."""

    ip: str
    country_code: str
    country: str
    continent_code: str
    continent: str
    eu: bool
    currency: str


class LocaleCode(Output):
    code: str
    name: str


class LocaleCodeList(Output):
    total: int
    locale_codes: list[LocaleCode]


class Country(Output):
    name: str
    code: str


class CountryList(Output):
    total: int
    countries: list[Country]


class Continent(Output):
    name: str
    code: str


class ContinentList(Output):
    total: int
    continents: list[Continent]


class Phone(Output):
    code: str
    country_code: str
    country_name: str


class PhoneList(Output):
    total: int
    phones: list[Phone]


class Currency(Output):
    symbol: str
    name: str
    symbol_native: str
    decimal_digits: int
    rounding: float
    code: str
    name_plural: str


class CurrencyList(Output):
    total: int
    currencies: list[Currency]


class Language(Output):
    name: str
    code: str
    native_name: str


class LanguageList(Output):
    total: int
    languages: list[Language]
