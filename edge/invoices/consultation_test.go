package invoices_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// TestConsultation: a consultation number is on the receipt and in the line of the EC sales list of its customer, in its environment and
// store only, and only if VIES has confirmed the number.
func TestConsultation(t *testing.T) {
	s := openSales(t)
	s.Service = invoices.New(invoices.Config{Store: s.db, Orders: s.db, Catalog: s.db, VATChecks: s.db, Now: func() time.Time { return s.now }, Rand: rand.NewChaCha8([32]byte{})})
	s.addStore(t, "STO_1")
	s.addStore(t, "STO_2")
	terms := checkout.Terms{Price: money.Amount{Minor: 100, Currency: "EUR"}, Step: 1, Category: tax.SaaS, Seller: tax.Seller{Country: "FR", Everywhere: true}}
	sell := func(env checkout.Environment, store string, state vies.State, number string) *orders.Order {
		o := s.sell(t, env, store, terms, buyers[9], s.now)
		check := &vies.Check{Environment: env, StoreID: store, OrderID: o.ID, State: state, Consultation: number, AnsweredAt: s.now.UnixMilli()}
		if err := s.db.CommitNotify(t.Context(), notify.Change{VATCheck: check}); err != nil {
			t.Fatal(err)
		}
		return o
	}
	confirmed := sell(checkout.Prod, "STO_1", vies.Valid, "WAPI1")
	sell(checkout.Prod, "STO_1", vies.Valid, "WAPI2")
	refused := sell(checkout.Prod, "STO_1", vies.Invalid, "WAPI3")
	sell(checkout.Prod, "STO_1", vies.Valid, "")
	sell(checkout.Prod, "STO_2", vies.Valid, "WAPI4")
	sell(checkout.Test, "STO_1", vies.Valid, "WAPI5")
	s.issue(t)
	for o, want := range map[*orders.Order]*invoices.Consultation{confirmed: {Number: "WAPI1", Date: "2026-12-01"}, refused: nil} {
		d, err := s.ReceiptOf(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := s.JSON(t.Context(), d); err != nil || !reflect.DeepEqual(v.Meta.Consultation, want) {
			t.Errorf("%s has %+v, %v; want %+v", o.ID, v.Meta.Consultation, err, want)
		}
	}
	day := civil.DateOf(s.now.UnixMilli())
	report, err := s.Report(t.Context(), invoices.ReportQuery{Environment: checkout.Prod, Stores: []string{"STO_1"}, From: day, To: day})
	if err != nil || len(report.ECSales) != 1 || !reflect.DeepEqual(report.ECSales[0].Consultations, []string{"WAPI1", "WAPI2"}) {
		t.Errorf("%+v, %v", report, err)
	}
}
