package orders_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// violation is an invariant that did not hold.
type violation struct{ invariant, what string }

func (v violation) String() string { return v.invariant + ": " + v.what }

// check notes what an invariant has to say.
func (w *world) check(invariant string, broken error) {
	if broken == nil {
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.violations = append(w.violations, violation{invariant, broken.Error()})
}

// facts are the state of the simulation at one instant: what we have stored, what the provider has, what buyers were told.
type facts struct {
	orders  map[string]*orders.Order // by id; ours, and those that the provider names
	outbox  map[string][]string      // the payments of which it tells, by order
	remote  []sandbox.Snapshot       // the newest first
	refunds []sandbox.Refund         // the newest first
	bodies  map[string][]string      // by key
	answers []answer
	before  map[string]*orders.Order // at the last look
	over    map[string]time.Time     // by the provider's id
	stalled bool
	faulty  bool
	setBack bool
	log     string
}

func (w *world) look() *facts {
	f := &facts{orders: make(map[string]*orders.Order), outbox: make(map[string][]string), bodies: w.provider.Bodies(), log: w.log.String()}
	var err error
	f.remote, err = w.provider.Sessions()
	must(err)
	f.refunds, err = w.provider.Refunds()
	must(err)
	ids := make(map[string]bool)
	for i := range shops {
		session, err := w.view.Session(context.Background(), sessionOf(i))
		must(err)
		ids[session.OrderID] = true
	}
	for _, r := range f.remote {
		ids[r.Order] = true
	}
	for id := range ids {
		o, err := w.view.Order(context.Background(), checkout.Test, id)
		if !errors.Is(err, orders.ErrNotFound) {
			must(err)
			f.orders[id] = o
		}
	}
	queued, err := w.ours.Facts(context.Background(), 0, 1000)
	must(err)
	for _, q := range queued {
		f.outbox[q.OrderID] = append(f.outbox[q.OrderID], string(q.Kind)+" "+q.EventID)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	f.over, f.stalled, f.faulty, f.setBack = maps.Clone(w.over), w.stalled, w.faulty, w.setBack > 0
	for _, a := range w.answers {
		f.answers = append(f.answers, *a)
	}
	return f
}

// checkNow looks at everything that has to hold at any instant.
func (w *world) checkNow() {
	f := w.look()
	f.before = w.before
	w.check("I1", onePayable(f))
	w.check("I2", everySessionIsOurs(f))
	w.check("I3", noMoneyInvented(f))
	w.check("I5", urlsAreDurable(f))
	w.check("I6", sameRequestSameURL(f))
	w.check("I7", paidIsMonotone(f))
	w.check("I8", sameBytesUnderAKey(f))
	w.check("I9", newKeyAfterTheEnd(f))
	w.check("I10", priceIsFrozen(f))
	w.check("I12", nothingSecret(f))
	w.check("I13", endedIsNotGiven(f))
	w.check("I14", everyCompletionIsTold(f))
	w.check("I15", refundedOnce(f))
	w.check("I16", refundsAreMade(f))
	w.check("I18", refundsAreTold(f))
	w.check("answers", onlyDocumentedAnswers(f))
	w.before = f.orders
}

// checkAtRest looks at what has to hold when nothing is under way, and nothing breaks any more.
func (w *world) checkAtRest() {
	w.check("I4", nothingInDoubt(w.look()))
}

// checkAtTheEnd looks at what has to hold when every checkout is over and every webhook has come, or never will.
func (w *world) checkAtTheEnd(rng *rand.Rand) {
	f := w.look()
	w.check("I3", everyPaymentCounts(f))
	w.check("I4", nothingInDoubt(f))
	w.check("I17", refundsEnd(f))
	w.check("I7", w.eventsAgainChangeNothing(rng))
	w.check("I14", everyCompletionIsTold(w.look()))
}

// I1: at most one payable disclosed session at the provider per checkout session, at any instant. A session becomes both
// only when a buyer is told its URL, so looking at each answer, too, is looking at every instant.
func onePayable(f *facts) error {
	for i := range shops {
		open := make(map[string]bool)
		for _, a := range f.answers {
			if r := f.remoteOf(a.url); a.session == i && r != nil && r.Payable {
				open[r.ID] = true
			}
		}
		if len(open) > 1 {
			return fmt.Errorf("session %d can be paid at %d places", i, len(open))
		}
	}
	return nil
}

// I2: every session at the provider belongs to an attempt of ours, with its key, amount, currency and checkout session. What
// counts as refused has none.
func everySessionIsOurs(f *facts) error {
	for _, r := range f.remote {
		a := f.attemptOf(&r)
		switch {
		case a == nil:
			return fmt.Errorf("%s: no attempt of order %q", r.ID, r.Order)
		case r.Key != a.Key, r.Amount != a.Placed.Quote.Assessment.Total, r.Currency != strings.ToLower(string(a.Placed.Quote.Currency)),
			r.Metadata["checkout_session_id"] != f.orders[r.Order].SessionID:
			return fmt.Errorf("%s: %+v is not attempt %d of %s", r.ID, r, a.N, r.Order)
		case a.State == orders.Refused:
			return fmt.Errorf("%s: attempt %d of %s counts as refused", r.ID, a.N, r.Order)
		}
	}
	return nil
}

// I3, at any instant: an order is paid only if the provider has the money.
func noMoneyInvented(f *facts) error {
	for id, o := range f.orders {
		paid := f.paid(id)
		if o.State.Settled() && len(paid) == 0 || o.State == orders.RefundDue && len(paid) < 2 {
			return fmt.Errorf("%s is %s, and %d sessions are paid", id, o.State, len(paid))
		}
	}
	return nil
}

// I3, at the end: every paid session makes its order paid; more than one per checkout session is a refund due, and comes only
// from a session that was paid though no buyer had its URL.
func everyPaymentCounts(f *facts) error {
	for id, o := range f.orders {
		paid := f.paid(id)
		want := len(paid) == 0 && !o.State.Settled() || len(paid) == 1 && (o.State == orders.Paid || o.State == orders.PaidLate) ||
			len(paid) > 1 && o.State == orders.RefundDue
		if !want {
			return fmt.Errorf("%s is %s, and %d sessions are paid", id, o.State, len(paid))
		}
		told := slices.DeleteFunc(paid, func(r sandbox.Snapshot) bool { return !f.told(r.ID) })
		if len(told) > 1 {
			return fmt.Errorf("buyers paid %d times for %s", len(told), id)
		}
	}
	return nil
}

// I4: at quiescence no attempt is sent, unresolved or superseding.
func nothingInDoubt(f *facts) error {
	for id, o := range f.orders {
		if s := o.Current().State; s == orders.Sent || s == orders.Unresolved || s == orders.Superseding {
			return fmt.Errorf("%s: attempt %d is %s", id, o.Current().N, s)
		}
	}
	return nil
}

// I5: a URL seen by a client is durable and belongs to an attempt that is open, paid or ended, also after a crash right after
// the answer.
func urlsAreDurable(f *facts) error {
	for _, a := range f.answers {
		if a.url == "" {
			continue
		}
		found := false
		for _, o := range f.orders {
			for _, at := range o.Attempts {
				known := at.URL == a.url && o.SessionID == sessionOf(a.session) && string(at.Placed.Billing.Country) == a.country
				found = found || known && at.State != orders.Sent && at.State != orders.Unresolved &&
					at.State != orders.Refused && at.State != orders.Abandoned
			}
		}
		if !found || f.remoteOf(a.url) == nil {
			return fmt.Errorf("no attempt has %s, which a buyer was told for %s of session %d", a.url, a.country, a.session)
		}
	}
	return nil
}

// I6: the same request body leads to the same URL, until that checkout is over, nearly over, or superseded by another body.
func sameRequestSameURL(f *facts) error {
	last := make(map[string]answer)
	for _, a := range f.byEnd() {
		body := fmt.Sprint(a.session, a.country)
		before, repeated := last[body]
		last[body] = a
		if !repeated || a.url == before.url || f.superseded(before, a) {
			continue
		}
		if r := f.remoteOf(before.url); r.Status != "complete" && a.latest.Before(r.ExpiresAt.Add(-time.Minute)) {
			return fmt.Errorf("session %d for %s: %s, then %s", a.session, a.country, before.url, a.url)
		}
	}
	return nil
}

// byEnd are the answers with a URL as they came.
func (f *facts) byEnd() []answer {
	urls := slices.DeleteFunc(slices.Clone(f.answers), func(a answer) bool { return a.url == "" })
	slices.SortFunc(urls, func(a, b answer) int { return a.ended - b.ended })
	return urls
}

// superseded: another body for the session was under way between two answers.
func (f *facts) superseded(first, second answer) bool {
	return slices.ContainsFunc(f.answers, func(a answer) bool {
		return a.session == first.session && a.country != first.country && a.began < second.ended && (!a.done || a.ended > first.began)
	})
}

// I7: paid is monotone, and no payment is ever lost.
func paidIsMonotone(f *facts) error {
	for id, was := range f.before {
		is := f.orders[id]
		if is == nil {
			return fmt.Errorf("%s is gone", id)
		}
		if was.State.Settled() && !is.State.Settled() || was.State == orders.RefundDue && is.State != orders.RefundDue ||
			len(is.Payments) < len(was.Payments) || len(is.Attempts) < len(was.Attempts) {
			return fmt.Errorf("%s was %s with %d payments and is %s with %d", id, was.State, len(was.Payments), is.State, len(is.Payments))
		}
		for i := range was.Attempts {
			if was.Attempts[i].State == orders.Settled && is.Attempts[i].State != orders.Settled {
				return fmt.Errorf("%s: attempt %d was settled and is %s", id, i+1, is.Attempts[i].State)
			}
		}
	}
	return nil
}

// I7, at the end: webhook application is commutative and idempotent. All that ever came comes again twice, in any order, even
// under new names, and nothing changes.
func (w *world) eventsAgainChangeNothing(rng *rand.Rand) error {
	before := w.look()
	again := slices.Concat(w.events, w.events)
	rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	for i, message := range again {
		event, err := w.current.webhooks.Webhook(message.header, message.body, signedAt(message.signature))
		must(err)
		event.ID = fmt.Sprint(event.ID, "-", i)
		must(w.current.service.Apply(context.Background(), checkout.Test, event))
	}
	after := w.look()
	for id, was := range before.orders {
		if a, b := essence(was), essence(after.orders[id]); !reflect.DeepEqual(a, b) {
			return fmt.Errorf("%s was %v and became %v", id, a, b)
		}
	}
	return nil
}

func signedAt(signature string) time.Time {
	stamp, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	must(err)
	return time.Unix(seconds, 0)
}

// essence is what an order means, without its times and versions.
func essence(o *orders.Order) []string {
	all := []string{string(o.State)}
	for _, a := range o.Attempts {
		all = append(all, fmt.Sprint(a.N, a.State, a.URL, a.Ref))
	}
	for _, p := range o.Payments {
		all = append(all, fmt.Sprint(p.Attempt, p.Status, p.Ref))
	}
	return all
}

// I8: the bytes sent under one key never differ.
func sameBytesUnderAKey(f *facts) error {
	for key, bodies := range f.bodies {
		if len(bodies) != 1 {
			return fmt.Errorf("%d bodies came under %s", len(bodies), key)
		}
	}
	return nil
}

// I9: a new key only when the previous attempt is refused, abandoned or ended; or was paid all the same.
func newKeyAfterTheEnd(f *facts) error {
	for id, o := range f.orders {
		for _, a := range o.Attempts[:len(o.Attempts)-1] {
			switch a.State {
			case orders.Refused, orders.Abandoned, orders.Ended, orders.Settled:
			default:
				return fmt.Errorf("%s: attempt %d is %s, and there is a later one", id, a.N, a.State)
			}
		}
	}
	return nil
}

// I10: price and tax in the provider's request are those of the order, and total = subtotal + tax in integers.
func priceIsFrozen(f *facts) error {
	for id, o := range f.orders {
		for _, a := range o.Attempts {
			sum := a.Placed.Quote.Assessment
			if sum.Subtotal+a.Placed.Quote.Discount.Minor != 2900 || sum.Subtotal+sum.Tax != sum.Total {
				return fmt.Errorf("%s: attempt %d: %d + %d = %d", id, a.N, sum.Subtotal, sum.Tax, sum.Total)
			}
			for _, body := range f.bodies[a.Key] {
				if lines := lineItems(body); !slices.Equal(lines, []int64{sum.Subtotal, sum.Tax}) {
					return fmt.Errorf("%s: attempt %d: the lines are %v for %d + %d", id, a.N, lines, sum.Subtotal, sum.Tax)
				}
			}
		}
	}
	return nil
}

// lineItems are the amounts of a create, the price and the tax.
func lineItems(body string) (amounts []int64) {
	form, err := url.ParseQuery(body)
	must(err)
	for i := 0; form.Has(fmt.Sprintf("line_items[%d][quantity]", i)); i++ {
		amount, err := strconv.ParseInt(form.Get(fmt.Sprintf("line_items[%d][price_data][unit_amount]", i)), 10, 64)
		must(err)
		amounts = append(amounts, amount)
	}
	return amounts
}

// I12: no secret and no buyer's data in keys, logs or what a failed call leaves behind.
func nothingSecret(f *facts) error {
	texts := []string{f.log}
	for key := range f.bodies {
		texts = append(texts, key)
	}
	for _, o := range f.orders {
		for _, a := range o.Attempts {
			texts = append(texts, a.Key, a.Request.Path, a.LastError)
		}
	}
	for _, text := range texts {
		if i := strings.Index(text, "canary"); i >= 0 {
			return fmt.Errorf("it is written down: …%.60s", text[max(0, i-20):])
		}
	}
	return nil
}

// I13: while the provider answers, no buyer is given a URL whose checkout was over 15 seconds before he asked, even if no webhook
// has told.
func endedIsNotGiven(f *facts) error {
	for _, a := range f.answers {
		over, known := f.over[path.Base(a.url)]
		if known && a.asked.After(over.Add(15*time.Second)) && a.took < 9*time.Second && !f.stalled && !f.faulty && !f.setBack {
			return fmt.Errorf("a buyer who asked at %v got %s, which was over at %v", a.asked, a.url, over)
		}
	}
	return nil
}

// I14: of an order that is completed the outbox tells once, naming its first payment, and of no other order: no event of a merchant
// is lost, invented or told twice.
func everyCompletionIsTold(f *facts) error {
	for id, o := range f.orders {
		var want []string
		for _, p := range o.Payments {
			if p.Status == orders.Succeeded {
				want = []string{"order.completed " + p.ID}
				break
			}
		}
		refund := func(fact string) bool { return strings.HasPrefix(fact, "refund.") }
		if got := slices.DeleteFunc(slices.Clone(f.outbox[id]), refund); !slices.Equal(got, want) {
			return fmt.Errorf("%s is %s, and the outbox has %q instead of %q", id, o.State, got, want)
		}
	}
	return nil
}

// The answers are those that are documented: a URL, the session's refusal, 503 while somebody is at work, 500; and they come
// within the budget.
func onlyDocumentedAnswers(f *facts) error {
	for _, a := range f.answers {
		var list problem.List
		var one *problem.Problem
		switch {
		case errors.As(a.err, &list) && !slices.Equal(list, checkout.InvalidSession()):
			return fmt.Errorf("the buyer was told %v", list)
		case errors.As(a.err, &one) && one.Kind != problem.Unavailable:
			return fmt.Errorf("the buyer was told %v", one)
		case a.took > 10*time.Second && a.took < time.Minute && !f.stalled: // more is a leap of the clock
			return fmt.Errorf("the buyer waited %v", a.took)
		}
	}
	return nil
}

func (f *facts) remoteOf(url string) *sandbox.Snapshot {
	for i := range f.remote {
		if url != "" && strings.HasSuffix(url, "/"+f.remote[i].ID) {
			return &f.remote[i]
		}
	}
	return nil
}

func (f *facts) attemptOf(r *sandbox.Snapshot) *orders.Attempt {
	n, err := strconv.Atoi(r.Metadata["attempt"])
	if o := f.orders[r.Order]; o != nil && err == nil {
		return o.Attempt(n)
	}
	return nil
}

func (f *facts) paid(order string) (paid []sandbox.Snapshot) {
	for _, r := range f.remote {
		if r.Order == order && r.Paid {
			paid = append(paid, r)
		}
	}
	return paid
}

// told: a buyer has the URL of the provider's session.
func (f *facts) told(id string) bool {
	return slices.ContainsFunc(f.answers, func(a answer) bool { return strings.HasSuffix(a.url, "/"+id) })
}
