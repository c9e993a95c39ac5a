"""What a project demands of its users' passwords, when they are set and when somebody signs in with them."""

from __future__ import annotations

import re
import time
from datetime import datetime

from zxcvbn_rs_py import Warning as Weakness
from zxcvbn_rs_py import zxcvbn

from freehold import passwords
from freehold.access import policies
from freehold.access.policies import PasswordStrength
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services.users import pwned, store
from freehold.services.users.errors import PasswordPersonal, PasswordRecentlyUsed, PasswordResetRequired
from freehold.services.users.store import NewUser
from freehold.web.call import Call

LEAST_CHARACTERS = 8
MOST_CHARACTERS = 256

_COMMON = (
    Weakness.ThisIsATop10Password,
    Weakness.ThisIsATop100Password,
    Weakness.ThisIsACommonPassword,
    Weakness.ThisIsSimilarToACommonlyUsedPassword,
)
_COMMON_WITHIN = 10_000
"""Who is guessed by so many tries is guessed by a list of common passwords."""
_LISTED_CHARACTERS = 64
"""No list of common passwords has longer ones, and to look for one takes the square of its length."""
_LEAST_PERSONAL = 4
"""What is shorter is in many words."""


async def checked_password(call: Call, password: str, *, user: Record | NewUser) -> None:
    """Refuse a password that the project does not let this user have.

    Ask before the call's transaction has begun: passwords are compared, and perhaps the network is asked.
    Raises InvalidParameter, PASSWORD_ERRORS, PasswordsBusy.
    """
    rules = policies.of(call.project.settings)
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise _refused(f"It has to be {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters long.")
    if lacking := lacks(password, rules.password_strength):
        raise _refused(f"It needs {' and '.join(lacking)}.")
    if password in rules.password_denied:
        raise _refused("It is one of those that the project does not allow.")
    if rules.password_dictionary and await passwords.workshop.run(is_common, password):
        raise _refused("It is one of those that many people use.")
    known = user._asdict() if isinstance(user, NewUser) else user
    terms = [*rules.password_denied_terms]
    if rules.password_personal_data:
        terms += personal_terms(known["id"], known["name"], known["email"], known["phone"])
    if any(term.lower() in password.lower() for term in terms if term):
        raise PasswordPersonal()
    if rules.password_history and not isinstance(user, NewUser):
        former = await store.last_passwords(call.app.db, call.project.id, user["id"], rules.password_history)
        if await passwords.matches_any(password, former):
            raise PasswordRecentlyUsed(total=rules.password_history)
    if rules.password_pwned and rules.password_pwned_users and await pwned.has_leaked(call, password):
        raise _refused("It has leaked from some other site, so others may try it here.")


async def new_hash(call: Call, password: str, *, user: Record | NewUser) -> str:
    """The hash of a password that the user may have. Raises what `checked_password` raises."""
    await checked_password(call, password, user=user)
    return await passwords.hash_password(password)


async def check_at_sign_in(call: Call, password: str, changed_at: datetime | None) -> None:
    """Refuse a right password that has to be changed first. Raises PasswordResetRequired."""
    rules = policies.of(call.project.settings)
    age_s = time.time() - changed_at.timestamp() if changed_at is not None else 0
    if rules.password_rotation and age_s > rules.password_max_age_s:
        raise PasswordResetRequired(reason="is too old")
    if rules.password_pwned and rules.password_pwned_sessions and await pwned.has_leaked(call, password):
        raise PasswordResetRequired(reason="has leaked from some other site")


def lacks(password: str, strength: PasswordStrength) -> list[str]:
    """What the password lacks of what is demanded."""
    demands = (
        (len(password) >= strength.min, f"at least {strength.min} characters"),
        (not strength.uppercase or any(map(str.isupper, password)), "a capital letter"),
        (not strength.lowercase or any(map(str.islower, password)), "a small letter"),
        (not strength.number or any(map(str.isdigit, password)), "a digit"),
        (not strength.symbols or not password.isalnum(), "a symbol"),
    )
    return [wanted for met, wanted in demands if not met]


def is_common(password: str) -> bool:
    """Tell whether the password is on the lists that are tried first, or nearly."""
    if len(password) > _LISTED_CHARACTERS:
        return False
    found = zxcvbn(password)
    return found.guesses <= _COMMON_WITHIN or (
        found.feedback is not None and found.feedback.warning in _COMMON
    )


def personal_terms(user_id: str, name: str, email: str | None, phone: str | None) -> list[str]:
    """What of the user's data its password must not hold."""
    terms = [user_id, name, *re.split(r"\W+", name), (phone or "").removeprefix("+")]
    if email:
        terms += [email, email.partition("@")[0]]
    return [term for term in terms if len(term) >= _LEAST_PERSONAL]


def _refused(reason: str) -> InvalidParameter:
    return InvalidParameter(name="password", reason=reason)
