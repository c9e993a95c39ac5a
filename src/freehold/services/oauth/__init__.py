"""Signing in with other vendors: what a project has registered with them, and who is whom there."""

from freehold.services.oauth.errors import ProviderDisabled, ProviderUnsupported
from freehold.services.oauth.models import ANSWERS, BODIES, ConsoleOAuth2ProviderList, console_providers
from freehold.services.oauth.registrations import (
    change,
    change_in_old_words,
    find,
    read,
    read_all,
    shown,
)
from freehold.services.oauth.vendors import SHOWN, vendor_named

__all__ = [
    "ANSWERS",
    "BODIES",
    "SHOWN",
    "ConsoleOAuth2ProviderList",
    "ProviderDisabled",
    "ProviderUnsupported",
    "change",
    "change_in_old_words",
    "console_providers",
    "find",
    "read",
    "read_all",
    "shown",
    "vendor_named",
]
