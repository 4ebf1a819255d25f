package sandbox

import (
	"bytes"
	"sync"
	"time"
)

// Stripe's rules for API v1 (https://docs.stripe.com/api/idempotent_requests): the first answer under a key is stored with
// its status, whatever that is, as soon as the call begins to execute, and comes again for a day. Not stored are a missing
// authorisation, invalid parameters and a conflict with a running call.

const (
	maxKey     = 255
	keepAnswer = 24 * time.Hour
)

// stored is the answer to the first call under a key.
type stored struct {
	Print  []byte `json:"print"`
	Status int    `json:"status"`
	Body   []byte `json:"body"`
	Note   string `json:"note"`
	At     int64  `json:"at"` // milliseconds

	Shows []string `json:"shows,omitempty"`
}

// once runs a call, unless its key has an answer or is in use. A call stores its own answer, with save, in the same step
// as its effect.
func (r *request) once(run func() answer) answer {
	if r.key == "" {
		return run()
	}
	if len(r.key) > maxKey {
		return apiError{Type: "idempotency_error", Message: "Idempotency keys are at most 255 characters."}.answer(400)
	}
	if !r.sandbox.claims.take(r.key) {
		return keyInUse()
	}
	defer r.sandbox.claims.release(r.key)
	first, err := load[stored](r.sandbox.config.Store, "ik/"+r.key)
	switch {
	case err != nil:
		return broken()
	case first == nil || r.now.Sub(time.UnixMilli(first.At)) >= keepAnswer:
		return run()
	case !bytes.Equal(first.Print, r.print[:]):
		return apiError{Type: "idempotency_error", Message: "Keys for idempotent requests can only be used with the same " +
			"parameters they were first used with."}.answer(400)
	}
	return r.execute(true, func() answer {
		return answer{status: first.Status, body: first.Body, note: first.Note, shows: first.Shows, replayed: true}
	})
}

// save adds an answer to the step that it tells of.
func (r *request) save(c *change, a answer) {
	if r.saves != nil {
		a = *r.saves
	}
	if r.key != "" {
		c.put("ik/"+r.key, stored{r.print[:], a.status, a.body, a.note, r.now.UnixMilli(), a.shows})
	}
}

// claims are the keys of the calls that are running.
type claims struct {
	mutex sync.Mutex
	keys  map[string]bool
}

func (c *claims) take(key string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.keys[key] {
		return false
	}
	c.keys[key] = true
	return true
}

func (c *claims) release(key string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.keys, key)
}
