"""Whatever is sent, by whomever: never a 5xx, and every answer fits the schema that was promised for it.

`make fuzz` takes longer and looks deeper.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from freehold.access import policies
from freehold.services import endpoints
from freehold.web import openapi
from tests.platform import Platform, Project

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", 60 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 3))
"""How often each operation is called by each caller, with what fits and with what does not."""

LONGEST_QUERY = 30_000
"""Longer ones are refused below the application, in words of the HTTP server's own."""


def only_what_is_promised(ctx: CheckContext, response: Response, case: schemathesis.Case) -> None:
    """A 5xx that is not declared is a mistake of ours; 501 and 503 may be promised."""
    if (
        response.status_code >= 500
        and str(response.status_code) not in case.operation.definition.raw["responses"]
    ):
        raise Failure(
            operation=case.operation.label,
            title="Server error",
            message=f"{response.status_code} {response.text}",
        )


CHECKS = [
    only_what_is_promised,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

COLUMNS: tuple[dict[str, Any], ...] = (
    {"key": "title", "type": "varchar", "size": 20, "required": False},
    {"key": "pages", "type": "integer", "required": False, "min": 0, "max": 9000},
    {"key": "price", "type": "float", "required": False},
    {"key": "sold", "type": "boolean", "required": False},
    {"key": "at", "type": "datetime", "required": False},
    {"key": "genre", "type": "enum", "elements": ["novel", "play"], "required": False},
    {"key": "tags", "type": "varchar", "size": 9, "array": True, "required": False},
)
KNOWN: dict[str, tuple[str, ...]] = {
    "databaseId": ("shop",),
    "tableId": ("books",),
    "rowId": ("first", "second"),
    "collectionId": ("books",),
    "documentId": ("first", "second"),
    "key": (*(str(column["key"]) for column in COLUMNS), "by_title", "by_pages"),
    "teamId": ("arsenal",),
    "userId": ("jane", "bob"),
    "sessionId": ("current",),
    "platformId": ("web",),
    "keyId": ("spare",),
    "serviceId": ("storage",),
    "protocolId": ("graphql",),
}
"""Ids of what is there, so that not everything is only not found."""

OF_TEAMS_AND_FACTORS = ("membership-privacy", "mfa-factors", "passkey")

ATTRIBUTES = (
    *["$id", "$sequence", "$createdAt", "$updatedAt", "$permissions", "name", "email", "nothing", "a.b"],
    *(str(column["key"]) for column in COLUMNS),
)
METHODS = (
    "equal", "notEqual", "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "contains",
    "notContains", "containsAny", "containsAll", "search", "isNull", "isNotNull", "between",
    "notBetween", "startsWith", "endsWith", "notStartsWith", "notEndsWith", "regex", "select",
    "orderAsc", "orderDesc", "orderRandom", "limit", "offset", "cursorAfter", "cursorBefore",
    "nonsense",
)  # fmt: skip

TEXTS = st.one_of(
    st.text(max_size=25),
    st.sampled_from(
        ["first", "novel", "%", "_", "\\", "'", "2026-01-01T00:00:00.000Z", "9999-99-99", "(", "*"]
    ),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), TEXTS, st.lists(TEXTS, max_size=3)
)
FILTERS = st.fixed_dictionaries(
    {"method": st.sampled_from(METHODS)},
    optional={"attribute": st.sampled_from(ATTRIBUTES), "values": st.lists(VALUES, max_size=3)},
)
QUERIES = st.one_of(
    FILTERS,
    st.fixed_dictionaries(
        {"method": st.sampled_from(["and", "or"]), "values": st.lists(FILTERS, max_size=3)}
    ),
).map(json.dumps)
ROWS = st.dictionaries(
    st.sampled_from([*(str(column["key"]) for column in COLUMNS), "$id", "$permissions", "nothing"]),
    VALUES.filter(lambda value: value == value and value not in (float("inf"), float("-inf"))),
    max_size=5,
)


