"""Settings of an installation: what there is to set, where its values come from, and its secret."""

from freehold.config.kinds import SMS_VENDORS, size_text
from freehold.config.reference import render_reference
from freehold.config.refusals import ConfigError, Refusal
from freehold.config.secret import with_secret
from freehold.config.settings import Settings, in_url
from freehold.config.sources import load_settings

__all__ = [
    "SMS_VENDORS",
    "ConfigError",
    "Refusal",
    "Settings",
    "in_url",
    "load_settings",
    "render_reference",
    "size_text",
    "with_secret",
]
