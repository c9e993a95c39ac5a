-- Who follows the link of a verification need not be who registered: see docs/decisions/0014-proven-addresses.md.

alter table freehold.users add column email_proven_apart boolean not null default false;

comment on column freehold.users.email_proven_apart is
    'The address was proven by somebody who did not show that the account is theirs, too.';
