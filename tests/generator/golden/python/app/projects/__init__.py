"""Projects: A piece of work with a budget."""
