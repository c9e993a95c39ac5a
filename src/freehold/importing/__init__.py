"""Schemas of other systems as a `freehold.yaml`: of databases, dumps, and configs."""
