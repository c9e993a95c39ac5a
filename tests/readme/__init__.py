"""The README, done as it says."""
