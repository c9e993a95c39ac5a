"""The endpoint of the keys that users' JWTs are signed with."""

from __future__ import annotations

from freehold.web import signing
from freehold.web.call import Call
from freehold.web.endpoint import Routes

routes = Routes("project")


@routes.get(
    "/v1/projects/{projectId}/.well-known/jwks.json",
    scope="public",
    reference=False,
    name="getSigningKeys",
    public_s=signing.KEPT_S,
)
async def get_signing_keys(call: Call, project_id: str) -> signing.JsonWebKeySet:
    """The public keys that the project's users' JWTs are signed with: their key set, below their issuer."""
    return await call.app.auth.signing.public(await call.app.projects.find(project_id))
