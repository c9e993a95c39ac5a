"""The attacks of the security list, by their numbers."""
