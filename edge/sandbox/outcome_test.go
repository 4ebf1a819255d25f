package sandbox

import (
	"testing"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// TestOutcomes: every outcome leads to its webhooks and its state of the session.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status orders.RemoteStatus
		events []orders.EventKind
		paid   bool
		last   orders.Event // what the adapter reads of the last event
	}{
		"succeeds": {status: orders.RemoteComplete, paid: true, events: []orders.EventKind{orders.EventCompleted}},
		"declined": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0002", Reason: "Your card was declined."}},
		"insufficient_funds": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9995", Reason: "Your card has insufficient funds."}},
		"expired_card": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0069", Reason: "Your card has expired."}},
		"processing_error": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0119",
				Reason: "An error occurred while processing your card. Try again in a little bit."}},
		"lost_card": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9987", Reason: "Your card was declined."}},
		"stolen_card": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "9979", Reason: "Your card was declined."}},
		"incorrect_cvc": {status: orders.RemoteOpen, events: []orders.EventKind{orders.EventDeclined},
			last: orders.Event{Method: "card", Last4: "0127", Reason: "Your card's security code is incorrect."}},
		"challenge_declined":           {status: orders.RemoteOpen},
		"challenge_insufficient_funds": {status: orders.RemoteOpen},
		"challenge":                    {status: orders.RemoteOpen},
		"later": {status: orders.RemoteComplete, paid: true,
			events: []orders.EventKind{orders.EventCompleted, orders.EventSucceeded}},
		"later_fails": {status: orders.RemoteComplete,
			events: []orders.EventKind{orders.EventCompleted, orders.EventDeclined, orders.EventFailed}},
	}
	if len(cases) != len(outcomes) {
		t.Errorf("%d outcomes are tested, and the page has %d", len(cases), len(outcomes))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, nil)
			remote := s.open("k")
			s.choose(remote, name)
			seen := make(map[orders.EventKind]orders.Event)
			for range c.events {
				e := s.event()
				seen[e.Kind] = e
			}
			for _, kind := range c.events {
				e, ok := seen[kind]
				if !ok || e.Remote.OrderID != "ORD_1" || e.Remote.Attempt != 1 || e.Remote.Total != remote.Total {
					t.Errorf("kind %d: %+v", kind, e)
				}
				if kind == orders.EventDeclined != (e.Remote.Ref == "") || e.Remote.PaymentID == "" {
					t.Errorf("kind %d: %+v", kind, e)
				}
			}
			if e := seen[orders.EventDeclined]; c.last.Reason != "" && (e.Method != c.last.Method || e.Last4 != c.last.Last4 ||
				e.Reason != c.last.Reason) {
				t.Errorf("got %+v, want %+v", e, c.last)
			}
			got, fault := s.gateway.Retrieve(soon(), remote.Ref)
			if fault != nil || got.Status != c.status || got.Paid != c.paid || (got.URL == "") != (c.status == orders.RemoteComplete) {
				t.Errorf("then the session is %+v, %v", got, fault)
			}
			s.silence()
		})
	}
}

// A delayed payment is not paid before it is.
func TestLaterIsUnpaidFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.choose(s.open("k"), "later")
	if e := s.event(); e.Kind != orders.EventCompleted || e.Remote.Paid || e.Remote.Status != orders.RemoteComplete {
		t.Errorf("first %+v", e)
	}
	if e := s.event(); e.Kind != orders.EventSucceeded || !e.Remote.Paid {
		t.Errorf("then %+v", e)
	}
}

// Passing the bank's challenge is not having the money.
func TestChallengeThenDeclined(t *testing.T) {
	t.Parallel()
	for outcome, last4 := range map[string]string{"challenge_declined": "0002", "challenge_insufficient_funds": "9995"} {
		s := newShop(t, nil)
		remote := s.open("k")
		s.choose(remote, outcome)
		if err := s.AnswerChallenge(remote.Ref, true); err != nil {
			t.Errorf("%s: %v", outcome, err)
		}
		if e := s.event(); e.Kind != orders.EventDeclined || e.Last4 != last4 {
			t.Errorf("%s: %+v", outcome, e)
		}
	}
}

func TestChallenge(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	if err := s.AnswerChallenge(remote.Ref, true); err != ErrNotPayable {
		t.Errorf("a challenge that does not wait: %v", err)
	}
	s.silence() // nothing was paid
	for _, passed := range []bool{false, true} {
		s.choose(remote, "challenge")
		if err := s.AnswerChallenge(remote.Ref, passed); err != nil {
			t.Fatal(err)
		}
		if e := s.event(); e.Remote.Paid != passed || passed != (e.Kind == orders.EventCompleted) {
			t.Errorf("passed %t: %+v", passed, e)
		}
	}
}

// TestDeclineThenPay: both tries belong to one payment.
func TestDeclineThenPay(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	s.choose(remote, "insufficient_funds")
	declined := s.event()
	s.choose(remote, "succeeds")
	if e := s.event(); !e.Remote.Paid || e.Remote.PaymentID != declined.Remote.PaymentID {
		t.Errorf("got %+v after %+v", e, declined)
	}
}
