package orders_test

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

func (g *boundProvider) CreateRefund(deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.CreateRefund(g.life.until(deadline), w, key)
}

func (g *boundProvider) RetrieveRefund(deadline time.Time, ref string) (psp.Refund, *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.RetrieveRefund(g.life.until(deadline), ref)
}

func (g *boundProvider) ListRefunds(deadline time.Time, paymentID string, created psp.Span, after string) (psp.Page[psp.Refund], *psp.CallError) {
	g.life.boundary()
	defer g.life.boundary()
	return g.Provider.ListRefunds(g.life.until(deadline), paymentID, created, after)
}

// moneyBack: the merchant refunds a part of a session's payment, once or until an answer comes.
type moneyBack struct {
	Session int
	Amount  string
	Again   bool // and asks again if the answer is an error
	Racing  bool
	Faults  []fault.Spec // of the provider's calls and webhooks from then on; nil leaves them as they are
}

func (s moneyBack) racing() bool { return s.Racing }

func (s moneyBack) take(w *world) {
	l := w.currentLife()
	session, err := w.view.Session(context.Background(), sessionOf(s.Session))
	must(err)
	o, err := w.view.Order(context.Background(), checkout.Test, session.OrderID)
	if err != nil || len(o.Payments) == 0 || o.Payments[len(o.Payments)-1].Status != orders.Succeeded {
		return
	}
	if len(s.Faults) > 0 {
		fail{s.Faults}.take(w)
	}
	request := orders.TicketRequest{PaymentID: o.Payments[len(o.Payments)-1].ID, Reason: "r", Amount: s.Amount, Currency: "EUR"}
	go func() {
		for range 2 {
			o, ticket, err := l.service.CreateTicket(context.Background(), merchant1, request, "")
			if l.ended() {
				return
			}
			if err == nil && ticket.Status == orders.TicketSucceeded {
				w.check("I16", refundIsMade(w.look(), o.ID, o.Refund(ticket.RefundID)))
			}
			if err == nil || !s.Again {
				return
			}
		}
	}()
}

// I15: each refund of an order is made at most once at the provider, under one key, and never more than was paid.
func refundedOnce(f *facts) error {
	made, sums := make(map[string]string), make(map[string]int64)
	for _, r := range f.refunds {
		if r.Status == "failed" {
			continue
		}
		if name := r.Session + " refund " + r.Key; r.Key != "" && made[name] != "" {
			return fmt.Errorf("%s was made twice, as %s and %s", name, made[name], r.ID)
		} else {
			made[name] = r.ID
		}
		if sums[r.Session] += r.Amount; sums[r.Session] > f.chargedAt(r.Session) {
			return fmt.Errorf("%d is refunded of %s", sums[r.Session], r.Session)
		}
	}
	return nil
}

func (f *facts) chargedAt(session string) int64 {
	for _, r := range f.remote {
		if r.ID == session {
			return r.Amount
		}
	}
	return 0
}

// I16: a refund that counts as made is at the provider, with its amount.
func refundsAreMade(f *facts) error {
	for id, o := range f.orders {
		for i := range o.Refunds {
			r := &o.Refunds[i]
			if r.State != orders.RefundPending && r.State != orders.RefundSucceeded {
				continue
			}
			if err := refundIsMade(f, id, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func refundIsMade(f *facts, order string, r *orders.Refund) error {
	for _, made := range f.refunds {
		if made.ID == r.Ref && made.Amount == r.Amount && (r.N == 0 || made.Key == strconv.Itoa(r.N)) {
			return nil
		}
	}
	return fmt.Errorf("%s of %s is %s and not at the provider", r.ID, order, r.State)
}

// I17: at the end no refund is open, every refund of the provider is recorded as it is there, and the splits are those of the order.
func refundsEnd(f *facts) error {
	known := make(map[string]*orders.Refund)
	for id, o := range f.orders {
		for i := range o.Tickets {
			if o.Tickets[i].Status.Open() {
				return fmt.Errorf("%s of %s is %s", o.Tickets[i].ID, id, o.Tickets[i].Status)
			}
		}
		var sum, net int64
		for i := range o.Refunds {
			r := &o.Refunds[i]
			known[r.Ref] = r
			if r.State == orders.RefundSucceeded {
				sum, net = sum+r.Split.Total(), net+r.Split.Net
				if r.Split.Total() != r.Amount {
					return fmt.Errorf("%s of %d is split into %+v", r.ID, r.Amount, r.Split)
				}
			}
		}
		if a := o.Sold().Quote.Assessment; sum == a.Total && net != a.Subtotal {
			return fmt.Errorf("all of %s is refunded, with %d of %d net", id, net, a.Subtotal)
		}
	}
	for _, r := range f.refunds {
		state := map[string]orders.RefundState{"succeeded": orders.RefundSucceeded, "failed": orders.RefundFailed, "pending": orders.RefundPending}[r.Status]
		if ours := known[r.ID]; ours == nil || ours.State != state {
			return fmt.Errorf("the provider's %s is %s and here %+v", r.ID, r.Status, ours)
		}
	}
	return nil
}

// I18: what became of a refund is told once for each end.
func refundsAreTold(f *facts) error {
	for id, o := range f.orders {
		for i := range o.Refunds {
			r, told := &o.Refunds[i], make(map[string]int)
			for _, fact := range f.outbox[id] {
				told[fact]++
			}
			succeeded, failed := told["refund.succeeded "+r.ID], told["refund.failed "+r.ID]
			if succeeded > 1 || failed > 1 || r.State == orders.RefundSucceeded && (succeeded != 1 || failed != 0) || r.State == orders.RefundFailed && failed != 1 {
				return fmt.Errorf("%s is %s and told %d times as succeeded, %d as failed", r.ID, r.State, succeeded, failed)
			}
		}
	}
	return nil
}

func (g brokenProvider) CreateRefund(deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	if g.refund == nil {
		return g.Provider.CreateRefund(deadline, w, key)
	}
	return g.refund(g.Provider, deadline, w, key)
}

func onRefund(broken func(psp.Provider, time.Time, psp.RenderedRequest, string) (psp.Refund, *psp.CallError)) mutant {
	return onProvider(brokenProvider{refund: broken})
}

func newRefundKeys() mutant {
	tries := new(atomic.Int64)
	return onRefund(func(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
		return g.CreateRefund(deadline, w, fmt.Sprint(key, "_", tries.Add(1)))
	})
}

// hopelessRefund takes an unknown outcome for a refusal.
func hopelessRefund(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	r, callErr := g.CreateRefund(deadline, w, key)
	if callErr != nil {
		callErr.Class = psp.Definitive
	}
	return r, callErr
}

// hopefulRefund takes a call for its effect.
func hopefulRefund(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	r, callErr := g.CreateRefund(deadline, w, key)
	if callErr == nil {
		return r, nil
	}
	form, _ := url.ParseQuery(string(w.Body))
	amount, _ := strconv.ParseInt(form.Get("amount"), 10, 64)
	return psp.Refund{Ref: "re_hoped", Status: psp.RefundSucceeded, PaymentID: form.Get("payment_intent"), Amount: money.Amount{Minor: amount, Currency: "EUR"}}, nil
}
