package sandbox

import (
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// refundBy refunds a part of a payment by the adapter.
func (s *shop) refundBy(payment, key string, amount int64) (psp.Refund, *psp.CallError) {
	s.t.Helper()
	request, err := s.gateway.RenderRefund(psp.RefundParams{OrderID: "ORD_1", N: 1, PaymentID: payment, Amount: money.Amount{Minor: amount, Currency: "USD"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.gateway.CreateRefund(time.Now().Add(time.Second), request, key)
}

// TestRefundOutcomes: the refunds of a payment end as its outcome says, and the adapter reads each state in the webhooks, by id and
// in the list.
func TestRefundOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, c := range map[string]struct {
		first, last psp.RefundStatus
		later       int // events of refunds after the first
	}{
		"succeeds":           {psp.RefundSucceeded, psp.RefundSucceeded, 0},
		"refund_later":       {psp.RefundPending, psp.RefundSucceeded, 1},
		"refund_fails":       {psp.RefundSucceeded, psp.RefundFailed, 2},
		"refund_later_fails": {psp.RefundPending, psp.RefundFailed, 2},
	} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, nil)
			s.choose(s.open("k"), outcome)
			payment := s.event().Checkout.PaymentID
			made, callErr := s.refundBy(payment, "r1", 700)
			if callErr != nil || made.Status != c.first || made.Amount.Minor != 700 || made.N != 1 || made.OrderID != "ORD_1" || made.PaymentID != payment {
				t.Fatalf("got %+v, %v", made, callErr)
			}
			if again, callErr := s.refundBy(payment, "r1", 700); callErr != nil || again.Ref != made.Ref {
				t.Errorf("the same call again: %+v, %v", again, callErr)
			}
			if _, callErr := s.refundBy(payment, "r1", 701); callErr == nil || callErr.Class != psp.KeyTaken {
				t.Errorf("the same key with other bytes: %v", callErr)
			}
			for range 2 + c.later {
				if e := s.event(); e.Refund.PaymentID != payment || e.Kind == psp.EventRefund && e.Refund.Ref != made.Ref {
					t.Errorf("got %+v", e)
				}
			}
			got, callErr := s.gateway.RetrieveRefund(soon(), made.Ref)
			if callErr != nil || got.Status != c.last || (got.Failure != "") != (c.last == psp.RefundFailed) {
				t.Errorf("then it is %+v, %v", got, callErr)
			}
			page, callErr := s.gateway.ListRefunds(soon(), payment, psp.Span{}, "")
			if callErr != nil || len(page.Items) != 1 || page.Items[0] != got {
				t.Errorf("listed %+v, %v", page, callErr)
			}
			if missing, callErr := s.gateway.RetrieveRefund(soon(), "re_0"); callErr != nil || missing.Status != psp.RefundMissing {
				t.Errorf("an unknown one is %+v, %v", missing, callErr)
			}
			s.silence()
		})
	}
}

// TestRefundFaults: a session requests the faults of its refunds, and the rules of keys hold under them.
func TestRefundFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		class psp.ErrorClass
		made  int  // refunds after the faulty call
		again bool // the same call succeeds without the fault
	}{
		"timeout":         {psp.Unknown, 0, true},
		"lost_response":   {psp.Unknown, 1, true},
		"500_saved":       {psp.KeyBurned, 0, false},
		"500_side_effect": {psp.KeyBurned, 1, false},
		"429":             {psp.NotExecuted, 0, true},
		"400":             {psp.Definitive, 0, true},
		"409":             {psp.InProgress, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, nil)
			s.choose(s.open("k"), "succeeds")
			payment := s.event().Checkout.PaymentID
			s.Script(fault.Spec("refund." + name))
			_, callErr := s.refundBy(payment, "r1", 700)
			if callErr == nil || callErr.Class != c.class {
				t.Fatalf("got %v", callErr)
			}
			if made, err := s.Refunds(); err != nil || len(made) != c.made {
				t.Errorf("%d refunds, %v", len(made), err)
			}
			again, callErr := s.refundBy(payment, "r1", 700)
			if (callErr == nil) != c.again || c.again && again.Status != psp.RefundSucceeded {
				t.Errorf("again: %+v, %v", again, callErr)
			}
			if made, _ := s.Refunds(); len(made) > 1 {
				t.Errorf("%d refunds", len(made))
			}
		})
	}
}

// TestRefundTriggers: a refund made by hand and a dispute are reported; what is disputed cannot be refunded.
func TestRefundTriggers(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	remote := s.open("k")
	trigger := func(event string) error {
		for _, what := range Triggers() {
			if what.Event == event {
				_, err := s.Trigger(what, remote.Ref, nil)
				return err
			}
		}
		t.Fatal(event)
		return nil
	}
	for _, event := range []string{"refund.created", "charge.dispute.created", "charge.dispute.closed"} {
		if trigger(event) == nil {
			t.Errorf("%s of what is not paid", event)
		}
	}
	s.choose(remote, "succeeds")
	payment := s.event().Checkout.PaymentID
	if err := trigger("charge.dispute.created"); err != nil {
		t.Fatal(err)
	}
	if e := s.event(); e.Kind != psp.EventDispute || e.Dispute.PaymentID != payment || e.Dispute.Status != "needs_response" || e.Dispute.Closed {
		t.Errorf("got %+v", e)
	}
	if _, callErr := s.refundBy(payment, "r1", 1); callErr == nil || callErr.Class != psp.Definitive {
		t.Errorf("refunding what is disputed: %v", callErr)
	}
	if err := trigger("charge.dispute.closed"); err != nil {
		t.Fatal(err)
	}
	if e := s.event(); e.Kind != psp.EventDispute || e.Dispute.Status != "lost" || !e.Dispute.Closed {
		t.Errorf("got %+v", e)
	}
	other := s.open("k2")
	s.choose(other, "succeeds")
	s.event()
	remote = other
	if err := trigger("refund.created"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e := s.event(); e.Refund.OrderID != "" || e.Refund.N != 0 || e.Refund.Amount != other.Total {
			t.Errorf("got %+v", e)
		}
	}
}
