"""What roles in an organization let its members do."""

from __future__ import annotations

from freehold.access import scopes


def test_an_analyst_reads_and_an_editor_writes_contents() -> None:
    analyst = scopes.of_console_roles(["analyst"])
    editor = scopes.of_console_roles(["editor"])

    assert not [scope for scope in analyst if scope.endswith(".write")]
    assert {"rows.write", "users.write", "files.write"} <= editor
    assert not {"project.write", "keys.write", "projects.write", "webhooks.write", "devKeys.write"} & editor


def test_nobody_below_a_developer_reads_api_keys() -> None:
    for role in ("editor", "analyst", "billing"):
        assert not {"keys.read", "devKeys.read"} & scopes.of_console_roles([role])


def test_a_role_of_one_project_counts_only_there() -> None:
    roles = ["billing", "project-shop-2-developer"]

    assert "rows.write" in scopes.of_console_roles(roles, "shop-2")
    assert scopes.of_console_roles(roles, "shop") == scopes.BILLING
    assert scopes.of_console_roles(roles) == scopes.BILLING
    assert scopes.project_of("project-shop-2-developer") == "shop-2"


def test_what_only_looks_like_a_role_is_none() -> None:
    for role in ("project--owner", "project-shop-root", "Owner", "", "project-shop-billing"):
        assert scopes.of_console_roles([role], "shop") == frozenset()
