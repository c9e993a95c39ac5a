"""One call of an endpoint: who calls, in which project, on what connection, and what else to answer."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from freehold import audit, events
from freehold.access.permissions import Permission
from freehold.db.pool import Queries
from freehold.web import devices
from freehold.web.identity import Identity
from freehold.web.projects import CONSOLE, Project
from freehold.web.request import Request

if TYPE_CHECKING:
    from freehold.web.application import Application
    from freehold.web.endpoint import Endpoint


class Staged(NamedTuple):
    """What a change of rows is done with that was staged in a transaction: as it was when that was done."""

    at: datetime
    tenant: str
    """What X-Tenant-Id said."""
    unless_newer: str
    """What X-Appwrite-Timestamp said; of what is done again nothing, because then the transaction watches."""


class Call:
    """What an endpoint is given first."""

    __slots__ = (
        "_cause",
        "afterwards",
        "app",
        "changed_rows",
        "db",
        "endpoint",
        "event_ids",
        "headers",
        "identity",
        "is_unlimited",
        "model",
        "parameters",
        "payload",
        "project",
        "request",
        "staged",
        "tags",
        "was_done_before",
    )

    endpoint: Endpoint

    def __init__(self, app: Application, request: Request, project: Project, identity: Identity) -> None:
        self.app = app
        self.request = request
        self.project = project
        self.identity = identity
        self.db: Queries = app.db
        """The pool; of an endpoint with an event, the transaction that it happens in."""
        self.headers: list[tuple[bytes, bytes]] = []
        """To be sent with the answer."""
        self.parameters: dict[str, str] = {}
        """Of the path, by their names there."""
        self.event_ids: dict[str, str] = {}
        """For the event's placeholders that are neither in the path nor the answer's own `$id`."""
        self.payload: bytes | None = None
        """What the event tells when it is not the answer, as when that holds a secret or is empty."""
        self.tags: list[str] = []
        self.staged: Staged | None = None
        """Of changes that are staged or committed, rather than asked for by this very request."""
        self.changed_rows: dict[str, set[str]] | None = None
        """The ids of the rows that the call changes, by their tables, when somebody wants to know them."""
        self.afterwards: list[str] = []
        """Statements to run, each by itself, once the call's transaction is committed. They may fail."""
        self.is_unlimited = False
        """Whether a key for development spares the caller the rate limits."""
        self._cause: events.Cause | None = None
        self.was_done_before = False
        """Whether nothing had to be done any more."""
        self.model = ""
        """The model of the answer, when it is another than the endpoint declares."""

    def begin_anew(self, headers: int) -> None:
        """Forget what the endpoint has said, of which nothing came, but for so many headers of before."""
        del self.headers[headers:], self.tags[:], self.afterwards[:]
        self.event_ids.clear()
        self.payload, self.model = None, ""

    def asks(self, permission: Permission) -> list[str] | None:
        """The permissions that would let the caller in; None when it needs none."""
        return None if self.identity.privileged else self.identity.asks(permission)

    def tells(self, resource: msgspec.Struct) -> None:
        """Let the event tell of this resource rather than of the answer."""
        self.payload = msgspec.json.encode(resource)

    def changed(self, tag: str) -> None:
        """Say that what is cached under the tag will be stale once this call has committed."""
        self.tags.append(tag)

    @property
    def ip(self) -> str:
        """The caller's address: of the connection, or as trusted proxies say."""
        return self.app.client_ip(self.request)

    @property
    def language(self) -> str:
        """The language that the caller wants names in, such as `pt-br`; empty when it does not say."""
        return self.request.header(b"x-appwrite-locale")[:20].lower()

    @property
    def cause(self) -> events.Cause:
        """What the events of this call say that they came of."""
        if self._cause is None:
            user = self.identity.impersonator or self.identity.user
            email = (user["email"] or "") if user is not None else ""
            self._cause = self._caused_by(self.identity.actor, _acting_name(self.identity), email)
        return self._cause

    def proves(self, user_id: str, name: str, email: str) -> None:
        """Say which user the caller has turned out to be, as who signs in does: events tell of that user from
        now on. Keys and admins stay who they are."""
        if not self.identity.privileged:
            self._cause = self._caused_by(f"user:{user_id}", name, email)

    def _caused_by(self, actor: str, name: str, email: str) -> events.Cause:
        mode = _mode(self.identity)
        user_agent = devices.kept(self.request.header(b"user-agent"))
        caller = _encoded_caller(name, email, mode, self.ip, user_agent, self.sdk)
        return events.Cause(actor, self.request.id, caller)

    @property
    def user_type(self) -> str:
        """What acts, as the logs say it."""
        is_console = self.project.id == CONSOLE
        return audit.user_type(self.identity.actor, _mode(self.identity), is_console=is_console)

    @property
    def sdk(self) -> str:
        """The SDK that calls, as it calls itself, in lower case; empty when it does not say."""
        return devices.kept(self.request.header(b"x-sdk-name"))[:64].lower()

    @property
    def is_https(self) -> bool:
        return self.app.scheme(self.request) == "https"

    @property
    def sees_secrets(self) -> bool:
        """Whether secrets may be shown in the answer: to keys and console admins only."""
        return self.identity.privileged


@lru_cache(maxsize=1000)
def _encoded_caller(name: str, email: str, mode: str, ip: str, user_agent: str, sdk: str) -> bytes:
    return msgspec.json.encode(events.Caller(name, email, mode, ip, user_agent, sdk))


def _mode(identity: Identity) -> str:
    """In what way the caller acts: as an owner of the project, by a key of an account, or else by itself."""
    if identity.kind == "admin":
        return "admin"
    return "key" if identity.kind == "user" and identity.key_id else "default"


def _acting_name(identity: Identity) -> str:
    """Who acts, and for whom."""
    name: str = identity.user["name"] if identity.user is not None else ""
    if identity.kind == "user" and identity.key_id:
        return f"{name or identity.user_id} by key {identity.key_id}"
    if identity.impersonator is None:
        return name
    return f"{identity.impersonator['name']} as {name or identity.user_id}"
