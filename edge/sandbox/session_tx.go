package sandbox

import (
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// record is a session and all that belongs to it.
type record struct {
	Session  session           `json:"session"`
	Lines    []line            `json:"lines"`
	Metadata map[string]string `json:"payment_metadata"` // of the payment, once there is one
	Intent   *intent           `json:"intent"`
	Then     string            `json:"then,omitempty"` // the outcome after the bank's challenge; empty for paying
	Settles  int64             `json:"settles"`        // when a payment that is confirmed later is decided, in milliseconds
	Bounces  bool              `json:"bounces"`        // and that it fails then
	Refunded int64             `json:"refunded"`
	Events   map[string]string `json:"events"` // the last event of each type
	Held     string            `json:"held"`   // the task that sends an event which is to come after the next

	Key       string `json:"key"`       // the idempotency key that made it
	Disclosed bool   `json:"disclosed"` // its URL has left in an answer that was whole
}

// sessionTx is one step in the life of a session. What it changes is written as a whole, with the events that report it.
type sessionTx struct {
	*record
	sandbox *Sandbox
	now     time.Time
	change  change
	touched bool            // the record itself has changed, if nothing else has
	forced  *fault.Injected // of the webhooks of this step; nil leaves it to the session and the script
}

// update runs step as a transaction on a session, which is locked meanwhile. A step that changes nothing writes nothing. It
// returns [ErrNotFound] where there is no session.
func (s *Sandbox) update(id string, step func(*sessionTx)) error {
	defer s.lock(id)()
	r, err := load[record](s.config.Store, "cs/"+id)
	if err != nil {
		return err
	}
	if r == nil {
		return ErrNotFound
	}
	t := &sessionTx{record: r, sandbox: s, now: s.config.Now()}
	step(t)
	if len(t.change) == 0 && !t.touched {
		return nil
	}
	t.change.put("cs/"+id, t.record)
	return s.apply(t.change)
}

// payable: neither through nor expired, whether or not the worker has noticed.
func (t *sessionTx) payable() bool {
	return t.Session.Status == open && t.now.Unix() < t.Session.ExpiresAt
}

// try moves the payment to a status. The first try makes it.
func (t *sessionTx) try(status string) {
	if t.Intent == nil {
		t.Intent = &intent{
			ID: t.sandbox.newID("pi_"), Object: "payment_intent", Amount: t.Session.AmountTotal, Created: t.now.Unix(),
			Currency: t.Session.Currency, Livemode: t.Session.Livemode, Metadata: t.Metadata,
		}
		t.Session.PaymentIntent = maybe(t.Intent.ID)
	}
	t.change.link("pi/"+t.Intent.ID, t.Session.ID)
	t.Intent.Status, t.Intent.LastError = status, nil
}

// challenge sends the buyer to the bank's page. What happens after passing it is the outcome then, or the payment.
func (t *sessionTx) challenge(then string) {
	t.try(requiresAction)
	t.Then = then
}

// pass is the buyer's convincing the bank.
func (t *sessionTx) pass() {
	if after, ok := findOutcome(t.Then); ok {
		after.step(t)
		return
	}
	t.pay()
}

// challenged: the bank waits for the buyer.
func (t *sessionTx) challenged() bool { return t.Intent != nil && t.Intent.Status == requiresAction }

// pay takes the money.
func (t *sessionTx) pay() {
	t.try(succeeded)
	t.Intent.AmountReceived = t.Intent.Amount
	t.complete(paid)
}

// payLater lets the buyer through; settle decides about the money.
func (t *sessionTx) payLater(bounces bool) {
	t.try(processing)
	t.Bounces = bounces
	t.Settles = t.now.Add(t.sandbox.config.Delay).UnixMilli()
	t.change.link(dueKey(t.Settles, "settle", t.Session.ID), t.Session.ID)
	t.complete(unpaid)
}

// decline refuses one try to pay. The session stays open for the next.
func (t *sessionTx) decline(why *paymentError) {
	t.try(requiresMethod)
	t.Intent.LastError = why
	t.emit("payment_intent.payment_failed", t.Intent)
}

// settle decides about a payment that was to be confirmed later.
func (t *sessionTx) settle(bounces bool) {
	t.change.delete(dueKey(t.Settles, "settle", t.Session.ID))
	if bounces {
		t.decline(bounced)
		t.emit("checkout.session.async_payment_failed", &t.Session)
		return
	}
	t.try(succeeded)
	t.Intent.AmountReceived = t.Intent.Amount
	t.Session.PaymentStatus = paid
	t.emit("checkout.session.async_payment_succeeded", &t.Session)
}

// settling: the buyer is through, and the money is not decided about.
func (t *sessionTx) settling() bool { return t.Intent != nil && t.Intent.Status == processing }

func (t *sessionTx) complete(payment string) {
	t.end(complete)
	t.Session.PaymentStatus = payment
	t.emit("checkout.session.completed", &t.Session)
}

func (t *sessionTx) expire() {
	t.end(expired)
	t.emit("checkout.session.expired", &t.Session)
}

func (t *sessionTx) end(status string) {
	t.Session.Status, t.Session.URL = status, ""
	t.change.delete(t.expiry())
}

// expiry is the worker's task to expire the session.
func (t *sessionTx) expiry() string { return dueKey(t.Session.ExpiresAt*1000, "expire", t.Session.ID) }

// emit records an event and has it sent.
func (t *sessionTx) emit(kind string, object any) {
	e := event{
		ID: t.sandbox.newID("evt_"), Object: "event", APIVersion: apiVersion, Created: t.now.Unix(),
		Livemode: t.Session.Livemode, Type: kind,
	}
	e.Data.Object = encode(object)
	if t.Events == nil {
		t.Events = make(map[string]string)
	}
	t.Events[kind] = e.ID
	d := delivery{Event: e, Order: string(t.Session.ClientReferenceID)}
	t.dispatch(&d)
	t.change.put("ev/"+e.ID, d)
}

// dispatch plans the delivery of a new event with its fault, unless there is no endpoint.
func (t *sessionTx) dispatch(d *delivery) {
	s := t.sandbox
	if s.config.WebhookURL == "" {
		return
	}
	d.Event.PendingWebhooks = 1
	if t.forced != nil {
		t.deliver(d, *t.forced)
		return
	}
	t.deliver(d, s.Pick(fault.Call{Operation: fault.Webhook, Session: t.Session.ID, Order: d.Order, Key: t.Key, Event: d.Event.Type}, t.requested()))
}

// send has an event delivered after a while, once more if it has been. It is the worker's task.
func (t *sessionTx) send(id string, after time.Duration) (task string) {
	task = dueKey(t.now.Add(after).UnixMilli(), "send", id)
	t.change.link(task, id)
	return task
}

// requested are the faults that the session requests.
func (r *record) requested() []fault.Injected {
	return fault.Requested(r.Session.Metadata[fault.MetadataKey], string(r.Session.CustomerEmail))
}
