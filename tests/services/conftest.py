"""Fixtures of these tests: a running platform and those who use it."""

from tests.platform import bob, jane, platform, project
from tests.services.inbox import inbox

__all__ = ["bob", "inbox", "jane", "platform", "project"]
