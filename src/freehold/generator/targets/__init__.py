"""The languages that a service can be written in: one package each."""
