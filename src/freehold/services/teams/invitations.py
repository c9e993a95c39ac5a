"""Invitations to a team, from the message that is sent to the click that accepts it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from freehold import ids, secrets
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services import account, mail, users
from freehold.services.teams import store
from freehold.services.teams.errors import (
    AlreadyMember,
    InvitationOfAnother,
    InvitationSecretInvalid,
    MembershipNotFound,
    TeamNotFound,
)
from freehold.services.teams.models import CreateMembership
from freehold.web.call import Call
from freehold.web.hosts import host_name
from freehold.web.users import user_tag

_SECRET_CHARACTERS = 256


async def invite(call: Call, team_id: str, user_id: str, body: CreateMembership) -> Record:
    """Invite a user by mail, or by text message when no address is known. Once more sends a new link.

    Raises AlreadyMember, InvalidParameter, MailDisabled, SmsDisabled.
    """
    user = await users.find(call.db, call.project.id, user_id)
    team = await store.find(call.db, call.project.id, team_id)
    if user is None or team is None:
        raise TeamNotFound()
    to = user["email"] or user["phone"]
    if not to:
        raise InvalidParameter(name="userId", reason="The user has neither an e-mail address nor a phone.")
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    row = await store.invite(
        call.db,
        call.project.id,
        team_id,
        ids.resolve(body.membership_id),
        user_id,
        list(dict.fromkeys(body.roles)),
        secret_digest=secrets.digest(secret),
        invited_to=to,
    )
    if row is None:
        raise AlreadyMember()
    link = _link(
        body.url,
        membershipId=row["id"],
        userId=user_id,
        secret=secret,
        teamId=team_id,
        teamName=team["name"],
        project=call.project.id,
    )
    inviter = call.identity.user
    values = {"redirect": link, "team": team["name"], "owner": inviter["name"] if inviter else ""}
    if user["email"]:
        mail.must_send_mail(call)
        await mail.send_mail(call, "invitation", to, name=user["name"], values=values)
    else:
        await mail.must_send_sms(call, to)
        await mail.send_sms(call, "invitation", to, values=values)
    return row


async def accept(call: Call, team_id: str, membership_id: str, user_id: str, secret: str) -> Record:
    """Make an invited user a member, and sign it in unless it is.

    Who holds the secret has read what came to the invited address; an account of that address which nobody
    had proven anything of becomes theirs. Raises MembershipNotFound, InvitationOfAnother, AlreadyMember,
    InvitationSecretInvalid.
    """
    row = await store.find_membership(call.db, call.project.id, team_id, membership_id)
    if row is None:
        raise MembershipNotFound()
    if row["user_id"] != user_id or call.identity.user_id not in ("", user_id):
        raise InvitationOfAnother()
    if row["confirmed"]:
        raise AlreadyMember()
    invited_to = await store.take_invitation(
        call.db, call.project.id, team_id, membership_id, secrets.digest(secret)
    )
    if invited_to is None:
        raise InvitationSecretInvalid()
    call.changed(user_tag(call.project.id, user_id))
    if call.identity.user_id != user_id:
        await _sign_in(call, row, invited_to)
    joined = await store.find_membership(call.db, call.project.id, team_id, membership_id)
    assert joined is not None
    return joined


async def _sign_in(call: Call, row: Record, invited_to: str) -> None:
    if invited_to == row["user_email"]:
        owner, factor = await account.owner_of_email(call, invited_to), "email"
    elif invited_to == row["user_phone"]:
        owner, factor = await account.owner_of_phone(call, invited_to), "phone"
    else:
        raise InvitationSecretInvalid()  # the address is not the user's any more
    if owner is None or owner != row["user_id"]:
        raise InvitationSecretInvalid()
    await account.open_session(call, owner, provider=factor, provider_uid=invited_to, factors=[factor])


def check_url(call: Call, url: str) -> None:
    """Refuse links that lead away from the project's own applications. Raises InvalidParameter."""
    if not url:
        raise InvalidParameter(name="url", reason="It is required: the invitation leads there.")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise InvalidParameter(name="url", reason="It is not a URL.") from error
    own = {f"appwrite-callback-{call.project.id}", *call.project.schemes}
    is_page = parts.scheme in ("http", "https") and bool(host)
    is_here = is_page and host == host_name(call.request.header(b"host"))
    if not is_here and not ((is_page or parts.scheme in own) and call.project.allows_origin(url)):
        raise InvalidParameter(
            name="url", reason="It has to lead to one of the project's platforms. Add its host name as one."
        )


def _link(url: str, **added: str) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))
