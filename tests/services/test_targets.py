"""Targets: where messages reach a user. Its address and number are kept in step, its devices register."""

from __future__ import annotations

import pytest
from appwrite.enums.messaging_provider_type import MessagingProviderType
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.platform import PASSWORD, Project, User, error_of, unique


def server(project: Project) -> Users:
    return Users(project.sdk(key=project.key))


def reached(project: Project, user_id: str) -> list[tuple[str, str]]:
    return [(each.providertype, each.identifier) for each in server(project).get(user_id).targets]


def test_an_address_and_a_number_are_targets_from_the_start(project: Project) -> None:
    email = f"{unique('both')}@example.com"
    made = server(project).create("unique()", email, "+14155552671")
    registered = project.guest.post(
        "/account", json={"userId": "unique()", "email": f"{unique('own')}@example.com", "password": PASSWORD}
    ).json()

    assert [(each.providertype, each.identifier) for each in made.targets] == [
        ("email", email),
        ("sms", "+14155552671"),
    ]
    assert {len(each.id) for each in made.targets} == {20}
    assert all(each.userid == made.id and not each.expired for each in made.targets)
    assert [each["identifier"] for each in registered["targets"]] == [registered["email"]]


def test_one_sees_ones_own_targets(jane: User) -> None:
    [target] = Account(jane.sdk).get().targets

    assert (target.providertype, target.identifier) == ("email", jane.email)


def test_a_user_without_address_and_number_has_no_targets(project: Project) -> None:
    assert server(project).create("unique()").targets == []


def test_a_server_adds_finds_changes_and_removes_targets(project: Project, jane: User) -> None:
    users = server(project)
    made = users.create_target(
        jane.id, "phone", MessagingProviderType.PUSH, "token-1", provider_id="fcm", name="Phone"
    )
    listed = users.list_targets(jane.id, [Query.equal("providerType", ["push"])])
    changed = users.update_target(jane.id, "phone", identifier="token-2", name="New phone")

    assert (made.userid, made.providerid, made.name) == (jane.id, "fcm", "Phone")
    assert [listed.total, [each.id for each in listed.targets]] == [1, ["phone"]]
    assert (changed.identifier, changed.name, changed.providerid) == ("token-2", "New phone", "fcm")
    assert users.get_target(jane.id, "phone").identifier == "token-2"
    assert reached(project, jane.id) == [("email", jane.email), ("push", "token-2")]

    users.delete_target(jane.id, "phone")
    assert reached(project, jane.id) == [("email", jane.email)]
    with pytest.raises(AppwriteException) as gone:
        users.get_target(jane.id, "phone")
    assert (gone.value.code, gone.value.type) == (404, "user_target_not_found")


@pytest.mark.parametrize(
    ("kind", "identifier", "refusal"),
    [
        ("email", "nobody", "general_invalid_email"),
        ("email", "a@b", "general_invalid_email"),
        ("sms", "0151 2345", "general_invalid_phone"),
        ("sms", "+14155552671\n", "general_invalid_phone"),
        ("pigeon", "home", "general_argument_invalid"),
        ("push", "", "general_argument_invalid"),
    ],
)
def test_a_target_is_what_its_kind_says(
    project: Project, jane: User, kind: str, identifier: str, refusal: str
) -> None:
    body = {"targetId": "unique()", "providerType": kind, "identifier": identifier}
    refused = project.server.post(f"/users/{jane.id}/targets", json=body)

    assert error_of(refused) == (400, refusal)
    assert reached(project, jane.id) == [("email", jane.email)]


def test_a_target_belongs_to_its_user_alone(project: Project, jane: User, bob: User) -> None:
    server(project).create_target(jane.id, "phone", MessagingProviderType.PUSH, "token")

    assert error_of(project.server.get(f"/users/{bob.id}/targets/phone")) == (404, "user_target_not_found")
    refused = bob.client.put("/account/targets/phone/push", json={"identifier": "mine"})
    assert error_of(refused) == (404, "user_target_not_found")
    assert error_of(bob.client.delete("/account/targets/phone/push")) == (404, "user_target_not_found")
    assert ("push", "token") in reached(project, jane.id)


def test_a_device_registers_for_push_and_leaves_with_its_session(project: Project, jane: User) -> None:
    phone = project.platform.client(
        project.id,
        session=project.sign_in(jane.email),
        **{"User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120.0.0.0 Mobile Safari/537.36"},
    )
    made = phone.post("/account/targets/push", json={"targetId": "mine", "identifier": "token-1"})
    renewed = phone.put("/account/targets/mine/push", json={"identifier": "token-2"})

    assert made.status_code == 201
    assert (made.json()["userId"], made.json()["providerType"], made.json()["providerId"]) == (
        jane.id,
        "push",
        None,
    )
    assert "Pixel 8" in made.json()["name"]
    assert renewed.json()["identifier"] == "token-2"
    assert [each["$id"] for each in jane.client.get("/account").json()["targets"]][1:] == ["mine"]

    assert phone.delete("/account/sessions/current").status_code == 204
    assert reached(project, jane.id) == [("email", jane.email)]


def test_a_device_is_registered_once(project: Project, jane: User, bob: User) -> None:
    body = {"targetId": "unique()", "identifier": "token"}
    assert jane.client.post("/account/targets/push", json=body).status_code == 201

    for client in (jane.client, bob.client):
        assert error_of(client.post("/account/targets/push", json=body)) == (
            409,
            "user_target_already_exists",
        )
    assert error_of(project.guest.post("/account/targets/push", json=body))[0] == 401


def test_one_removes_ones_device_but_not_ones_address_that_way(jane: User) -> None:
    jane.client.post("/account/targets/push", json={"targetId": "mine", "identifier": "token"})
    [email] = [each for each in Account(jane.sdk).get().targets if each.providertype == "email"]

    assert jane.client.delete("/account/targets/mine/push").status_code == 204
    refused = jane.client.delete(f"/account/targets/{email.id}/push")
    assert error_of(refused) == (404, "user_target_not_found")
    assert [each.id for each in Account(jane.sdk).get().targets] == [email.id]


def test_targets_follow_the_address_and_the_number(project: Project, jane: User) -> None:
    account = Account(jane.sdk)
    [before] = account.get().targets
    email = f"{unique('moved')}@example.com"
    moved = account.update_email(email, PASSWORD)
    account.update_phone("+14155552671", PASSWORD)
    numbered = account.update_phone("+14155552672", PASSWORD)

    assert [(each.id, each.identifier) for each in moved.targets] == [(before.id, email)]
    assert [(each.providertype, each.identifier) for each in numbered.targets] == [
        ("email", email),
        ("sms", "+14155552672"),
    ]
    assert reached(project, jane.id) == [("email", email), ("sms", "+14155552672")]


def test_a_target_that_was_there_before_gives_way_to_the_users_own(project: Project, jane: User) -> None:
    email = f"{unique('next')}@example.com"
    server(project).create_target(jane.id, "extra", MessagingProviderType.EMAIL, email)
    server(project).delete_target(jane.id, Account(jane.sdk).get().targets[0].id)
    Account(jane.sdk).update_email(email, PASSWORD)

    assert reached(project, jane.id) == [("email", email)]
