"""Which references generated services look up before they write them: decided once, for every language."""

from __future__ import annotations

from freehold.generator import TARGETS, generate
from freehold.generator.planner import plan
from freehold.schema import parse_schema

SCHEMA = """
freehold: 1
service: desk
tenancy: { entity: firm, isolation: rls }
roles: { boss: [agent], agent: [] }
entities:
  firm:
    tenant: self
    access: { read: agent }
    fields: { name: string(40) }
  open:
    tenant: none
    access: { read: public }
    fields: { name: string(40) }
  shared:
    tenant: scoped
    access: { read: agent }
    fields: { name: string(40) }
  partial:
    tenant: scoped
    access: { read: [boss, { role: agent, where: visible = true }] }
    fields: { visible: bool }
  sealed:
    tenant: scoped
    access: { read: service }
    fields: { name: string(40) }
  task:
    tenant: scoped
    access: { read: agent, create: boss, update: agent }
    fields:
      home:     { type: ref(firm), nullable: true }
      open:     { type: ref(open), nullable: true }
      shared:   { type: ref(shared), nullable: true, inverse: tasks }
      partial:  { type: ref(partial), nullable: true }
      approved: { type: ref(partial), nullable: true, write: boss }
      sealed:   { type: ref(sealed), nullable: true }
"""


def lookups(text: str) -> dict[str, str]:
    planned = plan(parse_schema(text))
    return {
        f"{entity.name}.{each.name}": each.lookup for entity in planned.entities for each in entity.relations
    }


def test_a_reference_is_looked_up_where_its_writer_may_not_read_all_that_it_could_be() -> None:
    assert lookups(SCHEMA) == {
        "task.home": "always",
        "task.open": "never",
        "task.shared": "never",
        "task.partial": "unless_all",
        "task.approved": "never",
        "task.sealed": "unless_all",
        "shared.tasks": "never",
    }


def test_the_scopes_of_an_api_key_can_leave_reading_out() -> None:
    found = lookups(SCHEMA.replace("roles:", "auth: { provider: auth0, api_keys: true }\nroles:"))

    assert found["task.shared"] == found["task.open"] == "unless_all"
    assert found["shared.tasks"] == "never"


def test_nothing_is_emitted_where_nothing_is_looked_up() -> None:
    looked_up = ("home:", "partial: ", "approved:", "sealed: ")
    known = [line for line in SCHEMA.splitlines() if not line.strip().startswith(looked_up)]
    for target in TARGETS.values():
        plain = generate(parse_schema("\n".join(known)), target.name)
        routes = [text for path, text in plain.items() if "routes" in path and "tests" not in path]

        assert routes
        assert not any("nknown" in text for text in routes)
