package orders_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// move puts another account in place of the one that the attempts belong to. It knows nothing of them.
func (d *desk) move(play bool) {
	d.account, d.checkouts = psp.Account{ID: "acct_2", TestMode: play}, nil
}

// attemptIn brings the service's only order to a state.
func (d *desk) attemptIn(t *testing.T, state orders.AttemptState) {
	t.Helper()
	switch state {
	case orders.Unresolved:
		d.faults = []*psp.CallError{{Class: psp.Unknown}}
	case orders.Refused:
		d.faults = []*psp.CallError{{Class: psp.Definitive}}
	case orders.Abandoned:
		d.faults = []*psp.CallError{{Class: psp.KeyBurned}}
	}
	d.order("DE")
	_, o := d.stored(t)
	switch state {
	case orders.Superseding:
		d.expire = &psp.CallError{Class: psp.Unknown}
		d.order("FR")
		d.expire = nil
	case orders.AttemptProcessing:
		through := d.event(o, 1, psp.EventCompleted, "evt_1")
		through.Checkout.Paid = false
		d.apply(t, through)
	case orders.Settled:
		d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_1"))
	case orders.Ended:
		d.complete = false
		d.order("FR")
		d.expire = nil
	}
	if _, o := d.stored(t); o.Attempts[0].State != state {
		t.Fatalf("the attempt is %s, want %s", o.Attempts[0].State, state)
	}
}

// TestAnotherAccount: an attempt of another account than today's is never asked about, and no state of it is an error for
// ever. Where real money may have moved, the session is not sold a second time.
func TestAnotherAccount(t *testing.T) {
	const sold, over = "a new checkout", "the session is over"
	for _, c := range []struct {
		state orders.AttemptState
		play  bool
		want  string
	}{
		{orders.Unresolved, false, sold}, {orders.Unresolved, true, sold},
		{orders.Refused, false, sold}, {orders.Abandoned, false, sold},
		{orders.Open, true, sold}, {orders.Open, false, over},
		{orders.Superseding, true, sold}, {orders.Superseding, false, over},
		{orders.Ended, false, over}, // the attempt after it is open
		{orders.AttemptProcessing, true, over}, {orders.AttemptProcessing, false, over},
		{orders.Settled, true, over}, {orders.Settled, false, over},
	} {
		for _, country := range []string{"DE", "JP"} {
			t.Run(fmt.Sprintf("%s, play %t, %s", c.state, c.play, country), func(t *testing.T) {
				d := openDesk(t)
				d.account = psp.Account{ID: "acct_1", TestMode: c.play}
				d.attemptIn(t, c.state)
				d.move(c.play)
				sent := len(d.sent)
				url, err := d.order(country)
				list, refused := errors.AsType[problem.List](err)
				switch {
				case c.want == sold && (err != nil || len(d.sent) != sent+1):
					t.Errorf("got %q, %v; sent %d", url, err, len(d.sent)-sent)
				case c.want == over && (!refused || list.Error() != checkout.InvalidSession().Error() || len(d.sent) != sent):
					t.Errorf("got %q, %v; sent %d", url, err, len(d.sent)-sent)
				}
				_, o := d.stored(t)
				for _, a := range o.Attempts[:len(o.Attempts)-1] {
					if a.State == orders.Open || a.State == orders.Superseding {
						t.Errorf("attempt %d is %s, and there is a later one", a.N, a.State)
					}
				}
			})
		}
	}
}

// TestAnotherAccountEnds: though nobody tells of an attempt at another account, it comes to an end when it cannot be paid any
// more, and so does the session, which may have been paid there.
func TestAnotherAccountEnds(t *testing.T) {
	for _, state := range []orders.AttemptState{orders.Open, orders.Superseding} {
		t.Run(string(state), func(t *testing.T) {
			d := openDesk(t)
			d.attemptIn(t, state)
			d.move(false)
			if o := d.sweep(t, 40*time.Minute); o.Current().State != state {
				t.Fatalf("after 40 minutes it is %s", o.Current().State)
			}
			o := d.sweep(t, 25*time.Minute)
			session, _ := d.stored(t)
			if o.State != orders.Expired || o.Current().State != orders.Ended || !session.Closed || o.DueAt() != 0 {
				t.Errorf("order %s, attempt %s, closed %t, due at %d", o.State, o.Current().State, session.Closed, o.DueAt())
			}
		})
	}
}

// TestMissingCheckout: what its own account does not have cannot be paid. An attempt of an older version, whose account nobody
// knows, may be at another one.
func TestMissingCheckout(t *testing.T) {
	for _, known := range []bool{true, false} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		if !known {
			_, o := d.stored(t)
			o.Attempts[0].Account = psp.Account{}
			if err := d.db.Commit(context.Background(), orders.Change{Order: o}); err != nil {
				t.Fatal(err)
			}
		}
		d.checkouts = nil
		_, err := d.order("FR")
		if _, refused := errors.AsType[problem.List](err); known && err != nil || !known && !refused {
			t.Errorf("account known: %t: %v", known, err)
		}
	}
}

// TestKeyReplaced: with a new key of the same account a start finds the checkouts of the old one before it takes orders. A buyer
// who is about to pay keeps the checkout and may change the order, also where somebody else writes to the order meanwhile.
func TestKeyReplaced(t *testing.T) {
	d := openDesk(t)
	url, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	d.account = psp.Account{ID: "acct_2"}
	config := d.config
	config.CatchUp, config.Store = true, &overtaken{Store: d.db, times: 1}
	config.TryTimeout, config.Budget = time.Minute, 5*time.Minute
	d.Service = orders.New(config)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = d.CatchUp(ctx) })
	running.Go(func() { d.Run(ctx) })
	defer running.Wait()
	defer stop()
	if again, err := d.order("DE"); again != url || err != nil {
		t.Errorf("%q became %q, %v", url, again, err)
	}
	if changed, err := d.order("FR"); err != nil || changed == url {
		t.Errorf("a changed order got %q, %v", changed, err)
	}
	if _, o := d.stored(t); o.Attempts[0].State != orders.Ended || o.Attempts[0].Account.ID != "acct_2" {
		t.Errorf("the first attempt is %s at %s", o.Attempts[0].State, o.Attempts[0].Account.ID)
	}
}

// overtaken is a store where somebody else writes first, so many times.
type overtaken struct {
	orders.Store
	times int
}

func (s *overtaken) Commit(ctx context.Context, c orders.Change) error {
	if s.times > 0 {
		s.times--
		return orders.ErrStale
	}
	return s.Store.Commit(ctx, c)
}
