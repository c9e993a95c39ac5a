"""The projects of an organization, as people who run them see them on the console."""

from freehold.services.projects.errors import ProjectAlreadyExists, ReservedProject
from freehold.services.projects.models import AUTH_METHODS, PROTOCOLS, SERVICES, Project, as_project
from freehold.services.projects.removal import delete_all_of, delete_project
from freehold.services.projects.routes import organization, routes
from freehold.services.projects.store import find

__all__ = [
    "AUTH_METHODS",
    "PROTOCOLS",
    "SERVICES",
    "Project",
    "ProjectAlreadyExists",
    "ReservedProject",
    "as_project",
    "delete_all_of",
    "delete_project",
    "find",
    "organization",
    "routes",
]
