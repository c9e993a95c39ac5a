"""Shapes of vendors' settings on the wire, each made from what the table of vendors says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta

from freehold.providers.oauth.vendor import Option, Vendor
from freehold.services.oauth.vendors import SHOWN
from freehold.web.wire import Input, Output, Resource

_MAX_INT = 2**63 - 1
_KINDS: dict[str, Any] = {
    "text": Annotated[str, Meta(max_length=256)],
    "host": Annotated[str, Meta(max_length=256)],
    "url": Annotated[str, Meta(max_length=2048)],
    "seconds": Annotated[int, Meta(ge=0, le=_MAX_INT)],
}
_ClientIds = Annotated[list[Annotated[str, Meta(max_length=256)]], Meta(max_length=100)]


class Identity(Resource):
    """Who a user is at a vendor."""

    user_id: str
    provider: str
    provider_uid: str
    provider_email: str
    provider_access_token: str
    provider_access_token_expiry: str
    provider_refresh_token: str
    provider_id_token: str


class IdentityList(Output):
    total: int
    identities: list[Identity]


class ConsoleOAuth2ProviderParameter(Output):
    id: str = msgspec.field(name="$id")
    name: str
    example: str
    hint: str


class ConsoleOAuth2Provider(Output):
    id: str = msgspec.field(name="$id")
    parameters: list[ConsoleOAuth2ProviderParameter]


class ConsoleOAuth2ProviderList(Output):
    total: int
    o_auth2_providers: list[ConsoleOAuth2Provider] = msgspec.field(name="oAuth2Providers")


def _body(vendor: Vendor) -> type[msgspec.Struct]:
    """What is sent to change a vendor's settings. Whatever is left out stays."""
    fields: list[tuple[str, Any]] = [
        (vendor.id_field, Annotated[str, Meta(max_length=256)]),
        (vendor.secret_field, Annotated[str, Meta(max_length=vendor.secret_length)]),
        *((each.name, _KINDS[each.kind]) for each in vendor.options),
    ]
    if vendor.prompts:
        fields.append(("prompt", Annotated[_prompts(vendor), Meta(max_length=len(vendor.prompts))]))
    if vendor.native:
        fields += [("nativeClientIds", _ClientIds), ("nativeEnabled", bool)]
    fields.append(("enabled", bool))
    optional = [(name, kind | None, None) for name, kind in fields]
    return msgspec.defstruct(f"Update{_method(vendor)}", optional, bases=(Input,), kw_only=True)


def _answer(vendor: Vendor) -> type[Output]:
    """A vendor's settings as they are shown: the secret never is."""
    fields: list[Any] = [
        ("id", str, msgspec.field(name="$id")),
        ("enabled", bool),
        (vendor.id_field, str),
        (vendor.secret_field, str),
        *((each.name, int | None if each.kind == "seconds" else str) for each in vendor.options),
    ]
    if vendor.prompts:
        fields.append(("prompt", _prompts(vendor)))
    if vendor.native:
        fields += [("nativeClientIds", list[str]), ("nativeEnabled", bool)]
    made: type[Output] = msgspec.defstruct(vendor.model, fields, bases=(Output,), kw_only=True)  # type: ignore[assignment]
    return made


def _prompts(vendor: Vendor) -> Any:
    return list.__class_getitem__(Literal[vendor.prompts])


def _method(vendor: Vendor) -> str:
    return "OAuth2" + (vendor.method or vendor.model.removeprefix("OAuth2"))


_by_model = {vendor.model: _answer(vendor) for vendor in SHOWN}

BODIES = {vendor.id: _body(vendor) for vendor in SHOWN}
"""The struct of a change of settings, by vendor."""
ANSWERS = {vendor.id: _by_model[vendor.model] for vendor in SHOWN}
"""The struct of settings, by vendor. Sandboxes share theirs with the real thing."""

if TYPE_CHECKING:
    AnyProvider = Output
else:
    AnyProvider = Union[tuple(_by_model.values())]  # noqa: UP007


class OAuth2ProviderList(Output):
    total: int
    providers: list[AnyProvider]


def console_providers() -> ConsoleOAuth2ProviderList:
    """What has to be entered for each vendor."""
    listed = [ConsoleOAuth2Provider(id=vendor.id, parameters=_parameters(vendor)) for vendor in SHOWN]
    return ConsoleOAuth2ProviderList(total=len(listed), o_auth2_providers=listed)


def _parameters(vendor: Vendor) -> list[ConsoleOAuth2ProviderParameter]:
    asked = (Option(vendor.id_field), Option(vendor.secret_field), *vendor.options)
    return [
        ConsoleOAuth2ProviderParameter(
            id=each.name, name=_in_words(each.name), example=each.example, hint=each.hint
        )
        for each in asked
    ]


def _in_words(name: str) -> str:
    """`wellKnownURL` as a label: Well Known URL."""
    words = "".join(f" {each}" if each.isupper() and not name[at - 1].isupper() else each
                    for at, each in enumerate(name))  # fmt: skip
    return words[:1].upper() + words[1:]
