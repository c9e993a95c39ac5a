"""What has to be known of a vendor to let its users sign in, and what a project has registered there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec


class Option(NamedTuple):
    """Something that a project says to a vendor's settings besides the client's id and secret."""

    name: str
    """On the wire, such as `realmName`."""
    kind: Literal["text", "host", "url", "seconds"] = "text"
    default: str = ""
    """What is taken when a project says nothing."""
    example: str = ""
    hint: str = ""
    old: str = ""
    """What older SDKs call it, which send it as JSON together with the secret."""


class Emails(NamedTuple):
    """Where a vendor lists the addresses of somebody, with what it says of each."""

    path: str
    """To the list, from the answer of `url`; empty when that is the list itself."""
    address: str
    primary: str
    verified: str
    url: str = ""
    """Empty when the list stands in the profile."""


class Reading(NamedTuple):
    """Where in a profile to find what is needed of it.

    A path such as `data.0.email` leads into objects and lists. Paths with `|` between them are tried in
    turn; those with a space between them are taken together.
    """

    id: str = "sub"
    email: str = "email"
    name: str = "name"
    verified: str | bool = "email_verified"
    """A path; or what is known of every address, as far as the vendor documents it."""


_USUAL = Reading()
"""As OpenID Connect has it."""


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor. URLs hold `{options}`, to be filled from what the project has registered."""

    id: str
    name: str
    authorize: str = ""
    token: str = ""
    profile: str = ""
    """Where to ask who has agreed; empty when the ID token says it."""
    refresh: str = ""
    """Where to renew a token; empty when it is where it is got."""
    scopes: tuple[str, ...] = ()
    separator: str = " "
    pkce: bool = False
    client_auth: Literal["post", "basic"] = "post"
    """How the client shows its secret to get a token: in the form, or in the Authorization header."""
    token_request: Literal["form", "json", "query"] = "form"
    token_path: str = ""
    """Where in the answer the tokens stand."""
    scheme: str = "Bearer"
    """How the access token is announced in the Authorization header."""
    profile_method: Literal["GET", "POST"] = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """To be sent when asking for the profile. May hold `{client_id}` and the like."""
    asks: Mapping[str, str] = field(default_factory=dict)
    """Further parameters of the page where people agree."""
    reading: Reading = _USUAL
    emails: Emails | None = None
    issuer: str = ""
    """Who signs its ID tokens. Those of vendors with an issuer are checked, and have to be there."""
    keys: str = ""
    """Where its public keys are (JWKS)."""
    posts_back: bool = False
    """Whether it sends browsers back with a form rather than with a query string."""
    model: str = ""
    """The name of the model of its settings; empty when the contract has none."""
    method: str = ""
    """How SDKs call the method that changes its settings, after `updateOAuth2`; mostly the model."""
    id_field: str = "clientId"
    """What the vendor, and so the settings, call the client's id."""
    secret_field: str = "clientSecret"
    secret_length: int = 512
    options: tuple[Option, ...] = ()
    prompts: tuple[str, ...] = ()
    """What a project may ask the vendor to show: the values of `prompt`."""
    default_prompt: tuple[str, ...] = ()
    native: bool = False
    """Whether apps may sign in with an ID token that they got from the vendor by themselves."""
    mock: bool = False
    sandbox: bool = False


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What a project has registered with a vendor."""

    client_id: str = ""
    client_secret: str = ""
    options: dict[str, str] = {}
    prompt: tuple[str, ...] = ()
    native_client_ids: tuple[str, ...] = ()

    def fill(self, vendor: Vendor, url: str, **more: str) -> str:
        """A URL of the vendor's, with what the project has said in it."""
        return url.format_map({**self._values(vendor), **more}) if "{" in url else url

    def option(self, vendor: Vendor, name: str) -> str:
        default = next((each.default for each in vendor.options if each.name == name), "")
        return self.options.get(name) or default

    def _values(self, vendor: Vendor) -> dict[str, str]:
        values = {"client_id": self.client_id}
        for each in vendor.options:
            said = self.option(vendor, each.name)
            values[each.name] = said if each.kind in ("host", "url") else quote(said, safe="")
        return values


class Tokens(NamedTuple):
    """What a vendor gives for a code."""

    access: str
    refresh: str = ""
    seconds: int = 0
    """How long the access token holds; 0 when the vendor does not say."""
    id_token: str = ""


class Profile(NamedTuple):
    """Who has agreed, as the vendor says."""

    id: str
    email: str = ""
    verified: bool = False
    """Whether the vendor vouches that the address is this person's."""
    name: str = ""


def look_up(told: Any, path: str) -> Any:
    """What stands at a path; None when there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(told, list):
            told = told[int(step)] if step.isdecimal() and int(step) < len(told) else None
        elif isinstance(told, dict):
            told = told.get(step)
        else:
            return None
    return told
