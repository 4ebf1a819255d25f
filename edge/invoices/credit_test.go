package invoices_test

import (
	"slices"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// TestCreditNote: a refund has a credit note with its own number, which refers to the receipt; if the refund fails afterwards, a
// receipt takes the credit note back, and the report is as before.
func TestCreditNote(t *testing.T) {
	s := openSales(t)
	s.addStore(t, "STO_1")
	terms := checkout.Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Step: 1, Category: tax.SaaS, Seller: tax.Seller{Country: "DE"}}
	o := s.sell(t, checkout.Prod, "STO_1", terms, buyers[0], s.now)
	paid := o.Payments[0].ID
	o.Version++
	o.Refunds = []orders.Refund{
		{ID: "REF_1", PaymentID: paid, State: orders.RefundSucceeded, Amount: 1190, Split: orders.Split{Net: 1000, Tax: 190, Parts: []orders.SplitPart{{Taxable: 1000, Amount: 190}}}},
		{ID: "REF_2", PaymentID: "PAY_second", State: orders.RefundSucceeded, Amount: 3451},
	}
	fact := func(kind orders.FactKind, id string) orders.Fact {
		return orders.Fact{Kind: kind, Environment: o.Environment, StoreID: o.StoreID, OrderID: o.ID, EventID: id, At: s.now.UnixMilli()}
	}
	report := func() invoices.TotalSum {
		today := civil.DateOf(s.now.UnixMilli())
		r, err := s.Report(t.Context(), invoices.ReportQuery{Environment: checkout.Prod, Stores: []string{"STO_1"}, From: today, To: today})
		if err != nil || len(r.Totals) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		return r.Totals[0]
	}
	if err := s.db.Commit(t.Context(), orders.Change{Order: o, Facts: []orders.Fact{fact(orders.RefundHasSucceeded, "REF_1"), fact(orders.RefundHasSucceeded, "REF_2"),
		fact(orders.RefundHasFailed, "REF_2")}}); err != nil {
		t.Fatal(err)
	}
	s.issue(t)
	note, err := s.db.DocumentOf(t.Context(), checkout.Prod, o.ID, "REF_1")
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := s.ReceiptOf(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if note.Series.Kind != invoices.CreditNote || note.Number != 1 || note.Preceding.Code != receipt.Code() || note.Token == receipt.Token ||
		note.Subtotal != 1000 || note.Tax != 190 || note.Total != 1190 || note.Components[0].Amount != 190 || receipt.Components[0].Amount != 551 {
		t.Errorf("the credit note is %+v, its receipt %+v", note, receipt)
	}
	if v, err := s.JSON(t.Context(), note); err != nil || v.Type != "credit-note" || v.Preceding[0].Code != receipt.Code() || v.Payment != nil {
		t.Errorf("as JSON: %+v", v)
	}
	corrections := func(d *invoices.Document) (codes []string) {
		v, err := s.JSON(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range v.Meta.Corrections {
			codes = append(codes, c.Type+" "+c.Code+" "+c.IssueDate+" "+c.Payable+" "+c.URL)
		}
		return codes
	}
	day := s.now.Format(time.DateOnly)
	if got, want := corrections(receipt), []string{"credit-note " + note.Code() + " " + day + " 11.90 " + s.URL(note)}; !slices.Equal(got, want) {
		t.Errorf("the receipt lists %q, want %q", got, want)
	}
	if got := corrections(note); got != nil {
		t.Errorf("the credit note lists %q", got)
	}
	if sum := report(); sum.Sales.Tax-sum.Refunds.Tax != 361 || sum.Refunds.Count != 1 {
		t.Errorf("the report has %+v", sum)
	}
	if err := s.db.Commit(t.Context(), orders.Change{Facts: []orders.Fact{fact(orders.RefundHasFailed, "REF_1")}}); err != nil {
		t.Fatal(err)
	}
	s.issue(t)
	if sum := report(); sum.Sales.Tax-sum.Refunds.Tax != 551 || sum.Sales.Count != 2 {
		t.Errorf("after the refund has failed the report has %+v", sum)
	}
	reversal, err := s.db.DocumentOf(t.Context(), checkout.Prod, o.ID, "REF_1/failed")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := corrections(note), []string{"standard " + reversal.Code() + " " + day + " 11.90 " + s.URL(reversal)}; !slices.Equal(got, want) {
		t.Errorf("the credit note lists %q, want %q", got, want)
	}
	series := receipt.Series
	if last, err := s.db.LastNumber(t.Context(), series); err != nil || last != 2 {
		t.Errorf("%d receipts, %v", last, err)
	}
}
