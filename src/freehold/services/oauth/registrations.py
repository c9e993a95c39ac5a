"""What a project has registered with vendors: kept with sealed secrets, shown without them."""

from __future__ import annotations

from typing import Any

import msgspec

from freehold import secrets
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.providers.oauth.vendor import Option, Registration, Vendor
from freehold.providers.oauth.vendors import VENDORS
from freehold.providers.outside import ForbiddenTarget
from freehold.services.oauth import store
from freehold.services.oauth.errors import ProviderDisabled
from freehold.services.oauth.models import ANSWERS
from freehold.web.call import Call
from freehold.web.wire import Output


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A project's settings of a vendor, as kept."""

    enabled: bool = False
    client_id: str = ""
    secret_sealed: bytes | None = None
    options: dict[str, str] = {}
    prompt: tuple[str, ...] | None = None
    native_enabled: bool = False
    native_client_ids: tuple[str, ...] = ()


def as_registered(row: Record | None) -> Registered:
    """A row of freehold.oauth_providers; the defaults when there is none."""
    if row is None:
        return Registered()
    return Registered(
        enabled=row["enabled"],
        client_id=row["client_id"],
        secret_sealed=row["secret_sealed"],
        options=msgspec.json.decode(row["options"]),
        prompt=tuple(row["prompt"]) if row["prompt"] is not None else None,
        native_enabled=row["native_enabled"],
        native_client_ids=tuple(row["native_client_ids"]),
    )


def shown(vendor: Vendor, kept: Registered) -> Output:
    """The settings on the wire, without the secret."""
    values: dict[str, Any] = {
        "id": vendor.id,
        "enabled": kept.enabled,
        vendor.id_field: kept.client_id,
        vendor.secret_field: "",
    }
    for each in vendor.options:
        said = kept.options.get(each.name, "")
        values[each.name] = (int(said) if said else None) if each.kind == "seconds" else said
    if vendor.prompts:
        values["prompt"] = list(vendor.default_prompt if kept.prompt is None else kept.prompt)
    if vendor.native:
        values |= {"nativeEnabled": kept.native_enabled, "nativeClientIds": list(kept.native_client_ids)}
    return ANSWERS[vendor.id](**values)


async def read(call: Call, vendor: Vendor) -> Registered:
    """The project's settings of a vendor."""
    return as_registered(await store.find_provider(call.app.db, call.project.id, vendor.id))


async def read_all(call: Call) -> dict[str, Registered]:
    """The project's settings of every vendor, by vendor."""
    kept = {row["provider"]: row for row in await store.list_providers(call.db, call.project.id)}
    return {name: as_registered(kept.get(name)) for name in VENDORS}


async def find(call: Call, vendor: Vendor) -> Registration:
    """What to sign in at a vendor with. Raises ProviderDisabled."""
    kept = await read(call, vendor)
    if not kept.enabled:
        raise ProviderDisabled(provider=vendor.name)
    return registration(call, vendor, kept)


def registration(call: Call, vendor: Vendor, kept: Registered) -> Registration:
    """Settings with the secret that the vendor knows us by. Raises ProviderDisabled when there is none."""
    secret = secrets.unseal(sealing_key(call), kept.secret_sealed) if kept.secret_sealed else None
    if not kept.client_id or not secret:
        raise ProviderDisabled(provider=vendor.name)
    options = {each.name: _completed(each, kept.options.get(each.name, "")) for each in vendor.options}
    return Registration(
        client_id=kept.client_id,
        client_secret=secret,
        options={name: said for name, said in options.items() if said},
        prompt=vendor.default_prompt if kept.prompt is None else kept.prompt,
        native_client_ids=kept.native_client_ids,
    )


async def change(call: Call, vendor: Vendor, said: dict[str, Any], *, project_id: str = "") -> Registered:
    """Change what is said, by its names on the wire; None stays as it is. In a transaction."""
    project_id = project_id or call.project.id
    old = as_registered(await store.hold_provider(call.db, project_id, vendor.id))
    said = {name: value for name, value in said.items() if value is not None}
    options = dict(old.options)
    for each in vendor.options:
        if each.name in said:
            options[each.name] = _checked(call, each, str(said[each.name]))
    secret = said.get(vendor.secret_field)
    sealed = old.secret_sealed
    if secret is not None:
        sealed = secrets.seal(sealing_key(call), secret) if secret else None
    new = Registered(
        enabled=said.get("enabled", old.enabled),
        client_id=said.get(vendor.id_field, old.client_id),
        secret_sealed=sealed,
        options={name: text for name, text in options.items() if text},
        prompt=tuple(dict.fromkeys(said["prompt"])) if "prompt" in said else old.prompt,
        native_enabled=said.get("nativeEnabled", old.native_enabled),
        native_client_ids=tuple(dict.fromkeys(said.get("nativeClientIds", old.native_client_ids))),
    )
    _check_prompt(new.prompt)
    await store.set_provider(call.db, project_id, vendor.id, _to_be_kept(new))
    return new


async def change_in_old_words(
    call: Call, project_id: str, vendor: Vendor, app_id: str | None, secret: str | None, enabled: bool | None
) -> None:
    """The same as older SDKs say it: what a vendor wants beside the secret is JSON together with it."""
    said: dict[str, Any] = {vendor.id_field: app_id, vendor.secret_field: secret, "enabled": enabled}
    if secret and vendor.options:
        try:
            told = msgspec.json.decode(secret, type=dict[str, str])
        except msgspec.DecodeError as error:
            raise InvalidParameter(name="secret", reason="For this provider it is a JSON object.") from error
        said[vendor.secret_field] = told.get("clientSecret", told.get("p8"))
        said |= {each.name: told.get(each.old) for each in vendor.options}
    await change(call, vendor, said, project_id=project_id)


def _to_be_kept(kept: Registered) -> store.Settings:
    return store.Settings(
        enabled=kept.enabled,
        client_id=kept.client_id,
        secret_sealed=kept.secret_sealed,
        options=msgspec.json.encode(kept.options),
        prompt=list(kept.prompt) if kept.prompt is not None else None,
        native_enabled=kept.native_enabled,
        native_client_ids=list(kept.native_client_ids),
    )


def sealing_key(call: Call) -> bytes:
    """The key under which clients' secrets and vendors' tokens are kept."""
    return secrets.derive(call.app.settings.secret, "oauth")


def _checked(call: Call, option: Option, said: str) -> str:
    """What was said of an option, if it can be. URLs are called later, so they must not lead inside."""
    said = said.strip()
    if not said or option.kind == "seconds":
        return said
    if option.kind == "text":
        if option.name == "domain":
            _check_url(call, option, f"https://{said}")
        return said
    _check_url(call, option, _completed(option, said))
    return said


def _check_url(call: Call, option: Option, url: str) -> None:
    try:
        call.app.outside.check(url)
    except ForbiddenTarget as error:
        raise InvalidParameter(
            name=option.name, reason=f"{str(error)[:1].upper()}{str(error)[1:]}."
        ) from error
    if any(letter in url for letter in "{}#"):
        raise InvalidParameter(name=option.name, reason="It has to be a plain URL.")


def _completed(option: Option, said: str) -> str:
    """A host as the beginning of a URL."""
    if option.kind == "host" and said and "://" not in said:
        said = f"https://{said}"
    is_base = option.kind == "host" or option.name == "endpoint"
    return said.rstrip("/") if is_base else said


def _check_prompt(prompt: tuple[str, ...] | None) -> None:
    if prompt and "none" in prompt and len(prompt) > 1:
        raise InvalidParameter(name="prompt", reason="`none` stands alone.")
