"""What can go wrong with a project's keys and platforms."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized


class KeyNotFound(NotFound, type="key_not_found"):
    """The project has no API key with this id."""


class KeyAlreadyExists(Conflict, type="key_already_exists"):
    """An API key with this id already exists. Choose another id, or let the server choose with `unique()`."""


class KeyCreationDenied(Forbidden, type="key_creation_denied"):
    """{reason}"""


class PlatformNotFound(NotFound, type="platform_not_found"):
    """The project has no platform with this id."""


class PlatformAlreadyExists(Conflict, type="platform_already_exists"):
    """A platform with this id already exists. Choose another id, or let the server choose with `unique()`."""


class PlatformOfOtherKind(BadRequest, type="platform_method_unsupported"):
    """This platform is of the type `{kind}`. Use that type's method."""


class VariableNotFound(NotFound, type="variable_not_found"):
    """There is no variable with this id."""


class VariableAlreadyExists(Conflict, type="variable_already_exists"):
    """There is a variable with this id or this key already. Change that one, or choose others."""


class SecretStays(BadRequest, type="variable_cannot_unset_secret"):
    """A secret variable stays secret. Make another one whose value may be seen."""


class SmtpInvalid(BadRequest, type="project_smtp_config_invalid"):
    """The SMTP server cannot be used: {reason}"""


class TemplateIsOurs(Unauthorized, type="project_template_default_deletion"):
    """The project has no texts of its own for this mail and locale, so there is nothing to go back from."""


class MockPhoneNotFound(NotFound, type="mock_number_not_found"):
    """The project has no mock phone with this number."""


class MockPhoneAlreadyExists(Conflict, type="mock_number_already_exists"):
    """The project has a mock phone with this number already. Update its code instead."""


class TooManyMockPhones(BadRequest, type="mock_number_limit_exceeded"):
    """A project has at most {limit} mock phones. Delete one first."""
