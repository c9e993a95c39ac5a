"""Every setting of the service: its environment variable, its type, and what is refused at the start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

SERVICE = "acme-works"


@dataclass(frozen=True, slots=True)
class Provider:
    """How to read the tokens of an identity provider. Each value can be set by AUTH_<NAME>."""

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
    require: Mapping[str, str] = field(default_factory=dict)
    refetch_seconds: int = 60


PROVIDERS = {
    # The issuer ends in a slash. Roles come as permissions: switch RBAC on for the API.
    "auth0": Provider(
        "auth0",
        jwks_url="{issuer}.well-known/jwks.json",
        tenant_claim="org_id",
        roles_claim="permissions",
        service_claim="gty",
        service_value="client-credentials",
    ),
    # Every value is yours to set.
    "custom": Provider(
        "custom",
    ),
    # Tokens of `make token`, signed with AUTH_DEV_SECRET. Refused in production.
    "dev": Provider(
        "dev",
        issuer="dev",
        algorithms=("HS256",),
        service_claim="kind",
        service_value="service",
    ),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process was told. Read once, at the start."""

    database_url: str = field(repr=False)
    provider: Provider
    environment: str = "development"
    service: str = SERVICE
    database_role: str = ""
    database_schema: str = "public"
    database_pool_size: int = 10
    pgbouncer: bool = False
    auto_migrate: bool = False
    auth_dev_secret: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 0
    max_body_bytes: int = 1_000_000
    rate_limit: int = 0
    drain_seconds: int = 0
    traces: bool = False
    log_level: str = "info"


class SettingsError(SystemExit):
    """The environment is not complete or not safe; the message says which variables to mend."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from the environment, or one message with everything that is wrong with it."""
    reader = _Reader(os.environ if environ is None else environ)
    environment = reader.one_of("ENVIRONMENT", ("development", "production"), "development")
    production = environment == "production"
    provider = _provider(reader, production)
    settings = Settings(
        database_url=reader.required("DATABASE_URL", "such as postgresql://app_api:...@host/db"),
        provider=provider,
        environment=environment,
        database_role=reader.text("DATABASE_ROLE", ""),
        database_schema=reader.text("DATABASE_SCHEMA", "public"),
        database_pool_size=reader.number("DATABASE_POOL_SIZE", 10, 1, 200),
        pgbouncer=reader.flag("PGBOUNCER"),
        auto_migrate=reader.flag("AUTO_MIGRATE"),
        auth_dev_secret=reader.text("AUTH_DEV_SECRET", ""),
        host=reader.text("HOST", "127.0.0.1"),
        port=reader.number("PORT", 8000, 0, 65535),
        metrics_port=reader.number("METRICS_PORT", 9090 if production else 0, 0, 65535),
        max_body_bytes=reader.number("MAX_BODY_BYTES", 1_000_000, 1_000, 100_000_000),
        rate_limit=reader.number("RATE_LIMIT", 0, 0, 1_000_000),
        traces=_traces(reader),
        drain_seconds=reader.number("DRAIN_SECONDS", 5 if production else 0, 0, 60),
        log_level=reader.one_of("LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
    )
    if provider.name == "dev" and len(settings.auth_dev_secret) < 32:
        reader.faults.append("AUTH_DEV_SECRET should have at least 32 characters (make token needs it too)")
    if production and settings.auto_migrate:
        reader.faults.append("AUTO_MIGRATE is for development; in production run `python -m app.migrate up`")
    reader.refuse_faults("" if production else "For development `make dev` reads .env, a copy of .env.example.\n")
    return settings


def _provider(reader: _Reader, production: bool) -> Provider:
    name = reader.one_of("AUTH_PROVIDER", tuple(PROVIDERS), "auth0")
    if name == "dev" and production:
        reader.faults.append("AUTH_PROVIDER=dev is refused when ENVIRONMENT=production: anyone could sign tokens")
    preset = PROVIDERS.get(name, PROVIDERS["dev"])
    issuer = reader.text("AUTH_ISSUER", preset.issuer)
    provider = replace(
        preset,
        issuer=issuer,
        jwks_url=reader.text("AUTH_JWKS_URL", preset.jwks_url.replace("{issuer}", issuer)),
        algorithms=reader.words("AUTH_ALGORITHMS", preset.algorithms),
        audience_claim=reader.text("AUTH_AUDIENCE_CLAIM", preset.audience_claim),
        audience=reader.words("AUTH_AUDIENCE", preset.audience),
        user_claim=reader.text("AUTH_USER_CLAIM", preset.user_claim),
        tenant_claim=reader.text("AUTH_TENANT_CLAIM", preset.tenant_claim),
        roles_claim=reader.text("AUTH_ROLES_CLAIM", preset.roles_claim),
        service_claim=reader.text("AUTH_SERVICE_CLAIM", preset.service_claim),
        service_value=reader.text("AUTH_SERVICE_VALUE", preset.service_value),
        refetch_seconds=reader.number("AUTH_REFETCH_SECONDS", preset.refetch_seconds, 1, 3600),
    )
    if provider.name != "dev":
        if not provider.issuer:
            reader.faults.append("AUTH_ISSUER is missing: the exact `iss` of your provider's tokens")
        if not provider.jwks_url.startswith("https://") and (production or "localhost" not in provider.jwks_url):
            reader.faults.append("AUTH_JWKS_URL should begin with https://")
        if not provider.audience:
            reader.faults.append(f"AUTH_AUDIENCE is missing: what `{provider.audience_claim}` must contain")
        allowed = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA"}
        if not set(provider.algorithms) <= allowed:
            reader.faults.append(f"AUTH_ALGORITHMS may only name {', '.join(sorted(allowed))}")
    elif provider.algorithms != ("HS256",):
        reader.faults.append("AUTH_ALGORITHMS cannot be set for AUTH_PROVIDER=dev")
    return provider


def _traces(reader: _Reader) -> bool:
    """Whether spans are sent: when the standard variables of OpenTelemetry name a place, and nobody switched it off."""
    place = reader.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", reader.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
    off = reader.text("OTEL_SDK_DISABLED", "").lower() == "true" or reader.text("OTEL_TRACES_EXPORTER", "") == "none"
    if not place or off:
        return False
    if not place.startswith(("http://", "https://")):
        reader.faults.append("OTEL_EXPORTER_OTLP_ENDPOINT should begin with http:// or https://")
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"):
        reader.one_of(name, ("http/protobuf",), "http/protobuf")
    return True


class _Reader:
    """Reads variables, or the files that NAME_FILE points at, and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def text(self, name: str, default: str) -> str:
        path = self._environ.get(f"{name}_FILE")
        if path:
            try:
                return Path(path).read_text().strip()
            except OSError as error:
                self.faults.append(f"{name}_FILE cannot be read: {error.strerror}")
        return self._environ.get(name) or default

    def required(self, name: str, hint: str) -> str:
        value = self.text(name, "")
        if not value:
            self.faults.append(f"{name} is missing: {hint}")
        return value

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.text(name, "")
        return tuple(value.replace(",", " ").split()) or default

    def flag(self, name: str) -> bool:
        return self.one_of(name, ("0", "1"), "0") == "1"

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if value.isdigit() and least <= int(value) <= most:
            return int(value)
        self.faults.append(f"{name} should be a whole number from {least} to {most}")
        return default

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            self.faults.append(f"{name} should be one of: {', '.join(choices)}")
        return value

    def refuse_faults(self, advice: str) -> None:
        if self.faults:
            faults = "".join(f"  {fault}\n" for fault in self.faults)
            raise SettingsError(f"The service cannot start:\n{faults}{advice}")
