"""What is known about identity providers: how each writes tenant, roles and audience into its tokens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Defaults for one provider; the owner of a service overrides any of them by environment variables."""

    name: str
    issuer: str = ""
    jwks_url: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    audience_claim: str = "aud"
    audience: tuple[str, ...] = ()
    user_claim: str = "sub"
    tenant_claim: str = "tenant_id"
    roles_claim: str = "roles"
    service_claim: str = ""
    service_value: str = ""
    require: dict[str, str] = field(default_factory=dict)
    note: str = ""


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "auth0",
            jwks_url="{issuer}.well-known/jwks.json",
            tenant_claim="org_id",
            roles_claim="permissions",
            service_claim="gty",
            service_value="client-credentials",
            note="The issuer ends in a slash. Roles come as permissions: switch RBAC on for the API.",
        ),
        Preset(
            "clerk",
            jwks_url="{issuer}/.well-known/jwks.json",
            audience_claim="azp",
            tenant_claim="o.id",
            roles_claim="o.rol",
            note="Tokens have no `aud`; AUTH_AUDIENCE lists the origins that may appear in `azp`.",
        ),
        Preset(
            "cognito",
            jwks_url="{issuer}/.well-known/jwks.json",
            audience_claim="client_id",
            tenant_claim="custom:tenant_id",
            roles_claim="cognito:groups",
            require={"token_use": "access"},
            note="Access tokens have `client_id` and no `aud`. The tenant needs a pre-token Lambda.",
        ),
        Preset(
            "supabase",
            jwks_url="{issuer}/.well-known/jwks.json",
            algorithms=("ES256", "RS256"),
            audience=("authenticated",),
            tenant_claim="app_metadata.tenant_id",
            roles_claim="app_metadata.role",
            note="Never read user_metadata: users can edit it. The legacy secret (HS256) is not taken.",
        ),
        Preset(
            "keycloak",
            jwks_url="{issuer}/protocol/openid-connect/certs",
            tenant_claim="organization",
            roles_claim="realm_access.roles",
            note="`aud` needs an audience mapper; otherwise set AUTH_AUDIENCE_CLAIM=azp. Tenants are"
            " organizations by id, or by alias while the mapper adds no ids.",
        ),
        Preset(
            "workos",
            audience_claim="client_id",
            tenant_claim="org_id",
            roles_claim="role",
            note="The key set is per client: set AUTH_JWKS_URL.",
        ),
        Preset(
            "better-auth",
            jwks_url="{issuer}/api/auth/jwks",
            algorithms=("EdDSA",),
            note="Signs with EdDSA. Tenant and roles are claims that you add in definePayload.",
        ),
        Preset(
            "freehold",
            jwks_url="{issuer}/.well-known/jwks.json",
            algorithms=("ES256",),
            tenant_claim="team.id",
            note="Issuer: <endpoint>/projects/<project>; audience: the project. Roles are labels; team.roles"
            " anybody gives who makes a team.",
        ),
        Preset("custom", note="Every value is yours to set."),
    )
}

DEV = Preset(
    "dev",
    issuer="dev",
    algorithms=("HS256",),
    service_claim="kind",
    service_value="service",
    note="Tokens of `make token`, signed with AUTH_DEV_SECRET. Refused in production.",
)


class UnknownProvider(ValueError):
    """The schema names a provider that there is no preset for."""


def presets_of(provider: str, overrides: dict[str, Any]) -> list[Preset]:
    """The presets that a service gets: the schema's own, one to fill in, and one for development."""
    if provider not in PRESETS:
        raise UnknownProvider(
            f"auth.provider: there is no preset {provider!r}; there are {', '.join(PRESETS)}"
        )
    known = set(Preset.__dataclass_fields__) - {"name", "note"}
    changed: dict[str, Any] = {}
    for key, value in overrides.items():
        if key not in known:
            raise UnknownProvider(
                f"auth: {key!r} is no value of a provider; there are {', '.join(sorted(known))}"
            )
        changed[key] = tuple(value) if isinstance(value, list) else value
    own = replace(PRESETS[provider], **changed)
    return [own, *([PRESETS["custom"]] if provider != "custom" else []), DEV]
