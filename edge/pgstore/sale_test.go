package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

var background = context.Background()

var sales atomic.Int64

// sale is one order: it is created, paid, invoiced and refunded, each by one transaction.
type sale struct {
	id      string
	session *sessions.Session
	order   *orders.Order
	token   *orders.SpentToken
	written int             // how many of its steps are
	ctx     context.Context // of its creation

	repeating bool // a step is being repeated
}

// newSale stores the session of a sale.
func newSale(t testing.TB, db *pgstore.DB) *sale {
	t.Helper()
	s := &sale{id: fmt.Sprintf("sale%06d", sales.Add(1)), ctx: background}
	s.session = &sessions.Session{Session: checkout.Session{ID: "cs_" + s.id, Environment: checkout.Test, StoreID: "STO_1"}}
	s.order = &orders.Order{ID: "ORD_" + s.id, SessionID: s.session.ID, StoreID: "STO_1", Environment: checkout.Test, State: orders.Pending,
		Attempts: []orders.Attempt{{N: 1, State: orders.Sent, URL: "https://psp.example/pay",
			Placed: checkout.Order{SessionID: s.session.ID, Environment: checkout.Test, StoreID: "STO_1"}}}, UpdatedAt: 5e12}
	s.token = &orders.SpentToken{Environment: checkout.Test, ID: "tok_" + s.id, ExpiresAt: time.Now().Add(time.Hour).UnixMilli()}
	if err := db.WriteSession(background, s.session); err != nil {
		t.Fatal(err)
	}
	return s
}

// steps are the transactions of a sale.
var steps = []struct {
	name string
	do   func(*sale, *pgstore.DB) error
}{
	{"create", func(s *sale, db *pgstore.DB) error {
		session := *s.session
		session.Version, session.OrderID = 1, s.order.ID
		return db.Commit(s.ctx, orders.Change{Session: &session, Order: s.orderAt(0), Spend: s.token})
	}},
	{"paid", func(s *sale, db *pgstore.DB) error {
		return db.Commit(background, orders.Change{Order: s.orderAt(1), Facts: []orders.Fact{s.fact("PAY_")},
			Event: &orders.SeenEvent{Environment: checkout.Test, Provider: "stripe", ID: "evt_" + s.id}})
	}},
	{"receipt", func(s *sale, db *pgstore.DB) error {
		facts, err := s.facts(db)
		if err != nil || len(facts) == 0 {
			return errors.Join(err, notify.ErrStale)
		}
		return db.CommitNotify(background, notify.Change{Fact: &facts[0], Document: s.document()})
	}},
	{"refund", func(s *sale, db *pgstore.DB) error {
		return db.Commit(background, orders.Change{Order: s.orderAt(2), Facts: []orders.Fact{s.fact("REF_")}})
	}},
}

// orderAt is the order as it is written over a version.
func (s *sale) orderAt(version uint64) *orders.Order {
	o := *s.order
	o.Version = version
	if version >= 1 {
		o.State = orders.Paid
		o.Payments = []orders.Payment{{ID: "PAY_" + s.id, Attempt: 1, Status: orders.Succeeded, Provider: "stripe", Ref: "pi_" + s.id, At: 1}}
	}
	if version >= 2 {
		o.Tickets = []orders.Ticket{{ID: "TKT_" + s.id, PaymentID: "PAY_" + s.id, Status: orders.TicketSucceeded, RefundID: "REF_" + s.id,
			Versions: []orders.TicketVersion{{Amount: 1}}}}
		o.Refunds = []orders.Refund{{ID: "REF_" + s.id, N: 1, TicketID: "TKT_" + s.id, PaymentID: "PAY_" + s.id, State: orders.RefundSucceeded, Amount: 1}}
	}
	return &o
}

func (s *sale) fact(event string) orders.Fact {
	return orders.Fact{Kind: orders.OrderCompleted, Environment: checkout.Test, StoreID: "STO_1", OrderID: s.order.ID, EventID: event + s.id, At: 7}
}

