"""The account of whoever calls: registering, signing in and out, and what one may change about oneself."""

from freehold.services.account.routes import routes

__all__ = ["routes"]
