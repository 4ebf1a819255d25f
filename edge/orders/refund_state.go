package orders

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

const (
	// refundReplay is how long the same bytes are sent again under the same key. A provider forgets a key after a day, and would
	// then make a second refund.
	refundReplay = 23 * time.Hour
	// refundLookedFor is how long the provider's list is searched for a refund that it may have made, before it counts as not made.
	refundLookedFor = 15 * time.Minute
	// refundPolled is how often the provider is asked about money on its way to the buyer, if no webhook tells, and
	// refundPolledLate how often after more than a month.
	refundPolled, refundPolledLate = time.Hour, 24 * time.Hour
)

// refundID is made of the order and the number, so that the same refund leads to the same call of the provider though a backup was
// restored in between.
func (o *Order) refundID(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "refund %d of %s", n, o.ID))
	return shortid.Format(shortid.Refund, shortid.NewV7(time.UnixMilli(o.CreatedAt), bytes.NewReader(sum[:])))
}

// nextRefund is the number of the next refund that is made here.
func (o *Order) nextRefund() int {
	n := 1
	for i := range o.Refunds {
		n = max(n, o.Refunds[i].N+1)
	}
	return n
}

// beginRefund adds the refund of an approved ticket. Once it is persisted it may be sent.
func (o *Order) beginRefund(t *Ticket, r Refund, now int64) *Refund {
	r.TicketID, r.PaymentID, r.State = t.ID, t.PaymentID, RefundSent
	r.SentAt, r.CreatedAt, r.UpdatedAt = now, now, now
	o.Refunds = append(o.Refunds, r)
	t.RefundID, t.Status, t.UpdatedAt = r.ID, TicketProcessing, now
	o.UpdatedAt = now
	return &o.Refunds[len(o.Refunds)-1]
}

// refundCallFailed records a call that did not answer with a refund, by what its failure proves. A call that certainly had no
// effect is made again later; one that may have had it is never taken for a failure.
func (o *Order) refundCallFailed(r *Refund, e *psp.CallError, now int64) []Fact {
	r.LastError, r.UpdatedAt, o.UpdatedAt = e.Error(), now, now
	switch {
	case e.Class == psp.Definitive && !r.EverUnknown:
		return o.refundEnded(r, e.Code, now)
	case e.Class == psp.Definitive, e.Class == psp.KeyBurned, e.Class == psp.KeyTaken:
		r.EverUnknown, r.LookedForAt = true, now
	case e.Class != psp.NotExecuted:
		r.EverUnknown = true
	}
	r.State = RefundUnresolved
	return nil
}

// refundEnded records that a refund has failed.
func (o *Order) refundEnded(r *Refund, why string, now int64) []Fact {
	if r.State == RefundFailed {
		return nil
	}
	r.State, r.Failure, r.Request = RefundFailed, why, psp.RenderedRequest{}
	o.refundSettled(r, TicketFailed, now)
	return []Fact{o.refundFact(RefundHasFailed, r, now)}
}

// refundReported moves a refund to where the provider says it is. It is the same in whatever order reports come and however often:
// a success is not taken back by an older report, and a failure that the provider has reported is the end.
func (o *Order) refundReported(r *Refund, remote *psp.Refund, now int64) []Fact {
	if r.State == RefundFailed && r.Ref != "" {
		return nil
	}
	was := r.State
	r.Ref, r.LastError, r.Request, r.LookedForAt = remote.Ref, "", psp.RenderedRequest{}, 0
	r.UpdatedAt, o.UpdatedAt = now, now
	if !r.confirmed() && remote.Status != psp.RefundFailed {
		r.Split = o.divide(r)
	}
	switch remote.Status {
	case psp.RefundFailed:
		return o.refundEnded(r, remote.Failure, now)
	case psp.RefundSucceeded:
		r.State, r.Failure = RefundSucceeded, ""
		if was == RefundSucceeded {
			return nil
		}
		o.refundSettled(r, TicketSucceeded, now)
		return []Fact{o.refundFact(RefundHasSucceeded, r, now)}
	}
	if was != RefundSucceeded {
		r.State, r.Failure = RefundPending, ""
		if t := o.Ticket(r.TicketID); t != nil {
			t.Status, t.UpdatedAt = TicketProcessing, now
		}
	}
	return nil
}

// divide is how a refund that the provider has just confirmed divides.
func (o *Order) divide(r *Refund) Split {
	p := o.Payment(r.PaymentID)
	whole := splitOf(&o.Quote(p).Assessment)
	left := whole
	for i := range o.Refunds {
		if other := &o.Refunds[i]; other != r && other.PaymentID == r.PaymentID && other.confirmed() {
			left = left.minus(&other.Split)
		}
	}
	return whole.take(&left, min(r.Amount, left.Total()))
}

// refundSettled records the end of a refund on its ticket, and that a refund that was due has been made.
func (o *Order) refundSettled(r *Refund, to TicketStatus, now int64) {
	r.UpdatedAt, o.UpdatedAt = now, now
	if r.SettledAt == 0 {
		r.SettledAt = now
	}
	if t := o.Ticket(r.TicketID); t != nil {
		t.Status, t.ExecutedAt, t.UpdatedAt = to, now, now
	}
	if o.State == RefundDue && o.RefundHandledAt == 0 && o.unreturned() <= 1 {
		o.RefundHandledAt = now
	}
}

// unreturned counts the payments that were not refunded in full.
func (o *Order) unreturned() (n int) {
	for i := range o.Payments {
		p := &o.Payments[i]
		left := o.Charged(p).Minor
		for j := range o.Refunds {
			if r := &o.Refunds[j]; r.PaymentID == p.ID && r.State == RefundSucceeded {
				left -= r.Amount
			}
		}
		if left > 0 {
			n++
		}
	}
	return n
}

func (o *Order) refundFact(kind FactKind, r *Refund, now int64) Fact {
	return Fact{Kind: kind, Environment: o.Environment, StoreID: o.StoreID, OrderID: o.ID, EventID: r.ID, At: now}
}

// refundsDueAt is when the refunds must be looked at again, in Unix milliseconds; 0 is never.
func (o *Order) refundsDueAt() int64 {
	due := o.RefundsCheckAt
	for i := range o.Tickets {
		if t := &o.Tickets[i]; t.Status == TicketApproved {
			due = earlier(due, t.UpdatedAt)
		}
	}
	for i := range o.Refunds {
		due = earlier(due, o.Refunds[i].dueAt())
	}
	return due
}

// earlier is the earlier of two instants, of which 0 is never.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (r *Refund) dueAt() int64 {
	switch r.State {
	case RefundSent:
		return r.UpdatedAt + sentGrace.Milliseconds()
	case RefundUnresolved:
		return r.UpdatedAt + backoff(r.Tries).Milliseconds()
	case RefundPending:
		if r.UpdatedAt < r.CreatedAt+LongestPayment.Milliseconds() {
			return r.UpdatedAt + refundPolled.Milliseconds()
		}
		return r.UpdatedAt + refundPolledLate.Milliseconds()
	}
	return 0
}
