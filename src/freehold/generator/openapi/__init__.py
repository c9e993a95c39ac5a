"""The contract: one OpenAPI 3.1 document from the plan, the same for every language."""

from freehold.generator.openapi.document import document, text

__all__ = ["document", "text"]
