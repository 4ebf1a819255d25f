package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// buy opens a session for a buyer's e-mail address, which may request faults.
func (s *shop) buy(email string) psp.Checkout {
	s.t.Helper()
	made, fault := s.gateway.Create(soon(), s.wire(func(p *psp.CheckoutParams) { p.Order.BuyerEmail = email }), email)
	if fault != nil {
		s.t.Fatal(fault)
	}
	return made.Checkout
}

func (s *shop) pay(id string) {
	s.t.Helper()
	if err := s.Pay(id); err != nil {
		s.t.Fatal(err)
	}
}

func TestTwice(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.pay(s.buy("twice@sandbox.test").Ref)
	if first, again := s.event(), s.event(); first != again || first.Kind != psp.EventCompleted {
		t.Errorf("%+v, then %+v", first, again)
	}
	s.silence()
	if pending := s.pending(); pending != 0 {
		t.Errorf("%d are pending", pending)
	}
}

// TestTwiceWithRetry: the second delivery follows the first accepted one.
func TestTwiceWithRetry(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.inbox.answer(500)
	s.pay(s.buy("twice@sandbox.test").Ref)
	first := s.event()
	if second, third := s.next(), s.event(); first != second || second != third {
		t.Errorf("%+v, %+v, %+v", first, second, third)
	}
	s.clock.advance(maxBackoff)
	s.silence()
}

func TestLate(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.buy("late-5m@sandbox.test")
	s.pay(remote.Ref)
	s.silence()
	if pending := s.pending(); pending != 1 {
		t.Errorf("%d are pending", pending)
	}
	s.clock.advance(5 * time.Minute)
	s.wake <- struct{}{}
	if e := s.event(); e.Kind != psp.EventCompleted || e.Checkout.Ref != remote.Ref {
		t.Errorf("got %+v", e)
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.buy("lost@sandbox.test")
	s.pay(remote.Ref)
	s.clock.advance(time.Hour)
	s.silence()
	if pending := s.pending(); pending != 0 {
		t.Errorf("%d are pending", pending)
	}
	if got, fault := s.gateway.Retrieve(soon(), remote.Ref); fault != nil || !got.Paid {
		t.Errorf("got %+v, %v", got, fault)
	}
}

func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.buy("out_of_order@sandbox.test")
	if err := s.Decline(remote.Ref); err != nil {
		t.Fatal(err)
	}
	s.silence()
	s.pay(remote.Ref)
	if first, then := s.event(), s.event(); first.Kind != psp.EventCompleted || then.Kind != psp.EventDeclined {
		t.Errorf("%+v, then %+v", first, then)
	}
	s.clock.advance(time.Hour)
	s.silence()
}

// TestOutOfOrderAlone: an event that is held back is sent after the wait if no other follows, and is no longer held then.
func TestOutOfOrderAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.buy("out_of_order-1m@sandbox.test")
	s.Decline(remote.Ref)
	s.silence()
	s.clock.advance(time.Minute)
	s.wake <- struct{}{}
	if e := s.event(); e.Kind != psp.EventDeclined {
		t.Errorf("got %+v", e)
	}
	s.pay(remote.Ref)
	s.silence()
	s.clock.advance(time.Minute)
	s.wake <- struct{}{}
	if e := s.event(); e.Kind != psp.EventCompleted {
		t.Errorf("got %+v", e)
	}
	s.silence()
}

// TestOutOfOrderInOneStep: two events of one transaction are reversed.
func TestOutOfOrderInOneStep(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.Delay = time.Minute })
	remote := s.buy("ada@example.com")
	if err := s.Choose(remote.Ref, "later_fails"); err != nil {
		t.Fatal(err)
	}
	s.event()
	s.Script("out_of_order", "out_of_order")
	s.clock.advance(time.Minute)
	s.wake <- struct{}{}
	if first, then := s.event(), s.event(); first.Kind != psp.EventFailed || then.Kind != psp.EventDeclined {
		t.Errorf("%+v, then %+v", first, then)
	}
	s.silence()
}

// TestFirst: the webhook of the payment arrives before the response to the create, which still shows an open session.
func TestFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.buy("first@sandbox.test")
	if remote.Status != psp.CheckoutOpen || remote.URL == "" {
		t.Errorf("got %+v", remote)
	}
	select {
	case m := <-s.inbox.received:
		if e, err := s.gateway.Webhook(m.header, []byte(m.body), s.clock.now()); err != nil || e.Kind != psp.EventCompleted ||
			e.Checkout.Ref != remote.Ref || !e.Checkout.Paid {
			t.Errorf("got %+v, %v", e, err)
		}
	default:
		t.Error("the webhook did not come first")
	}
	if got, fault := s.gateway.Retrieve(soon(), remote.Ref); fault != nil || !got.Paid {
		t.Errorf("got %+v, %v", got, fault)
	}
	s.silence()
}

// TestDecide: the function is called for every call with its description, and its fault is injected.
func TestDecide(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	calls := make(chan fault.Call, 10)
	s.Decide(func(c fault.Call) fault.Spec {
		calls <- c
		switch {
		case c.Operation == fault.Create && !c.Replay:
			return "lost_response"
		case c.Operation == fault.Webhook:
			return "twice"
		case c.Operation == fault.Expire:
			return "twice" // not a fault of calls
		}
		return ""
	})
	c := &trial{shop: s, order: "ORD_1"}
	c.render("ada+400@sandbox.test")
	if _, got := c.send(nothing); got != nothing {
		t.Fatalf("got %+v", got)
	}
	remote, got := c.send(fine)
	if got != fine {
		t.Fatalf("got %+v", got)
	}
	s.pay(remote.Ref)
	s.event()
	s.event()
	s.gateway.Expire(soon(), remote.Ref)
	s.Decide(nil)
	close(calls)
	var all []fault.Call
	for call := range calls {
		all = append(all, call)
	}
	want := []fault.Call{
		{Operation: fault.Create, Order: "ORD_1", Key: "ORD_1"},
		{Operation: fault.Create, Order: "ORD_1", Key: "ORD_1", Replay: true},
		{Operation: fault.Webhook, Order: "ORD_1", Key: "ORD_1", Session: remote.Ref, Event: "checkout.session.completed"},
		{Operation: fault.Expire, Order: "ORD_1", Session: remote.Ref},
		{Operation: fault.Retrieve, Order: "ORD_1", Session: remote.Ref},
	}
	if !slices.Equal(all, want) {
		t.Errorf("got %+v\nwant %+v", all, want)
	}
}

// TestWebhookFaultsInLog: the log has every fault of a webhook.
func TestWebhookFaultsInLog(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	for _, fault := range []string{"none", "twice", "late:1h", "out_of_order", "lost"} {
		remote := s.buy("ada+" + strings.ReplaceAll("webhook."+fault, ":", "-") + "@sandbox.test")
		s.pay(remote.Ref)
	}
	page := fmt.Sprint(s.Log())
	for _, fault := range []string{"none", "twice", "late-1h", "out_of_order", "lost"} {
		if !strings.Contains(page, "fault webhook."+fault) {
			t.Errorf("the log does not have %s", fault)
		}
	}
}
