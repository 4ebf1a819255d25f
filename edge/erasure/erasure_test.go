package erasure_test

import (
	"context"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// about matches a text that mentions the buyer, and not the other one, whose address contains the buyer's.
var about = regexp.MustCompile(`(^|[^o])` + regexp.QuoteMeta(buyer))

// left returns the lines of a dump that mention the buyer.
func left(dump string) (lines []string) {
	for line := range strings.Lines(dump) {
		if about.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func outcomes(counts []erasure.Count) map[string]int {
	n := make(map[string]int)
	for _, c := range counts {
		n[c.Kind+" "+string(c.Outcome)] += c.N
	}
	return n
}

// TestErase: a dump of the whole database afterwards mentions the buyer only where the report says that it is kept, and everything of
// another buyer is as it was.
func TestErase(t *testing.T) {
	both(t, func(w *world) {
		w.everything(buyer, 1)
		w.everything(other, 2)
		before := w.dump()
		request := erasure.Request{Buyer: " Ann+Shop@Example.COM ", KeepYears: 10, DryRun: true}
		dry := w.erase(request)
		if after := w.dump(); after != before || dry.Entry != nil {
			w.Errorf("a dry run has changed the database, entry %v", dry.Entry)
		}
		request.DryRun = false
		done := w.erase(request)
		if !reflect.DeepEqual(done.Items, dry.Items) {
			w.Errorf("the dry run said\n%+v\ndone was\n%+v", dry.Items, done.Items)
		}
		want := map[string]int{"checkout session erased": 4, "order erased": 5, "order kept": 1, "receipt erased": 1, "receipt kept": 1, "e-mail erased": 2,
			"webhook delivery erased": 2, "idempotent answer erased": 2}
		if got := outcomes(done.Counts); !reflect.DeepEqual(got, want) {
			w.Errorf("done: %v, want %v", got, want)
		}
		w.checkKept(done.Items)
		after := w.dump()
		if got, want := strings.Count(after, other), strings.Count(before, other); got != want {
			w.Errorf("the other buyer was mentioned %d times, and is mentioned %d times", want, got)
		}
		w.checkAgain(request, after)
	})
}

// checkKept compares what is left with what the report says is kept.
func (w *world) checkKept(items []erasure.Item) {
	w.Helper()
	var kept []string
	for _, i := range items {
		if i.Outcome != erasure.Kept {
			continue
		}
		if i.Kind == "order" {
			o, err := w.Order(w.Context(), i.Environment, i.ID)
			w.must(err)
			w.checkSale(o)
			d, err := w.DocumentOf(w.Context(), i.Environment, i.ID, o.Payments[1].ID)
			w.must(err)
			kept = append(kept, d.Token)
		}
		kept = append(kept, i.ID)
		if until := time.UnixMilli(i.Until).UTC(); until.Format(time.DateOnly) != time.Date(w.now.UTC().Year()+11, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) {
			w.Errorf("%s is kept until %s", i.ID, until)
		}
	}
	lines := left(w.dump())
	if len(lines) != 2 {
		w.Errorf("%d lines are left, want those of the order and of the receipt", len(lines))
	}
	for _, line := range lines {
		if !slices.ContainsFunc(kept, func(id string) bool { return strings.Contains(line, id) }) {
			w.Errorf("the report does not say that this is kept: %s", line)
		}
	}
}

// checkSale: of a paid order what was sold is kept, and the rest is erased.
func (w *world) checkSale(o *orders.Order) {
	w.Helper()
	failed, paid := &o.Attempts[0], &o.Attempts[1]
	if failed.Placed.BuyerEmail != "" || failed.Placed.Billing.BusinessName != "" || failed.Placed.Billing.Country != "DE" || failed.Digest != "" || failed.Ref == "" {
		w.Errorf("the attempt that was not paid is %+v", failed)
	}
	if paid.Placed.BuyerEmail != buyer || paid.Placed.Billing.BusinessName == "" || paid.Placed.BuyerIP == "" {
		w.Errorf("the attempt that was paid is %+v", paid)
	}
	if o.Payments[0].Last4 != "" || o.Payments[1].Last4 != "4242" || o.Tickets[0].Current().Reason != "" {
		w.Errorf("payments %+v, tickets %+v", o.Payments, o.Tickets)
	}
	s, err := w.Session(w.Context(), o.SessionID)
	w.must(err)
	if s.Billing != nil || s.ExternalID != "" || !reflect.DeepEqual(s.Metadata, map[string]string{"campaign": "spring"}) {
		w.Errorf("the session of the sale is %+v", s)
	}
	c, err := w.VATCheck(w.Context(), o.Environment, o.StoreID, o.ID)
	w.must(err)
	if c.Name != "" || c.Consultation == "" || c.Number == "" {
		w.Errorf("the check is %+v", c)
	}
}

// checkAgain: the same request again changes nothing but adds an entry, and both entries are the buyer's.
func (w *world) checkAgain(r erasure.Request, before string) {
	w.Helper()
	w.now = w.now.Add(time.Second)
	again := w.erase(r)
	if got := outcomes(again.Counts); !reflect.DeepEqual(got, map[string]int{"order kept": 1, "receipt kept": 1}) {
		w.Errorf("again: %v", got)
	}
	count := 0
	for line := range strings.Lines(w.dump()) {
		if !strings.Contains(before, line) {
			count++
		}
	}
	if count != 1 {
		w.Errorf("the same request again has changed %d lines", count)
	}
	hash, err := w.service.Hash(w.Context(), buyer)
	w.must(err)
	page, err := w.Erasures(w.Context(), "", 10)
	w.must(err)
	if len(page.Items) != 2 || page.Items[0].Buyer != hash || page.Items[1].Buyer != hash || !reflect.DeepEqual(page.Items[1], *again.Entry) {
		w.Errorf("entries: %+v", page.Items)
	}
}

// TestNarrowed: a request for one environment or store leaves the others alone.
func TestNarrowed(t *testing.T) {
	both(t, func(w *world) {
		w.everything(buyer, 1)
		w.erase(erasure.Request{Buyer: buyer, Environment: checkout.Test, KeepYears: 10})
		for _, line := range left(w.dump()) {
			if strings.Contains(line, `"test"`) && !strings.Contains(line, `"prod"`) {
				w.Errorf("left in test: %s", line)
			}
		}
		if done := w.erase(erasure.Request{Buyer: buyer, StoreID: "STO_2", KeepYears: 10}); len(done.Items) != 0 {
			w.Errorf("of another store: %+v", done.Items)
		}
		if done := w.erase(erasure.Request{Buyer: buyer, KeepYears: 10}); len(done.Items) < 8 {
			w.Errorf("prod had only %+v", done.Items)
		}
	})
}

// TestWaits: an order that can be paid and a webhook that is being sent are untouched until they are done.
func TestWaits(t *testing.T) {
	both(t, func(w *world) {
		o := w.order(checkout.Prod, buyer, orders.AwaitingPayment, orders.Open, nil)
		sale := w.sale(checkout.Prod, buyer, 1)
		d := w.delivery(sale, notify.Pending)
		w.must(w.CommitNotify(w.Context(), notify.Change{Deliveries: []*notify.Delivery{d}}))
		d.Version++
		request := erasure.Request{Buyer: buyer, KeepYears: 10}
		done := w.erase(request)
		if n := outcomes(done.Counts); n["order waits"] != 1 || n["webhook delivery waits"] != 1 || n["webhook delivery erased"] != 1 {
			w.Fatalf("done: %v", n)
		}
		for _, i := range done.Items {
			if i.ID == o.ID && (i.Until < o.Current().ExpiresAt || i.Why == "") {
				w.Errorf("the order waits until %d: %q", i.Until, i.Why)
			}
		}
		if stored, err := w.Order(w.Context(), checkout.Prod, o.ID); err != nil || !reflect.DeepEqual(stored, o) {
			w.Errorf("the order that waits was changed: %+v, %v", stored, err)
		}
		o.State, o.Attempts[1].State = orders.Expired, orders.Ended
		w.must(w.Commit(w.Context(), orders.Change{Order: o}))
		d.State, d.DueAt = notify.Failed, 0
		w.must(w.CommitNotify(w.Context(), notify.Change{Deliveries: []*notify.Delivery{d}}))
		if n := outcomes(w.erase(request).Counts); n["order erased"] != 1 || n["webhook delivery erased"] != 1 || n["order waits"] != 0 {
			w.Errorf("then: %v", n)
		}
	})
}

// TestAfterThePeriod: what the law has kept is erased when its time is over; numbers and amounts stay.
func TestAfterThePeriod(t *testing.T) {
	both(t, func(w *world) {
		today := w.now
		w.now = today.Add(-12 * year)
		o := w.sale(checkout.Prod, buyer, 1)
		w.now = today
		if n := outcomes(w.erase(erasure.Request{Buyer: buyer, KeepYears: 20}).Counts); n["order kept"] != 1 || n["receipt kept"] != 1 {
			w.Errorf("within 20 years: %v", n)
		}
		if n := outcomes(w.erase(erasure.Request{Buyer: buyer, KeepYears: 10}).Counts); n["order erased"] != 1 || n["receipt erased"] != 1 {
			w.Errorf("after 10 years: %v", n)
		}
		if lines := left(w.dump()); len(lines) != 0 {
			w.Errorf("left: %q", lines)
		}
		d, err := w.DocumentOf(w.Context(), checkout.Prod, o.ID, o.Payments[1].ID)
		if err != nil || d.Number != 1 || d.Total != 1000 || d.Buyer.Country != "DE" || d.Buyer.Name != "" {
			w.Errorf("the receipt is %+v, %v", d, err)
		}
	})
}

// failing is a database whose n-th write fails.
type failing struct {
	erasure.Database
	n   int
	err error
}

func (f *failing) fails() error {
	if f.n--; f.n == 0 {
		return f.err
	}
	return nil
}

func (f *failing) Commit(ctx context.Context, c orders.Change) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Database.Commit(ctx, c)
}

func (f *failing) CommitNotify(ctx context.Context, c notify.Change) error {
	if err := f.fails(); err != nil {
		return err
	}
	return f.Database.CommitNotify(ctx, c)
}

// TestInterrupted: a request that breaks off at any write is completed by the same request, and a concurrent write is only a delay.
func TestInterrupted(t *testing.T) {
	for _, broken := range []error{errors.New("the disk is full"), orders.ErrStale} {
		for n := 1; n <= 10; n += 3 {
			onBadger(t, func(w *world) {
				w.everything(buyer, 1)
				w.service.Store = &failing{w.Store, n, broken}
				_, err := w.service.Erase(w.Context(), erasure.Request{Buyer: buyer, KeepYears: 10})
				if (err == nil) != (broken == orders.ErrStale) {
					w.Errorf("write %d: %v", n, err)
				}
				done := w.erase(erasure.Request{Buyer: buyer, KeepYears: 10})
				w.checkKept(done.Items)
			})
		}
	}
}

// TestRefused: what is no address is refused.
func TestRefused(t *testing.T) {
	for _, address := range []string{"", "ann", "ann@", "@example.com", "ann@example.com bob@example.com"} {
		if _, err := new(erasure.Service).Erase(t.Context(), erasure.Request{Buyer: address}); !errors.Is(err, erasure.ErrNoAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
