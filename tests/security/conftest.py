"""Fixtures of these tests: a running platform and those who use it."""

from tests.platform import bob, jane, platform, project

__all__ = ["bob", "jane", "platform", "project"]
