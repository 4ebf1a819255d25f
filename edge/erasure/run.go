package erasure

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// run is one call of [Service.Erase].
type run struct {
	*Service
	ctx     context.Context
	request Request
	address string // normalised
	now     int64
}

const (
	taxLaw  = "tax law keeps the records of a sale"
	sending = "the webhook is still being sent"
	asking  = "VIES is still being asked"
	busy    = "it is being changed all the time"
)

// mentions reports whether a text has the buyer's address in it.
func (r *run) mentions(text string) bool { return mentions(text, r.address) }

// narrowed reports whether the request leaves records of an environment and store out.
func (r *run) narrowed(env checkout.Environment, storeID string) bool {
	return r.request.Environment != "" && r.request.Environment != env || r.request.StoreID != "" && r.request.StoreID != storeID
}

// keptUntil returns until when the law keeps the records of money that moved at an instant, 0 if it keeps none.
func (r *run) keptUntil(env checkout.Environment, at int64) int64 {
	if env != checkout.Prod || at == 0 {
		return 0
	}
	until := time.Date(time.UnixMilli(at).UTC().Year()+1+r.request.KeepYears, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	if until <= r.now {
		return 0
	}
	return until
}

// erase erases a record if it is the buyer's; nil if it is not.
func (r *run) erase(record *Record) (*Item, error) {
	switch v := record.Value.(type) {
	case *sessions.Session:
		return r.session(v)
	case *orders.Order:
		return r.order(v)
	case *invoices.Document:
		return r.document(v)
	case *invoices.Mail:
		return r.mail(v)
	case *notify.Delivery:
		return r.delivery(v)
	case *idempotency.Answer:
		return r.answer(record.Answer, v)
	}
	return nil, nil
}

// again calls do until its write meets no concurrent one. do reads the record anew from its second call on.
func (r *run) again(item *Item, do func(first bool) error) (*Item, error) {
	for try := range 10 {
		err := do(try == 0)
		if !stale(err) {
			return item, err
		}
	}
	item.Outcome, item.Why, item.Until = Waits, busy, 0
	return item, nil
}

// session erases a session without an order of the buyer; one with it is erased with the order.
func (r *run) session(s *sessions.Session) (*Item, error) {
	if r.narrowed(s.Environment, s.StoreID) || !s.IsOf(r.address, r.mentions) {
		return nil, nil
	}
	item := &Item{Kind: "checkout session", Environment: s.Environment, StoreID: s.StoreID, ID: s.ID, Outcome: Erased}
	mine := true
	_, err := r.again(item, func(first bool) (err error) {
		if !first {
			if s, err = r.Store.Session(r.ctx, s.ID); errors.Is(err, sessions.ErrNotFound) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if s.OrderID != "" {
			o, err := r.Store.Order(r.ctx, s.Environment, s.OrderID)
			if err != nil {
				return err
			}
			if mine = !o.IsOf(r.address); !mine {
				return nil
			}
			if item.Why, item.Until = o.InFlight(); item.Why != "" {
				item.Outcome = Waits
				return nil
			}
		}
		item.Outcome = Erased
		if s.Erase(s.OrderID == "", r.mentions, r.now); r.request.DryRun {
			return nil
		}
		return r.Store.Commit(r.ctx, orders.Change{Session: s})
	})
	if !mine {
		return nil, err
	}
	return item, err
}

// order erases an order with its session and the check of the VAT number.
func (r *run) order(o *orders.Order) (*Item, error) {
	if r.narrowed(o.Environment, o.StoreID) || !o.IsOf(r.address) {
		return nil, nil
	}
	item := &Item{Kind: "order", Environment: o.Environment, StoreID: o.StoreID, ID: o.ID}
	return r.again(item, func(first bool) (err error) {
		if !first {
			if o, err = r.Store.Order(r.ctx, o.Environment, o.ID); err != nil {
				return err
			}
		}
		return r.eraseOrder(o, item)
	})
}

func (r *run) eraseOrder(o *orders.Order, item *Item) error {
	if item.Why, item.Until = o.InFlight(); item.Why != "" {
		item.Outcome = Waits
		return nil
	}
	item.Outcome = Erased
	if until := r.keptUntil(o.Environment, o.MoneyMovedAt()); until != 0 {
		item.Outcome, item.Why, item.Until = Kept, taxLaw, until
	}
	all := item.Outcome == Erased
	waits, err := r.eraseCheck(o, all)
	if err != nil {
		return err
	}
	if waits {
		item.Outcome, item.Why = Waits, asking
		return nil
	}
	session, err := r.Store.Session(r.ctx, o.SessionID)
	if err != nil {
		return err
	}
	change := orders.Change{}
	if session.Erase(all, r.mentions, r.now) {
		change.Session = session
	}
	if o.Erase(all) {
		change.Order = o
	}
	if change.Session != nil && change.Order == nil {
		change.Order = o // whose external id is the session's
	}
	if change.Order == nil || r.request.DryRun {
		return nil
	}
	return r.Store.Commit(r.ctx, change)
}

// eraseCheck erases the check of an order's VAT number. It reports whether VIES is still being asked, while all must go.
func (r *run) eraseCheck(o *orders.Order, all bool) (waits bool, err error) {
	c, err := r.Store.VATCheck(r.ctx, o.Environment, o.StoreID, o.ID)
	if errors.Is(err, vies.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if all && c.DueAt != 0 {
		return true, nil
	}
	if !c.Erase(all) || r.request.DryRun {
		return false, nil
	}
	return false, r.Store.WriteVATCheck(r.ctx, c)
}

// document erases a receipt or credit note that no law keeps.
func (r *run) document(d *invoices.Document) (*Item, error) {
	if r.narrowed(d.Series.Environment, d.Series.StoreID) || email.Normalize(d.Buyer.Email) != r.address {
		return nil, nil
	}
	item := &Item{Kind: string(d.Series.Kind), Environment: d.Series.Environment, StoreID: d.Series.StoreID, ID: d.Code(), Outcome: Erased}
	if until := r.keptUntil(d.Series.Environment, d.IssuedAt); until != 0 {
		item.Outcome, item.Why, item.Until = Kept, taxLaw, until
		return item, nil
	}
	if r.request.DryRun {
		return item, nil
	}
	d.Erase()
	return item, r.Store.ReplaceDocument(r.ctx, d)
}

// mail erases an e-mail, also one that is still to be sent.
func (r *run) mail(m *invoices.Mail) (*Item, error) {
	if r.narrowed(m.Environment, m.StoreID) || email.Normalize(m.To) != r.address {
		return nil, nil
	}
	item := &Item{Kind: "e-mail", Environment: m.Environment, StoreID: m.StoreID, Outcome: Erased}
	return r.again(item, func(first bool) (err error) {
		if !first {
			if m, err = r.Store.Mail(r.ctx, m.Token); errors.Is(err, invoices.ErrNotFound) {
				return nil
			}
		}
		if m.Erase(r.now); err != nil || r.request.DryRun {
			return err
		}
		return r.Store.WriteMail(r.ctx, m)
	})
}

// delivery erases an event about the buyer.
func (r *run) delivery(d *notify.Delivery) (*Item, error) {
	if r.narrowed(d.Environment, d.StoreID) || !r.told(d) {
		return nil, nil
	}
	item := &Item{Kind: "webhook delivery", Environment: d.Environment, StoreID: d.StoreID, ID: d.ID}
	return r.again(item, func(first bool) (err error) {
		if !first {
			if d, err = r.Store.Delivery(r.ctx, d.Environment, d.ID); errors.Is(err, notify.ErrNotFound) {
				return nil
			}
		}
		if err != nil {
			return err
		}
		if d.State == notify.Pending {
			item.Outcome, item.Why, item.Until = Waits, sending, d.DueAt
			return nil
		}
		item.Outcome, item.Why, item.Until = Erased, "", 0
		if !d.Erase() || r.request.DryRun {
			return nil
		}
		return r.Store.CommitNotify(r.ctx, notify.Change{Deliveries: []*notify.Delivery{d}})
	})
}

// told reports whether a delivery, or a merchant's answer to it, mentions the buyer.
func (r *run) told(d *notify.Delivery) bool {
	if r.mentions(string(d.Body)) {
		return true
	}
	for i := range d.Tries {
		if r.mentions(d.Tries[i].Answer) {
			return true
		}
	}
	return false
}

// answer erases the answer of an idempotency key. The same request is executed again then.
func (r *run) answer(id idempotency.ID, a *idempotency.Answer) (*Item, error) {
	if r.request.StoreID != "" || r.narrowed(id.Environment, "") || !r.mentions(string(a.Body)) {
		return nil, nil
	}
	item := &Item{Kind: "idempotent answer", Environment: id.Environment, Outcome: Erased}
	if r.request.DryRun {
		return item, nil
	}
	return item, r.Store.KeepAnswer(r.ctx, id, &idempotency.Answer{}, time.UnixMilli(r.now))
}