class Callers:
    """Those who call every operation with all sorts of things, one after the other with the same."""

    def __init__(self, platform: Platform, project: Project, seed: Callable[[], None]) -> None:
        self.endpoint = platform.endpoint
        self.project = project
        self.seed = seed
        self.console_session = platform.root_session
        self.session = project.new_user().session

    def headers(self) -> dict[str, dict[str, str]]:
        """What each of them says of itself. The one who may least comes first."""
        if (
            self.project.guest.get("/account", headers={"X-Appwrite-Session": self.session}).status_code
            != 200
        ):
            self.seed()
            self.session = self.project.new_user().session
        each = {
            "guest": {},
            "user": {"X-Appwrite-Session": self.session},
            "admin": {"X-Appwrite-Mode": "admin", "Cookie": f"a_session_console={self.console_session}"},
            "key": {"X-Appwrite-Key": self.project.key},
        }
        return {who: {"X-Appwrite-Project": self.project.id, **said} for who, said in each.items()}

    def try_all(self) -> list[str]:
        """Call every operation. Gives what went wrong."""
        wrong: list[str] = []
        document = deepcopy(openapi.document(endpoints()))
        for path in document["paths"].values():
            for operation in path.values():
                del operation["security"]  # we say who calls
        operations = [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]
        # What deletes comes last, and what contains most after what it contains.
        operations.sort(
            key=lambda each: (each.method.upper() == "DELETE", each.path == "/project", -each.path.count("/"))
        )
        self.seed()
        for operation in operations:
            if operation.method.upper() == "DELETE":
                self.seed()
            for mode in (GenerationMode.NEGATIVE, GenerationMode.POSITIVE):
                try:
                    self._try(operation, mode)
                except Unsatisfiable:
                    assert mode is GenerationMode.NEGATIVE, operation.label  # nothing in it can be wrong
                except (Failure, FailureGroup) as failure:
                    wrong += _told(operation.label, failure)
        return wrong

    def _try(self, operation: Any, mode: GenerationMode) -> None:
        callers = self.headers()
        raw = str(operation.definition.raw)
        cases = operation.as_strategy(generation_mode=mode)

        @given(data=st.data())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=EXAMPLES < 10,
            phases=[Phase.generate, Phase.shrink] if EXAMPLES > 10 else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def call(data: st.DataObject) -> None:
            case = data.draw(cases)
            for name in case.path_parameters or {}:
                if name in KNOWN and data.draw(st.integers(0, 3)):
                    case.path_parameters[name] = data.draw(st.sampled_from(KNOWN[name]))
            if "queries[]" in raw and data.draw(st.booleans()):
                case.query = {**(case.query or {}), "queries[]": data.draw(st.lists(QUERIES, max_size=3))}
            if (
                ("'rowId'" in raw or "'documentId'" in raw)
                and isinstance(case.body, dict)
                and data.draw(st.booleans())
            ):
                case.body = {**case.body, "data": data.draw(ROWS)}
            assume(len(urlencode(case.query or {}, doseq=True)) < LONGEST_QUERY)
            for headers in callers.values():
                case.call_and_validate(
                    base_url=self.endpoint,
                    session=session,
                    headers=headers,
                    checks=CHECKS,
                    timeout=20,
                    allow_redirects=False,
                )

        with requests.Session() as session:
            call()


def _told(label: str, failure: Failure | FailureGroup) -> list[str]:
    """What went wrong, with the line for the shell that shows it again."""
    curl = next((line for line in str(failure).splitlines() if line.strip().startswith("curl")), "")
    failures = failure.exceptions if isinstance(failure, FailureGroup) else (failure,)
    return [f"{label}: {each.title}: {' '.join(str(each).split())}\n{curl.strip()}" for each in failures]


