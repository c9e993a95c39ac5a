package tests

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// The answers themselves are held against openapi.json by the callers of world_test.go, in every test.

func TestEveryOperationIsServedAndEveryRouteOfAResourceIsPromised(t *testing.T) {
	var promised []string
	for path, operations := range contract()["paths"].(map[string]any) {
		for method := range operations.(map[string]any) {
			promised = append(promised, strings.ToUpper(method)+" "+path)
		}
	}
	for _, each := range running.Routes {
		want(t, slices.Contains(promised, each), true, each)
	}
	for _, each := range promised {
		isServed := slices.Contains(running.Routes, each) || slices.Contains(running.Own, each)
		want(t, isServed, true, each)
	}
}

func TestEveryOperationAsksForATokenUnlessItIsPublic(t *testing.T) {
	for path, operations := range contract()["paths"].(map[string]any) {
		for method, operation := range operations.(map[string]any) {
			security, _ := operation.(map[string]any)["security"].([]any)
			isOpen := func(each any) bool { return len(each.(map[string]any)) == 0 }
			if slices.ContainsFunc(security, isOpen) {
				continue
			}
			address := strings.ReplaceAll(path, "{id}", uuid.NewString())
			refused := caller{role: "public"}.send(t, strings.ToUpper(method), address, nil,
				header("Authorization", "Bearer x.y.z"))
			want(t, refused.status, 401, method, path)
		}
	}
}
