"""What a project sets of the vendors that people sign in with: kept sealed, shown without secrets."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncpg
import pytest
from appwrite.enums.o_auth_provider import OAuthProvider
from appwrite.enums.project_o_auth2_google_prompt import ProjectOAuth2GooglePrompt
from appwrite.enums.project_o_auth_provider_id import ProjectOAuthProviderId
from appwrite.services.project import Project as ProjectService

from freehold.providers.oauth.vendor import Vendor
from freehold.providers.oauth.vendors import VENDORS
from tests.platform import Platform, Project, error_of

NOT_READ_BY_THE_SDK = ("appwrite", "paypal", "tradeshift")
"""The SDK's `get_o_auth2_provider` takes these ids, and knows no model for the answer."""

SHOWN = [vendor for vendor in VENDORS.values() if vendor.model]


def service(project: Project) -> ProjectService:
    return ProjectService(project.sdk(key=project.key))


def method_of(settings: ProjectService, vendor: Vendor) -> Any:
    """The SDK's own method that changes the settings of a vendor."""
    wanted = "updateoauth2" + (vendor.method or vendor.model.removeprefix("OAuth2")).lower()
    [found] = [name for name in dir(settings) if name.replace("_", "") == wanted]
    return getattr(settings, found)


def snake(name: str) -> str:
    """As the Python SDK spells a parameter: wellKnownURL as well_known_url, p8File as p8_file."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def entered(vendor: Vendor) -> dict[str, Any]:
    """Something for everything that a vendor wants to know."""
    values: dict[str, Any] = {vendor.id_field: f"id of {vendor.id}", vendor.secret_field: "hush hush"}
    for each in vendor.options:
        said = {"host": "auth.example.com", "url": f"https://auth.example.com/{each.name}", "seconds": 3600}
        values[each.name] = said.get(each.kind, "auth.example.com")
    return values


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """One project for the tests that each change another vendor."""
    return platform.new_project()


@pytest.mark.parametrize("vendor", SHOWN, ids=[vendor.id for vendor in SHOWN])
def test_every_vendor_is_set_with_its_own_words_by_the_sdk(shared: Project, vendor: Vendor) -> None:
    settings = service(shared)
    values = entered(vendor)
    method_of(settings, vendor)(**{snake(name): value for name, value in values.items()}, enabled=True)
    kept = shared.server.get(f"/project/oauth2/{vendor.id}").json()

    assert kept == {**kept, **values, vendor.secret_field: "", "$id": vendor.id, "enabled": True}
    if vendor.id not in NOT_READ_BY_THE_SDK:
        assert settings.get_o_auth2_provider(ProjectOAuthProviderId(vendor.id)).id == vendor.id
    method_of(settings, vendor)(enabled=False)
    after = shared.server.get(f"/project/oauth2/{vendor.id}").json()
    assert after == kept | {"enabled": False}


def test_all_vendors_are_listed_whether_set_or_not(project: Project) -> None:
    service(project).update_o_auth2_discord(client_id="c", client_secret="s", enabled=True)
    listed = service(project).list_o_auth2_providers()
    page = project.server.get(
        "/project/oauth2", params={"queries[]": '{"method":"limit","values":[2]}'}
    ).json()

    assert listed.total == len(SHOWN) == 44
    assert [each["$id"] for each in project.server.get("/project/oauth2").json()["providers"]] == [
        vendor.id for vendor in SHOWN
    ]
    assert [each.id for each in listed.providers if each.enabled] == ["discord"]
    assert [each["$id"] for each in page["providers"]] == ["amazon", "apple"]
    refused = project.server.get(
        "/project/oauth2", params={"queries[]": '{"method":"orderAsc","attribute":"a"}'}
    )
    assert error_of(refused) == (400, "general_query_invalid")


def test_the_table_has_every_vendor_that_sdks_know_from_the_contract() -> None:
    beyond = {"cloudflare", "kakao", "resend", "tiktok", "webflow"}

    assert {each.value for each in OAuthProvider} - beyond == {
        vendor.id for vendor in VENDORS.values() if not vendor.mock
    }
    assert len([vendor for vendor in VENDORS.values() if not vendor.mock]) == 45


def test_the_secret_is_kept_sealed_and_never_told(platform: Platform, project: Project) -> None:
    secret = "do-not-tell-9f31"
    changed = project.server.patch(
        "/project/oauth2/github", json={"clientId": "c", "clientSecret": secret, "enabled": True}
    )

    async def everything() -> str:
        connection = await asyncpg.connect(platform.database_url)
        rows = await connection.fetch(
            "select o::text from freehold.oauth_providers o where project_id = $1"
            " union all select payload::text from freehold.outbox where project_id = $1",
            project.id,
        )
        await connection.close()
        return "\n".join(str(row[0]) for row in rows)

    stored = asyncio.run(everything())
    assert changed.json()["clientSecret"] == ""
    assert "github" in stored
    assert secret not in stored
    assert secret.encode().hex() not in stored


def test_what_is_left_out_stays_and_what_is_emptied_goes(project: Project) -> None:
    settings = service(project)
    settings.update_o_auth2_keycloak(
        client_id="c", client_secret="s", endpoint="auth.example.com", realm_name="r"
    )
    settings.update_o_auth2_keycloak(realm_name="other")
    kept = settings.update_o_auth2_keycloak(endpoint="")

    assert (kept.clientid, kept.endpoint, kept.realmname) == ("c", "", "other")


def test_google_and_apple_take_apps_of_their_own_and_prompts(project: Project) -> None:
    settings = service(project)
    assert [each.value for each in settings.update_o_auth2_google(client_id="c").prompt] == ["consent"]
    google = settings.update_o_auth2_google(
        prompt=[ProjectOAuth2GooglePrompt.SELECT_ACCOUNT],
        native_client_ids=["android", "ios", "ios"],
        native_enabled=True,
    )

    assert [each.value for each in google.prompt] == ["select_account"]
    assert (google.nativeenabled, google.nativeclientids) == (True, ["android", "ios"])
    both = project.server.patch("/project/oauth2/google", json={"prompt": ["none", "consent"]})
    assert error_of(both) == (400, "general_argument_invalid")
    other = project.server.patch("/project/oauth2/google", json={"prompt": ["login"]})
    assert error_of(other) == (400, "general_argument_invalid")


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.example.com/token",
        "https://127.0.0.1/token",
        "https://localhost/token",
        "https://[::1]/token",
        "https://[::ffff:127.0.0.1]/token",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.5/token",
        "https://0.0.0.0/token",
        "https://user:pass@auth.example.com/token",
        "https://auth.example.com\\@127.0.0.1/token",
        "file:///etc/passwd",
        "gopher://auth.example.com/",
        "//auth.example.com/token",
        "https://auth.example.com/{client_secret}",
    ],
)
def test_s03_an_endpoint_that_leads_inside_is_refused(shared: Project, url: str) -> None:
    before = shared.server.get("/project/oauth2/oidc").json()
    for name in ("wellKnownURL", "tokenURL", "userInfoURL", "authorizationURL"):
        refused = shared.server.patch("/project/oauth2/oidc", json={name: url})
        assert error_of(refused) == (400, "general_argument_invalid")
    for vendor in ("keycloak", "auth0", "gitlab"):
        refused = shared.server.patch(f"/project/oauth2/{vendor}", json={"endpoint": url})
        assert error_of(refused) == (400, "general_argument_invalid")

    assert shared.server.get("/project/oauth2/oidc").json() == before


def test_another_project_sees_nothing_of_it(platform: Platform, project: Project) -> None:
    service(project).update_o_auth2_git_hub(client_id="mine", client_secret="s", enabled=True)
    other = platform.new_project()

    assert service(other).get_o_auth2_provider(ProjectOAuthProviderId.GITHUB).clientid == ""
    for unknown in ("nothing", "mock", "yammer"):
        refused = project.server.get(f"/project/oauth2/{unknown}")
        assert error_of(refused) == (400, "project_provider_unsupported")


def test_the_console_learns_what_has_to_be_entered(platform: Platform) -> None:
    listed = platform.console.get("/console/oauth2-providers").json()
    by_id = {each["$id"]: each["parameters"] for each in listed["oAuth2Providers"]}

    assert listed["total"] == len(SHOWN)
    assert [each["$id"] for each in by_id["apple"]] == ["serviceId", "p8File", "keyId", "teamId"]
    assert by_id["oidc"][2]["name"] == "Well Known URL"
