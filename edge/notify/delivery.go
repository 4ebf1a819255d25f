package notify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

const (
	// Timeout is how long a try to deliver may take, connection and answer included.
	Timeout = 10 * time.Second
	// Retention is how long a delivery is kept after it has succeeded or failed, unless [Config].Keep says otherwise.
	Retention = 30 * 24 * time.Hour

	// signatureLife is how old a signature may be when it is sent. Verifiers refuse one of 45 minutes.
	signatureLife = 40 * time.Minute
	// maxTries is how many tries of a delivery are recorded, the latest ones.
	maxTries = 20
	// maxAnswer is how much of an answer is recorded, in bytes.
	maxAnswer = 512
)

// waits are the times between one try and the next: 1, 5 and 25 minutes after the first.
var waits = [...]time.Duration{time.Minute, 4 * time.Minute, 20 * time.Minute}

// Delivery is one event for one endpoint, with everything that was tried to deliver it.
type Delivery struct {
	ID          string // UUID, which the event carries
	Environment checkout.Environment
	MerchantID  string
	StoreID     string
	EndpointID  string
	EventType   string // "order.completed"
	EventID     string // "PAY_…", "REF_…"
	OrderID     string // "" for a test event

	Body      []byte // as it is sent each time
	Signature string // the header, over Body
	SignedAt  int64  // Unix milliseconds

	// Version counts the writes. A [Store] refuses to write a delivery that was read at another version.
	Version uint64

	State     DeliveryState
	Sent      int   // tries of the present schedule
	Tries     []Try // oldest first; the latest ones
	DueAt     int64 // when it is sent next, Unix milliseconds; 0 is never
	CreatedAt int64
	UpdatedAt int64
	Keep      int64 // how long the record is kept after it has succeeded or failed, milliseconds; 0 is [Retention]
}

// DeliveryState is where a delivery stands. Its values are published.
type DeliveryState string

const (
	Pending   DeliveryState = "pending"
	Delivered DeliveryState = "success"
	Failed    DeliveryState = "failed"
)

// Try is one try to deliver.
type Try struct {
	At     int64  // Unix milliseconds
	Took   int64  // milliseconds
	Status int    // of the answer; 0 where none came
	Answer string // the beginning of its body
	Error  string // why no answer came; "" where one did
}

// succeeded reports whether the merchant has accepted the event.
func (t *Try) succeeded() bool { return t.Error == "" && t.Status/100 == 2 }

// outcome names the outcome in the metrics.
func (t *Try) outcome() string {
	switch {
	case t.succeeded():
		return "ok"
	case t.Status == 0:
		return "error"
	default:
		return fmt.Sprintf("%dxx", t.Status/100)
	}
}

// tried records a try, and says when the next one is due.
func (d *Delivery) tried(t Try, now int64) {
	d.Tries = append(slices.Clone(d.Tries), t)
	if extra := len(d.Tries) - maxTries; extra > 0 {
		d.Tries = d.Tries[extra:]
	}
	d.Sent++
	d.UpdatedAt = now
	switch {
	case t.succeeded():
		d.State, d.DueAt = Delivered, 0
	case d.Sent > len(waits):
		d.State, d.DueAt = Failed, 0
	default:
		d.DueAt = now + waits[d.Sent-1].Milliseconds()
	}
}

// abandon ends a delivery that can be sent nowhere.
func (d *Delivery) abandon(why string, now int64) {
	d.tried(Try{At: now, Error: why}, now)
	d.State, d.DueAt = Failed, 0
}

// restart begins a schedule anew, with a header of now.
func (d *Delivery) restart(now int64) {
	d.State, d.Sent, d.DueAt, d.UpdatedAt = Pending, 0, now, now
	d.Signature, d.SignedAt = "", 0
}

// stale reports whether a verifier could refuse the signature for its age.
func (d *Delivery) stale(now int64) bool {
	return d.Signature == "" || now-d.SignedAt > signatureLife.Milliseconds()
}

// KeptUntil is when the record of a delivery is deleted, in Unix milliseconds; 0 while it is still to be sent.
func (d *Delivery) KeptUntil() int64 {
	if d.State == Pending {
		return 0
	}
	return d.UpdatedAt + cmp.Or(d.Keep, Retention.Milliseconds())
}
