"""Where the caller is, and lists of countries, continents, currencies and languages in its own."""

from freehold.services.locale.routes import routes
from freehold.services.locale.world import LOCALES

__all__ = ["LOCALES", "routes"]
