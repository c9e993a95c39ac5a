"""Fixtures of these tests: a running platform and those who use it."""

from tests.platform import bob, jane, platform, project
from tests.security.open_table import people, shared
from tests.services.inbox import inbox

__all__ = ["bob", "inbox", "jane", "people", "platform", "project", "shared"]
