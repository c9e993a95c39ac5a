"""Errors that reach a caller: a status, a wire type, and a message to the one who can act.

A class says its wire type on its own line and its message in its docstring:

    class LastOwner(Conflict, type="team_last_owner"):
        \"""A team needs an owner. Make someone else an owner first.\"""

`{braces}` in the docstring are filled from the arguments: `InvalidParameter(name="limit", reason="...")`.
"""

from __future__ import annotations

from typing import ClassVar


class Problem(Exception):
    """Something went wrong, and the caller should know what."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "general_unknown"
    template: ClassVar[str] = ""

    def __init_subclass__(cls, type: str | None = None, status: int | None = None) -> None:  # noqa: A002
        super().__init_subclass__()
        cls.template = " ".join((cls.__doc__ or "").split())
        if status is not None:
            cls.status = status
        if type is not None:
            cls.type = type

    place = ""
    """Where among several it went wrong, such as `operations[3]: `."""

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.message)

    @property
    def message(self) -> str:
        return self.place + self.template.format(**self.values)


class BadRequest(Problem, status=400):
    """The request is not right."""


class Unauthorized(Problem, status=401):
    """The caller is not known, or may not do this."""


class Forbidden(Problem, status=403):
    """The caller may not do this."""


class NotFound(Problem, status=404):
    """It is not there."""


class Conflict(Problem, status=409):
    """It disagrees with what is there."""


class InvalidParameter(BadRequest, type="general_argument_invalid"):
    """Invalid `{name}` param: {reason}"""


class InvalidBody(BadRequest, type="general_bad_request"):
    """The request body could not be read: {reason}"""


class BodyTooLarge(Problem, type="general_bad_request", status=413):
    """The request body is larger than {limit} bytes. Send less, or send it in parts."""


class InvalidQuery(BadRequest, type="general_query_invalid"):
    """Invalid query: {reason}"""


class CursorNotFound(BadRequest, type="general_cursor_not_found"):
    """The row `{id}` that the cursor names was not found."""


class RouteNotFound(NotFound, type="general_route_not_found"):
    """There is no such route. Check the path and the method."""


class AccessForbidden(Unauthorized, type="general_access_forbidden"):
    """The console project cannot be used for this. Name a project in X-Appwrite-Project."""


class MissingScope(Unauthorized, type="general_unauthorized_scope"):
    """{who} is missing the scope {scopes}."""


class UnknownOrigin(Forbidden, type="general_unknown_origin"):
    """The origin {origin} is not registered with this project. Add it as a platform of the project."""


class NotOfTheConsole(Forbidden, type="general_unknown_origin"):
    """The console's session counts for pages of this server only, not for those of {origin}."""


class RateLimited(Problem, type="general_rate_limit_exceeded", status=429):
    """Too many requests. Try again in {seconds} seconds."""


class ServiceDisabled(Forbidden, type="general_service_disabled"):
    """The service {service} is switched off for this project."""


class ApiDisabled(Forbidden, type="general_api_disabled"):
    """The protocol {protocol} is switched off for this project."""


class ServerError(Problem, type="general_server_error", status=500):
    """Server Error"""


class Unavailable(Problem, type="general_unknown", status=503):
    """The database cannot be reached. Try again in a moment."""


class FilesUnavailable(Problem, type="general_unknown", status=503):
    """The store of files cannot be reached. Try again in a moment."""


class DiskFull(Problem, type="general_unknown", status=507):
    """There is no room left for this on the server. Nothing was kept of it; its operator has to make room."""


class DatabaseTimeout(Problem, type="database_timeout", status=408):
    """The database took too long. Ask for less, or add an index for the columns you filter and order by."""


class ResourceLocked(Conflict, type="general_resource_locked"):
    """Somebody else is changing this right now. Try again in a moment."""


class NotInPerson(Unauthorized, type="user_unauthorized"):
    """Only the user may do this in person: it concerns what the user signs in with. Neither who acts for a
    user (X-Appwrite-Impersonate-User-*) nor an account's key has a part in that."""


class ProjectNotFound(NotFound, type="project_not_found"):
    """The project `{id}` was not found. Check the value of X-Appwrite-Project."""


class UserUnauthorized(Unauthorized, type="user_unauthorized"):
    """You may not do this."""


class RoleNotHeld(UserUnauthorized, type="user_unauthorized"):
    """Permissions can only be given to roles that you have yourself, and `{role}` is none of yours.

    Share through a team that you are in, or let a server give the permission with an API key.
    """


class MoreFactorsRequired(Unauthorized, type="user_more_factors_required"):
    """The user asks for a second factor, which this session has not shown. Answer a challenge first."""


class ChallengeRequired(Unauthorized, type="user_challenge_required"):
    """This needs more than a session: create a challenge, answer it, and try again."""


class UserBlocked(Forbidden, type="user_blocked"):
    """This user has been blocked. The project's owner can unblock it."""


class InvalidJwt(Unauthorized, type="user_jwt_invalid"):
    """The JWT is not valid. It may have expired, or its session may have ended."""


class JwtAndCookieSet(Forbidden, type="user_jwt_and_cookie_set"):
    """Send either a JWT or a session, not both."""


class KeyExpired(Unauthorized, type="project_key_expired"):
    """The API key has expired. Make a new one."""
