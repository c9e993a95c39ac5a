"""Which table says who belongs to which tenant, and what it has to look like."""

from __future__ import annotations

import pytest

from freehold.generator import generate
from freehold.generator.plan import Membership, PlanError
from freehold.generator.planner import plan
from freehold.schema import parse_schema
from freehold.schema.model import Schema

HEAD = """
freehold: 1
service: members
tenancy: {{ entity: organization, isolation: {isolation} }}
auth: {{ tenant: {tenant} }}
roles: {{ member: [] }}
entities:
  organization: {{ tenant: self, fields: {{ name: string(80) }} }}
  note: {{ tenant: scoped, fields: {{ author: {author}, text: text }} }}
"""
OF_USERS = "{ type: ref(person), nullable: true, on_delete: set_null, default: me }"
PLACES = {
    "python": "app/core/memberships.py",
    "typescript": "src/core/memberships.ts",
    "go": "internal/auth/memberships.go",
}
PERSON = "  person: { tenant: none, fields: { name: string(80) } }\n"


def schema(
    rest: str, *, tenant: str = "membership", author: str = OF_USERS, isolation: str = "rls"
) -> Schema:
    return parse_schema(HEAD.format(tenant=tenant, author=author, isolation=isolation) + rest)


def members(fields: str, more: str = "") -> str:
    return f"  membership: {{ tenant: scoped, {more}fields: {{ {fields} }} }}\n"


def test_the_users_of_me_are_who_the_memberships_are_of():
    found = plan(schema(PERSON + members("who: ref(person), role: string(20)", "soft_delete: true, ")))

    assert found.membership == Membership(
        table="membership",
        tenant_column="tenant_id",
        user_column="who_id",
        user_kind="uuid",
        role_column="role",
        deleted_column="deleted_at",
    )


def test_without_an_entity_of_users_they_are_the_subjects_of_tokens():
    found = plan(schema(members("user: string(255), title: text"), author="text"))

    assert found.membership is not None
    assert (found.membership.user_column, found.membership.user_kind) == ("user", "text")
    assert found.membership.role_column == ""


def test_users_that_are_kept_in_each_tenant_are_their_own_memberships():
    person = "  person: { tenant: scoped, fields: { role: enum(member) } }\n"
    found = plan(schema(person, tenant="person"))

    assert found.membership is not None
    assert (found.membership.user_column, found.membership.role_column) == ("id", "role")


@pytest.mark.parametrize(
    ("fields", "author", "wanted"),
    [
        ("title: text", OF_USERS, "one field of `ref(person)`"),
        ("who: ref(person), boss: ref(person)", OF_USERS, "one field of `ref(person)`"),
        ("title: text", "text", "a field `user: string(255)`"),
        ("user: int", "text", "a field `user: string(255)`"),
    ],
)
def test_a_membership_that_does_not_say_whose_it_is_is_refused(fields: str, author: str, wanted: str):
    with pytest.raises(PlanError, match=r"auth\.tenant: membership should have") as refused:
        plan(schema(PERSON + members(fields), author=author))

    assert wanted in str(refused.value)


def test_sessions_have_their_own_tenants_and_memberships_are_refused_beside_them():
    text = HEAD.format(tenant="membership, sessions: true", author=OF_USERS, isolation="rls")

    with pytest.raises(PlanError, match="say `sessions` or `tenant`, not both"):
        plan(parse_schema(text + PERSON + members("who: ref(person)")))


@pytest.mark.parametrize("lang", PLACES)
def test_row_level_security_shows_members_their_rows_only_where_there_is_some(lang: str):
    rest = PERSON + members("who: ref(person)")
    files = generate(schema(rest), lang)
    without = generate(schema(rest, isolation="where"), lang)
    name = "db/migrations/0003_show_membership_to_its_members.sql"

    assert "create policy membership_of_user on membership for select" in files[name]
    assert name not in without
    assert "X-Tenant-Id" in files["openapi.json"]
    assert PLACES[lang] in without
