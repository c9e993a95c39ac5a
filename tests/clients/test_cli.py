"""The official command line, driven as a developer would: from signing in to pushing tables."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.platform import PASSWORD, ROOT, Project, platform, project, unique

__all__ = ["platform", "project"]

COMMAND = Path(__file__).parent / "node_modules" / "appwrite-cli" / "index.js"

SCHEMA: dict[str, Any] = {
    "teams": [{"$id": "crew", "name": "Crew"}],
    "tablesDB": [{"$id": "main", "name": "Main", "enabled": True}],
    "tables": [
        {
            "$id": "books",
            "databaseId": "main",
            "name": "Books",
            "enabled": True,
            "rowSecurity": False,
            "$permissions": ['read("any")'],
            "columns": [
                {"key": "title", "type": "string", "size": 100, "required": True},
                {"key": "pages", "type": "integer", "required": False, "min": 0, "max": 9999},
            ],
            "indexes": [{"key": "by_title", "type": "key", "columns": ["title"], "orders": ["ASC"]}],
        }
    ],
}


class CommandLine:
    """Somebody's terminal: a home directory, and a folder with what is to be pushed."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *arguments: str, within: str = "work") -> str:
        folder = self.home / within
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            ["node", str(COMMAND), *arguments],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, said: dict[str, Any], within: str = "work") -> None:
        (self.home / within).mkdir(exist_ok=True)
        (self.home / within / "appwrite.config.json").write_text(json.dumps(said))

    def read(self, within: str = "work") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / within / "appwrite.config.json").read_text())
        return found


@pytest.fixture
def appwrite(project: Project, tmp_path: Path) -> CommandLine:
    """The command line, signed in as the console's first user."""
    command = CommandLine(tmp_path)
    signed_in = command(
        "login", "--endpoint", project.platform.endpoint, "--email", ROOT, "--password", PASSWORD
    )
    assert f"Successfully signed in as {ROOT}" in signed_in
    return command


def link(project: Project) -> dict[str, Any]:
    return {"projectId": project.id, "projectName": "Shop", "endpoint": project.platform.endpoint}


def test_the_command_line_makes_a_project_and_finds_it(project: Project, appwrite: CommandLine) -> None:
    project_id = unique("cli")
    appwrite("projects", "create", "--project-id", project_id, "--name", "Mine", "--team-id", "default")
    listed = json.loads(appwrite("projects", "list", "--search", project_id, "--json"))

    assert [(each["$id"], each["name"]) for each in listed["projects"]] == [(project_id, "Mine")]


def test_teams_and_tables_are_pushed_and_pulled_again(project: Project, appwrite: CommandLine) -> None:
    appwrite.write({**link(project), **SCHEMA})
    appwrite("push", "teams", "--all", "--force")
    appwrite("push", "tables", "--all", "--force")
    row = {"rowId": "unique()", "data": {"title": "Emma", "pages": 474}}
    made = project.server.post("/tablesdb/main/tables/books/rows", json=row)
    appwrite.write(link(project), within="elsewhere")
    appwrite("pull", "teams", within="elsewhere")
    appwrite("pull", "tables", "--all", within="elsewhere")
    pulled = appwrite.read(within="elsewhere")

    assert made.status_code == 201, made.text
    assert project.server.get("/teams/crew").json()["name"] == "Crew"
    assert pulled["teams"] == SCHEMA["teams"]
    assert [column["key"] for column in pulled["tables"][0]["columns"]] == ["title", "pages"]
    assert pulled["tables"][0]["indexes"][0]["columns"] == ["title"]


def test_what_a_project_demands_is_pulled_as_it_was_set(project: Project, appwrite: CommandLine) -> None:
    project.server.patch("/project/policies/session-limit", json={"total": 3})
    project.server.patch("/project/services/avatars", json={"enabled": False})
    appwrite.write(link(project))
    appwrite("pull", "settings")
    pulled = appwrite.read()["settings"]

    assert pulled["auth"]["security"]["sessionsLimit"] == 3
    assert pulled["services"]["avatars"] is False
    assert pulled["services"]["teams"] is True
    assert pulled["auth"]["methods"]["magic-url"] is True


