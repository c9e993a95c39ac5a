-- What a transaction watches are rows of several tables: those that go along, or are written within others.

update freehold.transactions set status = 'failed', updated_at = now() where status = 'pending';
delete from freehold.transaction_operations;
comment on column freehold.transaction_operations.seen is 'What the rows that it is the first to change were outside the transaction, by their tables: their xmin, or null.';
