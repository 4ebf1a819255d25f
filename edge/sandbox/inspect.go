package sandbox

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/goccy/go-json"
)

// ErrNotFound, ErrNotPayable and ErrNoOutcome are why a buyer can do nothing with a session.
var (
	ErrNotFound   = errors.New("sandbox: no such session")
	ErrNotPayable = errors.New("sandbox: the session is complete or expired")
	ErrNoOutcome  = errors.New("sandbox: no such outcome")
)

// Pay lets a buyer pay a session. What there is no session for is [ErrNotFound], what is over [ErrNotPayable].
func (s *Sandbox) Pay(id string) error { return s.act(id, "pay", (*sessionTx).pay) }

// Decline lets a buyer try a card that is declined; errors as for Pay.
func (s *Sandbox) Decline(id string) error { return s.Choose(id, "declined") }

// Expire ends a session before its time; errors as for Pay.
func (s *Sandbox) Expire(id string) error { return s.act(id, "expire", (*sessionTx).expire) }

// Choose lets a buyer choose an outcome of the page, by the value of its form: "succeeds", "later", "later_fails", …;
// errors as for Pay.
func (s *Sandbox) Choose(id, name string) error {
	o, ok := findOutcome(name)
	if !ok {
		return ErrNoOutcome
	}
	return s.act(id, name, o.step)
}

func (s *Sandbox) act(id, what string, step func(*sessionTx)) error {
	done := false
	err := s.update(id, func(t *sessionTx) { done = t.act(what, step) })
	if err == nil && !done {
		err = ErrNotPayable
	}
	return err
}

// act is what a buyer does with a session, while that can be paid.
func (t *sessionTx) act(what string, step func(*sessionTx)) bool {
	if !t.payable() {
		return false
	}
	step(t)
	t.note(what)
	return true
}

// Snapshot is a checkout session as it stands.
type Snapshot struct {
	ID        string
	Order     string // client_reference_id
	Metadata  map[string]string
	Key       string // the idempotency key that made it
	Status    string // "open", "complete", "expired"
	Payable   bool   // open, and its time is not over
	Paid      bool
	Amount    int64 // in the provider's units
	Currency  string
	Refunded  int64
	Created   time.Time
	ExpiresAt time.Time

	// Disclosed: the URL has left in an answer that was whole, to a caller who still waited for it. A session that is
	// not cannot be paid by anybody.
	Disclosed bool
}

// Sessions are all checkout sessions there ever were, at one instant, the newest first.
func (s *Sandbox) Sessions() ([]Snapshot, error) {
	var all []Snapshot
	var broken error
	err := s.config.Store.Scan("cs/", "", func(_ string, value []byte) bool {
		r := new(record)
		if broken = json.Unmarshal(value, r); broken != nil {
			return false
		}
		all = append(all, r.snapshot(s.config.Now()))
		return true
	})
	return all, errors.Join(err, broken)
}

func (r *record) snapshot(now time.Time) Snapshot {
	c := &r.Session
	return Snapshot{
		ID: c.ID, Order: string(c.ClientReferenceID), Metadata: c.Metadata, Key: r.Key,
		Status: c.Status, Payable: (&sessionTx{record: r, now: now}).payable(), Paid: c.PaymentStatus == paid,
		Amount: c.AmountTotal, Currency: c.Currency, Refunded: r.Refunded,
		Created: time.Unix(c.Created, 0).UTC(), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC(), Disclosed: r.Disclosed,
	}
}

// disclose notes that a session's URL leaves.
func (s *Sandbox) disclose(id string) error {
	return s.update(id, func(t *sessionTx) {
		if !t.Disclosed {
			t.Disclosed, t.touched = true, true
		}
	})
}

// received are the bodies that came under each idempotency key.
type received struct {
	mutex  sync.Mutex
	bodies map[string][]string
}

// Bodies are the bodies that came under each idempotency key, each of them once, in the order of their coming, whatever
// became of the calls. There are none unless Config.Record is set.
func (s *Sandbox) Bodies() map[string][]string {
	s.received.mutex.Lock()
	defer s.received.mutex.Unlock()
	copied := make(map[string][]string, len(s.received.bodies))
	for key, bodies := range s.received.bodies {
		copied[key] = slices.Clone(bodies)
	}
	return copied
}

func (s *Sandbox) receive(key, body string) {
	if !s.config.Record || key == "" {
		return
	}
	s.received.mutex.Lock()
	defer s.received.mutex.Unlock()
	if !slices.Contains(s.received.bodies[key], body) {
		s.received.bodies[key] = append(s.received.bodies[key], body)
	}
}
