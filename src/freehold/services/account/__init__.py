"""The account of whoever calls: registering, signing in and out, and what one may change about oneself."""

from freehold.services.account.errors import AuthMethodUnsupported, UserLimitReached
from freehold.services.account.proofs import owner_of_email, owner_of_phone
from freehold.services.account.registration import check_user_limit
from freehold.services.account.routes import routes
from freehold.services.account.signing_in import check_method, open_session

__all__ = [
    "AuthMethodUnsupported",
    "UserLimitReached",
    "check_method",
    "check_user_limit",
    "open_session",
    "owner_of_email",
    "owner_of_phone",
    "routes",
]
