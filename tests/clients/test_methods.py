"""Every method that the official SDKs have for a service has its effect, in each language that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.clients.languages import JavaScript, Language, Python, plain
from tests.clients.methods import Scene, account, avatars, locale, presences, storage, teams, tokens, users
from tests.clients.methods import project as project_rows
from tests.platform import Project, platform, project
from tests.services.inbox import Inbox, inbox

__all__ = ["inbox", "platform", "project"]

Row = Callable[[Scene], None]

TABLES: dict[str, ModuleType] = {
    "Account": account,
    "Users": users,
    "Teams": teams,
    "Project": project_rows,
    "Storage": storage,
    "Tokens": tokens,
    "Avatars": avatars,
    "Locale": locale,
    "Presences": presences,
}
LANGUAGES = ("python", "node", "web")


def rows_of(service: str) -> dict[str, Row]:
    """The rows of a service, by the plain names of their methods."""
    table = vars(TABLES[service])
    written = {
        name: each
        for name, each in table.items()
        if callable(each) and getattr(each, "__module__", "") == table["__name__"] and name[0] != "_"
    }
    return {plain(name): row for name, row in {**written, **table.get("MORE", {})}.items()}


ROWS = [(service, method) for service in TABLES for method in rows_of(service)]


@pytest.fixture(scope="module")
def languages() -> Iterator[dict[str, Language]]:
    node, web = JavaScript("node", "node-appwrite"), JavaScript("web", "appwrite")
    yield {"python": Python(), "node": node, "web": web}
    node.stop()
    web.stop()


@pytest.mark.parametrize(("service", "method"), ROWS, ids=[f"{service}.{method}" for service, method in ROWS])
def test_a_method_has_its_effect_in_each_language_that_has_it(
    project: Project, inbox: Inbox, languages: dict[str, Language], service: str, method: str
) -> None:
    spellings = [
        (language, spelling)
        for language in languages.values()
        for spelling in language.methods(service)
        if plain(spelling) == method
    ]
    assert spellings, "No SDK has this method."
    for language, spelling in spellings:
        scene = Scene(project.platform.new_project(), inbox, language, service, spelling)
        rows_of(service)[method](scene)
        assert scene.calls > 0, f"The row never calls {spelling} of {language.name}."


@pytest.mark.parametrize("service", TABLES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_method_that_is_published_has_a_row_or_a_reason(
    languages: dict[str, Language], language: str, service: str
) -> None:
    published = {plain(method): method for method in languages[language].methods(service)}
    left_out = {plain(method) for method in TABLES[service].LEFT_OUT}
    rows = set(rows_of(service))

    assert sorted(published[each] for each in published.keys() - rows - left_out) == []
    assert rows & left_out == set()
