"""Mail and text messages: what they say, and how they leave."""

from freehold.services.mail.errors import MailDisabled, SmsDisabled
from freehold.services.mail.sending import (
    KINDS,
    mock_code,
    must_send_mail,
    must_send_sms,
    send_mail,
    send_sms,
)

__all__ = [
    "KINDS",
    "MailDisabled",
    "SmsDisabled",
    "mock_code",
    "must_send_mail",
    "must_send_sms",
    "send_mail",
    "send_sms",
]
