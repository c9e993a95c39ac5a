"""Presences: who is there, and what they say of it, until it expires or their connection ends."""

from freehold.services.presences.jobs import KINDS
from freehold.services.presences.lasting import HOLD_S, Said, end, end_of_user, hold, readers, say
from freehold.services.presences.models import Presence
from freehold.services.presences.routes import routes

__all__ = ["HOLD_S", "KINDS", "Presence", "Said", "end", "end_of_user", "hold", "readers", "routes", "say"]
