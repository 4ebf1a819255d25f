package sandbox

import (
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// record is what is stored of a session.
type record struct {
	Session   session           `json:"session"`
	Lines     []line            `json:"lines"`
	Metadata  map[string]string `json:"payment_metadata"` // of the payment intent
	Intent    *intent           `json:"intent"`
	Then      string            `json:"then,omitempty"` // the outcome after the bank's challenge; "" for paying
	Settles   int64             `json:"settles"`        // when a delayed payment is decided, Unix milliseconds
	Bounces   bool              `json:"bounces"`        // the delayed payment fails
	Refunded  int64             `json:"refunded"`
	Refunding refunding         `json:"refunding,omitempty"`
	Dispute   *dispute          `json:"dispute,omitempty"`
	Events    map[string]string `json:"events"` // the last event id of each type
	Held      string            `json:"held"`   // the task of an event that is held back until the next was accepted

	Key string `json:"key"` // the idempotency key of its create
}

// sessionTx is a transaction on a session. Its changes and the events that report them are persisted atomically.
type sessionTx struct {
	*record
	sandbox *Sandbox
	now     time.Time
	change  change
	forced  *fault.Injected // the fault of the transaction's webhooks; nil for the injector's
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
	if len(t.change) == 0 {
		return nil
	}
	t.change.put("cs/"+id, t.record)
	return s.apply(t.change)
}

// payable reports whether the session is open and its time is not over, whether or not the worker has expired it.
func (t *sessionTx) payable() bool {
	return t.Session.Status == open && t.now.Unix() < t.Session.ExpiresAt
}

// attempt sets the status of the payment intent, which the first attempt creates.
func (t *sessionTx) attempt(status string) {
	if t.Intent == nil {
		t.Intent = &intent{
			ID: t.sandbox.newID("pi_"), Object: "payment_intent", Amount: t.Session.AmountTotal, Created: t.now.Unix(),
			Currency: t.Session.Currency, Livemode: t.Session.Livemode, Metadata: t.Metadata,
		}
		t.Session.PaymentIntent = nullable(t.Intent.ID)
	}
	t.change.link("pi/"+t.Intent.ID, t.Session.ID)
	t.Intent.Status, t.Intent.LastError = status, nil
}

// challenge waits for the bank's challenge. Passing it leads to the outcome named then; "" pays.
func (t *sessionTx) challenge(then string) {
	t.attempt(requiresAction)
	t.Then = then
}

// pass passes the challenge.
func (t *sessionTx) pass() {
	if after, ok := findOutcome(t.Then); ok {
		after.step(t)
		return
	}
	t.pay()
}

// challenged reports whether the bank waits for the buyer.
func (t *sessionTx) challenged() bool { return t.Intent != nil && t.Intent.Status == requiresAction }

// pay completes the session with a payment.
func (t *sessionTx) pay() {
	t.attempt(succeeded)
	t.Intent.AmountReceived = t.Intent.Amount
	t.complete(paid)
}

// payLater completes the session unpaid, with a delayed payment that settle decides.
func (t *sessionTx) payLater(bounces bool) {
	t.attempt(processing)
	t.Bounces = bounces
	t.Settles = t.now.Add(t.sandbox.config.Delay).UnixMilli()
	t.change.link(dueKey(t.Settles, "settle", t.Session.ID), t.Session.ID)
	t.complete(unpaid)
}

// decline declines one try to pay. The session stays open.
func (t *sessionTx) decline(why *paymentError) {
	t.attempt(requiresMethod)
	t.Intent.LastError = why
	t.emit("payment_intent.payment_failed", t.Intent)
}

// settle decides a delayed payment.
func (t *sessionTx) settle(bounces bool) {
	t.change.delete(dueKey(t.Settles, "settle", t.Session.ID))
	if bounces {
		t.decline(bounced)
		t.emit("checkout.session.async_payment_failed", &t.Session)
		return
	}
	t.attempt(succeeded)
	t.Intent.AmountReceived = t.Intent.Amount
	t.Session.PaymentStatus = paid
	t.emit("checkout.session.async_payment_succeeded", &t.Session)
}

// settling reports whether a delayed payment is undecided.
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

// expiry is the key of the task that expires the session.
func (t *sessionTx) expiry() string { return dueKey(t.Session.ExpiresAt*1000, "expire", t.Session.ID) }

// emit records an event and plans its delivery.
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

// send adds the task to deliver an event after a while and returns its key. An event can be sent repeatedly.
func (t *sessionTx) send(id string, after time.Duration) (task string) {
	task = dueKey(t.now.Add(after).UnixMilli(), "send", id)
	t.change.link(task, id)
	return task
}

// requested are the faults that the session requests.
func (r *record) requested() []fault.Injected {
	return fault.Requested(r.Session.Metadata[fault.MetadataKey], string(r.Session.CustomerEmail))
}
