"""Freehold: a backend platform on PostgreSQL, and a generator of backend services that you own."""

__version__ = "0.2.0"
