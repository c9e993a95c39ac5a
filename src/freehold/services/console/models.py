"""Shapes of the console service on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from freehold.web.wire import Input, Output


class ResourceQuery(Input):
    value: Annotated[str, Meta(max_length=256)]
    type: Literal["rules"]
    """What the host name would be for."""


class ConsoleVariables(Output):
    """What this installation can do. The names are the contract's, of environment variables included."""

    domain_target_cname: str = field(name="_APP_DOMAIN_TARGET_CNAME")
    domain_target_a: str = field(name="_APP_DOMAIN_TARGET_A")
    domain_target_aaaa: str = field(name="_APP_DOMAIN_TARGET_AAAA")
    domain_target_caa: str = field(name="_APP_DOMAIN_TARGET_CAA")
    domain_enabled: bool = field(name="_APP_DOMAIN_ENABLED")
    domain_sites: str = field(name="_APP_DOMAIN_SITES")
    domain_functions: str = field(name="_APP_DOMAIN_FUNCTIONS")
    domains_nameservers: str = field(name="_APP_DOMAINS_NAMESERVERS")
    compute_build_timeout: int = field(name="_APP_COMPUTE_BUILD_TIMEOUT")
    compute_size_limit: int = field(name="_APP_COMPUTE_SIZE_LIMIT")
    storage_limit: int = field(name="_APP_STORAGE_LIMIT")
    usage_stats: str = field(name="_APP_USAGE_STATS")
    vcs_enabled: bool = field(name="_APP_VCS_ENABLED")
    vcs_providers: list[str] = field(name="_APP_VCS_PROVIDERS")
    vcs_creating: list[str] = field(name="_APP_VCS_PROVIDERS_WITH_REPOSITORY_CREATION")
    vcs_public: list[str] = field(name="_APP_VCS_PROVIDERS_WITH_PUBLIC_REPOSITORIES")
    assistant_enabled: bool = field(name="_APP_ASSISTANT_ENABLED")
    force_https: str = field(name="_APP_OPTIONS_FORCE_HTTPS")
    db_adapter: str = field(name="_APP_DB_ADAPTER")
    supports_relationships: bool = field(name="supportForRelationships")
    supports_operators: bool = field(name="supportForOperators")
    supports_spatials: bool = field(name="supportForSpatials")
    supports_spatial_index_null: bool = field(name="supportForSpatialIndexNull")
    spatial_backing: str = field(name="spatialBacking")
    """What works places out: `postgresql` is its own types and our functions, with PostGIS or without."""
    supports_fulltext_wildcard: bool = field(name="supportForFulltextWildcard")
    supports_multiple_fulltext_indexes: bool = field(name="supportForMultipleFulltextIndexes")
    supports_attribute_resizing: bool = field(name="supportForAttributeResizing")
    supports_schemas: bool = field(name="supportForSchemas")
    max_index_length: int = field(name="maxIndexLength")
    supports_integer_ids: bool = field(name="supportForIntegerIds")


class ConsoleKeyScope(Output):
    id: str = field(name="$id")
    description: str
    category: str
    deprecated: bool


class ConsoleKeyScopeList(Output):
    total: int
    scopes: list[ConsoleKeyScope]
