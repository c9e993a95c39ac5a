"""SQL of what somebody signs in with: an account's e-mail address, phone number and password."""

from __future__ import annotations

import asyncpg

from freehold.db.pool import Queries, Record
from freehold.services.account.errors import AddressRefused, PhoneTaken


async def find(db: Queries, project_id: str, user_id: str) -> Record | None:
    """What a user signs in with, and which of it is proven."""
    return await db.row(
        """
        select id, email, phone, password_hash, email_verified, phone_verified, enabled, mfa
        from freehold.users
        where project_id = $1 and id = $2
        """,
        project_id,
        user_id,
    )


async def set_email(
    db: Queries, project_id: str, user_id: str, email: str, *, first_password: str | None
) -> bool:
    """Give a user another e-mail address, that has yet to be proven, and its first password with it.

    False when there is no such user, or it has got a password meanwhile. Raises AddressRefused.
    """
    try:
        return (
            await db.value(
                """
                update freehold.users
                set email = $3, email_verified = email_verified and lower(email) = lower($3),
                    password_hash = coalesce($4, password_hash),
                    password_changed_at = case when $4::text is null then password_changed_at else now() end,
                    updated_at = now()
                where project_id = $1 and id = $2 and ($4::text is null or password_hash is null)
                returning true
                """,
                project_id,
                user_id,
                email,
                first_password,
            )
            is True
        )
    except asyncpg.UniqueViolationError as error:
        raise AddressRefused() from error


async def set_phone(
    db: Queries, project_id: str, user_id: str, phone: str, *, first_password: str | None
) -> bool:
    """Give a user another phone number, that has yet to be proven, and its first password with it.

    False when there is no such user, or it has got a password meanwhile. Raises PhoneTaken.
    """
    try:
        return (
            await db.value(
                """
                update freehold.users
                set phone = $3, phone_verified = phone_verified and phone = $3,
                    password_hash = coalesce($4, password_hash),
                    password_changed_at = case when $4::text is null then password_changed_at else now() end,
                    updated_at = now()
                where project_id = $1 and id = $2 and ($4::text is null or password_hash is null)
                returning true
                """,
                project_id,
                user_id,
                phone,
                first_password,
            )
            is True
        )
    except asyncpg.UniqueViolationError as error:
        raise PhoneTaken() from error


async def set_password(
    db: Queries, project_id: str, user_id: str, password_hash: str, *, instead_of: str | None
) -> bool:
    """Give a user another password. False when the one it has is not `instead_of` any more."""
    return (
        await db.value(
            """
            update freehold.users
            set password_hash = $3, password_changed_at = now(), updated_at = now()
            where project_id = $1 and id = $2 and password_hash is not distinct from $4
            returning true
            """,
            project_id,
            user_id,
            password_hash,
            instead_of,
        )
        is True
    )


async def replace_password(db: Queries, project_id: str, user_id: str, password_hash: str) -> None:
    """Give a user another password, whatever it was."""
    await db.run(
        """
        update freehold.users
        set password_hash = $3, password_changed_at = now(), updated_at = now()
        where project_id = $1 and id = $2
        """,
        project_id,
        user_id,
        password_hash,
    )


async def verify_email(
    db: Queries, project_id: str, user_id: str, email: str, *, apart: bool = False
) -> bool:
    """Note that a user's e-mail address is proven. False when it has another one by now.

    `apart`: by somebody who did not show that the account is theirs, too.
    """
    return (
        await db.value(
            """
            update freehold.users
            set email_verified = true, email_proven_apart = $4, updated_at = now()
            where project_id = $1 and id = $2 and lower(email) = lower($3)
            returning true
            """,
            project_id,
            user_id,
            email,
            apart,
        )
        is True
    )


async def verify_phone(db: Queries, project_id: str, user_id: str, phone: str) -> bool:
    """Note that a user's phone number is proven. False when it has another one by now."""
    return (
        await db.value(
            """
            update freehold.users set phone_verified = true, updated_at = now()
            where project_id = $1 and id = $2 and phone = $3
            returning true
            """,
            project_id,
            user_id,
            phone,
        )
        is True
    )


async def give_up_email(db: Queries, project_id: str, user_id: str) -> None:
    """Take an e-mail address from a user who never proved it."""
    await db.run(
        """
        update freehold.users set email = null, updated_at = now()
        where project_id = $1 and id = $2 and not email_verified
        """,
        project_id,
        user_id,
    )


async def give_up_phone(db: Queries, project_id: str, user_id: str) -> None:
    """Take a phone number from a user who never proved it."""
    await db.run(
        """
        update freehold.users set phone = null, updated_at = now()
        where project_id = $1 and id = $2 and not phone_verified
        """,
        project_id,
        user_id,
    )


async def drop_phone(db: Queries, project_id: str, user_id: str) -> None:
    """Take a user's phone number, proven or not."""
    await db.run(
        """
        update freehold.users set phone = null, phone_verified = false, updated_at = now()
        where project_id = $1 and id = $2
        """,
        project_id,
        user_id,
    )


async def forget_password(db: Queries, project_id: str, user_id: str) -> None:
    """Leave a user without a password."""
    await db.run(
        """
        update freehold.users set password_hash = null, password_changed_at = null, updated_at = now()
        where project_id = $1 and id = $2
        """,
        project_id,
        user_id,
    )


async def add_proven_email(db: Queries, project_id: str, user_id: str, email: str, name: str) -> bool:
    """Give a user without an e-mail address one that is proven, and a name if there is none.

    False when the user has an address, or somebody else has this one.
    """
    return (
        await db.value(
            """
            update freehold.users
            set email = $3, email_verified = true, email_proven_apart = false,
                name = case when name = '' then $4 else name end, updated_at = now()
            where project_id = $1 and id = $2 and email is null
              and not exists (select 1 from freehold.users
                              where project_id = $1 and lower(email) = lower($3))
            returning true
            """,
            project_id,
            user_id,
            email,
            name,
        )
        is True
    )
