"""What can go wrong with projects."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, NotFound


class ProjectAlreadyExists(Conflict, type="project_already_exists"):
    """A project with this id already exists. Choose another id, or let the server choose with `unique()`."""


class ReservedProject(BadRequest, type="project_reserved_project"):
    """The project id `console` is the console's own."""


class OrganizationNotFound(NotFound, type="team_not_found"):
    """There is no organization with this id that you belong to."""


class OrganizationMissing(Forbidden, type="organization_id_missing"):
    """Name the organization in X-Appwrite-Organization."""


class DevKeyNotFound(NotFound, type="key_not_found"):
    """The project has no key for development with this id."""


class ScheduleNotFound(NotFound, type="schedule_not_found"):
    """The project has no schedule with this id."""


class FunctionNotFound(NotFound, type="function_not_found"):
    """The project has no function `{id}` that could be run."""


class ExecutionNotFound(NotFound, type="execution_not_found"):
    """The project has no execution `{id}` that could be run."""


class MessageNotFound(NotFound, type="message_not_found"):
    """The project has no message `{id}` that could be sent."""
