"""The door between the halves: one set of tables, under the platform and under a generated service."""
