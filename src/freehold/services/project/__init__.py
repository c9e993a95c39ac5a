"""One project from within: its API keys, its platforms, its labels, and what of it is switched on."""

from freehold.services.project.errors import KeyAlreadyExists, KeyNotFound
from freehold.services.project.first_start import FirstProject, first_start
from freehold.services.project.mail_models import EmailTemplate, LocaleQuery, TemplateId
from freehold.services.project.models import Key, KeyList
from freehold.services.project.routes import routes
from freehold.services.project.routes.mail_templates import as_email_template, checked_locale
from freehold.services.project.traffic import KINDS

__all__ = [
    "KINDS",
    "EmailTemplate",
    "FirstProject",
    "Key",
    "KeyAlreadyExists",
    "KeyList",
    "KeyNotFound",
    "LocaleQuery",
    "TemplateId",
    "as_email_template",
    "checked_locale",
    "first_start",
    "routes",
]
