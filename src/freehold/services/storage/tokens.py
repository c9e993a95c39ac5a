"""Tokens of files: signed by the installation, so that a guessed one costs no look-up, and kept, so that one
that is deleted opens nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from freehold import secrets
from freehold.config import Settings
from freehold.db.pool import Record
from freehold.services.storage import token_store
from freehold.services.storage.errors import TokenExpired
from freehold.web.call import Call


def secret_of(call: Call, token: Record) -> str:
    """What opens the file: a JWT that names the token, and says nothing of when it ends."""
    return jwt.encode({"alg": "HS256"}, {"tokenId": token["id"], "realm": call.project.realm}, _key(call))


async def open_it(call: Call, file: Record, secret: str) -> bool:
    """Whether a token opens the file. Raises TokenExpired."""
    token_id = _token_id(call, secret) if secret else ""
    if not token_id:
        return False
    token = await token_store.find(call.db, call.project.id, token_id)
    if token is None or (token["bucket_id"], token["file_id"]) != (file["bucket_id"], file["id"]):
        return False
    if token["expires_at"] is not None and token["expires_at"] <= datetime.now(UTC):
        raise TokenExpired()
    await token_store.note(call.db, call.project.id, token_id)
    return True


def push_secret(settings: Settings, realm: str, bucket_id: str, file_id: str, *, expires_at: datetime) -> str:
    """What shows one file, for a while, to whoever gets a push message with it as its picture."""
    claims = {"realm": realm, "bucketId": bucket_id, "fileId": file_id, "exp": int(expires_at.timestamp())}
    return jwt.encode({"alg": "HS256"}, claims, _push_key(settings))


def opens_push(call: Call, file: Record, secret: str) -> bool:
    """Whether this came with a push message that has the file as its picture."""
    try:
        claims = jwt.decode(secret, _push_key(call.app.settings), algorithms=["HS256"]).claims
        _push_claims.validate(claims)
    except (JoseError, ValueError):
        return False
    told = (claims["realm"], claims["bucketId"], claims["fileId"])
    return told == (call.project.realm, file["bucket_id"], file["id"])


_push_claims = jwt.JWTClaimsRegistry(
    exp={"essential": True},
    realm={"essential": True},
    bucketId={"essential": True},
    fileId={"essential": True},
)


def _push_key(settings: Settings) -> OctKey:
    return OctKey.import_key(secrets.derive(settings.secret, "pictures of push messages"))


def _token_id(call: Call, secret: str) -> str:
    """Which token of this project a secret is of; empty when it is of none."""
    try:
        claims = jwt.decode(secret, _key(call), algorithms=["HS256"]).claims
    except (JoseError, ValueError):
        return ""
    return str(claims["tokenId"]) if claims.get("realm") == call.project.realm else ""


def _key(call: Call) -> OctKey:
    return OctKey.import_key(secrets.derive(call.app.settings.secret, "file tokens"))
