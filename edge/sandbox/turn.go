package sandbox

import "time"

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

// turn is one step in the life of a session. What it changes is written as a whole, with the events that report it.
type turn struct {
	*record
	sandbox *Sandbox
	now     time.Time
	change  change
	touched bool  // the record itself has changed, if nothing else has
	forced  *fate // of the webhooks of this step; nil leaves it to the session and the script
}

// turn takes a step with a session, alone. A step that changes nothing writes nothing.
func (s *Sandbox) turn(id string, step func(*turn)) error {
	defer s.lock(id)()
	r, err := load[record](s.config.Store, "cs/"+id)
	if err != nil {
		return err
	}
	if r == nil {
		return ErrNotFound
	}
	t := &turn{record: r, sandbox: s, now: s.config.Now()}
	step(t)
	if len(t.change) == 0 && !t.touched {
		return nil
	}
	t.change.put("cs/"+id, t.record)
	return s.apply(t.change)
}

// payable: neither through nor expired, whether or not the worker has noticed.
func (t *turn) payable() bool {
	return t.Session.Status == open && t.now.Unix() < t.Session.ExpiresAt
}

// try moves the payment to a status. The first try makes it.
func (t *turn) try(status string) {
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
func (t *turn) challenge(then string) {
	t.try(requiresAction)
	t.Then = then
}

// pass is the buyer's convincing the bank.
func (t *turn) pass() {
	if after, ok := findOutcome(t.Then); ok {
		after.step(t)
		return
	}
	t.pay()
}

// challenged: the bank waits for the buyer.
func (t *turn) challenged() bool { return t.Intent != nil && t.Intent.Status == requiresAction }

// pay takes the money.
func (t *turn) pay() {
	t.try(succeeded)
	t.Intent.AmountReceived = t.Intent.Amount
	t.complete(paid)
}

// payLater lets the buyer through; settle decides about the money.
func (t *turn) payLater(bounces bool) {
	t.try(processing)
	t.Bounces = bounces
	t.Settles = t.now.Add(t.sandbox.config.Delay).UnixMilli()
	t.change.link(dueKey(t.Settles, "settle", t.Session.ID), t.Session.ID)
	t.complete(unpaid)
}

// decline refuses one try to pay. The session stays open for the next.
func (t *turn) decline(why *paymentError) {
	t.try(requiresMethod)
	t.Intent.LastError = why
	t.emit("payment_intent.payment_failed", t.Intent)
}

// settle decides about a payment that was to be confirmed later.
func (t *turn) settle(bounces bool) {
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
func (t *turn) settling() bool { return t.Intent != nil && t.Intent.Status == processing }

func (t *turn) complete(payment string) {
	t.end(complete)
	t.Session.PaymentStatus = payment
	t.emit("checkout.session.completed", &t.Session)
}

func (t *turn) expire() {
	t.end(expired)
	t.emit("checkout.session.expired", &t.Session)
}

func (t *turn) end(status string) {
	t.Session.Status, t.Session.URL = status, ""
	t.change.delete(t.expiry())
}

// expiry is the worker's task to expire the session.
func (t *turn) expiry() string { return dueKey(t.Session.ExpiresAt*1000, "expire", t.Session.ID) }

// emit records an event and has it sent.
func (t *turn) emit(kind string, object any) {
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

// dispatch has a new event delivered as its fate wants it, where there is somebody to deliver it to.
func (t *turn) dispatch(d *delivery) {
	s := t.sandbox
	if s.config.WebhookURL == "" {
		return
	}
	var f fate
	if t.forced != nil {
		f = *t.forced
	} else {
		f = s.fate(Call{Operation: Webhook, Session: t.Session.ID, Order: string(t.Session.ClientReferenceID), Key: t.Key,
			Event: d.Event.Type}, t.fates())
	}
	d.Event.PendingWebhooks = 1
	t.deliver(d, f)
}

// deliver plans a delivery as its fate wants it.
func (t *turn) deliver(d *delivery, f fate) {
	f.hook(t, d, f.wait)
	if f.fault != "" {
		t.sandbox.journal.add(t.now, "Webhook", d.Event.Type+" "+d.Event.ID, "fault "+string(f.fault)+ofOrder(d.Order))
	}
}

// send has an event delivered after a while, once more if it has been. It is the worker's task.
func (t *turn) send(id string, after time.Duration) (task string) {
	task = dueKey(t.now.Add(after).UnixMilli(), "send", id)
	t.change.link(task, id)
	return task
}

// fates are the faults that the session asks for.
func (r *record) fates() []fate {
	return ownFates(r.Session.Metadata[faultKey], string(r.Session.CustomerEmail))
}
