"""What lies outside of PostgreSQL, each behind an interface: so far the contents of files."""
