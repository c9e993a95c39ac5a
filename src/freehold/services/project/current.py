"""The project that a request is about."""

from __future__ import annotations

from freehold.errors import ProjectNotFound
from freehold.services import projects
from freehold.services.projects import Project, as_project
from freehold.web.call import Call


async def current_project(call: Call) -> Project:
    row = await projects.find(call.db, call.project.id)
    if row is None:
        raise ProjectNotFound(id=call.project.id)
    return as_project(row)
