"""The account of whoever calls: registering, signing in and out, and what one may change about oneself."""

from freehold.services.account.errors import AuthMethodUnsupported, SessionNotFound, UserLimitReached
from freehold.services.account.models import Jwt, Session, SessionList, Token
from freehold.services.account.proofs import owner_of_email, owner_of_phone
from freehold.services.account.registration import check_user_limit
from freehold.services.account.routes import routes
from freehold.services.account.signing_in import answer, as_sessions, check_method, open_session
from freehold.services.account.store import close_session, close_sessions, list_sessions
from freehold.services.account.tokens import GENERIC, as_token, issue
from freehold.services.account.tokens import drop as drop_tokens

__all__ = [
    "GENERIC",
    "AuthMethodUnsupported",
    "Jwt",
    "Session",
    "SessionList",
    "SessionNotFound",
    "Token",
    "UserLimitReached",
    "answer",
    "as_sessions",
    "as_token",
    "check_method",
    "check_user_limit",
    "close_session",
    "close_sessions",
    "drop_tokens",
    "issue",
    "list_sessions",
    "open_session",
    "owner_of_email",
    "owner_of_phone",
    "routes",
]
