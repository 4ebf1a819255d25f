package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestStores: stores are created, listed and changed on a stopped directory and on a running server, and what is set counts at once.
func TestStores(t *testing.T) {
	t.Parallel()
	data := initialise(t)
	merchantID := makeMerchant(t, data, "Acme").Merchant.ID
	store := operateJSON[admin.Store](t, "store", "create", "--name", "Field Notes", "--data", data)
	if store.MerchantID != merchantID || !strings.HasPrefix(store.Slug, "field-notes-") || store.Country != "" {
		t.Fatalf("created %+v", store)
	}
	text := operate(t, "store", "create", "--name", "Second", "--seller-country", "fr", "--everywhere", "--data", data)
	if strings.Contains(text, "No tax is collected") || !strings.Contains(text, "WAFFO_STORE_ID=STO_") {
		t.Errorf("printed %s", text)
	}
	key := makeKey(t, data, merchantID, checkout.Test)
	_, _, url := serveOn(t, data)

	set := operateJSON[admin.Store](t, "store", "set", store.ID, "--seller-country", "DE", "--registered", "EU=2026-01-01,us-tx=2026-07-01,GB",
		"--legal-name", "Feldnotizen GmbH", "--street", "Torstraße 1", "--postcode", "10119", "--city", "Berlin", "--vat-id", "DE 136 695 976",
		"--website", "https://fieldnotes.example", "--origins", "https://shop.example.com,https://other.example.com", "--data", data)
	if len(set.Registrations) != 3 || set.Registrations[1] != (admin.Registration{Jurisdiction: "US-TX", From: "2026-07-01"}) ||
		len(set.Registrations[2].From) != len("2026-01-31") || set.VATID != "136695976" && set.VATID != "DE136695976" || len(set.Origins) != 2 || set.Name != "Field Notes" {
		t.Errorf("set %+v", set)
	}
	if total := quoted(t, url, merchantID, key.PrivateKey, store.ID); total != "34.51" { // 29.00 and 19 %
		t.Errorf("a quote of the running server is %s", total)
	}
	cleared := operateJSON[admin.Store](t, "store", "set", store.ID, "--website", "", "--origins", "", "--registered", "", "--seller-country", "", "--data", data)
	if cleared.Website != "" || len(cleared.Origins) != 0 || len(cleared.Registrations) != 0 || cleared.City != "Berlin" {
		t.Errorf("cleared %+v", cleared)
	}
	if total := quoted(t, url, merchantID, key.PrivateKey, store.ID); total != "29.00" {
		t.Errorf("without a seller's country a quote is %s", total)
	}
	stores := operateJSON[[]admin.Store](t, "store", "list", "--data", data)
	if len(stores) != 2 || stores[1].ID != store.ID || !stores[0].Everywhere || stores[0].Country != "FR" {
		t.Errorf("listed %+v", stores)
	}
	if table := operate(t, "store", "list", "--data", data); !strings.Contains(table, "everywhere") || !strings.Contains(table, store.Slug) {
		t.Errorf("listed\n%s", table)
	}
}

// quoted creates a product of 29.00 EUR, and returns the total that a German consumer would pay.
func quoted(t *testing.T, url, merchantID, privateKey, storeID string) string {
	t.Helper()
	client := signer(t, url, merchantID, privateKey)
	var made struct{ Product struct{ ID string } }
	must(t, client.Call("/v1/actions/onetime-product/create-product", map[string]any{"storeId": storeID, "name": "Notebook",
		"prices": map[string]any{"EUR": map[string]any{"amount": "29.00", "taxCategory": "saas"}}}, &made))
	session, err := client.CreateSession(made.Product.ID, "")
	must(t, err)
	token, err := client.IssueToken(storeID)
	must(t, err)
	shop := &shoptest.Shop{URL: url}
	got := shop.Post(t, "/v1/actions/checkout/quote", fmt.Sprintf(`{"checkoutSessionId":%q,"billingDetail":{"country":"DE","isBusiness":false}}`, session.SessionID),
		bearer(token, checkout.Test))
	_, total, _ := strings.Cut(got.Body, `"total":"`)
	total, _, _ = strings.Cut(total, `"`)
	return total
}