def test_settings_are_pushed_and_hold(project: Project, appwrite: CommandLine) -> None:
    appwrite.write(link(project))
    appwrite("pull", "settings")
    config = appwrite.read()
    config["settings"]["services"]["teams"] = False
    config["settings"]["auth"]["methods"]["anonymous"] = False
    config["settings"]["auth"]["security"].update(limit=9, sessionsLimit=2, sessionAlerts=True)
    appwrite.write(config)
    appwrite("push", "settings", "--force")
    jane = project.new_user()

    assert jane.client.get("/teams").json()["type"] == "general_service_disabled"
    assert project.server.get("/project/policies/user-limit").json()["total"] == 9
    assert project.server.get("/project/policies/session-limit").json()["total"] == 2
    assert project.guest.post("/account/sessions/anonymous").json()["type"] == "user_auth_method_unsupported"


def test_tables_that_were_changed_are_pushed_again_and_keep_their_rows(
    project: Project, appwrite: CommandLine
) -> None:
    appwrite.write({**link(project), **SCHEMA})
    appwrite("push", "tables", "--all", "--force")
    appwrite.write(link(project), within="elsewhere")
    row = {"rowId": "emma", "data": {"title": "Emma", "pages": 474}}
    assert project.server.post("/tablesdb/main/tables/books/rows", json=row).status_code == 201
    appwrite("pull", "tables", "--all", within="elsewhere")
    config = appwrite.read(within="elsewhere")
    [books] = config["tables"]
    books["name"] = "Novels"
    books["columns"].append({"key": "year", "type": "integer", "required": False})
    books["indexes"].append({"key": "by_year", "type": "key", "columns": ["year"], "orders": ["DESC"]})
    appwrite.write(config, within="elsewhere")
    appwrite("push", "tables", "--all", "--force", within="elsewhere")
    table = project.server.get("/tablesdb/main/tables/books").json()

    assert table["name"] == "Novels"
    assert [column["key"] for column in table["columns"]] == ["title", "pages", "year"]
    assert [index["key"] for index in table["indexes"]] == ["by_title", "by_year"]
    kept = project.server.get("/tablesdb/main/tables/books/rows/emma").json()
    assert (kept["title"], kept["pages"], kept["year"]) == ("Emma", 474, None)


def changed(settings: dict[str, Any]) -> dict[str, Any]:
    """Every setting, each other than it was."""
    security = {
        "duration": 86400,
        "limit": 9,
        "sessionsLimit": 2,
        "passwordHistory": 5,
        "passwordDictionary": True,
        "personalDataCheck": True,
        "sessionAlerts": True,
        "mockNumbers": [{"phone": "+491700000001", "otp": "123456"}],
    }
    assert security.keys() == settings["auth"]["security"].keys()
    assert all(security[name] != before for name, before in settings["auth"]["security"].items())
    return {
        "services": {name: not enabled for name, enabled in settings["services"].items()},
        "auth": {
            "methods": {name: not enabled for name, enabled in settings["auth"]["methods"].items()},
            "security": security,
        },
    }


def test_every_setting_is_pushed_and_pulled_again(project: Project, appwrite: CommandLine) -> None:
    appwrite.write(link(project))
    appwrite("pull", "settings")
    config = appwrite.read()
    config["projectName"] = "Another shop"
    config["settings"] = changed(config["settings"])
    appwrite.write(config)
    appwrite("push", "settings", "--force")
    appwrite.write(link(project), within="elsewhere")
    appwrite("pull", "settings", within="elsewhere")
    pulled = appwrite.read(within="elsewhere")

    assert pulled["settings"] == config["settings"]
    assert pulled["projectName"] == "Another shop"
    policies = project.admin.get("/project/policies").json()["policies"]
    kept = {policy["$id"]: policy for policy in policies}
    assert kept["session-duration"]["duration"] == 86400
    assert kept["user-limit"]["total"] == 9
    assert kept["session-limit"]["total"] == 2
    assert kept["password-history"]["total"] == 5
    assert kept["password-dictionary"]["enabled"] is True
    assert kept["password-personal-data"]["enabled"] is True
    assert kept["session-alert"]["enabled"] is True
    assert project.admin.get("/project/mock-phones").json()["mockNumbers"][0]["otp"] == "123456"
    assert "authMockNumbers" not in project.admin.get("/project").json()
