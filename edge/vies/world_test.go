package vies_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/vies"
	"github.com/crepe-checkout/crepe/edge/vies/viestest"
)

// world is a service on a database, with a VIES and a clock that can be put forward.
type world struct {
	*testing.T
	dir     string
	db      *badgerstore.DB
	fake    *viestest.VIES
	url     string
	service *vies.Service
	log     *shoptest.Buffer
	ahead   time.Duration
}

func open(t *testing.T, envs ...checkout.Environment) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), fake: new(viestest.VIES), log: new(shoptest.Buffer)}
	w.openDatabase()
	server := httptest.NewServer(w.fake)
	w.url = server.URL
	w.restart(envs...)
	t.Cleanup(func() {
		server.Close()
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) openDatabase() {
	w.Helper()
	var err error
	w.db, err = badgerstore.Open(w.dir, badgerstore.Options{NoSync: true})
	w.must(err)
}

// restart makes a new service on the same database.
func (w *world) restart(envs ...checkout.Environment) {
	w.service = vies.New(vies.Config{Store: w.db, Orders: w.db, Catalog: w.db, URL: w.url + "/rest-api/", Environments: envs,
		Timeout: time.Second, Now: w.now, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
}

func (w *world) now() time.Time { return time.Now().Add(w.ahead) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

var last atomic.Int64

// sale is an order that was paid.
type sale struct {
	env    checkout.Environment
	seller string // VAT number, "" for none
	buyer  string // VAT number
	in     country.Code
	reason tax.Reason
}

// business is a sale without tax to a German business by an Irish seller.
func business() sale {
	return sale{checkout.Prod, "IE6388047V", "DE136695976", "DE", tax.ReverseCharge}
}

// sell stores an order that has just been paid, and its check if it gets one.
func (w *world) sell(s sale) *orders.Order {
	w.Helper()
	n := last.Add(1)
	storeID := fmt.Sprint("STO_", n)
	w.must(w.db.Put(w.Context(), catalog.Change{Merchant: &catalog.Merchant{ID: fmt.Sprint("MER_", n)}, Store: &catalog.Store{ID: storeID,
		MerchantID: fmt.Sprint("MER_", n), Slug: fmt.Sprint("shop-", n), Name: "Northline", Legal: catalog.Legal{VATID: s.seller}}}))
	placed := checkout.Order{Environment: s.env, StoreID: storeID, BuyerEmail: "ada@example.com",
		Quote:   checkout.Quote{Currency: "EUR", Assessment: tax.Assessment{Subtotal: 100, Total: 100, Reason: s.reason}},
		Billing: billing.Detail{Country: s.in, IsBusiness: true, BusinessName: "Fieldnotes GmbH", TaxID: s.buyer, TaxIDChecked: true}}
	o := &orders.Order{ID: fmt.Sprint("ORD_", n), SessionID: fmt.Sprint("cs_", n), StoreID: storeID, Environment: s.env, State: orders.Paid,
		Attempts: []orders.Attempt{{N: 1, State: orders.Settled, Placed: placed}},
		Payments: []orders.Payment{{ID: fmt.Sprint("PAY_", n), Attempt: 1, Status: orders.Succeeded, At: w.now().UnixMilli()}}}
	w.must(w.db.Commit(w.Context(), orders.Change{Order: o}))
	check, err := w.service.CheckOf(w.Context(), &orders.Fact{Kind: orders.OrderCompleted, Environment: s.env, StoreID: storeID, OrderID: o.ID})
	w.must(err)
	w.must(w.db.CommitNotify(w.Context(), notify.Change{VATCheck: check}))
	return o
}

// check is the check of an order, nil if it has none.
func (w *world) check(o *orders.Order) *vies.Check {
	w.Helper()
	c, err := w.service.Of(w.Context(), o)
	w.must(err)
	return c
}

// after puts the clock forward and asks about what is due then.
func (w *world) after(d time.Duration) {
	w.ahead += d
	w.service.AskDue(w.Context())
}
