"""Endpoints of the locale service. Names come in the language of X-Appwrite-Locale, where there are any."""

from __future__ import annotations

from freehold.services.locale import world
from freehold.services.locale.models import (
    Continent,
    ContinentList,
    Country,
    CountryList,
    CurrencyList,
    LanguageList,
    Locale,
    LocaleCode,
    LocaleCodeList,
    PhoneList,
)
from freehold.web.call import Call
from freehold.web.countries import CODES, country_of, name_of
from freehold.web.endpoint import Routes

routes = Routes("locale")


@routes.get("/v1/locale", scope="locale.read")
async def get(call: Call) -> Locale:
    """Tell where the caller is, as far as its IP address tells."""
    address, language = call.ip, call.language
    country = country_of(address, language)
    unknown = world.Place(continent_code="--", continent="Unknown", eu=False, currency="")
    place = world.place_of(country.code, language) if country.code in CODES else unknown
    return Locale(ip=address, country_code=country.code, country=country.name, **place._asdict())


@routes.get("/v1/locale/codes", scope="locale.read", name="listCodes")
async def list_codes(call: Call) -> LocaleCodeList:
    """List the locales that mails can be written for, with their English names."""
    found = [LocaleCode(code=code, name=world.locale_name(code)) for code in world.LOCALES]
    return LocaleCodeList(total=len(found), locale_codes=found)


@routes.get("/v1/locale/continents", scope="locale.read")
async def list_continents(call: Call) -> ContinentList:
    """List the continents."""
    found = [
        Continent(name=name_of(territory, call.language), code=code)
        for code, territory in world.CONTINENTS.items()
    ]
    return ContinentList(total=len(found), continents=sorted(found, key=lambda each: each.name))


@routes.get("/v1/locale/countries", scope="locale.read")
async def list_countries(call: Call) -> CountryList:
    """List the countries."""
    return _countries(CODES, call.language)


@routes.get("/v1/locale/countries/eu", scope="locale.read", name="listCountriesEU")
async def list_countries_eu(call: Call) -> CountryList:
    """List the members of the European Union."""
    return _countries(tuple(world.EU), call.language)


@routes.get("/v1/locale/countries/phones", scope="locale.read")
async def list_countries_phones(call: Call) -> PhoneList:
    """List the calling codes of countries."""
    found = world.phones(call.language)
    return PhoneList(total=len(found), phones=found)


@routes.get("/v1/locale/currencies", scope="locale.read")
async def list_currencies(call: Call) -> CurrencyList:
    """List the currencies that are paid with today, with their English names."""
    found = world.currencies()
    return CurrencyList(total=len(found), currencies=found)


@routes.get("/v1/locale/languages", scope="locale.read")
async def list_languages(call: Call) -> LanguageList:
    """List the languages of ISO 639-1, with their English and their own names."""
    found = world.languages()
    return LanguageList(total=len(found), languages=found)


def _countries(codes: tuple[str, ...], language: str) -> CountryList:
    found = [Country(name=name_of(code, language), code=code) for code in codes]
    return CountryList(total=len(found), countries=sorted(found, key=lambda each: each.name))
