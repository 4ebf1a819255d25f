package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/record"
)

func newSeries(env checkout.Environment) invoices.Series {
	return invoices.Series{Environment: env, StoreID: fresh("STO"), Kind: invoices.Receipt, Year: 2026}
}

func newDocument(s invoices.Series, number int) *invoices.Document {
	return &invoices.Document{Series: s, Number: number, Prefix: "A1B2C3", Token: fresh("token"), OrderID: fresh("ORD"), EventID: fresh("PAY"),
		IssuedAt: 7, Seller: invoices.Party{Name: "Northline", Country: "FR"}, Buyer: invoices.Party{Country: "DE"},
		Line: invoices.Line{Name: "a licence", Category: tax.SaaS}, Currency: "EUR", Subtotal: 100, Tax: 19, Total: 119, Reason: tax.Standard,
		Components: []tax.Component{{Jurisdiction: "DE", Tax: "vat", Rate: 19000, Base: 100, Taxable: 100, Amount: 19}}}
}

func issue(s record.Store, d *invoices.Document) error {
	return s.CommitNotify(background, notify.Change{Document: d})
}

// counts returns an error unless a series has exactly so many documents, numbered from 1.
func counts(s record.Store, series invoices.Series, count int) error {
	last, err := s.LastNumber(background, series)
	if err != nil || last != count {
		return fmt.Errorf("the last number is %d, %v; want %d", last, err, count)
	}
	page, err := s.Documents(background, series, "", count+1)
	if err != nil || len(page.Items) != count || page.Next != "" {
		return fmt.Errorf("%d documents, %v; want %d", len(page.Items), err, count)
	}
	for i := range page.Items {
		if page.Items[i].Number != i+1 {
			return fmt.Errorf("document %d has the number %d", i+1, page.Items[i].Number)
		}
	}
	return nil
}

// numbers: a document has the next number of its series; a change with any other one writes nothing.
func numbers(s record.Store) error {
	series := newSeries(checkout.Test)
	for n := 1; n <= 12; n++ { // more than nine: numbers do not sort as texts
		if err := cmp.Or(want("a number twice", issue(s, newDocument(series, n-1)), notify.ErrStale),
			want("a number left out", issue(s, newDocument(series, n+1)), notify.ErrStale), counts(s, series, n-1),
			need("the next number", issue(s, newDocument(series, n)))); err != nil {
			return err
		}
	}
	page, err := s.Documents(background, series, "", 5)
	if err != nil || len(page.Items) != 5 || page.Next == "" {
		return fmt.Errorf("the first page has %d, %v", len(page.Items), err)
	}
	page, err = s.Documents(background, series, page.Next, 5)
	if err != nil || len(page.Items) != 5 || page.Items[0].Number != 6 {
		return fmt.Errorf("the second page has %d, %v", len(page.Items), err)
	}
	return counts(s, series, 12)
}

// seriesApart: environment, store, kind and year each have numbers of their own.
func seriesApart(s record.Store) error {
	first := newSeries(checkout.Test)
	others := []invoices.Series{first, first, first, first}
	others[0].Environment, others[1].StoreID, others[2].Kind, others[3].Year = checkout.Prod, fresh("STO"), invoices.CreditNote, 2027
	if err := need("a document", issue(s, newDocument(first, 1))); err != nil {
		return err
	}
	for _, other := range others {
		if err := cmp.Or(counts(s, other, 0), need("another series", issue(s, newDocument(other, 1))), counts(s, other, 1)); err != nil {
			return err
		}
	}
	return counts(s, first, 1)
}

// documentFound: a document is found by its token and by its event, in its environment only.
func documentFound(s record.Store) error {
	d := newDocument(newSeries(checkout.Test), 1)
	if err := need("a document", issue(s, d)); err != nil {
		return err
	}
	byToken, err := s.Document(background, d.Token)
	if err != nil || !reflect.DeepEqual(byToken, d) {
		return fmt.Errorf("by its token: %+v, %v; want %+v", byToken, err, d)
	}
	byEvent, err := s.DocumentOf(background, checkout.Test, d.OrderID, d.EventID)
	if err != nil || !reflect.DeepEqual(byEvent, d) {
		return fmt.Errorf("by its event: %+v, %v", byEvent, err)
	}
	for what, find := range map[string]func() (*invoices.Document, error){
		"in the other environment": func() (*invoices.Document, error) {
			return s.DocumentOf(background, checkout.Prod, d.OrderID, d.EventID)
		},
		"by another event": func() (*invoices.Document, error) {
			return s.DocumentOf(background, checkout.Test, d.OrderID, fresh("PAY"))
		},
		"by an order's id":     func() (*invoices.Document, error) { return s.Document(background, d.OrderID) },
		"by an empty token":    func() (*invoices.Document, error) { return s.Document(background, "") },
		"by a part of a token": func() (*invoices.Document, error) { return s.Document(background, d.Token[:len(d.Token)-1]) },
	} {
		if found, err := find(); !errors.Is(err, invoices.ErrNotFound) {
			return fmt.Errorf("%s: %+v, %v", what, found, err)
		}
	}
	again := newDocument(d.Series, 2)
	again.OrderID, again.EventID = d.OrderID, d.EventID
	return cmp.Or(want("a second document of an event", issue(s, again), notify.ErrStale), counts(s, d.Series, 1))
}

// documentWithFact: a document is written with its fact or not at all.
func documentWithFact(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	got, err := addFacts(s, order, 1)
	if err != nil {
		return err
	}
	series := newSeries(checkout.Test)
	change := notify.Change{Fact: &got[0], Document: newDocument(series, 2)}
	if err := want("a wrong number", s.CommitNotify(background, change), notify.ErrStale); err != nil {
		return err
	}
	if left, err := queued(s, order); err != nil || len(left) != 1 {
		return fmt.Errorf("the fact is taken without its document: %+v, %v", left, err)
	}
	change.Document = newDocument(series, 1)
	if err := need("a fact with its document", s.CommitNotify(background, change)); err != nil {
		return err
	}
	change.Document = newDocument(series, 2)
	return cmp.Or(want("the fact again", s.CommitNotify(background, change), notify.ErrStale), counts(s, series, 1))
}

// numberRace: of many workers that issue concurrently one gets each number.
func numberRace(s record.Store) error {
	series := newSeries(checkout.Prod)
	for n := range rounds {
		err := oneWinner("a number", notify.ErrStale, func(int) error { return issue(s, newDocument(series, n+1)) })
		if err := cmp.Or(err, counts(s, series, n+1)); err != nil {
			return err
		}
	}
	return nil
}
