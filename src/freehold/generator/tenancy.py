"""Tenancy: who the callers are, and where it stands which tenants they belong to."""

from __future__ import annotations

from freehold.generator.plan import Membership, PlanError
from freehold.schema.model import ACTIONS, Comparison, Entity, Field, IdKind, Kind, Schema


def membership(schema: Schema) -> Membership | None:
    """Where the service looks up the tenants of a user, if the schema says that it does."""
    name = schema.auth.tenant if schema.auth else ""
    if not name:
        return None
    entity = schema.known_entity(name)
    user = user_entity(schema)
    assert entity.layout.tenant is not None  # the checker has seen that it is scoped
    return Membership(
        table=entity.table,
        tenant_column=entity.layout.tenant,
        user_column=entity.layout.id if entity.name == user else _member_column(entity, user),
        user_kind=schema.known_entity(user).id_kind if user else "text",
        role_column=next((each.column for each in entity.fields if _says_the_role(each)), ""),
        deleted_column=entity.layout.deleted_at or "",
    )


def user_entity(schema: Schema) -> str | None:
    """The entity whose ids `me` stands for, if the schema says so anywhere."""
    for entity in schema.entities:
        for each in entity.fields:
            if each.default_me and each.type.target:
                return each.type.target
        for action in ACTIONS:
            for grant in entity.access.grants(action):
                for condition in grant.where:
                    if isinstance(condition, Comparison) and condition.me:
                        compared = entity.field(condition.field)
                        return compared.type.target if compared else entity.name
    return None


def tenant_kind(schema: Schema) -> IdKind:
    """What the ids of tenants are."""
    if schema.tenancy is None:
        return "uuid"
    tenant = schema.known_entity(schema.tenancy.entity)
    if tenant.id_kind == "serial":
        raise PlanError(
            f"{tenant.name}: the ids of tenants should be uuid or text, since a new one is named first"
        )
    return tenant.id_kind


def takes_sessions(schema: Schema) -> bool:
    """Whether sessions of a live Freehold project are credentials."""
    if schema.auth is None or not schema.auth.sessions:
        return False
    if schema.auth.tenant:
        raise PlanError(
            "auth: say `sessions` or `tenant`, not both: the teams of the live project are the tenants of its"
            " sessions"
        )
    return True


def _says_the_role(each: Field) -> bool:
    return each.name == "role" and each.type.kind in (Kind.ENUM, Kind.STRING) and not each.type.array


def _member_column(entity: Entity, user: str | None) -> str:
    """The column of a membership that holds its user."""
    if user is None:
        own = [
            each
            for each in entity.fields
            if each.name == "user" and each.type.kind in (Kind.STRING, Kind.TEXT) and not each.type.array
        ]
    else:
        own = [each for each in entity.fields if each.type.kind is Kind.REF and each.type.target == user]
    if len(own) != 1:
        wanted = (
            f"one field of `ref({user})`" if user else "a field `user: string(255)`, the `sub` of tokens,"
        )
        raise PlanError(f"auth.tenant: {entity.name} should have {wanted} that says whose membership it is")
    return own[0].column
