"""Signing in with other vendors: what a project has registered with them, and who is whom there."""

from freehold.providers.oauth.vendors import VENDORS
from freehold.services.oauth.errors import (
    EmailTaken,
    IdentityNotFound,
    IdentityTaken,
    InvalidFailureUrl,
    InvalidIdToken,
    InvalidSuccessUrl,
    ProviderDisabled,
    ProviderUnsupported,
    SignInRefused,
    VendorFailed,
)
from freehold.services.oauth.flows import (
    Answered,
    Asked,
    ask,
    begin,
    check_browser,
    take,
)
from freehold.services.oauth.identities import (
    delete_identity,
    find_owner,
    forget,
    has_identity,
    keep,
    list_identities,
    refresh,
    tokens_of_sessions,
)
from freehold.services.oauth.models import (
    ANSWERS,
    BODIES,
    ConsoleOAuth2ProviderList,
    IdentityList,
    console_providers,
)
from freehold.services.oauth.registrations import (
    change,
    change_in_old_words,
    read,
    read_all,
    shown,
)
from freehold.services.oauth.store import use_id_token
from freehold.services.oauth.vendors import SHOWN, vendor_named

__all__ = [
    "ANSWERS",
    "BODIES",
    "SHOWN",
    "VENDORS",
    "Answered",
    "Asked",
    "ConsoleOAuth2ProviderList",
    "EmailTaken",
    "IdentityList",
    "IdentityNotFound",
    "IdentityTaken",
    "InvalidFailureUrl",
    "InvalidIdToken",
    "InvalidSuccessUrl",
    "ProviderDisabled",
    "ProviderUnsupported",
    "SignInRefused",
    "VendorFailed",
    "ask",
    "begin",
    "change",
    "change_in_old_words",
    "check_browser",
    "console_providers",
    "delete_identity",
    "find_owner",
    "forget",
    "has_identity",
    "keep",
    "list_identities",
    "read",
    "read_all",
    "refresh",
    "shown",
    "take",
    "tokens_of_sessions",
    "use_id_token",
    "vendor_named",
]
