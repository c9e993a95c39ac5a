"""Where callers are, and what the world is called."""

from __future__ import annotations

from typing import Any

from tests.clients.methods import Scene

LEFT_OUT: dict[str, str] = {}


def _by_code(found: dict[str, Any], things: str, code: str = "code") -> dict[str, Any]:
    """What was listed, by its codes; that all of it was."""
    assert found["total"] == len(found[things])
    return {each[code]: each for each in found[things]}


def get(on: Scene) -> None:
    assert (on.guest.get()["ip"], on.guest.get()["countryCode"]) == ("127.0.0.1", "--")


def list_codes(on: Scene) -> None:
    assert _by_code(on.guest.listCodes(), "localeCodes")["de"]["name"] == "German"


def list_continents(on: Scene) -> None:
    continents = _by_code(on.guest.listContinents(), "continents")

    assert (len(continents), continents["SA"]["name"]) == (7, "South America")


def list_countries(on: Scene) -> None:
    assert _by_code(on.guest.listCountries(), "countries")["JP"]["name"] == "Japan"


def list_countries_eu(on: Scene) -> None:
    union = _by_code(on.guest.listCountriesEU(), "countries")

    assert (len(union), union["PT"]["name"], "GB" in union) == (27, "Portugal", False)


def list_countries_phones(on: Scene) -> None:
    assert _by_code(on.guest.listCountriesPhones(), "phones", "countryCode")["DE"]["code"] == "+49"


def list_currencies(on: Scene) -> None:
    yen = _by_code(on.guest.listCurrencies(), "currencies")["JPY"]

    assert (yen["name"], yen["decimalDigits"]) == ("Japanese Yen", 0)


def list_languages(on: Scene) -> None:
    german = _by_code(on.guest.listLanguages(), "languages")["de"]

    assert (german["name"], german["nativeName"]) == ("German", "Deutsch")
