package invoices_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// sales is a database with stores that sell, and the service that issues their receipts.
type sales struct {
	*invoices.Service
	db    *badgerstore.DB
	now   time.Time
	count int
}

func openSales(t *testing.T) *sales {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	s := &sales{db: db, now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	s.Service = invoices.New(invoices.Config{Store: db, Orders: db, Catalog: db, PublicURL: "https://pay.example.com",
		Now: func() time.Time { return s.now }, Rand: rand.NewChaCha8([32]byte{})})
	return s
}

func (s *sales) addStore(t *testing.T, id string) {
	t.Helper()
	store := &catalog.Store{ID: id, MerchantID: "MER_1", Slug: fmt.Sprintf("store-%06x", s.count), Name: "Store " + id}
	s.count++
	if err := s.db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
}

// sell stores a paid order of one attempt with its fact.
func (s *sales) sell(t *testing.T, env checkout.Environment, storeID string, terms checkout.Terms, buyer billing.Detail, at time.Time) *orders.Order {
	t.Helper()
	s.count++
	id := fmt.Sprintf("%06d", s.count)
	quote, refused := terms.Quote(&buyer, "", civil.DateOf(at.UnixMilli()), nil)
	if refused != nil {
		t.Fatal(refused)
	}
	placed := checkout.Order{SessionID: "cs_" + id, Environment: env, StoreID: storeID, Product: checkout.Product{ID: "PROD_1", Name: "Product"},
		Terms: terms, Quote: quote, Billing: buyer, BuyerEmail: "ada@example.com"}
	o := &orders.Order{ID: "ORD_" + id, SessionID: placed.SessionID, MerchantID: "MER_1", StoreID: storeID, Environment: env, State: orders.Paid,
		Attempts:  []orders.Attempt{{N: 1, State: orders.Settled, URL: "https://pay", Placed: placed}},
		Payments:  []orders.Payment{{ID: "PAY_" + id, Attempt: 1, Status: orders.Succeeded, At: at.UnixMilli()}},
		CreatedAt: at.UnixMilli(), UpdatedAt: at.UnixMilli()}
	err := s.db.Commit(t.Context(), orders.Change{Order: o,
		Session: &sessions.Session{Session: checkout.Session{ID: o.SessionID, Environment: env, StoreID: storeID, Terms: terms}, OrderID: o.ID},
		Facts:   []orders.Fact{{Kind: orders.OrderCompleted, Environment: env, StoreID: storeID, OrderID: o.ID, EventID: o.Payments[0].ID, At: at.UnixMilli()}}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// issue empties the outbox.
func (s *sales) issue(t *testing.T) {
	t.Helper()
	for {
		facts, err := s.db.Facts(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(facts) == 0 {
			return
		}
		for i := range facts {
			issued, err := s.Issue(t.Context(), &facts[i].Fact)
			if err == nil {
				err = s.db.CommitNotify(t.Context(), notify.Change{Fact: &facts[i], Document: issued.Document})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

var buyers = []billing.Detail{
	{Country: "DE"}, {Country: "FR"}, {Country: "US", State: "TX"}, {Country: "US", State: "CA"}, {Country: "CA", State: "QC"},
	{Country: "CA", State: "ON"}, {Country: "JP"}, {Country: "GB"}, {Country: "BR"},
	{Country: "DE", IsBusiness: true, BusinessName: "A", TaxID: "DE136695976", TaxIDChecked: true},
	{Country: "FR", IsBusiness: true, BusinessName: "B", TaxID: "FR40303265045", TaxIDChecked: true},
	{Country: "GB", IsBusiness: true, BusinessName: "C"},
}

func genTerms(r *rapid.T) checkout.Terms {
	currency := rapid.SampledFrom([]money.Currency{"EUR", "USD", "JPY", "KWD"}).Draw(r, "currency")
	return checkout.Terms{
		Price:     money.Amount{Minor: rapid.Int64Range(1, 1e7).Draw(r, "price"), Currency: currency},
		Inclusive: rapid.Bool().Draw(r, "inclusive"), Step: 1,
		Category: rapid.SampledFrom([]tax.Category{tax.SaaS, tax.Ebook, tax.DigitalGoods, tax.Consulting}).Draw(r, "category"),
		Seller: tax.Seller{Country: rapid.SampledFrom([]country.Code{"FR", "DE", "US", "HK"}).Draw(r, "seller"),
			Everywhere: rapid.Bool().Draw(r, "everywhere")},
	}
}

// refund stores a refund of a part of an order, divided at random, with its fact. It returns the division.
func (s *sales) refund(t *testing.T, r *rapid.T, o *orders.Order, at time.Time) orders.Split {
	t.Helper()
	a := &o.Attempts[0].Placed.Quote.Assessment
	split := orders.Split{Net: rapid.Int64Range(0, a.Subtotal).Draw(r, "net")}
	for _, c := range a.Components {
		part := orders.SplitPart{Taxable: rapid.Int64Range(0, c.Taxable).Draw(r, "taxable"), Amount: rapid.Int64Range(0, c.Amount).Draw(r, "amount")}
		split.Parts, split.Tax = append(split.Parts, part), split.Tax+part.Amount
	}
	id := "REF" + o.ID
	o.Version++
	o.Refunds = []orders.Refund{{ID: id, PaymentID: o.Payments[0].ID, State: orders.RefundSucceeded, Amount: split.Total(), Split: split}}
	err := s.db.Commit(t.Context(), orders.Change{Order: o, Facts: []orders.Fact{{Kind: orders.RefundHasSucceeded, Environment: o.Environment,
		StoreID: o.StoreID, OrderID: o.ID, EventID: id, At: at.UnixMilli()}}})
	if err != nil {
		t.Fatal(err)
	}
	return split
}

// expectation is what a report must say, summed up from the orders themselves.
type expectation struct {
	totals map[money.Currency][3]int64 // sales less refunds: how many, net, tax
	taxes  map[invoices.TaxKey][3]int64
	ec     map[string]int64
}

// subtract takes a refund off.
func (e *expectation) subtract(o *orders.Order, split *orders.Split) {
	placed := o.Attempts[0].Placed
	a := &placed.Quote.Assessment
	a.Subtotal, a.Tax, a.Total = -split.Net, -split.Tax, -split.Total()
	a.Components = slices.Clone(a.Components)
	for i, part := range split.Parts {
		a.Components[i].Taxable, a.Components[i].Amount = -part.Taxable, -part.Amount
	}
	e.count(&placed, -1)
}

func (e *expectation) add(o *orders.Order) { e.count(&o.Attempts[0].Placed, 1) }

func (e *expectation) count(placed *checkout.Order, one int64) {
	a, c := &placed.Quote.Assessment, placed.Quote.Currency
	t := e.totals[c]
	e.totals[c] = [3]int64{t[0] + one, t[1] + a.Subtotal, t[2] + a.Total - a.Subtotal}
	for _, part := range a.Components {
		key := invoices.TaxKey{Jurisdiction: part.Jurisdiction, Tax: part.Tax, Rate: part.Rate, Reason: a.Reason, Currency: c}
		t := e.taxes[key]
		e.taxes[key] = [3]int64{t[0] + one, t[1] + part.Taxable, t[2] + part.Amount}
	}
	if a.Components == nil {
		place := string(placed.Billing.Country)
		if placed.Billing.Country.NeedsState() {
			place += "-" + placed.Billing.State
		}
		key := invoices.TaxKey{Jurisdiction: place, Reason: a.Reason, Currency: c}
		t := e.taxes[key]
		e.taxes[key] = [3]int64{t[0] + one, t[1] + a.Subtotal, 0}
	}
	if a.Reason == tax.ReverseCharge && placed.Terms.Seller.Country.InEU() && placed.Billing.Country.InEU() {
		e.ec[placed.Billing.TaxID+" "+string(c)] += a.Subtotal
	}
}

// TestReportReconciles: whatever is sold, to whom and when, the report of a period has what the orders have, to the minor unit, and
// the numbers of the receipts have no gaps.
func TestReportReconciles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := openSales(t)
		r.Cleanup(func() { s.db.Close() }) // not at the end of the test only: each check opens one
		s.addStore(t, "STO_1")
		s.addStore(t, "STO_2")
		first := time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC)
		from, to := rapid.IntRange(0, 7).Draw(r, "from"), rapid.IntRange(0, 7).Draw(r, "to")
		q := invoices.ReportQuery{Environment: checkout.Prod, Stores: []string{"STO_1"}, From: civil.DateOf(first.UnixMilli()) + civil.Date(min(from, to)),
			To: civil.DateOf(first.UnixMilli()) + civil.Date(max(from, to))}
		if rapid.Bool().Draw(r, "both stores") {
			q.Stores = append(q.Stores, "STO_2")
		}
		want := expectation{map[money.Currency][3]int64{}, map[invoices.TaxKey][3]int64{}, map[string]int64{}}
		hour, issued := 0, map[invoices.Series]int{}
		for range rapid.IntRange(0, 30).Draw(r, "orders") {
			hour += rapid.IntRange(0, 12).Draw(r, "hours")
			at := first.Add(time.Duration(hour) * time.Hour)
			env := rapid.SampledFrom([]checkout.Environment{checkout.Prod, checkout.Prod, checkout.Test}).Draw(r, "environment")
			storeID := rapid.SampledFrom([]string{"STO_1", "STO_2"}).Draw(r, "store")
			o := s.sell(t, env, storeID, genTerms(r), rapid.SampledFrom(buyers).Draw(r, "buyer"), at)
			if on := civil.DateOf(at.UnixMilli()); env == checkout.Prod && slices.Contains(q.Stores, storeID) && q.From <= on && on <= q.To {
				want.add(o)
			}
			s.now = at.Add(time.Duration(rapid.IntRange(0, 5).Draw(r, "delay")) * time.Hour)
			issued[invoices.Series{Environment: env, StoreID: storeID, Kind: invoices.Receipt, Year: s.now.Year()}]++
			s.issue(t)
			if !rapid.Bool().Draw(r, "refunded") {
				continue
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 60).Draw(r, "hours until the refund")) * time.Hour)
			split := s.refund(t, r, o, at)
			if on := civil.DateOf(at.UnixMilli()); env == checkout.Prod && slices.Contains(q.Stores, storeID) && q.From <= on && on <= q.To {
				want.subtract(o, &split)
			}
			issued[invoices.Series{Environment: env, StoreID: storeID, Kind: invoices.CreditNote, Year: max(s.now.Year(), at.Year())}]++
			s.issue(t)
		}
		got, err := s.Report(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		compareReport(r, got, &want)
		for series, count := range issued {
			if last, err := s.db.LastNumber(t.Context(), series); err != nil || last != count {
				r.Errorf("%+v ends at %d, %v; want %d", series, last, err, count)
			}
		}
	})
}

func compareReport(r *rapid.T, got *invoices.Report, want *expectation) {
	totals, taxes, ec := map[money.Currency][3]int64{}, map[invoices.TaxKey][3]int64{}, map[string]int64{}
	sums := map[money.Currency]int64{}
	for _, line := range got.Totals {
		totals[line.Currency] = [3]int64{int64(line.Sales.Count - line.Refunds.Count), line.Sales.Net - line.Refunds.Net, line.Sales.Tax - line.Refunds.Tax}
	}
	for _, line := range got.Taxes {
		if taxed := line.Sales.Tax - line.Refunds.Tax; line.Own == line.Currency && line.OwnTax != taxed {
			r.Errorf("the tax of %+v is %d", line, taxed)
		}
		line.Own = "" // without rates it follows from the jurisdiction and the seller
		t := taxes[line.TaxKey]
		taxes[line.TaxKey] = [3]int64{t[0] + int64(line.Sales.Count-line.Refunds.Count), t[1] + line.Sales.Net - line.Refunds.Net, t[2] + line.Sales.Tax - line.Refunds.Tax}
		sums[line.Currency] += line.Sales.Tax - line.Refunds.Tax
	}
	for _, line := range got.ECSales {
		ec[line.Customer+" "+string(line.Currency)] = line.Sales.Net - line.Refunds.Net
	}
	if !maps.Equal(totals, want.totals) || !maps.Equal(taxes, want.taxes) || !maps.Equal(ec, want.ec) {
		r.Errorf("the report is\n%+v\nwant\n%+v", got, want)
	}
	for currency, sum := range sums {
		if sum != totals[currency][2] {
			r.Errorf("the taxes in %s sum up to %d, the total is %d", currency, sum, totals[currency][2])
		}
	}
}
