"""Keys that act for a console user's account, where nobody can sign in."""

from freehold.services.account_keys.routes import routes

__all__ = ["routes"]
