"""Endpoints of a project's variables, which its functions and sites find in their environment."""

from __future__ import annotations

import msgspec

from freehold import ids, secrets
from freehold.services.project import variables
from freehold.services.project.errors import SecretStays, VariableAlreadyExists, VariableNotFound
from freehold.services.project.variables import (
    CreateVariable,
    UpdateVariable,
    Variable,
    VariableList,
    as_variable,
    sealing_key,
)
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("project", console=False)


@routes.get("/v1/project/variables", scope="project.read")
async def list_variables(call: Call, query: ListQuery) -> VariableList:
    """List the project's variables. Values of secret ones are not told."""
    found = await variables.fetch(call.db, call.project.id, query.queries, total=query.total)
    return VariableList(total=found.total, variables=[as_variable(call, row) for row in found.rows])


@routes.post(
    "/v1/project/variables",
    scope="project.write",
    event="variables.[variableId].create",
    status=201,
    raises=(VariableAlreadyExists,),
)
async def create_variable(call: Call, body: CreateVariable) -> Variable:
    """Make a variable. It is secret unless it is said not to be."""
    sealed = secrets.seal(sealing_key(call), body.value)
    variable_id = ids.resolve(body.variable_id)
    row = await variables.create(call.db, call.project.id, variable_id, body, sealed)
    return _told(call, as_variable(call, row))


@routes.get("/v1/project/variables/{variableId}", scope="project.read", raises=(VariableNotFound,))
async def get_variable(call: Call, variable_id: str) -> Variable:
    """Get a variable."""
    row = await variables.find(call.db, call.project.id, variable_id)
    if row is None:
        raise VariableNotFound()
    return as_variable(call, row)


@routes.put(
    "/v1/project/variables/{variableId}",
    scope="project.write",
    event="variables.[variableId].update",
    raises=(VariableNotFound, VariableAlreadyExists, SecretStays),
)
async def update_variable(call: Call, variable_id: str, body: UpdateVariable) -> Variable:
    """Change a variable. What is not said stays, and what is secret stays so."""
    row = await variables.find(call.db, call.project.id, variable_id)
    if row is None:
        raise VariableNotFound()
    if row["secret"] and body.secret is False:
        raise SecretStays()
    sealed = secrets.seal(sealing_key(call), body.value) if body.value is not None else None
    row = await variables.update(call.db, call.project.id, variable_id, body, sealed)
    if row is None:
        raise VariableNotFound()
    return _told(call, as_variable(call, row))


@routes.delete(
    "/v1/project/variables/{variableId}",
    scope="project.write",
    event="variables.[variableId].delete",
    status=204,
    raises=(VariableNotFound,),
)
async def delete_variable(call: Call, variable_id: str) -> None:
    """Delete a variable."""
    row = await variables.delete(call.db, call.project.id, variable_id)
    if row is None:
        raise VariableNotFound()
    _told(call, as_variable(call, row))


def _told(call: Call, variable: Variable) -> Variable:
    """Let the event tell of the variable without its value, which may not be for whoever listens."""
    call.tells(msgspec.structs.replace(variable, value=""))
    return variable
