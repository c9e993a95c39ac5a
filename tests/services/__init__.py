"""The services of the platform, tried through HTTP on a running server."""
