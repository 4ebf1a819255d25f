package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// personal: every record that may hold data of a buyer is read once, whatever the size of the pages.
func personal(s record.Store) error {
	session, o, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	d := newDocument(newSeries(checkout.Test), 1)
	m, w := newMail(d, 9e12), newDelivery(checkout.Test, fresh("STO"), fresh("e"), 9e12)
	answer := idempotency.ID{Environment: checkout.Test, Hash: fresh("hash")}
	err = errors.Join(s.CommitNotify(background, notify.Change{Document: d, Mail: m, Deliveries: []*notify.Delivery{w}}),
		s.KeepAnswer(background, answer, &idempotency.Answer{Request: [32]byte{1}, Body: []byte("{}")}, time.Now().Add(time.Hour)),
		s.KeepAnswer(background, idempotency.ID{Environment: checkout.Test, Hash: "gone"}, &idempotency.Answer{Request: [32]byte{1}}, time.Now().Add(-time.Hour)))
	if err != nil {
		return err
	}
	wanted := []string{"session " + session.ID, "order " + o.ID, "document " + d.Token, "mail " + m.Token, "delivery " + w.ID, "answer test/" + answer.Hash}
	for _, limit := range []int{3, 1000} {
		found := make(map[string]int)
		for after := ""; ; {
			records, next, err := s.Personal(background, after, limit)
			if err != nil {
				return err
			}
			for i := range records {
				found[nameOf(&records[i])]++
			}
			if after = next; after == "" {
				break
			}
		}
		for _, name := range wanted {
			if found[name] != 1 {
				return fmt.Errorf("by pages of %d: %s is found %d times", limit, name, found[name])
			}
		}
		if found["answer test/gone"] != 0 || slices.Max(slices.Collect(maps.Values(found))) > 1 {
			return fmt.Errorf("by pages of %d: found too much", limit)
		}
	}
	return nil
}

func nameOf(r *erasure.Record) string {
	switch v := r.Value.(type) {
	case *sessions.Session:
		return "session " + v.ID
	case *orders.Order:
		return "order " + v.ID
	case *invoices.Document:
		return "document " + v.Token
	case *invoices.Mail:
		return "mail " + v.Token
	case *notify.Delivery:
		return "delivery " + v.ID
	case *idempotency.Answer:
		return "answer " + string(r.Answer.Environment) + "/" + r.Answer.Hash
	}
	return fmt.Sprintf("%T", r.Value)
}

// replacedDocument: a document is written in place of the one with its number, and found as before.
func replacedDocument(s record.Store) error {
	d := newDocument(newSeries(checkout.Prod), 1)
	if err := issue(s, d); err != nil {
		return err
	}
	d.Buyer = invoices.Party{Country: "FR"}
	if err := need("a document again", s.ReplaceDocument(background, d)); err != nil {
		return err
	}
	byToken, err := s.Document(background, d.Token)
	byEvent, failed := s.DocumentOf(background, checkout.Prod, d.OrderID, d.EventID)
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if !reflect.DeepEqual(byToken, d) || !reflect.DeepEqual(byEvent, d) {
		return fmt.Errorf("it is %+v and %+v, want %+v", byToken, byEvent, d)
	}
	return counts(s, d.Series, 1)
}

// lostExternalID: an order is no longer found by an external id that its session has lost.
func lostExternalID(s record.Store) error {
	shelf := &shelf{s, checkout.Test, fresh("STO")}
	external := fresh("external")
	o, err := shelf.put(1, func(s *sessions.Session, _ *orders.Order) { s.ExternalID = external })
	if err != nil {
		return err
	}
	list := orders.List{Environment: checkout.Test, Stores: []string{shelf.storeID}, ExternalID: external, Limit: 10}
	if err := shelf.expect("by its external id", list, o); err != nil {
		return err
	}
	if err := need("a change", s.Commit(background, orders.Change{Order: o})); err != nil {
		return err
	}
	o.Version++
	if err := shelf.expect("after a change without the session", list, o); err != nil {
		return err
	}
	session, err := s.Session(background, o.SessionID)
	if err != nil {
		return err
	}
	session.ExternalID = ""
	if err := need("a session without it", s.Commit(background, orders.Change{Session: session, Order: o})); err != nil {
		return err
	}
	return shelf.expect("by the lost external id", list)
}

// erasures: entries are listed in the order of their ids, and all callers get the same key.
func erasures(s record.Store) error {
	var wanted []erasure.Entry
	for i := range 5 {
		e := erasure.Entry{ID: fresh("ERA"), At: int64(1000 + i), Buyer: "hash", Environment: checkout.Prod, StoreID: "STO_1",
			Counts: []erasure.Count{{Kind: "order", Outcome: erasure.Kept, N: 1, Until: 5}}}
		if err := need("an entry", s.AddErasure(background, &e)); err != nil {
			return err
		}
		wanted = append(wanted, e)
	}
	var found []erasure.Entry
	for after := ""; ; {
		page, err := s.Erasures(background, after, 2)
		if err != nil {
			return err
		}
		found = append(found, page.Items...)
		if after = page.Next; after == "" || len(found) > 1000 {
			break
		}
	}
	if len(found) < len(wanted) || !reflect.DeepEqual(found[len(found)-len(wanted):], wanted) {
		return fmt.Errorf("entries: %+v, want %+v", found, wanted)
	}
	first, err := s.ErasureKey(background, func() ([]byte, error) { return []byte{1}, nil })
	second, failed := s.ErasureKey(background, func() ([]byte, error) { return []byte{2}, nil })
	if err := errors.Join(err, failed); err != nil || !bytes.Equal(first, second) || len(first) == 0 {
		return fmt.Errorf("the keys are %v and %v, %v", first, second, err)
	}
	return nil
}
