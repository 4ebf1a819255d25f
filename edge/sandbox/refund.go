package sandbox

import (
	"math"
	"strconv"
	"time"

	"github.com/goccy/go-json"
)

var (
	refundParams      = []string{"payment_intent", "amount", "reason", "metadata[*]"}
	listRefundsParams = append([]string{"payment_intent"}, listSessionsParams...)
)

// createRefund refunds a payment in full or in part.
func createRefund(r *request, in *reader) func() response {
	payment := in.required("payment_intent", 100)
	amount := in.integer("amount", 1, maximum, 0)
	reason := in.text("reason", 40)
	in.oneOf("reason", reason, []string{"duplicate", "fraudulent", "requested_by_customer"})
	metadata := in.metadata("metadata")
	return func() response {
		return r.refund(payment, amount, refund{Reason: nullable(reason), Metadata: metadata})
	}
}

func (r *request) refund(payment string, amount int64, given refund) response {
	id, err := r.sandbox.config.Store.Get("pi/" + payment)
	if err != nil {
		return storeFailure()
	}
	var a response
	err = r.sandbox.update(string(id), func(t *sessionTx) {
		a = t.refund(amount, given)
		r.save(&t.change, a)
	})
	switch err {
	case nil:
		return a
	case ErrNotFound:
		return notFound("payment_intent", payment, "payment_intent")
	}
	return storeFailure()
}

// refund refunds an amount; 0 is everything that is not refunded yet.
func (t *sessionTx) refund(amount int64, given refund) response {
	left := int64(0)
	if t.Intent != nil {
		left = t.Intent.AmountReceived - t.Refunded
	}
	switch {
	case t.Intent == nil || t.Intent.AmountReceived == 0:
		return apiError{Param: "payment_intent", Message: "This PaymentIntent does not have a successful charge to refund."}.response(400)
	case t.Dispute != nil && t.Dispute.Status != "won":
		return apiError{Code: "charge_disputed", Message: "This charge has been charged back or is disputed."}.response(400)
	case left == 0:
		return apiError{Code: "charge_already_refunded", Message: "Charge has already been refunded."}.response(400)
	case amount > left:
		return apiError{Param: "amount", Message: "Refund amount (" + strconv.FormatInt(amount, 10) + ") is greater than " +
			"unrefunded amount on charge (" + strconv.FormatInt(left, 10) + ")"}.response(400)
	case amount == 0:
		amount = left
	}
	given.ID, given.Object, given.Status, given.Amount = t.sandbox.newID("re_"), "refund", succeeded, amount
	given.Created, given.Currency, given.PaymentIntent = t.now.Unix(), t.Session.Currency, t.Intent.ID
	if t.Refunding.pending() {
		given.Status = "pending"
	}
	t.Refunded += amount
	t.saveRefund(&given)
	t.emit("refund.created", &given)
	t.emit("charge.refunded", t.charge())
	if t.Refunding != "" {
		t.change.link(dueKey(t.now.Add(t.sandbox.config.Delay).UnixMilli(), "refund", given.ID), given.ID)
	}
	a := ok(&given)
	a.note = given.about() + ofOrder(string(t.Session.ClientReferenceID))
	return a
}

func (r *refund) about() string {
	return r.ID + " · " + display(r.Amount, r.Currency) + " · " + r.Status
}

// saveRefund persists a refund with the change.
func (t *sessionTx) saveRefund(r *refund) {
	t.change.put("re/"+r.ID, storedRefund{*r, t.Session.ID})
}

// storedRefund is what is stored of a refund.
type storedRefund struct {
	Refund  refund `json:"refund"`
	Session string `json:"session"`
}

// refunding is what becomes of the refunds of a payment after they were made: "" for nothing more.
type refunding string

// The cards whose refunds do not end at once (https://docs.stripe.com/testing#refunds), and one whose refund is pending and fails.
const (
	refundLater      refunding = "refund_later"
	refundFails      refunding = "refund_fails"
	refundLaterFails refunding = "refund_later_fails"
)

func (r refunding) pending() bool { return r == refundLater || r == refundLaterFails }

// payWith pays a session with a card whose refunds do not end at once.
func payWith(r refunding) func(*sessionTx) {
	return func(t *sessionTx) {
		t.Refunding = r
		t.pay()
	}
}

