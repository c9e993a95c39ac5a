"""Who may register: anyone in a project; on the console its first user, and then those on its list."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from freehold import ids
from freehold.access import policies
from freehold.services.account import store
from freehold.services.account.errors import (
    ConsoleClosed,
    ConsoleEmailNotListed,
    ConsoleIpNotListed,
    UserLimitReached,
)
from freehold.web.call import Call
from freehold.web.projects import CONSOLE
from freehold.web.users import user_tag


async def admit(call: Call, user_id: str, email: str) -> bool:
    """Let someone register, or raise why not. Tells whether it is the console's first user."""
    if call.project.id != CONSOLE:
        await check_user_limit(call)
        return False
    settings = call.app.settings
    if settings.console_ips and not _is_within(call.ip, settings.console_ips):
        raise ConsoleIpNotListed()
    if await store.claim_console(call.db, user_id):
        return True
    if email not in {each.lower() for each in settings.console_emails}:
        raise ConsoleEmailNotListed() if settings.console_emails else ConsoleClosed()
    return False


async def welcome_first(call: Call, user_id: str) -> None:
    """Give the console's first user the organization that the first start made."""
    await store.adopt_organizations(call.db, user_id, ids.new_id())
    call.changed(user_tag(CONSOLE, user_id))


async def check_user_limit(call: Call) -> None:
    """Refuse another user when the project has as many as it allows. Raises UserLimitReached."""
    most = policies.of(call.project.settings).user_limit
    if not most:
        return
    await store.hold_registrations(call.db, call.project.id)
    if await store.count_users(call.db, call.project.id, most) >= most:
        raise UserLimitReached()


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    if not address:
        return False
    return any(ip_address(address) in ip_network(each) for each in networks)