@pytest.fixture
def seeded(project: Project) -> Callable[[], None]:
    """Puts there what is known, as far as it is not there."""

    def post(path: str, body: dict[str, Any], client: httpx.Client = project.server) -> None:
        answer = client.post(path, json=body)
        assert answer.status_code in (200, 201, 202, 409), answer.text

    def seed() -> None:
        if project.server.get("/users").status_code != 200:
            return  # the project has been deleted
        for policy_id in policies.PARAMETERS:
            if not policy_id.startswith(OF_TEAMS_AND_FACTORS):  # what is left could keep new users out
                usual = policies.parameters_of(policies.Policies(), policy_id)
                answer = project.admin.patch(f"/project/policies/{policy_id}", json=usual)
                assert answer.status_code == 200, answer.text
        project.admin.patch("/project/auth-methods/email-password", json={"enabled": True})
        permissions = ['read("any")', 'create("any")', 'update("any")', 'delete("users")']
        post("/tablesdb", {"databaseId": "shop", "name": "Shop"})
        post(
            "/tablesdb/shop/tables",
            {"tableId": "books", "name": "Books", "permissions": permissions, "rowSecurity": True},
        )
        for column in COLUMNS:
            body = {key: value for key, value in column.items() if key != "type"}
            post(f"/tablesdb/shop/tables/books/columns/{column['type']}", body)
        for key in ("title", "pages"):
            post("/tablesdb/shop/tables/books/indexes", {"key": f"by_{key}", "type": "key", "columns": [key]})
        for row_id in KNOWN["rowId"]:
            made = project.server.post("/tablesdb/shop/tables/books/rows", json={"rowId": row_id, "data": {}})
            if made.status_code == 400:  # the table has been given a column that is required
                project.server.delete("/tablesdb/shop/tables/books")
                return seed()
        post("/teams", {"teamId": "arsenal", "name": "Arsenal"})
        for name in ("jane", "bob"):
            post(
                "/users",
                {"userId": name, "email": f"{name}@example.com", "password": "correct horse battery"},
            )
            project.server.patch(f"/users/{name}/status", json={"status": True})
        body = {"platformId": "web", "name": "Web", "hostname": "shop.example"}
        post("/project/platforms/web", body, project.admin)
        post("/project/keys", {"keyId": "spare", "name": "Spare", "scopes": ["rows.read"]}, project.admin)

    return seed


def test_nobody_gets_a_surprise(platform: Platform, project: Project, seeded: Callable[[], None]) -> None:
    wrong = Callers(platform, project, seeded).try_all()

    assert not wrong, "\n\n".join(wrong)


def test_the_checks_would_see_what_does_not_fit(platform: Platform, project: Project) -> None:
    document = openapi.document(endpoints())
    path = document["paths"]["/health/version"]["get"]
    schema: dict[str, Any] = {"type": "object", "required": ["colour"]}
    path["responses"]["200"]["content"]["application/json"]["schema"] = schema
    operation = schemathesis.openapi.from_dict(document)["/health/version"]["GET"]

    with pytest.raises((Failure, FailureGroup)):
        operation.Case().call_and_validate(
            base_url=platform.endpoint, headers={"X-Appwrite-Project": project.id}, checks=CHECKS
        )


@pytest.mark.parametrize(
    ("where", "refused"), [("name", "general_argument_invalid"), ("description", "general_bad_request")]
)
def test_a_null_character_is_refused_wherever_it_stands(project: Project, where: str, refused: str) -> None:
    body = {"databaseId": "unique()", "name": "Shop"}
    assert project.server.post("/tablesdb", json=body | {"databaseId": "shop"}).status_code == 201
    table = {"tableId": "books", "name": "Books"}
    column = {"key": "link", "required": False, "description": "a\0b"}
    assert project.server.post("/tablesdb/shop/tables", json=table).status_code == 201
    sent = {
        "name": ("/tablesdb", body | {"name": "a\0b"}),
        "description": ("/tablesdb/shop/tables/books/columns/url", column),
    }
    path, told = sent[where]
    answer = project.server.post(path, json=told)

    assert (answer.status_code, answer.json()["type"]) == (400, refused)
    assert project.server.get("/tablesdb/shop/tables/books").json()["columns"] == []
