"""Fixtures of these tests: a running platform."""

from tests.platform import platform

__all__ = ["platform"]