// TestAccountMisuse: a wrong command line and a refused change say what to do, and change nothing.
func TestAccountMisuse(t *testing.T) {
	t.Parallel()
	data := initialise(t)
	on := func(args ...string) []string { return append(args, "--data", data) }
	refused(t, nil, "there is no merchant yet; crepe merchant create makes one", on("key", "create", "--env", "test")...)
	refused(t, nil, "there is no merchant yet; crepe merchant create makes one", on("store", "list")...)
	first := makeMerchant(t, data, "Acme").Merchant.ID
	key := makeKey(t, data, first, checkout.Test)
	store := operateJSON[admin.Store](t, on("store", "create", "--name", "S")...)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--name is needed", on("merchant", "create")},
		{"a merchant's name has 1 to 100 characters", on("merchant", "create", "--name", strings.Repeat("x", 101))},
		{"a merchant's name has 1 to 100 characters", on("merchant", "create", "--name", " ")},
		{"a character that cannot be seen", on("merchant", "create", "--name", "a\u202eb")},
		{"--env test or --env prod is needed", on("key", "create")},
		{"--env test or --env prod is needed", on("key", "create", "--env", "staging")},
		{"a key's name has 0 to 64 characters", on("key", "create", "--env", "test", "--name", strings.Repeat("x", 65))},
		{`there is no merchant "MER_1"; crepe merchant list has them`, on("key", "create", "--env", "test", "--merchant", "MER_1")},
		{"a file that exists is not overwritten", on("key", "create", "--env", "test", "--out", data)},
		{"--public-key: open /nowhere: no such file", on("key", "create", "--env", "test", "--public-key", "/nowhere")},
		{"--out is for a private key that crepe makes", on("key", "create", "--env", "test", "--public-key", "x", "--out", "y")},
		{"the id of one key is needed; crepe key list has them", on("key", "rotate")},
		{`there is no API key "APIKEY_1"; crepe key list has them`, on("key", "revoke", "APIKEY_1")},
		{"crepe token-key has those", on("key", "revoke", "KEY_1")},
		{"crepe key has those", on("token-key", "revoke", key.Key.ID)},
		{"0 to 2160 hours", on("key", "rotate", key.Key.ID, "--after", "2161h")},
		{"0 to 2160 hours", on("key", "rotate", key.Key.ID, "--after", "-1s")},
		{"parse error", on("key", "rotate", key.Key.ID, "--after", "soon")},
		{"--name is needed", on("store", "create")},
		{"name must be at most 48 characters", on("store", "create", "--name", strings.Repeat("x", 49))},
		{"Invalid seller.country: expected ISO 3166-1 alpha-2", on("store", "create", "--name", "S", "--seller-country", "XX")},
		{"there is nothing to set", on("store", "set", store.ID)},
		{"the id of one store is needed", on("store", "set")},
		{`there is no store "STO_1"`, on("store", "set", "STO_1", "--name", "x")},
		{"Invalid seller.registrations.0.from", on("store", "set", store.ID, "--registered", "EU=soon")},
		{"Invalid seller.registrations.0.jurisdiction", on("store", "set", store.ID, "--registered", "ATLANTIS")},
		{"Invalid origins.0", on("store", "set", store.ID, "--origins", "https://a.example/path")},
		{"Invalid website", on("store", "set", store.ID, "--website", "javascript:alert(1)")},
	} {
		refused(t, nil, c.want, c.args...)
	}
	if keys := operateJSON[[]admin.Key](t, on("key", "list")...); len(keys) != 1 {
		t.Errorf("keys %+v", keys)
	}
	if stores := operateJSON[[]admin.Store](t, on("store", "list")...); len(stores) != 1 || stores[0].Country != "" || stores[0].Name != "S" {
		t.Errorf("stores %+v", stores)
	}
	second := makeMerchant(t, data, "Other").Merchant.ID
	for _, args := range [][]string{{"key", "create", "--env", "test"}, {"key", "list"}, {"store", "create", "--name", "S"}, {"store", "list"}} {
		refused(t, nil, "there are several merchants: name one with --merchant MER_…", on(args...)...)
	}
	if merchants := operateJSON[[]admin.Merchant](t, on("merchant", "list")...); len(merchants) != 2 || !slices.ContainsFunc(merchants,
		func(m admin.Merchant) bool { return m.ID == second }) || merchants[0].LiveKeys[checkout.Test] != 1 {
		t.Errorf("merchants %+v", merchants)
	}
}
