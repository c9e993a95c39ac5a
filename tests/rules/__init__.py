"""Random rows, permissions and queries, and a naive model of the rules that knows every answer."""
