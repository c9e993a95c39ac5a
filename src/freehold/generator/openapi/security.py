"""Security schemes: what a caller may come with."""

from __future__ import annotations

from freehold.generator.documents import Json
from freehold.generator.plan import ServicePlan

_OF_COOKIES = "With a cookie, changes need an `Origin` that is allowed (403 `bad_origin`)."


def schemes(plan: ServicePlan) -> Json:
    """The credentials of the service; one of them is enough."""
    found: Json = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    if plan.api_keys:
        found["api_key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    if plan.sessions:
        found["session"] = {
            "type": "apiKey",
            "in": "header",
            "name": "X-Appwrite-Session",
            "description": f"Browsers have it in the cookie `a_session_<project>`. {_OF_COOKIES}",
        }
    if plan.session is not None:
        found["cookie"] = {
            "type": "apiKey",
            "in": "cookie",
            "name": plan.session.cookie,
            "description": _OF_COOKIES,
        }
    return found
