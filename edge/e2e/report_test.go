package e2e

import (
	"encoding/csv"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestTaxReport: crepe report tax has what the orders of the binary have, over the socket and on the stopped directory, and refuses
// what is no period.
func TestTaxReport(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	running := start(t, data, freeAddress(t))
	shop := shopOn(t, data)
	token := shop.Token(t, "user-1")
	bills := []map[string]any{
		{"country": "DE", "isBusiness": false},
		{"country": "US", "isBusiness": false, "state": "TX"},
		{"country": "DE", "isBusiness": true, "businessName": "Fieldnotes GmbH", "taxId": "DE136695976"},
		{"country": "DE", "isBusiness": true, "businessName": "Fieldnotes GmbH", "taxId": "DE136695976"},
	}
	var sessions []string
	for _, bill := range bills {
		session := shop.Session(t, nil).SessionID
		request := shoptest.OrderFor(session)
		request["billingDetail"] = bill
		shop.Pay(t, shop.CreateOrder(t, token, request).CheckoutURL(t))
		sessions = append(sessions, session)
	}
	period := []string{"report", "tax", "--env", "test", "--from", "2026-01-01", "--to", time.Now().UTC().Format(time.DateOnly), "--data", data}
	var live admin.TaxReport
	shoptest.Eventually(t, "every order has its receipt", func() bool {
		live = operateJSON[admin.TaxReport](t, period...)
		return len(live.Totals) == 1 && live.Totals[0].Sales == len(bills)
	})
	if prod := operateJSON[admin.TaxReport](t, append([]string{"report", "tax", "--env", "prod"}, period[4:]...)...); len(prod.Taxes) != 0 {
		t.Errorf("the other environment has %+v", prod)
	}
	if other := operateJSON[admin.TaxReport](t, "report", "tax", "--env", "test", "--from", "2026-01-01", "--to", "2026-01-02", "--data", data); len(other.Taxes) != 0 {
		t.Errorf("another period has %+v", other)
	}
	if empty := operate(t, "report", "tax", "--from", "2026-01-01", "--to", "2026-01-02", "--data", data); empty != "Nothing was sold or refunded in prod from 2026-01-01 to 2026-01-02.\n" {
		t.Errorf("an empty report is %q", empty)
	}
	if none := operate(t, "webhook", "deliveries", "--data", data); !strings.HasPrefix(none, "No delivery has failed. --store-id STO_… lists all of a store") {
		t.Errorf("no failed delivery is listed as %q", none)
	}
	running.kill()
	net, taxes, reverse := sumOrders(t, data, sessions)
	total := live.Totals[0]
	if total.Net != net || total.Tax != taxes || !reflect.DeepEqual(live.ECSales, []admin.ECSale{{Customer: "DE136695976", Currency: "EUR", Net: reverse}}) {
		t.Errorf("the report is %+v; want %s and %s, %s of them as reverse charges", live, net, taxes, reverse)
	}
	if stopped := operate(t, append(period, "--json")...); stopped != operate(t, append(period, "--json", "--store-id", shop.File.StoreID)...) ||
		!strings.Contains(stopped, `"net": "`+net+`"`) {
		t.Errorf("the stopped directory has %s", stopped)
	}
	rows, err := csv.NewReader(strings.NewReader(operate(t, append(period, "--csv")...))).ReadAll()
	if err != nil || len(rows) != 1+len(live.Taxes)+1+1 || rows[0][0] != "line" || len(rows[1]) != len(rows[0]) {
		t.Errorf("CSV: %v, %v", rows, err)
	}
	for want, more := range map[string][]string{
		"--from and --to are needed":   {"--from", "2026-01-01"},
		"is no period":                 {"--from", "2026-02-01", "--to", "2026-01-01"},
		`"yesterday" to`:               {"--from", "yesterday", "--to", "2026-01-01"},
		"there is no environment":      {"--from", "2026-01-01", "--to", "2026-01-01", "--env", "staging"},
		"is about one environment":     {"--from", "2026-01-01", "--to", "2026-01-01", "--env", ""},
		"there is no store \"STO_x\"":  {"--from", "2026-01-01", "--to", "2026-01-01", "--store-id", "STO_x"},
		"--csv and --json exclude":     {"--from", "2026-01-01", "--to", "2026-01-01", "--csv", "--json"},
		"unexpected argument \"2026\"": {"--from", "2026-01-01", "--to", "2026-01-01", "2026"},
	} {
		refused(t, nil, want, append([]string{"report", "tax", "--data", data}, more...)...)
	}
}

// sumOrders sums up the orders of a killed server.
func sumOrders(t *testing.T, data string, sessions []string) (net, taxes, reverse string) {
	t.Helper()
	r := openRecords(t, data)
	defer r.close()
	var sums [3]int64
	for _, session := range sessions {
		_, order := r.order(t, session)
		a := &order.Sold().Quote.Assessment
		sums[0], sums[1] = sums[0]+a.Subtotal, sums[1]+a.Tax
		if a.Reason == tax.ReverseCharge {
			sums[2] += a.Subtotal
		}
	}
	euro := func(minor int64) string { return money.Amount{Minor: minor, Currency: "EUR"}.String() }
	return euro(sums[0]), euro(sums[1]), euro(sums[2])
}

// auditReceipts checks that each paid order of a killed server has one receipt, and that their numbers have no gaps.
func auditReceipts(t *testing.T, data, storeID string, paid []string) {
	t.Helper()
	r := openRecords(t, data)
	defer r.close()
	for _, id := range paid {
		o, err := r.db.Order(t.Context(), checkout.Test, id)
		must(t, err)
		if _, err := r.db.DocumentOf(t.Context(), checkout.Test, id, o.Payments[0].ID); err != nil {
			t.Errorf("the receipt of %s: %v", id, err)
		}
	}
	if n := countDocuments(t, r.db, storeID, invoices.Receipt); n != len(paid) {
		t.Errorf("there are %d receipts, %d orders are paid", n, len(paid))
	}
}

// countDocuments counts a store's documents of a kind, whose numbers must have no gaps.
func countDocuments(t *testing.T, db record.Store, storeID string, kind invoices.Kind) (count int) {
	t.Helper()
	for year := time.Now().UTC().Year() - 1; year <= time.Now().UTC().Year(); year++ {
		series := invoices.Series{Environment: checkout.Test, StoreID: storeID, Kind: kind, Year: year}
		page, err := db.Documents(t.Context(), series, "", 1_000_000)
		must(t, err)
		for i := range page.Items {
			if page.Items[i].Number != i+1 {
				t.Errorf("%s %d of %d has the number %d", kind, i+1, year, page.Items[i].Number)
			}
		}
		if last, err := db.LastNumber(t.Context(), series); err != nil || last != len(page.Items) {
			t.Errorf("%d has %d of the kind %s, and the last number is %d, %v", year, len(page.Items), kind, last, err)
		}
		count += len(page.Items)
	}
	return count
}
