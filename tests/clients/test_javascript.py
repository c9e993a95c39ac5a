"""The official JavaScript SDKs, driven as separate processes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.platform import PASSWORD, Project, User, bob, jane, platform, project, unique

__all__ = ["bob", "jane", "platform", "project"]

HERE = Path(__file__).parent


def run(script: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        ["node", script, *arguments], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_the_node_sdk_works_from_the_first_table_to_signing_out(project: Project) -> None:
    seen = run("node.mjs", project.platform.endpoint, project.id, project.key)

    assert seen == {
        "column": ["title", "available", 50],
        "me": True,
        "prefs": {"theme": "dark"},
        "listed": [2, ["Note 3", "Note 2"]],
        "changed": "Changed",
        "gone": [404, "row_not_found"],
        "transaction": ["Draft!", 4, 0, "Draft!", 4],
        "byGraphql": ["Note 1", "Note 2"],
        "shorter": True,
        "byJwt": 2,
        "team": 1,
        "signedOut": [401, "general_unauthorized_scope"],
    }


def test_the_node_sdk_works_with_collections_and_documents(project: Project) -> None:
    seen = run("node-legacy.mjs", project.platform.endpoint, project.id, project.key)

    assert seen == {
        "type": "legacy",
        "security": True,
        "attribute": ["title", "available", 50],
        "index": ["by_stars", ["stars"]],
        "collection": [["title", None], ["stars", 1]],
        "listed": [2, [["note-2", 7, "notes"], ["note-3", 3, "notes"]]],
        "gone": [404, "document_not_found"],
        "asRows": [["Changed", 3, "notes"]],
    }


def test_the_web_sdk_signs_up_signs_in_and_keeps_rows_from_a_page_of_another_origin(project: Project) -> None:
    project.server.post("/tablesdb", json={"databaseId": "web", "name": "Web"})
    made = project.server.post(
        "/tablesdb/web/tables",
        json={
            "tableId": "notes",
            "name": "Notes",
            "permissions": ['create("users")'],
            "rowSecurity": True,
            "columns": [{"key": "title", "type": "varchar", "size": 50, "required": True}],
        },
    )
    assert made.status_code == 201
    email = f"{unique('web')}@example.com"
    seen = run("web.mjs", project.platform.endpoint, project.id, "web", "notes", email, PASSWORD)

    assert seen == {
        "created": True,
        "session": [True, True, ""],
        "fallback": [f"a_session_{project.id}"],
        "name": "Web",
        "sessions": 1,
        "permissions": 3,
        "listed": [1, "From the web", "1"],
        "document": ["In old words", "notes", "In old words"],
        "transaction": ["committed", 3, "In new words"],
        "signedOut": [401, "general_unauthorized_scope"],
    }


def test_the_web_sdk_hears_of_rows_and_says_that_it_is_there(project: Project, jane: User) -> None:
    project.server.post("/tablesdb", json={"databaseId": "web", "name": "Web"})
    made = project.server.post(
        "/tablesdb/web/tables",
        json={
            "tableId": "notes",
            "name": "Notes",
            "permissions": ['create("users")'],
            "rowSecurity": True,
            "columns": [{"key": "title", "type": "varchar", "size": 50, "required": True}],
        },
    )
    assert made.status_code == 201
    seen = run(
        "web-realtime.mjs", project.platform.endpoint, project.id, "web", "notes", jane.email, PASSWORD
    )

    second = "databases.web.tables.notes.rows.second"
    assert seen == {
        "events": [[f"{second}.create", "kept", True], [f"{second}.delete", "kept", True]],
        "presence": [["here", "online", "realtime"]],
        "old": ["notes"],
    }


def test_the_web_sdk_signs_in_with_a_second_factor(project: Project) -> None:
    email = f"{unique('webmfa')}@example.com"
    seen = run("web-mfa.mjs", project.platform.endpoint, project.id, email, PASSWORD)

    assert seen == {
        "mfa": True,
        "codes": 6,
        "half": [401, "user_more_factors_required"],
        "factors": [True, False, True],
        "wrong": [401, "user_invalid_token"],
        "shown": ["password", "totp"],
        "whole": True,
        "left": 5,
        "gone": False,
    }
