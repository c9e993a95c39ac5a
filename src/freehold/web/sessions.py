"""Sessions: how cookies and headers carry them, and whose they are."""

from __future__ import annotations

import base64
import binascii
import time

import msgspec

from freehold.web.identity import Callers, Identity, unblocked
from freehold.web.projects import Project
from freehold.web.request import Request
from freehold.web.users import Users, user_tag


def cookie_name(project_id: str) -> str:
    """The cookie that holds a session of a project."""
    return f"a_session_{project_id}"


def encode_session(user_id: str, secret: str) -> str:
    """A session as cookies and headers carry it."""
    return base64.b64encode(msgspec.json.encode({"id": user_id, "secret": secret})).decode()


def session_token(request: Request, project_id: str) -> str:
    """The session that a request brings: by cookie, by header, or by the fallback of the web SDK."""
    name = cookie_name(project_id)
    if b"cookie" in request.headers:
        cookies = request.cookies()
        found = cookies.get(name) or cookies.get(f"{name}_legacy")
        if found:
            return found
    header = request.headers.get(b"x-appwrite-session")
    if header:
        return header.decode("latin-1")
    fallback = request.headers.get(b"x-fallback-cookies")
    if fallback:
        try:
            value = msgspec.json.decode(fallback)
        except (msgspec.DecodeError, RecursionError):
            return ""
        if isinstance(value, dict):
            found = value.get(name) or value.get(f"{name}_legacy")
            if isinstance(found, str):
                return found
    return ""


class Sessions:
    """Finds whose sessions are."""

    def __init__(self, users: Users, callers: Callers) -> None:
        self._users = users
        self._callers = callers

    async def caller(self, project: Project, text: str) -> Identity | None:
        """The user of a session, if it has not ended. Remembered. Raises UserBlocked."""
        key = (project.realm, "session", text)
        found = self._callers.get(key)
        if found is None:
            token = _decoded(text)
            if token is None:
                return None
            found = await self._callers.load(
                key,
                user_tag(project.id, token.id),
                lambda: self._users.by_secret(project, token.id, token.secret),
            )
        if found is None or found.expires_at <= time.time():
            return None
        return unblocked(found)


class _Token(msgspec.Struct):
    id: str
    """Of the user."""
    secret: str


_decoder = msgspec.json.Decoder(_Token)


def _decoded(text: str) -> _Token | None:
    try:
        return _decoder.decode(base64.b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None
