-- What a project says instead of our own texts in mails, and phone numbers that are only pretended.

create table freehold.mail_templates (
    project_id     text not null references freehold.projects on delete cascade,
    template       text not null,
    locale         text not null,
    subject        text,
    message        text,
    sender_name    text,
    sender_email   text,
    reply_to_name  text,
    reply_to_email text,
    created_at     timestamptz(3) not null default now(),
    updated_at     timestamptz(3) not null default now(),
    primary key (project_id, template, locale)
);
comment on table freehold.mail_templates is 'What is null is as in our own template. The locale of the fallback is empty.';

create table freehold.mock_phones (
    project_id     text not null references freehold.projects on delete cascade,
    number         text not null,
    otp            text not null,
    created_at     timestamptz(3) not null default now(),
    updated_at     timestamptz(3) not null default now(),
    primary key (project_id, number)
);
comment on table freehold.mock_phones is 'To these numbers no message is sent: their code is always the same.';
