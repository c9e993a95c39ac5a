"""Audit log: Who changed what, and when."""
