"""FastAPI, Pydantic and asyncpg, with the SQL written out."""

from freehold.generator.targets.python.emit import emit

__all__ = ["emit"]
