"""What users of the console are told of."""

from freehold.services.notifications.routes import routes

__all__ = ["routes"]
