"""One project from within: its API keys, its platforms, its labels, and what of it is switched on."""

from freehold.services.project.first_start import FirstProject, first_start
from freehold.services.project.routes import routes

__all__ = ["FirstProject", "first_start", "routes"]
