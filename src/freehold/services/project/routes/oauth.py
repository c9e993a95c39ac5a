"""Endpoints of the vendors that the project lets people sign in with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from freehold.db.queries import page, parse
from freehold.errors import InvalidQuery
from freehold.providers.oauth.vendor import Vendor
from freehold.services import oauth
from freehold.services.oauth.models import AnyProvider, OAuth2ProviderList
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery, Output

routes = Routes("project", console=False)


@routes.get("/v1/project/oauth2", scope="project.oauth2.read", name="listOAuth2Providers")
async def list_oauth_providers(call: Call, query: ListQuery) -> OAuth2ProviderList:
    """List the providers that people can sign in with, and what the project has set of them."""
    asked = page(parse(query.queries))
    if asked.filters or asked.orders or asked.cursor or asked.select:
        raise InvalidQuery(reason="this list is asked by `limit` and `offset` only.")
    kept = await oauth.read_all(call)
    end = asked.offset + asked.limit if asked.limited else None
    return OAuth2ProviderList(
        total=len(oauth.SHOWN) if query.total else 0,
        providers=[oauth.shown(vendor, kept[vendor.id]) for vendor in oauth.SHOWN[asked.offset : end]],
    )


@routes.get(
    "/v1/project/oauth2/{provider}",
    scope="project.oauth2.read",
    name="getOAuth2Provider",
    model="oAuth2Provider",
    raises=(oauth.ProviderUnsupported,),
)
async def get_oauth_provider(call: Call, provider: str) -> AnyProvider:
    """Get what the project has set of a provider. Secrets are not shown again."""
    vendor = oauth.vendor_named(provider, dev=False)
    if not vendor.model:
        raise oauth.ProviderUnsupported(provider=provider)
    return oauth.shown(vendor, await oauth.read(call, vendor))


def _declare(vendor: Vendor) -> None:
    """One endpoint a vendor, with the names that the vendor has for what is to be entered."""

    async def update(call: Call, body: msgspec.Struct) -> Output:
        kept = await oauth.change(call, vendor, msgspec.structs.asdict(body))
        call.event_ids["providerId"] = vendor.id
        return oauth.shown(vendor, kept)

    handler: Callable[..., Awaitable[Output]] = update
    handler.__doc__ = f"Change how people sign in with {vendor.name}. What is not sent stays as it is."
    handler.__annotations__ = {
        "call": Call,
        "body": oauth.BODIES[vendor.id],
        "return": oauth.ANSWERS[vendor.id],
    }
    routes.patch(
        f"/v1/project/oauth2/{vendor.id}",
        scope="project.oauth2.write",
        event="oauth2.[providerId].update",
        name=f"updateOAuth2{vendor.method or vendor.model.removeprefix('OAuth2')}",
    )(handler)


for _vendor in oauth.SHOWN:
    _declare(_vendor)
