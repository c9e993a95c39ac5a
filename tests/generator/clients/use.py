"""What a program in Python does with the client: `python use.py URL TOKEN NUMBER`. It tells what it got."""

import json
import sys

from acme_crm_client import AuthenticatedClient
from acme_crm_client.api.company import create_company, list_companies, update_company
from acme_crm_client.models import (
    Company,
    CompanyCreate,
    CompanyInclude,
    CompanyPage,
    CompanySort,
    CompanyTier,
    CompanyUpdate,
    CountMode,
    Problem,
    User,
)


def main(url: str, token: str, number: str) -> None:
    api = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)
    company = CompanyCreate(
        name="Ships & Sons",
        number=number,
        country="DK",
        tier=CompanyTier.VALUE_1ST,
        revenue="1200.50",
        website=None,
        custom={"vip": True},
    )
    answer = create_company.sync_detailed(client=api, body=company)
    created = answer.parsed
    assert isinstance(created, Company)

    listed = list_companies.sync(
        client=api,
        number=number,
        tier_in=[CompanyTier.VALUE_1ST, CompanyTier.VALUE_2ND],
        sort=[CompanySort.CREATED_AT_DESC, CompanySort.KIND],
        include=[CompanyInclude.OWNER],
        count=CountMode.EXACT,
    )
    assert isinstance(listed, CompanyPage)
    row = listed.data[0]

    etag = answer.headers["etag"]
    changed = update_company.sync(
        created.id, client=api, if_match=etag, body=CompanyUpdate(industry="Shipping", revenue=None)
    )
    assert isinstance(changed, Company)

    stale = update_company.sync(created.id, client=api, if_match=etag, body=CompanyUpdate(industry="Ports"))
    assert isinstance(stale, Problem)
    company.country = "Denmark"
    refused = create_company.sync(client=api, body=company)
    assert isinstance(refused, Problem)

    told = {
        "created": [created.name, created.tier.value, created.revenue, created.custom, etag],
        "listed": [
            listed.page.total,
            row.number,
            row.website,
            isinstance(row.owner, User) and row.owner.id == created.owner_id,
        ],
        "changed": [changed.industry, changed.revenue, changed.version],
        "stale": [stale.status, stale.code],
        "refused": [refused.status, refused.code, [each.pointer for each in refused.errors]],
    }
    print(json.dumps(told))


main(*sys.argv[1:])
