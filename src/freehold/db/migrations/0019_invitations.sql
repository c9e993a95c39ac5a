-- Where an invitation was sent, which is what its secret proves.

alter table freehold.memberships add invited_to text;
comment on column freehold.memberships.invited_to is 'The e-mail address or the phone number, as it was then.';
