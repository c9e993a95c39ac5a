"""Project: what its owners set, by a key."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from freehold.providers.oauth.vendor import Vendor
from freehold.providers.oauth.vendors import VENDORS
from tests.clients.languages import Refused
from tests.clients.methods import Scene
from tests.services.second_factor import ok
from tests.services.test_oauth_settings import entered

LEFT_OUT = {
    **dict.fromkeys(
        ["listEnvironments", "createEnvironment", "getEnvironment", "updateEnvironment", "deleteEnvironment"],
        "Environments are not among the open-source routes.",
    ),
    **dict.fromkeys(
        [f"updateOAuth2{vendor}" for vendor in ("Cloudflare", "Kakao", "Resend", "TikTok", "Webflow")],
        "A vendor that is not among those of the open-source routes.",
    ),
    "updateOAuth2Server": "The OAuth2 server is not among the open-source routes.",
}


def get(on: Scene) -> None:
    assert on.server.get()["$id"] == on.project.id


def delete(on: Scene) -> None:
    on.server.delete()

    assert on.project.platform.console.get(f"/projects/{on.project.id}").status_code == 404


def update_labels(on: Scene) -> None:
    on.server.updateLabels(labels=["vip"])

    assert on.get("/project")["labels"] == ["vip"]


def update_auth_method(on: Scene) -> None:
    on.server.updateAuthMethod(methodId="anonymous", enabled=False)

    assert (
        on.project.guest.post("/account/sessions/anonymous").json()["type"] == "user_auth_method_unsupported"
    )


def update_service(on: Scene) -> None:
    on.server.updateService(serviceId="teams", enabled=False)

    assert on.jane.client.get("/teams").json()["type"] == "general_service_disabled"


def update_protocol(on: Scene) -> None:
    on.server.updateProtocol(protocolId="graphql", enabled=False)

    asked = on.jane.client.post("/graphql", json={"query": "{ accountGet { name } }"})
    assert asked.json()["type"] == "general_api_disabled"


# Keys


def _key(on: Scene) -> str:
    """Gives its secret."""
    said = {"keyId": "readers", "name": "Readers", "scopes": ["users.read"]}
    return str(ok(on.project.admin.post("/project/keys", json=said)).json()["secret"])


def _reads_users(on: Scene, secret: str) -> bool:
    return on.project.platform.client(on.project.id, key=secret).get("/users").status_code == 200


def create_key(on: Scene) -> None:
    """A key makes none that lasts, whatever SDK asks: the console does."""
    with pytest.raises(Refused, match="403 key_creation_denied"):
        on.server.createKey(keyId="readers", name="Readers", scopes=["users.read"])

    assert on.is_gone("/project/keys/readers")


def create_ephemeral_key(on: Scene) -> None:
    made = on.server.createEphemeralKey(scopes=["users.read"], duration=60)

    assert _reads_users(on, made["secret"])


def list_keys(on: Scene) -> None:
    _key(on)

    assert "readers" in [each["$id"] for each in on.server.listKeys()["keys"]]


def get_key(on: Scene) -> None:
    secret = _key(on)
    key = on.server.getKey(keyId="readers")

    assert (key["$id"], key["name"], key["scopes"]) == ("readers", "Readers", ["users.read"])
    assert key["secret"] == secret


def update_key(on: Scene) -> None:
    secret = _key(on)
    on.server.updateKey(keyId="readers", name="Other", scopes=["teams.read"])

    assert on.get("/project/keys/readers")["name"] == "Other"
    assert not _reads_users(on, secret)


def delete_key(on: Scene) -> None:
    secret = _key(on)
    on.server.deleteKey(keyId="readers")

    assert on.is_gone("/project/keys/readers")
    assert not _reads_users(on, secret)


# Mock phones


NUMBER = "+491700000001"


def _mock_phone(on: Scene) -> None:
    on.post("/project/mock-phones", number=NUMBER, otp="123456")


def list_mock_phones(on: Scene) -> None:
    _mock_phone(on)

    assert [each["number"] for each in on.server.listMockPhones()["mockNumbers"]] == [NUMBER]


def create_mock_phone(on: Scene) -> None:
    on.server.createMockPhone(number=NUMBER, otp="123456")
    on.project.guest.post("/account/tokens/phone", json={"userId": "caller", "phone": NUMBER})

    said = {"userId": "caller", "secret": "123456"}
    assert on.project.guest.post("/account/sessions/token", json=said).status_code == 201


def get_mock_phone(on: Scene) -> None:
    _mock_phone(on)

    assert on.server.getMockPhone(number=NUMBER)["otp"] == "123456"


def update_mock_phone(on: Scene) -> None:
    _mock_phone(on)
    on.server.updateMockPhone(number=NUMBER, otp="654321")

    assert on.get("/project/mock-phones")["mockNumbers"][0]["otp"] == "654321"


def delete_mock_phone(on: Scene) -> None:
    _mock_phone(on)
    on.server.deleteMockPhone(number=NUMBER)

    assert on.get("/project/mock-phones")["total"] == 0


# Vendors that people sign in with


def list_o_auth2_providers(on: Scene) -> None:
    assert on.server.listOAuth2Providers()["total"] == on.get("/project/oauth2")["total"]


def get_o_auth2_provider(on: Scene) -> None:
    ok(on.project.server.patch("/project/oauth2/github", json={"clientId": "c", "clientSecret": "s"}))

    assert on.server.getOAuth2Provider(providerId="github")["clientId"] == "c"


def _set_vendor(vendor: Vendor, method: str, on: Scene) -> None:
    values = entered(vendor)
    getattr(on.server, method)(**values, enabled=True)
    kept = on.get(f"/project/oauth2/{vendor.id}")

    assert kept == {**kept, **values, vendor.secret_field: "", "enabled": True}


# Platforms

PLATFORMS = {
    "Android": ({"applicationId": "com.example.shop"}, {"applicationId": "com.example.other"}),
    "Apple": ({"bundleIdentifier": "com.example.shop"}, {"bundleIdentifier": "com.example.other"}),
    "Linux": ({"packageName": "shop"}, {"packageName": "other"}),
    "Web": ({"hostname": "shop.example.com"}, {"hostname": "other.example.com"}),
    "Windows": ({"packageIdentifierName": "shop"}, {"packageIdentifierName": "other"}),
}


def _platform(on: Scene, kind: str = "Web") -> None:
    said = PLATFORMS[kind][0]
    on.post(f"/project/platforms/{kind.lower()}", platformId="page", name="Page", **said)


def _create_platform(kind: str, on: Scene) -> None:
    said = PLATFORMS[kind][0]
    getattr(on.server, f"create{kind}Platform")(platformId="page", name="Page", **said)
    kept = on.get("/project/platforms/page")

    assert kept == {**kept, "name": "Page", "type": kind.lower(), **said}


def _update_platform(kind: str, on: Scene) -> None:
    _platform(on, kind)
    said = PLATFORMS[kind][1]
    getattr(on.server, f"update{kind}Platform")(platformId="page", name="Other", **said)
    kept = on.get("/project/platforms/page")

    assert kept == {**kept, "name": "Other", **said}


def list_platforms(on: Scene) -> None:
    _platform(on)

    assert [each["$id"] for each in on.server.listPlatforms()["platforms"]] == ["page"]


def get_platform(on: Scene) -> None:
    _platform(on)

    assert on.server.getPlatform(platformId="page")["hostname"] == "shop.example.com"


def delete_platform(on: Scene) -> None:
    _platform(on)
    on.server.deletePlatform(platformId="page")

    assert on.get("/project/platforms")["total"] == 0


# Policies

ON: dict[str, Any] = {"enabled": True}
POLICIES: dict[str, dict[str, Any]] = {
    "DenyAliasedEmail": ON,
    "DenyCorporateEmail": ON,
    "DenyDisposableEmail": ON,
    "DenyFreeEmail": ON,
    "MembershipPrivacy": {"userName": True, "userMFA": True},
    "MFAFactors": {"phone": False},
    "Passkey": {"rpId": "example.com"},
    "PasswordDictionary": ON,
    "PasswordHistory": {"total": 3},
    "PasswordPersonalData": ON,
    "PasswordPwned": {"enabled": True, "users": True},
    "PasswordRotation": {"enabled": True, "maxAge": 86400},
    "PasswordStrength": {"min": 12, "number": True},
    "SessionAlert": ON,
    "SessionDuration": {"duration": 3600},
    "SessionInvalidation": {"enabled": False},
    "SessionLimit": {"total": 2},
    "UserLimit": {"total": 5},
}


def _policy_id(name: str) -> str:
    apart = "".join(f"-{each}" if each.isupper() else each for each in name.replace("MFA", "Mfa"))
    return apart.lower().removeprefix("-")


def _set_policy(name: str, on: Scene) -> None:
    getattr(on.server, f"update{name}Policy")(**POLICIES[name])
    kept = on.get(f"/project/policies/{_policy_id(name)}")

    assert kept == {**kept, **POLICIES[name]}


def list_policies(on: Scene) -> None:
    assert {each["$id"] for each in on.server.listPolicies()["policies"]} == {*map(_policy_id, POLICIES)}


def get_policy(on: Scene) -> None:
    ok(on.project.server.patch("/project/policies/session-limit", json={"total": 2}))

    assert on.server.getPolicy(policyId="session-limit")["total"] == 2


# Mail


def _smtp(on: Scene) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": on.inbox.smtp_port,
        "username": "project-mailer",
        "password": "project-password",
        "senderEmail": "hello@shop.test",
        "senderName": "The Shop",
        "enabled": True,
    }


def update_smtp(on: Scene) -> None:
    on.server.updateSMTP(**_smtp(on))
    on.project.guest.post("/account/recovery", json={"email": on.jane.email, "url": "http://localhost:3000/"})

    assert on.mail().message["From"] == "The Shop <hello@shop.test>"


def create_smtp_test(on: Scene) -> None:
    ok(on.project.server.patch("/project/smtp", json=_smtp(on)))
    address = on.address()
    on.server.createSMTPTest(emails=[address])

    assert on.mail(address).username == "project-mailer"


def _template(on: Scene) -> None:
    said = {"templateId": "recovery", "locale": "en", "subject": "Lost it?", "message": "Here: {{redirect}}"}
    ok(on.project.server.patch("/project/smtp", json=_smtp(on)))
    ok(on.project.server.patch("/project/templates/email", json=said))


def list_email_templates(on: Scene) -> None:
    _template(on)

    assert [each["subject"] for each in on.server.listEmailTemplates()["templates"]] == ["Lost it?"]


def get_email_template(on: Scene) -> None:
    _template(on)

    assert on.server.getEmailTemplate(templateId="recovery", locale="en")["subject"] == "Lost it?"


def update_email_template(on: Scene) -> None:
    ok(on.project.server.patch("/project/smtp", json=_smtp(on)))
    on.server.updateEmailTemplate(
        templateId="recovery", locale="en", subject="Lost it?", message="Here: {{redirect}}"
    )
    on.project.guest.post("/account/recovery", json={"email": on.jane.email, "url": "http://localhost:3000/"})

    assert on.mail().subject == "Lost it?"


# Variables


def _variable(on: Scene) -> None:
    on.post("/project/variables", variableId="colour", key="COLOUR", value="blue", secret=False)


def list_variables(on: Scene) -> None:
    _variable(on)

    assert [each["key"] for each in on.server.listVariables()["variables"]] == ["COLOUR"]


def create_variable(on: Scene) -> None:
    on.server.createVariable(variableId="colour", key="COLOUR", value="blue", secret=False)

    assert on.get("/project/variables/colour")["value"] == "blue"


def get_variable(on: Scene) -> None:
    _variable(on)

    assert on.server.getVariable(variableId="colour")["value"] == "blue"


def update_variable(on: Scene) -> None:
    _variable(on)
    on.server.updateVariable(variableId="colour", key="COLOUR", value="red")

    assert on.get("/project/variables/colour")["value"] == "red"


def delete_variable(on: Scene) -> None:
    _variable(on)
    on.server.deleteVariable(variableId="colour")

    assert on.is_gone("/project/variables/colour")


def _vendors() -> dict[str, Callable[[Scene], None]]:
    rows: dict[str, Callable[[Scene], None]] = {}
    for vendor in VENDORS.values():
        if vendor.model:
            method = f"updateOAuth2{vendor.method or vendor.model.removeprefix('OAuth2')}"
            rows[method] = partial(_set_vendor, vendor, method)
    return rows


MORE: dict[str, Callable[[Scene], None]] = {
    **_vendors(),
    **{f"create{kind}Platform": partial(_create_platform, kind) for kind in PLATFORMS},
    **{f"update{kind}Platform": partial(_update_platform, kind) for kind in PLATFORMS},
    **{f"update{name}Policy": partial(_set_policy, name) for name in POLICIES},
}
"""The methods that differ by a word."""
