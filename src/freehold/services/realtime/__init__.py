"""What happens, told to those who may know: over WebSockets at once, and over HTTP to who comes back."""

from freehold.services.realtime.hub import Hub
from freehold.services.realtime.routes import routes

__all__ = ["Hub", "routes"]