// refundDue ends a refund that was made a while ago.
func (s *Sandbox) refundDue(key, id string) error {
	found, err := load[storedRefund](s.config.Store, "re/"+id)
	if err != nil {
		return err
	}
	if found == nil {
		return s.apply(change{{Key: key}})
	}
	return s.dropTask(key, s.update(found.Session, func(t *sessionTx) {
		t.endRefund(&found.Refund)
		t.change.delete(key)
	}))
}

// endRefund lets a refund succeed or fail.
func (t *sessionTx) endRefund(r *refund) {
	if t.Refunding == refundLater {
		r.Status = succeeded
		t.saveRefund(r)
		t.emit("refund.updated", r)
	} else {
		r.Status, r.FailureReason = "failed", "lost_or_stolen_card"
		t.Refunded -= r.Amount
		t.saveRefund(r)
		t.emit("refund.updated", r)
		t.emit("refund.failed", r)
	}
	t.sandbox.journal.add(t.now, "Refund", "refund ends", r.about()+ofOrder(string(t.Session.ClientReferenceID)))
}

// charge is the charge of the payment, which has the sum of its refunds.
func (t *sessionTx) charge() *charge {
	return &charge{ID: "ch_" + t.Intent.ID[len("pi_"):], Object: "charge", Amount: t.Intent.Amount, AmountRefunded: t.Refunded, Currency: t.Session.Currency,
		Livemode: t.Session.Livemode, Metadata: t.Metadata, PaymentIntent: t.Intent.ID, Refunded: t.Refunded == t.Intent.Amount}
}

func retrieveRefund(r *request, _ *reader) func() response {
	return func() response {
		found, err := load[storedRefund](r.sandbox.config.Store, "re/"+r.id)
		switch {
		case err != nil:
			return storeFailure()
		case found == nil:
			return notFound("refund", r.id, "id")
		}
		a := ok(&found.Refund)
		a.note = found.Refund.about()
		return a
	}
}

func listRefunds(r *request, in *reader) func() response {
	payment := in.text("payment_intent", 100)
	return r.list(in, "re/", "/v1/refunds", func(value []byte) (any, int64, bool) {
		var found storedRefund
		if json.Unmarshal(value, &found) != nil {
			return nil, math.MaxInt64, false
		}
		return &found.Refund, found.Refund.Created, payment == "" || found.Refund.PaymentIntent == payment
	})
}

// dispute disputes the payment, as its buyer does at the bank. It reports whether there is a payment to dispute.
func (t *sessionTx) dispute() bool {
	if t.Intent == nil || t.Intent.AmountReceived == 0 || t.Dispute != nil {
		return false
	}
	t.Dispute = &dispute{ID: t.sandbox.newID("dp_"), Object: "dispute", Amount: t.Intent.Amount, Charge: t.charge().ID, Created: t.now.Unix(),
		Currency: t.Session.Currency, Livemode: t.Session.Livemode, PaymentIntent: t.Intent.ID, Reason: "fraudulent", Status: "needs_response"}
	t.emit("charge.dispute.created", t.Dispute)
	return true
}

// closeDispute decides the dispute for the buyer. It reports whether there is one to decide.
func (t *sessionTx) closeDispute() bool {
	if t.Dispute == nil || t.Dispute.Status != "needs_response" {
		return false
	}
	t.Dispute.Status = "lost"
	t.emit("charge.dispute.closed", t.Dispute)
	return true
}

// refundByHand refunds what is left of a payment, as a merchant does in the dashboard. It reports whether something was left.
func (t *sessionTx) refundByHand() bool {
	return t.refund(0, refund{Metadata: map[string]string{}}).status == 200
}

// Refund is a refund as it stands.
type Refund struct {
	ID       string
	Payment  string
	Session  string
	Key      string // the number of the refund of the order, from the metadata; "" for one made by hand
	Status   string // "pending", "succeeded", "failed"
	Amount   int64  // in the provider's units
	Currency string
	Created  time.Time
}

// Refunds returns all refunds, the newest first.
func (s *Sandbox) Refunds() (all []Refund, err error) {
	var broken error
	err = s.config.Store.Scan("re/", "", func(_ string, value []byte) bool {
		var found storedRefund
		if broken = json.Unmarshal(value, &found); broken != nil {
			return false
		}
		r := &found.Refund
		all = append(all, Refund{r.ID, r.PaymentIntent, found.Session, r.Metadata["refund"], r.Status, r.Amount, r.Currency, time.Unix(r.Created, 0).UTC()})
		return true
	})
	if err == nil {
		err = broken
	}
	return all, err
}
