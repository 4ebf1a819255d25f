package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// flow is the workflow of one Create or of one order in the sweeper.
type flow struct {
	*Service
	ctx      context.Context
	request  *Request
	client   string
	spend    *SpentToken
	deadline time.Time

	provider Calls
	buyer    BuyerCalls // the same provider; nil in the sweeper
	session  *sessions.Session
	order    *Order // nil before the first attempt
	state    State  // of order as it is stored; "" before the first attempt
	placed   checkout.Order
	address  sessions.Address
	digest   string
	begun    int // the attempt that this request has begun, 0 for none yet
	ending   int // the attempt that this request supersedes, 0 for none yet

	facts []Fact // of order, since it was read

	operator bool // asks for a refund, which is not bound to the window, and can wait for a provider
}

// step loads the session, checks the request and makes the transition that the order's state calls for.
func (f *flow) step() (string, error) {
	if err := f.read(); err != nil {
		return "", err
	}
	if f.overtaken() {
		return "", errBusy
	}
	if err := f.awaitCatchUp(); err != nil {
		return "", err
	}
	if err := f.leave(); err != nil {
		return "", err
	}
	if url, err := f.answered(); url != "" || err != nil {
		return url, err
	}
	if err := f.decide(); err != nil {
		return "", err
	}
	if err := f.callable(); err != nil {
		return "", err
	}
	if f.order == nil {
		return f.begin()
	}
	switch a := f.order.Current(); a.State {
	case Sent, Unresolved:
		if !f.resendable() {
			f.order.rollBack(Abandoned)
			return f.clear()
		}
		return f.resend()
	case Open, Superseding:
		return f.supersede()
	case Abandoned:
		return f.clear()
	default:
		return f.begin()
	}
}

// overtaken reports whether another process has ended the checkout of this request, or has begun an attempt after the one that
// this request ended. This request has had its effect then, and must not have a second one. An attempt that ended before there was
// a URL, because the provider reported the end of a checkout that a restored backup has lost, was no effect.
func (f *flow) overtaken() bool {
	if f.order == nil {
		return false
	}
	a := f.order.Current()
	if f.begun != 0 {
		return a.N != f.begun || a.State == Superseding || a.State == Ended && a.URL != ""
	}
	return f.ending != 0 && a.N != f.ending
}

// leave handles a current attempt of another account. While it can be paid there, no second checkout may be created here, and its
// URL is not returned again, because no event of that account arrives here. The session is refused then, also later: an
// attempt that ends unseen may have been paid.
func (f *flow) leave() error {
	if f.order == nil {
		return nil
	}
	switch a := f.order.Current(); {
	case !a.elsewhere(f.provider.Account()), a.State == AttemptProcessing, a.State == Settled, a.State == Refused, a.State == Ended:
		return nil
	case !a.overAt(f.nowMilli()):
		return checkout.InvalidSession()
	}
	f.order.left(f.nowMilli())
	return cmp.Or(f.commitClosed(), errAgain)
}

// answered returns the result that needs no new attempt, if there is one: the URL of the open checkout, or a refusal because
// nothing can be ordered any more.
func (f *flow) answered() (string, error) {
	if f.order == nil {
		return "", nil
	}
	switch a := f.order.Current(); {
	case a.State == AttemptProcessing, a.State == Settled:
		return "", checkout.InvalidSession()
	case a.State == Open && f.repeats(a) && a.payableAt(f.nowMilli()):
		if err := f.confirm(a); err != nil {
			return "", err
		}
		return f.reuse(a.URL)
	}
	return "", nil
}

// repeats reports whether the request asks for what an attempt has, for a total that the buyer has been shown. The sweeper has no
// request, and repeats every attempt.
func (f *flow) repeats(a *Attempt) bool {
	return a.Digest == f.digest && (f.request == nil || f.request.expects(&a.Placed.Quote))
}

// callable reserves a slot for the provider. It refuses, before anything is stored, if there is none while a whole try still
// fits before the deadline.
func (f *flow) callable() error {
	if f.deadline.Sub(f.config.Now()) < f.config.TryTimeout/4 {
		return errBusy
	}
	if held := f.buyer.Reserve(f.deadline.Add(-f.config.TryTimeout)); held != nil {
		return crowded(held)
	}
	return nil
}

// busy is a refusal with a time to retry after.
type busy struct {
	*problem.Problem
	after time.Duration
}

// Unwrap is the problem.
func (b *busy) Unwrap() error { return b.Problem }

// RetryAfter is the time until there is capacity for the same request.
func (b *busy) RetryAfter() time.Duration { return b.after }

