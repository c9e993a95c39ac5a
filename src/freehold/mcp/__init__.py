"""`freehold mcp`: what the command line does, as tools for a coding agent, over standard input and output."""
