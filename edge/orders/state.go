package orders

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// LongestPayment is how long a payment can take after its checkout.
const LongestPayment = 35 * 24 * time.Hour

const (
	// maxAttempts and maxDeclined bound an order's record: all attempts and payments are in it, and a database limits its size. Nobody
	// changes a billing detail so often; those who try stolen cards do.
	maxAttempts, maxDeclined = 50, 100

	// checkoutLife is how long a provider's checkout can be paid: twice the provider's minimum, so that the same bytes can be
	// sent again during the first half.
	checkoutLife = time.Hour
	// minCheckoutLife is the shortest life that a provider accepts when it executes a request (Stripe: 30 minutes).
	minCheckoutLife = 30 * time.Minute
	// urlMargin is how long a checkout must still be payable for its URL to be returned.
	urlMargin = time.Minute

	// sentGrace is the age at which the sweeper resumes a sent attempt: longer than a create-order can take.
	sentGrace = 15 * time.Second
	// expiryGrace is how long after its expiry a checkout is read from the provider if no webhook has arrived.
	expiryGrace = 2 * time.Minute
	// processingEvery is how often a payment that is being processed is read from the provider if no webhook arrives.
	processingEvery = time.Hour
	// Unresolved calls are retried after 5, 10, 20 … seconds, at most 5 minutes apart.
	firstBackoff, lastBackoff = 5 * time.Second, 5 * time.Minute
)

