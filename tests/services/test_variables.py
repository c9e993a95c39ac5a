"""A project's variables, by the official SDK."""

from __future__ import annotations

import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.project import Project as ProjectService

from tests.platform import Platform, Project


def service(project: Project) -> ProjectService:
    return ProjectService(project.sdk(key=project.key))


def test_a_variable_is_made_changed_found_and_deleted(project: Project) -> None:
    made = service(project).create_variable("colour", "COLOUR", "blue", secret=False)
    assert (made.key, made.value, made.secret, made.resourcetype) == ("COLOUR", "blue", False, "project")
    service(project).update_variable("colour", value="red")

    found = service(project).get_variable("colour")
    assert (found.key, found.value) == ("COLOUR", "red")
    assert [each.id for each in service(project).list_variables().variables] == ["colour"]
    service(project).delete_variable("colour")
    assert service(project).list_variables().total == 0


def test_the_value_of_a_secret_variable_is_told_to_nobody(project: Project) -> None:
    answers = [project.server.post("/project/variables", json={"key": "TOKEN", "value": "hush-hush"})]
    path = f"/project/variables/{answers[0].json()['$id']}"
    answers += [project.server.put(path, json={"value": "hush-again"})]
    answers += [
        client.get(at) for client in (project.server, project.admin) for at in (path, "/project/variables")
    ]

    assert all(answer.is_success for answer in answers)
    assert all("hush" not in answer.text for answer in answers)


def test_what_is_secret_stays_it(project: Project) -> None:
    service(project).create_variable("token", "TOKEN", "hush")
    with pytest.raises(AppwriteException) as error:
        service(project).update_variable("token", secret=False)

    assert error.value.type == "variable_cannot_unset_secret"
    assert service(project).get_variable("token").secret


def test_one_key_has_one_variable(project: Project) -> None:
    service(project).create_variable("a", "COLOUR", "blue", secret=False)
    service(project).create_variable("b", "SIZE", "9", secret=False)
    for attempt in (
        lambda: service(project).create_variable("c", "COLOUR", "red"),
        lambda: service(project).update_variable("b", key="COLOUR"),
    ):
        with pytest.raises(AppwriteException) as error:
            attempt()
        assert error.value.type == "variable_already_exists"

    kept = service(project).list_variables([Query.equal("key", "COLOUR")]).variables
    assert [each.value for each in kept] == ["blue"]


def test_a_project_sees_its_own_variables_only(platform: Platform, project: Project) -> None:
    service(project).create_variable("colour", "COLOUR", "blue", secret=False)
    other = service(platform.new_project())

    assert other.list_variables().total == 0
    with pytest.raises(AppwriteException) as error:
        other.get_variable("colour")
    assert error.value.type == "variable_not_found"
