"""Reports of analyzers about a project, and what each of them advises."""

from freehold.services.advisor.routes import routes

__all__ = ["routes"]
