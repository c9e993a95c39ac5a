"""Tests of what is pure in access."""
