"""Fixtures of these tests: a running platform and those who use it."""

from tests.platform import jane, platform, project

__all__ = ["jane", "platform", "project"]
