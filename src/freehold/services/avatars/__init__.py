"""Small pictures: of people, countries, browsers and cards, QR codes, and of what other sites show."""

from freehold.services.avatars.pictures import picture, sent
from freehold.services.avatars.routes import routes

__all__ = ["picture", "routes", "sent"]
