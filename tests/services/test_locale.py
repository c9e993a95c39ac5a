"""Where callers are, and what countries, languages and currencies are called in their own language."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from appwrite.services.locale import Locale

from freehold.services.locale import world
from freehold.web.countries import CODES
from tests.platform import PASSWORD, Platform, Project, running_platform
from tests.postgres import Server

IN_GERMANY, IN_BRAZIL = "193.99.144.80", "200.160.2.3"


@pytest.fixture
def locale(project: Project) -> Locale:
    return Locale(project.sdk())


@pytest.fixture(scope="module")
def behind_a_proxy(postgres: Server) -> Iterator[Platform]:
    """A platform that believes this machine when it says whose requests it hands on."""
    with running_platform(postgres, "--dev", FREEHOLD_TRUSTED_PROXIES="127.0.0.1") as running:
        running.register_root()
        yield running


def at(project: Project, address: str, language: str = "", **headers: str) -> httpx.Client:
    client = project.platform.client(project.id, **headers)
    client.headers["X-Forwarded-For"] = address
    client.headers["X-Appwrite-Locale"] = language
    return client


def newest_log(client: httpx.Client) -> dict[str, Any]:
    """What the caller did last, once that is written: a moment after it was done."""
    deadline = time.monotonic() + 30
    while True:
        found: list[dict[str, Any]] = client.get("/account/logs").json()["logs"]
        if found or time.monotonic() > deadline:
            return found[0]
        time.sleep(0.2)


def test_of_an_address_that_is_nowhere_nothing_is_claimed(locale: Locale) -> None:
    assert locale.get().to_dict() == {
        "ip": "127.0.0.1",
        "countryCode": "--",
        "country": "Unknown",
        "continentCode": "--",
        "continent": "Unknown",
        "eu": False,
        "currency": "",
    }


@pytest.mark.parametrize(
    ("address", "language", "told"),
    [
        (IN_GERMANY, "", ("DE", "Germany", "EU", "Europe", True, "EUR")),
        (IN_GERMANY, "de", ("DE", "Deutschland", "EU", "Europa", True, "EUR")),
        (f"::ffff:{IN_GERMANY}", "", ("DE", "Germany", "EU", "Europe", True, "EUR")),
        (IN_BRAZIL, "pt-br", ("BR", "Brasil", "SA", "América do Sul", False, "BRL")),
        (IN_BRAZIL, "xx", ("BR", "Brazil", "SA", "South America", False, "BRL")),
        ("2001:4860:4860::8888", "", ("US", "United States", "NA", "North America", False, "USD")),
    ],
)
def test_a_caller_is_told_where_it_is_in_its_language(
    behind_a_proxy: Platform, address: str, language: str, told: tuple[Any, ...]
) -> None:
    found = at(behind_a_proxy.new_project(), address, language).get("/locale").json()

    keys = ("countryCode", "country", "continentCode", "continent", "eu", "currency")
    assert tuple(found[key] for key in keys) == told
    assert found["ip"] == address.removeprefix("::ffff:")


def test_sessions_and_logs_say_from_which_country_they_came(behind_a_proxy: Platform) -> None:
    project = behind_a_proxy.new_project()
    jane = at(project, IN_GERMANY, "fr")
    email = "jane@example.com"
    jane.post("/account", json={"userId": "jane", "email": email, "password": PASSWORD})
    session = jane.post("/account/sessions/email", json={"email": email, "password": PASSWORD}).json()
    project.server.patch("/users/jane/name", json={"name": "Jane"})
    jane.patch("/account/name", json={"name": "Janet"})
    latest = newest_log(jane)

    assert (session["countryCode"], session["countryName"]) == ("DE", "Allemagne")
    assert (latest["countryCode"], latest["countryName"]) == ("DE", "Allemagne")
    server = at(project, IN_BRAZIL, key=project.key)
    [listed] = server.get("/users/jane/sessions").json()["sessions"]
    assert (listed["countryCode"], listed["countryName"]) == ("DE", "Germany")


def test_countries_are_listed_by_their_names(locale: Locale, project: Project) -> None:
    found = locale.list_countries().to_dict()
    names = [each["name"] for each in found["countries"]]
    german = at(project, "127.0.0.1", "de").get("/locale/countries").json()["countries"]

    assert found["total"] == len(names) == len(CODES)
    assert names == sorted(names)
    assert {"name": "Norway", "code": "NO"} in found["countries"]
    assert {"name": "Norwegen", "code": "NO"} in german


def test_the_european_union_has_27_members(locale: Locale) -> None:
    found = locale.list_countries_eu().to_dict()

    assert found["total"] == 27
    assert {"name": "Croatia", "code": "HR"} in found["countries"]
    assert "GB" not in {each["code"] for each in found["countries"]}


def test_continents_have_their_codes(locale: Locale) -> None:
    found = locale.list_continents().to_dict()

    assert {each["code"]: each["name"] for each in found["continents"]} == {
        "AF": "Africa",
        "AN": "Antarctica",
        "AS": "Asia",
        "EU": "Europe",
        "NA": "North America",
        "OC": "Oceania",
        "SA": "South America",
    }


def test_every_country_lies_on_one_continent() -> None:
    assert set(world.CONTINENT_OF) == set(CODES)
    assert set(CODES) > world.EU


def test_phone_codes_name_their_countries(locale: Locale) -> None:
    found = locale.list_countries_phones().to_dict()["phones"]

    assert {"code": "+49", "countryCode": "DE", "countryName": "Germany"} in found
    assert {"code": "+1", "countryCode": "CA", "countryName": "Canada"} in found


def test_currencies_say_how_they_are_written_and_rounded(locale: Locale) -> None:
    found = {each["code"]: each for each in locale.list_currencies().to_dict()["currencies"]}

    assert found["USD"] == {
        "code": "USD",
        "name": "US Dollar",
        "namePlural": "US dollars",
        "symbol": "$",
        "symbolNative": "$",
        "decimalDigits": 2,
        "rounding": 0,
    }
    assert (found["JPY"]["decimalDigits"], found["JPY"]["symbolNative"]) == (0, "￥")
    assert (found["CAD"]["symbol"], found["CAD"]["symbolNative"]) == ("CA$", "$")
    assert found["PLN"]["symbolNative"] == "zł"
    assert "DEM" not in found  # which nobody pays with any more


def test_languages_tell_their_own_names(locale: Locale) -> None:
    found = locale.list_languages().to_dict()["languages"]

    assert {"code": "de", "name": "German", "nativeName": "Deutsch"} in found
    assert {"code": "el", "name": "Greek", "nativeName": "Ελληνικά"} in found


def test_locales_are_those_that_mails_can_be_written_for(locale: Locale, project: Project) -> None:
    found = {each["code"]: each["name"] for each in locale.list_codes().to_dict()["localeCodes"]}
    known = project.server.get("/project/templates/email/verification", params={"locale": "de-at"})

    assert (found["de-at"], found["ua"]) == ("German (Austria)", "Ukrainian")
    assert known.status_code == 200


@pytest.mark.parametrize(("code", "germany"), [("ua", "Німеччина"), ("ji", "דייטשלאַנד"), ("sb", "Němska")])
def test_names_come_in_every_listed_locale_by_its_code_here(
    project: Project, code: str, germany: str
) -> None:
    listed = project.guest.get("/locale/codes").json()["localeCodes"]
    project.guest.headers["X-Appwrite-Locale"] = code
    countries = project.guest.get("/locale/countries").json()["countries"]

    assert code in {each["code"] for each in listed}
    assert {each["code"]: each["name"] for each in countries}["DE"] == germany


def test_who_names_many_languages_fills_no_memory() -> None:
    for number in range(40):
        world.phones(f"xx-{number}")

    assert world.phones.cache_info().currsize < 20
