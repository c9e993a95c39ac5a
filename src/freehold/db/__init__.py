"""PostgreSQL: connections, the embedded server, migrations, and DDL from schema changes."""
