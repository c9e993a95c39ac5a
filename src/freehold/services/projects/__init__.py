"""The projects of an organization, as people who run them see them on the console."""

from freehold.services.projects import dev_keys, schedules, stages
from freehold.services.projects.access import current_organization, must_hold, of_organization
from freehold.services.projects.errors import (
    OrganizationMissing,
    OrganizationNotFound,
    ProjectAlreadyExists,
    ReservedProject,
)
from freehold.services.projects.models import (
    AUTH_METHODS,
    PROTOCOLS,
    SERVICES,
    AuthMockNumber,
    Project,
    as_project,
)
from freehold.services.projects.removal import delete_all_of, delete_project
from freehold.services.projects.routes import organization, routes
from freehold.services.projects.stages import note as note_stages
from freehold.services.projects.store import find

ORGANIZATION_ERRORS = (OrganizationMissing, OrganizationNotFound)
"""What `current_organization` raises, besides AccessForbidden."""

routes.endpoints += dev_keys.routes.endpoints + schedules.routes.endpoints + stages.routes.endpoints

__all__ = [
    "AUTH_METHODS",
    "ORGANIZATION_ERRORS",
    "PROTOCOLS",
    "SERVICES",
    "AuthMockNumber",
    "Project",
    "ProjectAlreadyExists",
    "ReservedProject",
    "as_project",
    "current_organization",
    "delete_all_of",
    "delete_project",
    "find",
    "must_hold",
    "note_stages",
    "of_organization",
    "organization",
    "routes",
]
