package sandbox

import (
	"testing"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestOutcomes: every outcome leads to its webhooks and its state of the session.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status psp.CheckoutStatus
		events []psp.EventKind
		paid   bool
		last   psp.Event // what the adapter reads of the last event
	}{
		"succeeds":           {status: psp.CheckoutComplete, paid: true, events: []psp.EventKind{psp.EventCompleted}},
		"refund_later":       {status: psp.CheckoutComplete, paid: true, events: []psp.EventKind{psp.EventCompleted}},
		"refund_fails":       {status: psp.CheckoutComplete, paid: true, events: []psp.EventKind{psp.EventCompleted}},
		"refund_later_fails": {status: psp.CheckoutComplete, paid: true, events: []psp.EventKind{psp.EventCompleted}},
		"declined": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "0002", Reason: "Your card was declined."}},
		"insufficient_funds": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "9995", Reason: "Your card has insufficient funds."}},
		"expired_card": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "0069", Reason: "Your card has expired."}},
		"processing_error": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "0119",
				Reason: "An error occurred while processing your card. Try again in a little bit."}},
		"lost_card": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "9987", Reason: "Your card was declined."}},
		"stolen_card": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "9979", Reason: "Your card was declined."}},
		"incorrect_cvc": {status: psp.CheckoutOpen, events: []psp.EventKind{psp.EventDeclined},
			last: psp.Event{Method: "card", Last4: "0127", Reason: "Your card's security code is incorrect."}},
		"challenge_declined":           {status: psp.CheckoutOpen},
		"challenge_insufficient_funds": {status: psp.CheckoutOpen},
		"challenge":                    {status: psp.CheckoutOpen},
		"later": {status: psp.CheckoutComplete, paid: true,
			events: []psp.EventKind{psp.EventCompleted, psp.EventSucceeded}},
		"later_fails": {status: psp.CheckoutComplete,
			events: []psp.EventKind{psp.EventCompleted, psp.EventDeclined, psp.EventFailed}},
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
			seen := make(map[psp.EventKind]psp.Event)
			for range c.events {
				e := s.event()
				seen[e.Kind] = e
			}
			for _, kind := range c.events {
				e, ok := seen[kind]
				if !ok || e.Checkout.OrderID != "ORD_1" || e.Checkout.Attempt != 1 || e.Checkout.Total != remote.Total {
					t.Errorf("kind %d: %+v", kind, e)
				}
				if kind == psp.EventDeclined != (e.Checkout.Ref == "") || e.Checkout.PaymentID == "" {
					t.Errorf("kind %d: %+v", kind, e)
				}
			}
			if e := seen[psp.EventDeclined]; c.last.Reason != "" && (e.Method != c.last.Method || e.Last4 != c.last.Last4 ||
				e.Reason != c.last.Reason) {
				t.Errorf("got %+v, want %+v", e, c.last)
			}
			got, fault := s.gateway.Retrieve(soon(), remote.Ref)
			if fault != nil || got.Status != c.status || got.Paid != c.paid || (got.URL == "") != (c.status == psp.CheckoutComplete) {
				t.Errorf("then the session is %+v, %v", got, fault)
			}
			s.silence()
		})
	}
}

// TestLaterIsUnpaidFirst: a delayed payment completes the session unpaid.
func TestLaterIsUnpaidFirst(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	s.choose(s.open("k"), "later")
	if e := s.event(); e.Kind != psp.EventCompleted || e.Checkout.Paid || e.Checkout.Status != psp.CheckoutComplete {
		t.Errorf("first %+v", e)
	}
	if e := s.event(); e.Kind != psp.EventSucceeded || !e.Checkout.Paid {
		t.Errorf("then %+v", e)
	}
}

// TestChallengeThenDeclined: a card can be declined after a passed challenge.
func TestChallengeThenDeclined(t *testing.T) {
	t.Parallel()
	for outcome, last4 := range map[string]string{"challenge_declined": "0002", "challenge_insufficient_funds": "9995"} {
		s := newShop(t, nil)
		remote := s.open("k")
		s.choose(remote, outcome)
		if err := s.AnswerChallenge(remote.Ref, true); err != nil {
			t.Errorf("%s: %v", outcome, err)
		}
		if e := s.event(); e.Kind != psp.EventDeclined || e.Last4 != last4 {
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
		if e := s.event(); e.Checkout.Paid != passed || passed != (e.Kind == psp.EventCompleted) {
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
	if e := s.event(); !e.Checkout.Paid || e.Checkout.PaymentID != declined.Checkout.PaymentID {
		t.Errorf("got %+v after %+v", e, declined)
	}
}
