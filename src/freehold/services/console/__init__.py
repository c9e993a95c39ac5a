"""What the web console and the command line ask of the server before anything else."""

from freehold.services.console.routes import routes

__all__ = ["routes"]
