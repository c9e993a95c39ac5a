"""SQL of mail: what a project says about it."""

from __future__ import annotations

from freehold.db.pool import Queries, Record


async def find_project(db: Queries, project_id: str) -> Record | None:
    """A project's name and settings."""
    return await db.row("select name, settings from freehold.projects where id = $1", project_id)


async def find_custom(db: Queries, project_id: str, template: str, locale: str) -> Record | None:
    """What a project says instead of our own mail, in the locale if it does, else in its fallback."""
    return await db.row(
        """
        select t.subject, t.message, t.sender_name, t.sender_email, t.reply_to_name, t.reply_to_email
        from freehold.mail_templates t
        where t.project_id = $1 and t.template = $2 and t.locale in ($3, '')
        order by t.locale desc
        limit 1
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