// digest identifies what a buyer asks for. Price and tax are not part of it: they are frozen with the order, so a tax
// rule that changes overnight does not reach a buyer who has already seen a total.
func digest(o *checkout.Order, address sessions.Address) string {
	b := &o.Billing
	business := "0"
	if b.IsBusiness {
		business = "1"
	}
	text := make([]byte, 0, 512)
	for _, field := range [...]string{o.SessionID, string(b.Country), b.State, b.Postcode, business, b.BusinessName, b.TaxID,
		o.BuyerEmail, o.BuyerIdentity, o.SuccessURL} {
		text = appendField(text, field)
	}
	for i := range o.Consents {
		text = appendField(text, o.Consents[i].Version)
	}
	if address != (sessions.Address{}) {
		for _, field := range [...]string{"address", address.Name, address.Street, address.City} {
			text = appendField(text, field)
		}
	}
	sum := sha256.Sum256(text)
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// appendField prefixes the length, so that no two lists of fields have the same bytes.
func appendField(text []byte, s string) []byte {
	return append(binary.AppendUvarint(text, uint64(len(s))), s...)
}

// begin adds a new current attempt. The one before it must be known to be unpayable.
func (o *Order) begin(a Attempt, now int64) {
	a.N = len(o.Attempts) + 1
	a.State = Sent
	o.Attempts = append(o.Attempts, a)
	o.State = Pending
	o.UpdatedAt = now
}

// opened records the provider's checkout. Its URL may be disclosed only after this is durable.
func (o *Order) opened(r psp.Checkout, now int64) {
	a := o.Current()
	a.State, a.Ref, a.URL, a.LastError = Open, r.Ref, r.URL, ""
	a.Request = psp.RenderedRequest{}
	o.State = AwaitingPayment
	o.UpdatedAt = now
}

// failed records a call without a checkout, according to what its error proves.
func (o *Order) failed(f *psp.CallError, now int64) {
	a := o.Current()
	a.LastError = f.Error()
	o.UpdatedAt = now
	switch {
	case f.Class == psp.Definitive, f.Class == psp.NotExecuted && !a.EverUnknown:
		o.rollBack(Refused)
	case f.Class == psp.KeyBurned, f.Class == psp.KeyTaken:
		a.KeyTaken = f.Class == psp.KeyTaken
		o.rollBack(Abandoned)
	default:
		a.State, a.EverUnknown = Unresolved, true
	}
}

// rollBack ends the current attempt in a state without a checkout. The session can be ordered from again at once.
func (o *Order) rollBack(to AttemptState) {
	a := o.Current()
	a.State = to
	a.Request = psp.RenderedRequest{}
	o.State = RolledBack
}

// superseding marks that the current checkout is to be ended at the provider.
func (o *Order) superseding(now int64) {
	o.Current().State = Superseding
	o.UpdatedAt = now
}

// ended records that an attempt cannot be paid any more, as the provider has confirmed. If a buyer had its URL and let it expire,
// the order is canceled. After one that was superseded, or whose URL nobody had, the session can be ordered from again.
func (o *Order) ended(a *Attempt, now int64) {
	if a.State == Settled || a.State == Ended {
		return
	}
	ours := a.State == Superseding || a.URL == ""
	a.State = Ended
	a.Request = psp.RenderedRequest{}
	if a == o.Current() && !o.State.Settled() {
		o.State = Expired
		if ours {
			o.State = RolledBack
		}
	}
	o.UpdatedAt = now
}

// elsewhere reports whether an attempt belongs to another account than the current one, and can therefore not be looked up. An
// attempt of an older version may belong to any account.
func (a *Attempt) elsewhere(today psp.Account) bool {
	return a.Account.ID != "" && a.Account.ID != today.ID
}

// overAt reports whether an attempt of another account can no longer be paid there. One whose URL nobody has cannot be
// paid, and a payment at an account without real money does not count. Any other can be paid until it expires.
func (a *Attempt) overAt(now int64) bool {
	return a.URL == "" || a.Account.TestMode || now >= a.ExpiresAt+expiryGrace.Milliseconds()
}

// left ends the current attempt, which belongs to another account and is over. If real money may have arrived there, the session
// closes, so that it is not sold twice. Otherwise it can be ordered from again.
func (o *Order) left(now int64) {
	a := o.Current()
	unpayable := a.URL == "" || a.Account.TestMode
	a.State, a.Request = Ended, psp.RenderedRequest{}
	o.State = Expired
	if unpayable {
		o.State = RolledBack
	}
	o.UpdatedAt = now
}

// processing records that the buyer has finished and the payment is being processed. It changes nothing if the payment's outcome
// is known already, because events arrive in any order.
func (o *Order) processing(a *Attempt, now int64) {
	if a.State == Settled || a.State == Ended || o.State.Settled() {
		return
	}
	a.State = AttemptProcessing
	o.State = Processing
	o.UpdatedAt = now
}

// settled records a payment and returns the resulting facts. It is idempotent and independent of earlier events: the first
// payment of an attempt counts, and a payment of a second attempt is a refund due.
func (o *Order) settled(a *Attempt, p Payment, now int64) (facts []Fact) {
	if a.State == Settled {
		return nil
	}
	late := a != o.Current() || a.State == Refused || a.State == Abandoned || a.State == Ended
	a.State = Settled
	a.Request = psp.RenderedRequest{}
	o.Payments = append(o.Payments, p)
	if !o.State.Settled() {
		facts = append(facts, o.completion(&p, now))
	}
	switch {
	case o.State.Settled():
		o.State, o.RefundHandledAt = RefundDue, 0
	case late:
		o.State = PaidLate
	default:
		o.State = Paid
	}
	o.UpdatedAt = now
	return facts
}

// unpaid records a failed payment. delayed means a delayed payment that will not arrive; after a refused card the checkout stays
// open, and the buyer may try another.
func (o *Order) unpaid(a *Attempt, p Payment, delayed bool, now int64) {
	o.declined(p)
	o.UpdatedAt = now
	if !delayed || a.State == Settled {
		return
	}
	a.State = Ended
	if a == o.Current() && !o.State.Settled() {
		o.State = Failed
	}
}

// declined records a failed try to pay once. A try is known by its payment, reason and time, so a repeated event changes
// nothing. A delayed payment that fails is reported by two events in any order, one of them without a reason: that one is the
// same try as any other of its payment. Of more than maxDeclined tries the later ones are not recorded.
func (o *Order) declined(p Payment) {
	declined := 0
	for i := range o.Payments {
		known := &o.Payments[i]
		if known.Status == Declined {
			declined++
		}
		if p.Ref == "" || known.Ref != p.Ref || known.Status != p.Status {
			continue
		}
		if known.Reason == "" {
			known.Reason, known.Method, known.Last4, known.At = p.Reason, p.Method, p.Last4, p.At
		}
		if p.Reason == "" || known.Reason == p.Reason && known.At == p.At {
			return
		}
	}
	if declined < maxDeclined {
		o.Payments = append(o.Payments, p)
	}
}

// closeAfter closes the session of an order, or opens it again, according to the order's state.
func closeAfter(o *Order, s *sessions.Session) { s.Closed = o.closed() || s.PaidUnmatched }

// closed reports whether nothing can be ordered any more from the session of this order.
func (o *Order) closed() bool {
	return o.State.Settled() || o.State == Processing || o.State == Expired || o.State == Canceled
}

// DueAt is when the order must be looked at again without a request, in Unix milliseconds; 0 is never.
func (o *Order) DueAt() int64 {
	return earlier(earlier(o.attemptDueAt(), o.refundsDueAt()), o.forgetDueAt())
}

// attemptDueAt is when the current attempt must be looked at again.
func (o *Order) attemptDueAt() int64 {
	a := o.Current()
	retry := o.UpdatedAt + a.backoff().Milliseconds()
	switch a.State {
	case Sent:
		return o.UpdatedAt + sentGrace.Milliseconds()
	case Unresolved, Superseding, Abandoned:
		return retry
	case Open:
		return max(a.ExpiresAt+expiryGrace.Milliseconds(), retry)
	case AttemptProcessing:
		if o.UpdatedAt > a.SentAt+LongestPayment.Milliseconds() {
			return 0
		}
		return o.UpdatedAt + processingEvery.Milliseconds()
	default:
		return 0
	}
}

func (a *Attempt) backoff() time.Duration { return backoff(a.Tries) }

// backoff is the time until the next try.
func backoff(tries int) time.Duration {
	d := firstBackoff
	for i := 1; i < tries && d < lastBackoff; i++ {
		d *= 2
	}
	return min(d, lastBackoff)
}

// payableAt reports whether the attempt is payable for long enough to return its URL.
func (a *Attempt) payableAt(now int64) bool {
	return a.State == Open && now < a.ExpiresAt-urlMargin.Milliseconds()
}

// replayableAt reports whether the provider would still execute the attempt's bytes.
func (a *Attempt) replayableAt(now int64) bool {
	return now < a.ExpiresAt-minCheckoutLife.Milliseconds()
}

// matches reports whether the provider charges the attempt's frozen total.
func (a *Attempt) matches(r psp.Checkout) bool {
	return r.Total.Minor == a.Placed.Quote.Assessment.Total && r.Total.Currency == a.Placed.Quote.Currency
}
