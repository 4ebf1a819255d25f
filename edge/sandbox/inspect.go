package sandbox

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/goccy/go-json"
)

// Errors of what a buyer does with a session.
var (
	ErrNotFound   = errors.New("sandbox: no such session")
	ErrNotPayable = errors.New("sandbox: the session is complete or expired")
	ErrNoOutcome  = errors.New("sandbox: no such outcome")
)

// Pay pays a session as its buyer. It returns [ErrNotFound] for an unknown session and [ErrNotPayable] for one that is complete
// or expired.
func (s *Sandbox) Pay(id string) error { return s.act(id, "pay", (*sessionTx).pay) }

// Decline tries to pay a session with a card that is declined; errors as for Pay.
func (s *Sandbox) Decline(id string) error { return s.Choose(id, "declined") }

// Expire expires a session early; errors as for Pay.
func (s *Sandbox) Expire(id string) error { return s.act(id, "expire", (*sessionTx).expire) }

// Choose makes an outcome happen, by its name: "succeeds", "later", "later_fails", … It returns [ErrNoOutcome] for an unknown
// name; other errors as for Pay.
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

// act runs what a buyer does with a session and logs it, if the session is payable.
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
	Key       string // the idempotency key of its create
	Status    string // "open", "complete", "expired"
	Payable   bool   // open, and its time is not over
	Paid      bool
	Amount    int64 // in the provider's units
	Currency  string
	Refunded  int64
	Created   time.Time
	ExpiresAt time.Time
}

// Sessions returns a snapshot of all checkout sessions, the newest first.
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
		Created: time.Unix(c.Created, 0).UTC(), ExpiresAt: time.Unix(c.ExpiresAt, 0).UTC(),
	}
}

// received are the request bodies under each idempotency key.
type received struct {
	mutex  sync.Mutex
	bodies map[string][]string
}

// Bodies returns the distinct request bodies under each idempotency key in the order of their arrival, executed or not. It is
// empty unless Config.Record is set.
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
