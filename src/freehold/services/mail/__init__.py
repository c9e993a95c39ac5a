"""Mail and text messages: what they say, and how they leave."""

from freehold.services.mail.errors import MailDisabled, SmsDisabled
from freehold.services.mail.outgoing import lacks, sealed_password
from freehold.services.mail.sending import (
    KINDS,
    mock_code,
    must_send_mail,
    must_send_sms,
    send_mail,
    send_sms,
)
from freehold.services.mail.trying import send_test, try_server
from freehold.services.mail.wordings import (
    Changes,
    Wording,
    change_template,
    count_templates,
    default_wording,
    own_templates,
    read_template,
    reset_template,
)

__all__ = [
    "KINDS",
    "Changes",
    "MailDisabled",
    "SmsDisabled",
    "Wording",
    "change_template",
    "count_templates",
    "default_wording",
    "lacks",
    "mock_code",
    "must_send_mail",
    "must_send_sms",
    "own_templates",
    "read_template",
    "reset_template",
    "sealed_password",
    "send_mail",
    "send_sms",
    "send_test",
    "try_server",
]
