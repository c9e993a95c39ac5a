"""The golden trees hold tests of their own, which are for the emitted services."""

collect_ignore = ["golden"]
