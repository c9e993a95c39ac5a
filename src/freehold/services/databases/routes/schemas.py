"""Endpoints of schema files, Freehold's own: `freehold plan` and `freehold apply` call them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from freehold.db.ddl import Step
from freehold.schema.model import Schema
from freehold.services.databases import schemas
from freehold.services.databases.errors import DatabaseNotFound, TableAlreadyExists
from freehold.services.databases.schemas import LossNotApproved, Plan, PlanChanged, SchemaNotApplicable
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import Input, Output

routes = Routes("tablesDB", console=False)

SCOPE = "databases.write"


class SchemaStep(Output):
    """One statement, and what to know before it runs."""

    summary: str
    sql: str
    table: str
    lock: str | None
    rewrites: bool
    loses: str | None
    inverse: str | None


class SchemaPlan(Output):
    """What applying a schema does. The hash names exactly this plan."""

    hash: str
    database_id: str
    namespace: str
    creates_database: bool
    losses: list[str]
    """The tables that can lose data."""
    steps: list[SchemaStep]


class AppliedSchema(Output):
    schema: Schema | None
    """Null when the tables were made over the API."""


class PlanSchema(Input):
    schema: Schema


class ApplySchema(Input):
    schema: Schema
    plan: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
    approve: Annotated[list[str], Meta(max_length=1000)] = []


@routes.get(
    "/v1/tablesdb/{databaseId}/schema", scope="databases.read", reference=False, raises=(DatabaseNotFound,)
)
async def get_schema(call: Call, database_id: str) -> AppliedSchema:
    """The schema that was last applied to a database from a file."""
    return AppliedSchema(schema=await schemas.applied(call, database_id))


@routes.post(
    "/v1/tablesdb/{databaseId}/schema/plan", scope=SCOPE, reference=False, raises=(TableAlreadyExists,)
)
async def plan_schema(call: Call, database_id: str, body: PlanSchema) -> SchemaPlan:
    """Plan to make a database what a schema file says, and change nothing."""
    return _model(database_id, await schemas.plan(call, database_id, body.schema))


@routes.post(
    "/v1/tablesdb/{databaseId}/schema/apply",
    scope=SCOPE,
    event="databases.[databaseId].update",
    reference=False,
    raises=(PlanChanged, LossNotApproved, SchemaNotApplicable, TableAlreadyExists),
)
async def apply_schema(call: Call, database_id: str, body: ApplySchema) -> SchemaPlan:
    """Do what was planned, all of it or nothing. A plan that is not the same any more is refused."""
    done = await schemas.apply(call, database_id, body.schema, expected=body.plan, approve=body.approve)
    return _model(database_id, done)


def _model(database_id: str, plan: Plan) -> SchemaPlan:
    return SchemaPlan(
        hash=plan.hash,
        database_id=database_id,
        namespace=plan.namespace,
        creates_database=plan.creates_database,
        losses=plan.losses,
        steps=[_step(step) for step in plan.steps],
    )


def _step(step: Step) -> SchemaStep:
    return SchemaStep(
        summary=step.summary,
        sql=step.sql,
        table=step.table,
        lock=step.lock,
        rewrites=step.rewrites,
        loses=step.loses,
        inverse=step.inverse,
    )