func (s *sale) document() *invoices.Document {
	return &invoices.Document{Series: invoices.Series{Environment: checkout.Test, StoreID: "STO_" + s.id, Kind: invoices.Receipt, Year: 2026}, Number: 1,
		Prefix: "A1B2C3", Token: "token_" + s.id, OrderID: s.order.ID, EventID: "PAY_" + s.id, IssuedAt: 7,
		Seller: invoices.Party{Name: "Northline", Country: "FR"}, Buyer: invoices.Party{Country: "DE"}, Line: invoices.Line{Name: "a licence", Category: tax.SaaS},
		Currency: "EUR", Subtotal: 100, Tax: 19, Total: 119, Reason: tax.Standard,
		Components: []tax.Component{{Jurisdiction: "DE", Tax: "vat", Rate: 19000, Base: 100, Taxable: 100, Amount: 19}}}
}

// facts are those of the sale in the outbox.
func (s *sale) facts(db *pgstore.DB) (own []notify.QueuedFact, err error) {
	all, err := db.Facts(background, 0, 1<<20)
	for _, f := range all {
		if f.Fact.OrderID == s.order.ID {
			own = append(own, f)
		}
	}
	return own, err
}

// stored is how many steps are written. It fails the test if one is in part, or twice.
func (s *sale) stored(t *testing.T, reader *pgxpool.Pool) int {
	t.Helper()
	var got string
	err := reader.QueryRow(background, `SELECT concat_ws(' ', (SELECT version FROM sessions WHERE id = 'cs_' || $1),
		(SELECT count(*) FROM sessions WHERE order_id = 'ORD_' || $1), (SELECT coalesce(max(version), 0) FROM orders WHERE id = 'ORD_' || $1),
		(SELECT count(*) FROM session_tokens WHERE id = 'tok_' || $1 AND spent), (SELECT count(*) FROM provider_events WHERE id = 'evt_' || $1),
		(SELECT count(*) FROM payments WHERE order_id = 'ORD_' || $1), (SELECT count(*) FROM documents WHERE order_id = 'ORD_' || $1),
		(SELECT count(*) FROM tickets WHERE order_id = 'ORD_' || $1), (SELECT count(*) FROM refunds WHERE order_id = 'ORD_' || $1),
		(SELECT count(*) FROM outbox WHERE order_id = 'ORD_' || $1))`, s.id).Scan(&got)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.Index([]string{"1 0 0 0 0 0 0 0 0 0", "2 1 1 1 0 0 0 0 0 0", "2 1 2 1 1 1 0 0 0 1", "2 1 2 1 1 1 1 0 0 0", "2 1 3 1 1 1 1 1 1 1"}, got)
	if i < 0 {
		t.Fatalf("a part of a step is written: %s", got)
	}
	return i
}

// take takes the next step, and says with which error. After it the step is written once, or not at all; then it is repeated.
func (s *sale) take(t *testing.T, db *pgstore.DB, reader *pgxpool.Pool) error {
	t.Helper()
	step := steps[s.written]
	err := step.do(s, db)
	unknown, stored := errors.Is(err, pgstore.ErrOutcomeUnknown), s.stored(t, reader)
	switch {
	case err == nil && stored != s.written+1:
		t.Errorf("%s: acknowledged and not written", step.name)
	case err != nil && !errors.Is(err, pgstore.ErrUnavailable) && !unknown:
		t.Errorf("%s: %v", step.name, err)
	case err != nil && !unknown && stored != s.written:
		t.Errorf("%s: written after %v", step.name, err)
	}
	s.repeating = true
	again := step.do(s, db)
	s.repeating = false
	if (again == nil) != (stored == s.written) && !unknown { // a commit that is unknown may come while it is repeated
		t.Errorf("%s: %v; repeated: %v", step.name, err, again)
	}
	if s.written++; s.stored(t, reader) != s.written {
		t.Fatalf("%s is not written: %v, %v", step.name, err, again)
	}
	return err
}
