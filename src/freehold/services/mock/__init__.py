"""An OAuth provider that lets everybody in, for the tests of SDKs and ours. It is there in --dev only."""

from freehold.services.mock.routes import routes

__all__ = ["routes"]
