"""SQL of mail: what a project says about it."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.db.pool import Queries, Record

_CUSTOM = """
    t.template, t.locale, t.subject, t.message, t.sender_name, t.sender_email, t.reply_to_name,
    t.reply_to_email
"""


async def find_project(db: Queries, project_id: str) -> Record | None:
    """A project's name and settings."""
    return await db.row("select name, settings from freehold.projects where id = $1", project_id)


async def find_custom(db: Queries, project_id: str, template: str, locale: str) -> Record | None:
    """What a project says instead of our own mail: for the locale, else for its language, else for any."""
    return await db.row(
        f"""
        select {_CUSTOM}
        from freehold.mail_templates t
        where t.project_id = $1 and t.template = $2 and t.locale = any($3)
        order by length(t.locale) desc
        limit 1
        """,
        project_id,
        template,
        [locale, locale.partition("-")[0], ""],
    )


async def find_template(db: Queries, project_id: str, template: str, locale: str) -> Record | None:
    """What a project says instead of our own mail for this very locale; for any is the empty one."""
    return await db.row(
        f"""
        select {_CUSTOM}
        from freehold.mail_templates t
        where t.project_id = $1 and t.template = $2 and t.locale = $3
        """,
        project_id,
        template,
        locale,
    )


async def fetch_templates(db: Queries, project_id: str, *, limit: int, offset: int) -> list[Record]:
    """The mails that a project has texts of its own for."""
    return await db.rows(
        f"""
        select {_CUSTOM}
        from freehold.mail_templates t
        where t.project_id = $1
        order by t.template, t.locale
        limit $2 offset $3
        """,
        project_id,
        limit,
        offset,
    )


async def count_templates(db: Queries, project_id: str) -> int:
    """How many mails a project has texts of its own for."""
    total: int = await db.value(
        "select count(*) from freehold.mail_templates t where t.project_id = $1", project_id
    )
    return total


async def set_template(
    db: Queries, project_id: str, template: str, locale: str, told: Sequence[str | None]
) -> Record:
    """Say some of a mail differently; `told` are its columns in order. None stays, empty undoes."""
    row = await db.row(
        f"""
        insert into freehold.mail_templates as t
            (project_id, template, locale, subject, message, sender_name, sender_email, reply_to_name,
             reply_to_email)
        values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''), nullif($7, ''), nullif($8, ''),
                nullif($9, ''))
        on conflict (project_id, template, locale) do update set
            subject        = nullif(coalesce($4, t.subject), ''),
            message        = nullif(coalesce($5, t.message), ''),
            sender_name    = nullif(coalesce($6, t.sender_name), ''),
            sender_email   = nullif(coalesce($7, t.sender_email), ''),
            reply_to_name  = nullif(coalesce($8, t.reply_to_name), ''),
            reply_to_email = nullif(coalesce($9, t.reply_to_email), ''),
            updated_at     = now()
        returning {_CUSTOM}
        """,
        project_id,
        template,
        locale,
        *told,
    )
    assert row is not None
    return row


async def delete_template(db: Queries, project_id: str, template: str, locale: str) -> Record | None:
    """Go back to our own mail. Gives what the project had."""
    return await db.row(
        f"""
        delete from freehold.mail_templates t
        where t.project_id = $1 and t.template = $2 and t.locale = $3
        returning {_CUSTOM}
        """,
        project_id,
        template,
        locale,
    )


async def find_mock_code(db: Queries, project_id: str, number: str) -> str | None:
    """The code of a number that is only pretended; None for a real one."""
    code: str | None = await db.value(
        "select otp from freehold.mock_phones where project_id = $1 and number = $2", project_id, number
    )
    return code


async def is_user(db: Queries, project_id: str, email: str) -> bool:
    """Tell whether a user of the project has this address."""
    return (
        await db.value(
            "select 1 from freehold.users where project_id = $1 and lower(email) = lower($2)",
            project_id,
            email,
        )
        is not None
    )
