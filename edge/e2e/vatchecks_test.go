package e2e

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// TestVATChecks: crepe orders vat-checks lists the numbers that VIES does not know or has not confirmed, over the socket and on the
// stopped directory.
func TestVATChecks(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	start(t, data, freeAddress(t)).kill()
	r := openRecords(t, data)
	at := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	for id, c := range map[string]vies.Check{
		"ORD_1": {State: vies.Invalid, AnsweredAt: at.UnixMilli(), Consultation: "WAPI1", Requester: "IE6388047V"},
		"ORD_2": {State: vies.Failed, UpdatedAt: at.UnixMilli(), LastError: "MS_UNAVAILABLE"},
		"ORD_3": {State: vies.Valid, AnsweredAt: at.UnixMilli()},
	} {
		c.Environment, c.StoreID, c.OrderID, c.Number = checkout.Prod, "STO_1", id, "DE136695976"
		must(t, r.db.CommitNotify(t.Context(), notify.Change{VATCheck: &c}))
	}
	r.close()
	list := []string{"orders", "vat-checks", "--data", data}
	want := []admin.VATCheck{
		{At: &at, Environment: checkout.Prod, StoreID: "STO_1", OrderID: "ORD_1", Number: "DE136695976", Requester: "IE6388047V", State: vies.Invalid, ConsultationNumber: "WAPI1"},
		{At: &at, Environment: checkout.Prod, StoreID: "STO_1", OrderID: "ORD_2", Number: "DE136695976", State: vies.Failed, Error: "MS_UNAVAILABLE"},
	}
	if got := operateJSON[[]admin.VATCheck](t, list...); !reflect.DeepEqual(got, want) {
		t.Errorf("the stopped directory has %+v", got)
	}
	start(t, data, freeAddress(t))
	if got := operateJSON[[]admin.VATCheck](t, append(list, "--env", "prod")...); !reflect.DeepEqual(got, want) {
		t.Errorf("the socket has %+v", got)
	}
	if text := operate(t, list...); !strings.Contains(text, "ORD_1  DE136695976  invalid  WAPI1") || strings.Contains(text, "ORD_3") {
		t.Errorf("as text: %s", text)
	}
	if text := operate(t, append(list, "--env", "test")...); text != "No VAT number waits for a review.\n" {
		t.Errorf("the other environment has %s", text)
	}
}
