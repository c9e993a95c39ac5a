"""What every feature stands on: the caller, the database, errors, paging, logs, health and the contract."""
