"""GraphQL: every endpoint as a field, answered as it is through REST."""

from freehold.services.graphql.routes import routes

__all__ = ["routes"]
