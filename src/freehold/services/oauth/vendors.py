"""The vendors by their names on the wire."""

from __future__ import annotations

from freehold.providers.oauth.vendor import Vendor
from freehold.providers.oauth.vendors import VENDORS
from freehold.services.oauth.errors import ProviderUnsupported

SHOWN = tuple(vendor for vendor in VENDORS.values() if vendor.model)
"""Those whose settings the contract has a model of."""


def vendor_named(name: str, *, dev: bool) -> Vendor:
    """The vendor with this id; mocks in development only. Raises ProviderUnsupported."""
    vendor = VENDORS.get(name)
    if vendor is None or (vendor.mock and not dev):
        raise ProviderUnsupported(provider=name)
    return vendor
