// What a program in Go does with the client: `use URL TOKEN NUMBER`. It tells what it got.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"client"

	"github.com/oapi-codegen/nullable"
)

func main() {
	url, token, number := os.Args[1], os.Args[2], os.Args[3]
	ctx := context.Background()
	api, err := client.NewClientWithResponses(url, client.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			request.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	must(err)
	company := client.CompanyCreate{
		Name:    "Ships & Sons",
		Number:  number,
		Country: "DK",
		Tier:    new(client.CompanyTierValue1st),
		Revenue: nullable.NewNullableWithValue("1200.50"),
		Website: nullable.NewNullNullable[string](),
		Custom:  nullable.NewNullableWithValue[client.JsonValue](map[string]bool{"vip": true}),
	}
	answer, err := api.CreateCompanyWithResponse(ctx, nil, company)
	must(err)
	created := answer.JSON201

	listed, err := api.ListCompaniesWithResponse(ctx, &client.ListCompaniesParams{
		Number:  &number,
		TierIn:  &[]client.CompanyTier{client.CompanyTierValue1st, client.CompanyTierValue2nd},
		Sort:    &[]client.CompanySort{client.CompanySortCreatedAtDesc, client.CompanySortKind},
		Include: &[]client.CompanyInclude{client.CompanyIncludeOwner},
		Count:   new(client.CountModeExact),
	})
	must(err)
	row := listed.JSON200.Data[0]

	etag := answer.HTTPResponse.Header.Get("ETag")
	seen := &client.UpdateCompanyParams{IfMatch: &etag}
	changed, err := api.UpdateCompanyWithResponse(ctx, created.Id, seen, client.CompanyUpdate{
		Industry: nullable.NewNullableWithValue("Shipping"),
		Revenue:  nullable.NewNullNullable[string](),
	})
	must(err)

	stale, err := api.UpdateCompanyWithResponse(ctx, created.Id, seen, client.CompanyUpdate{
		Industry: nullable.NewNullableWithValue("Ports"),
	})
	must(err)
	company.Country = "Denmark"
	refused, err := api.CreateCompanyWithResponse(ctx, nil, company)
	must(err)
	var pointers []*string
	for _, each := range refused.ApplicationproblemJSON422.Errors {
		pointers = append(pointers, each.Pointer)
	}

	must(json.NewEncoder(os.Stdout).Encode(map[string][]any{
		"created": {created.Name, created.Tier, created.Revenue, created.Custom, etag},
		"listed": {
			listed.JSON200.Page.Total, row.Number, row.Website,
			row.Owner.MustGet().Id == created.OwnerId.MustGet(),
		},
		"changed": {changed.JSON200.Industry, changed.JSON200.Revenue, changed.JSON200.Version},
		"stale":   {stale.ApplicationproblemJSON412.Status, stale.ApplicationproblemJSON412.Code},
		"refused": {refused.ApplicationproblemJSON422.Status, refused.ApplicationproblemJSON422.Code, pointers},
	}))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
