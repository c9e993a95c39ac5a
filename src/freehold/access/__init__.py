"""Who may do what: roles, permissions and scopes. Pure; the database asks the same questions in SQL."""
