"""What can go wrong when somebody signs in with another vendor."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Problem, Unauthorized


class ProviderUnsupported(BadRequest, type="project_provider_unsupported"):
    """There is no provider `{provider}` that could be set up like this."""


class ProviderDisabled(Problem, type="project_provider_disabled", status=412):
    """{provider} is not set up in this project. Enter the client's id and secret, and enable it."""


class InvalidSuccessUrl(BadRequest, type="project_invalid_success_url"):
    """The success URL does not belong to the project. Register its host as a platform of the project."""


class InvalidFailureUrl(BadRequest, type="project_invalid_failure_url"):
    """The failure URL does not belong to the project. Register its host as a platform of the project."""


class SignInRefused(BadRequest, type="user_oauth2_bad_request"):
    """{reason}"""


class NotAgreed(Unauthorized, type="user_oauth2_unauthorized"):
    """{provider} did not let you sign in: {reason}"""


class InvalidIdToken(Unauthorized, type="user_invalid_token"):
    """The ID token does not let you in: {reason}"""


class VendorFailed(Problem, type="user_oauth2_provider_error", status=424):
    """{provider} could not be asked who you are: {reason}"""


class IdentityNotFound(NotFound, type="user_identity_not_found"):
    """There is no identity with this id."""


class IdentityTaken(Conflict, type="user_already_exists"):
    """This identity belongs to another user of the project. Sign in with it instead."""


class EmailTaken(Conflict, type="user_already_exists"):
    """Another user has this e-mail address, and {provider} does not vouch that it is yours.

    Sign in as you did before, and then add {provider} to your account.
    """