// crowded is the refusal of a request one of whose calls was held back.
func crowded(held *psp.CallError) error {
	if held.Code == limit.Down {
		return &busy{errDown, held.RetryAfter}
	}
	return &busy{Crowded, held.RetryAfter}
}

// read loads the session and the order and checks the request.
func (f *flow) read() error {
	f.facts = nil
	session, err := f.config.Store.Session(f.ctx, f.request.SessionID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	var rules *checkout.Session
	if err == nil {
		f.session, rules = session, &session.Session
	}
	placed, err := f.request.prepare(rules, f.nowMilli())
	if err != nil {
		return err
	}
	if session.PaidUnmatched {
		return checkout.InvalidSession()
	}
	f.placed, f.address = *placed, f.request.address(session)
	f.digest = digest(placed, f.address)
	if f.provider == nil {
		provider, ok := f.config.Providers[session.Environment]
		if !ok {
			return sessions.ProviderMissing(problem.Unavailable, session.Environment)
		}
		f.buyer = provider.ForBuyer(session.StoreID, f.client, session.ID)
		f.provider = f.buyer
	}
	if url := f.request.SuccessURL; url != "" && !sessions.ReturnAllowed(url, session.Environment, f.returnHosts()) {
		return refused(psp.RefusesSuccessURL, "")
	}
	if err = f.have(f.Order(f.ctx, session)); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// have sets the order to one that was read, or to nil after an error, which it returns.
func (f *flow) have(o *Order, err error) error {
	f.order, f.state = nil, ""
	if err == nil {
		f.order, f.state = o, o.State
	}
	return err
}

// returnHosts are the hosts that the caller may return the buyer to; nil means any. A shopper's token can be had by anybody, so
// that its bearer is restricted to the merchant's own hosts.
func (f *flow) returnHosts() []string {
	if f.request.Caller.SessionID == "" {
		return nil
	}
	return f.session.ReturnHosts
}

// begin persists a new attempt and sends it. It renders first, so that a request that the provider would refuse leaves no
// record.
func (f *flow) begin() (string, error) {
	if f.full() {
		return "", checkout.InvalidSession()
	}
	if err := f.callable(); err != nil {
		return "", err
	}
	now := f.config.Now()
	change := Change{Order: f.order, Unspent: f.spend}
	if f.order == nil {
		id := orderID(f.session)
		f.order = &Order{ID: id, SessionID: f.session.ID, MerchantID: f.session.MerchantID, StoreID: f.session.StoreID,
			Environment: f.session.Environment, CreatedAt: now.UnixMilli(), KeepUnpaid: f.config.KeepUnpaid.Milliseconds()}
		f.session.OrderID = id
		change.Order, change.Session = f.order, f.session
	}
	expires := f.expiry()
	n := len(f.order.Attempts) + 1
	wire, err := f.render(expires)
	if err != nil {
		return "", err
	}
	f.order.begin(Attempt{
		Placed: f.placed, Address: f.address, Digest: f.digest, Provider: f.provider.Name(), Account: f.provider.Account(),
		Key:     fmt.Sprintf("crepe_%s_%s_%d", f.order.Environment, f.order.ID, n),
		Request: wire, SentAt: now.UnixMilli(), ExpiresAt: expires.UnixMilli(),
	}, now.UnixMilli())
	if err := f.commit(change); err != nil {
		return "", err
	}
	f.begun = n
	return f.send()
}

// full reports whether the order has as many attempts as it may have. Its session is refused then like one that has expired; the checkout
// that a buyer has can be paid.
func (f *flow) full() bool { return f.order != nil && len(f.order.Attempts) >= maxAttempts }

// expiry is when the checkout of an attempt that begins now expires.
func (f *flow) expiry() time.Time { return f.config.Now().Add(checkoutLife).Truncate(time.Second) }

// render renders the next attempt's request.
func (f *flow) render(expires time.Time) (psp.RenderedRequest, error) {
	wire, err := f.provider.Render(f.payable(len(f.order.Attempts)+1, expires))
	if err != nil {
		f.config.Log.ErrorContext(f.ctx, "an order cannot be rendered", "provider", f.provider.Name(), "order", f.order.ID, "error", err)
		return psp.RenderedRequest{}, problem.New(problem.Invalid, "order-unpayable", "", "Order cannot be paid at the payment provider")
	}
	return wire, nil
}

func (f *flow) payable(n int, expires time.Time) psp.CheckoutParams {
	success := cmp.Or(sessions.ReturnURL(&f.placed), f.session.PageURL+"/complete")
	images := make([]string, len(f.session.Images))
	for i, image := range f.session.Images {
		images[i] = image.URI()
	}
	return psp.CheckoutParams{Deployment: f.config.Deployment, OrderID: f.order.ID, Attempt: n, Order: &f.placed, SuccessTo: success, CancelTo: f.session.PageURL,
		Images: images, Language: f.session.Language, ExpiresAt: expires}
}

// resend sends the current attempt again; another process may be sending it as well. EverUnknown is persisted first. Otherwise a
// try there that certainly had no effect would count as a refusal, although this try may have its effect.
func (f *flow) resend() (string, error) {
	if a := f.order.Current(); !a.EverUnknown {
		a.State, a.EverUnknown = Sent, true
		f.order.UpdatedAt = f.nowMilli()
		if err := f.commit(Change{Order: f.order}); err != nil {
			return "", err
		}
	}
	return f.send()
}

// send calls the provider with the current attempt's stored request and persists the result. The buyer's details are written to
// the session together with the URL, so that a rollback has nothing to undo.
func (f *flow) send() (string, error) {
	a := f.order.Current()
	remote, callErr := f.call(a)
	now := f.nowMilli()
	if callErr != nil && callErr.Held {
		f.order.failed(callErr, now)
		return "", cmp.Or(f.commit(Change{Order: f.order}), crowded(callErr))
	}
	if callErr != nil {
		f.order.failed(callErr, now)
		if refusal := refused(callErr.Refuses, a.Placed.Quote.Currency); refusal != nil && callErr.Class == psp.Definitive {
			f.config.Log.WarnContext(f.ctx, "the provider refuses an order", "order", f.order.ID, "attempt", a.N, "error", callErr)
			return "", cmp.Or(f.commit(Change{Order: f.order}), error(refusal))
		}
		if callErr.Class == psp.KeyTaken {
			f.config.Log.WarnContext(f.ctx, "the provider knows a call that the database does not: was a backup restored?", "order", f.order.ID, "attempt", a.N)
			return "", cmp.Or(f.commit(Change{Order: f.order}), errAgain)
		}
		return "", errors.Join(fmt.Errorf("orders: %s attempt %d: %w", f.order.ID, a.N, callErr), f.commit(Change{Order: f.order}))
	}
	if !a.matches(remote) {
		f.config.Log.ErrorContext(f.ctx, "the provider would charge something else", "order", f.order.ID, "attempt", a.N, "ref", remote.Ref)
		a.Ref = remote.Ref
		f.order.rollBack(Abandoned)
		return "", errors.Join(errors.New("orders: the provider's total is not the frozen one"), f.commit(Change{Order: f.order}))
	}
	f.order.opened(remote, now)
	writeBack(f.session, a)
	same := f.repeats(a)
	change := Change{Session: f.session, Order: f.order}
	if same {
		change.Spend = f.spend
	}
	if err := f.commit(change); err != nil {
		return "", err
	}
	if !same {
		return "", errAgain
	}
	return remote.URL, nil
}

// reuse returns a URL that is already durable. A token that the same request has used up meanwhile gets it as well.
func (f *flow) reuse(url string) (string, error) {
	if f.spend != nil {
		if err := f.commit(Change{Spend: f.spend}); err != nil && !errors.Is(err, ErrSpent) {
			return "", err
		}
	}
	return url, nil
}

// supersede ends the current checkout at the provider and begins the next attempt, unless the buyer has paid meanwhile. A request
// that the rules, the adapter or our limits refuse ends nothing. If the provider refuses the next checkout, the current one
// has been ended already, because two must never be payable; the session can be ordered from again then.
func (f *flow) supersede() (string, error) {
	if f.full() {
		return "", checkout.InvalidSession()
	}
	if _, err := f.render(f.expiry()); err != nil {
		return "", err
	}
	a := f.order.Current()
	if a.State == Open {
		f.order.superseding(f.nowMilli())
		if err := f.commit(Change{Order: f.order, Unspent: f.spend}); err != nil {
			return "", err
		}
		f.ending = a.N
	}
	f.buyer.Extend() // without a slot for the next checkout, this one must not be ended
	remote, callErr := f.provider.Expire(f.tryDeadline(), a.Ref)
	if callErr != nil && callErr.Held {
		return "", crowded(callErr)
	}
	if callErr != nil {
		return "", fmt.Errorf("orders: %s attempt %d cannot be ended: %w", f.order.ID, a.N, callErr)
	}
	if err := f.observe(a, remote); err != nil {
		return "", cmp.Or(f.commit(Change{Order: f.order}), err)
	}
	if f.order.closed() {
		return "", cmp.Or(f.commitClosed(), error(checkout.InvalidSession()))
	}
	return f.begin()
}

// observe makes the transition for the state that the provider reports. It commits nothing.
func (f *flow) observe(a *Attempt, r psp.Checkout) error {
	now := f.nowMilli()
	switch {
	case r.Status == psp.CheckoutMissing && a.Account.ID == "":
		a.Account.ID = unknownAccount
		return fmt.Errorf("orders: %s attempt %d is at no account that is known here: %w", f.order.ID, a.N, errAgain)
	case r.Status == psp.CheckoutExpired, r.Status == psp.CheckoutMissing:
		f.order.ended(a, now)
	case r.Status == psp.CheckoutComplete && r.Paid && a.matches(r):
		f.facts = append(f.facts, f.Service.settle(f.ctx, f.order, a, Payment{ID: f.newID("PAY"), Attempt: a.N, Status: Succeeded, Provider: a.Provider, Ref: r.PaymentID, At: now})...)
	case r.Status == psp.CheckoutComplete:
		f.order.processing(a, now)
	default:
		return fmt.Errorf("orders: %s attempt %d is still open at %s", f.order.ID, a.N, a.Provider)
	}
	return nil
}

// unknownAccount is the account of an attempt of an older version that the current account does not have.
const unknownAccount = "unknown"

// commitClosed persists the order, and on its session whether it can still be ordered from.
func (f *flow) commitClosed() error {
	closeAfter(f.order, f.session)
	return f.commit(Change{Session: f.session, Order: f.order})
}

// call calls the provider until it answers, refuses for good, or the time is up. An answer that the provider has stored is not of
// this attempt while no call of it can have had an effect: its checkout may have ended since.
func (f *flow) call(a *Attempt) (psp.Checkout, *psp.CallError) {
	for try := 0; ; try++ {
		a.Tries++
		made, callErr := f.provider.Create(f.tryDeadline(), a.Request, a.Key)
		f.config.Log.DebugContext(f.ctx, "provider called", "order", f.order.ID, "attempt", a.N, "try", a.Tries, "ref", made.Ref, "failed", callErr != nil)
		if callErr == nil && made.Replayed && !a.EverUnknown {
			return psp.Checkout{}, &psp.CallError{Class: psp.KeyTaken, Code: "replayed"}
		}
		if callErr == nil {
			return made.Checkout, nil
		}
		if callErr.Class == psp.Unknown || callErr.Class == psp.InProgress {
			a.EverUnknown = true
		}
		if !retryable(callErr) || !f.pause(max(callErr.RetryAfter, 200*time.Millisecond<<try)) {
			return psp.Checkout{}, callErr
		}
	}
}

// retryable reports whether the same bytes may be sent again at once. A key that is refused (401, 403) stays refused, and
// a call that our own limits held back has waited already.
func retryable(e *psp.CallError) bool {
	if e.Held {
		return false
	}
	switch e.Class {
	case psp.Unknown, psp.InProgress:
		return true
	case psp.NotExecuted:
		return e.Status != 401 && e.Status != 403
	}
	return false
}

// pause waits, and reports false at once if no time would be left for another try.
func (f *flow) pause(d time.Duration) bool {
	if f.config.Now().Add(d + f.config.TryTimeout/4).After(f.deadline) {
		return false
	}
	time.Sleep(d)
	return true
}

func (f *flow) tryDeadline() time.Time {
	if t := f.config.Now().Add(f.config.TryTimeout); t.Before(f.deadline) {
		return t
	}
	return f.deadline
}

// commit writes a change, with the facts of its order, and moves the copies at hand to their next version.
func (f *flow) commit(c Change) error {
	if c.Order != nil {
		c.Facts = f.facts
	}
	if err := f.Service.commit(f.ctx, c); err != nil {
		return err
	}
	if c.Order != nil {
		f.measures.moved(f.state, c.Order)
		f.state = c.Order.State
		c.Order.Version++
		f.facts = nil
	}
	if c.Session != nil {
		c.Session.Version++
	}
	return nil
}

// writeBack copies the normalised details of the buyer to the session, so that the page can show them again.
func writeBack(s *sessions.Session, a *Attempt) {
	o := &a.Placed
	in := o.Billing.Input()
	s.Billing, s.Address = &in, a.Address
	s.BuyerEmail = o.BuyerEmail
	s.SuccessURL = o.SuccessURL
}
