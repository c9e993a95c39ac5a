"""What can go wrong with mail and text messages."""

from __future__ import annotations

from freehold.errors import Problem


class MailDisabled(Problem, type="general_smtp_disabled", status=503):
    """No mail can be sent: neither this server nor the project has an SMTP server. Set FREEHOLD_SMTP_HOST, or
    the project's SMTP server in its settings."""


class SmsDisabled(Problem, type="general_phone_disabled", status=503):
    """No text message can be sent: this server has no SMS provider. Set FREEHOLD_SMS_PROVIDER, or use a mock
    phone number."""
