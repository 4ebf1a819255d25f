package orders_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// payable is how many of a session's checkouts can be paid at the provider, whoever has their URL.
func (c *counter) payable(sessionID string) (n int) {
	c.t.Helper()
	all, err := c.psp.Sessions()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, s := range all {
		if s.Metadata["checkout_session_id"] == sessionID && s.Payable {
			n++
		}
	}
	return n
}

// TestHiddenEffect: the provider fails and has made the checkout all the same. The same call again ends that one before it
// tells the URL of the next, so that there is never a second one to pay.
func TestHiddenEffect(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.psp.Script("500_side_effect")
	id, err := c.open(1)
	if err == nil || c.payable(id) != 1 {
		t.Fatalf("the fault did not befall: %v", err)
	}
	c.psp.Script("expire.502")
	if _, err := c.order(id, "DE"); !isUnavailable(err) || c.payable(id) != 1 {
		t.Errorf("while it cannot be ended: %v, %d can be paid", err, c.payable(id))
	}
	url, err := c.order(id, "DE")
	if err != nil || c.payable(id) != 1 || c.remote(c.refOf(id, "1")) != "expired" || !strings.HasSuffix(url, c.refOf(id, "2")) {
		t.Errorf("got %q, %v; %d can be paid", url, err, c.payable(id))
	}
	if _, o := c.stored(id); o.Attempts[0].State != orders.Ended || o.Current().State != orders.Open {
		t.Errorf("attempts %s and %s", o.Attempts[0].State, o.Current().State)
	}
}

func isUnavailable(err error) bool {
	var p *problem.Problem
	return errors.As(err, &p) && p.Kind == problem.Unavailable
}

// TestHiddenPayment: the hidden checkout was paid, by whatever way its URL got out. The order is paid, and nothing is sold a
// second time.
func TestHiddenPayment(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.psp.Script("500_side_effect")
	id, _ := c.open(1)
	c.loseWebhooks()
	if err := c.psp.Pay(c.refOf(id, "1")); err != nil {
		t.Fatal(err)
	}
	url, err := c.order(id, "DE")
	var refused problem.List
	session, o := c.stored(id)
	if url != "" || !errors.As(err, &refused) || o.State != orders.PaidLate || !session.Closed || c.payable(id) != 0 {
		t.Errorf("got %q, %v; the order is %s, closed %t", url, err, o.State, session.Closed)
	}
}

// TestUnlistable: a provider that refuses to list does not stop a session for ever: what it may have of the attempt ends by
// itself.
func TestUnlistable(t *testing.T) {
	d := openDesk(t)
	d.faults, d.list = []*psp.CallError{{Class: psp.KeyBurned}}, &psp.CallError{Class: psp.NotExecuted, Status: 403}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if _, err := d.order("DE"); !isUnavailable(err) || len(d.sent) != 1 {
		t.Errorf("got %v, sent %d", err, len(d.sent))
	}
	if o := d.sweep(t, 30*time.Minute); o.Current().State != orders.Abandoned || o.DueAt() == 0 {
		t.Errorf("the attempt is %s", o.Current().State)
	}
	if o := d.sweep(t, 33*time.Minute); o.Current().State != orders.Ended || o.DueAt() != 0 {
		t.Errorf("the attempt is %s", o.Current().State)
	}
}

// TestKeyTaken: a restored backup has lost an order, whose checkout was ended after the backup. The event of that end arrives while
// the same attempt is being made again. It is no effect of the request, which gets a checkout of its own.
func TestKeyTaken(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before the answer", "after the answer"} {
		d := openDesk(t)
		d.faults = []*psp.CallError{{Class: psp.KeyTaken, Status: 400}}
		ended := func() {
			_, o := d.stored(t)
			ev := d.event(o, 1, psp.EventExpired, "evt_1")
			ev.Checkout.Ref = "ref_of_the_lost_attempt"
			d.apply(t, ev)
		}
		if when == "before the answer" {
			d.creating = ended
		} else {
			d.restart(withStore(&afterCommit{Store: d.db, n: 2, do: ended})) // the second commit is that of the answer
		}
		url, err := d.order("DE")
		if _, o := d.stored(t); err != nil || len(o.Attempts) != 2 || o.Attempts[0].State != orders.Ended || o.Current().URL != url {
			t.Errorf("%s: %q, %v; attempts %+v", when, url, err, o.Attempts)
		}
	}
}

// TestReplayed: a restored backup has lost an order, and the same request arrives in the same second, so that the provider answers
// it with what it has stored. That checkout may have ended since or have been paid, and is not answered as if it were new.
func TestReplayed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		since func(*provider, string)
		state orders.State
		made  int // attempts
	}{
		"open":  {func(*provider, string) {}, orders.AwaitingPayment, 2},
		"ended": {func(p *provider, ref string) { p.end(ref) }, orders.AwaitingPayment, 2},
		"paid":  {func(p *provider, ref string) { p.complete = true; p.end(ref) }, orders.PaidLate, 1},
	} {
		t.Run(name, func(t *testing.T) {
			d, restored := openDesk(t), openDesk(t)
			if _, err := d.order("DE"); err != nil {
				t.Fatal(err)
			}
			_, lost := d.stored(t)
			c.since(d.provider, lost.Current().Ref)
			restored.opened, restored.provider = d.opened, d.provider
			restored.restart(func(config *orders.Config) { config.Providers = d.config.Providers })
			url, err := restored.order("DE")
			_, o := restored.stored(t)
			if o.State != c.state || len(o.Attempts) != c.made || (err == nil) != (c.made == 2) {
				t.Fatalf("%q, %v; the order is %s after %d attempts", url, err, o.State, len(o.Attempts))
			}
			for _, remote := range d.checkouts {
				if payable := remote.Status == psp.CheckoutOpen; payable != (c.made == 2 && remote.URL == url) {
					t.Errorf("%s can be paid: %t; the buyer has %q", remote.Ref, payable, url)
				}
			}
		})
	}
}

// afterCommit is a store at which something happens once, right after its nth commit.
type afterCommit struct {
	orders.Store
	n  int
	do func()
}

func (s *afterCommit) Commit(ctx context.Context, c orders.Change) error {
	err := s.Store.Commit(ctx, c)
	if s.n--; s.n == 0 {
		s.do()
	}
	return err
}
