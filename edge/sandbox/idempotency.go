package sandbox

import (
	"bytes"
	"sync"
	"time"
)

// Stripe's rules for API v1 (https://docs.stripe.com/api/idempotent_requests): once a call begins to execute, its response is
// stored under the key with its status, failures included, and replayed for a day. Authentication failures, invalid parameters
// and conflicts with a running call are not stored.

const (
	maxKey     = 255
	keepAnswer = 24 * time.Hour
)

// stored is the response to the first call under a key.
type stored struct {
	Fingerprint []byte `json:"print"`
	Status      int    `json:"status"`
	Body        []byte `json:"body"`
	Note        string `json:"note"`
	At          int64  `json:"at"` // milliseconds
}

// once runs a call, unless its key has a stored response or is in use. A call stores its own response with save, atomically with
// its effect.
func (r *request) once(run func() response) response {
	if r.key == "" {
		return run()
	}
	if len(r.key) > maxKey {
		return apiError{Type: "idempotency_error", Message: "Idempotency keys are at most 255 characters."}.response(400)
	}
	if !r.sandbox.inFlight.add(r.key) {
		return keyInUse()
	}
	defer r.sandbox.inFlight.remove(r.key)
	first, err := load[stored](r.sandbox.config.Store, "ik/"+r.key)
	switch {
	case err != nil:
		return storeFailure()
	case first == nil || r.now.Sub(time.UnixMilli(first.At)) >= keepAnswer:
		return run()
	case !bytes.Equal(first.Fingerprint, r.fingerprint[:]):
		return apiError{Type: "idempotency_error", Message: "Keys for idempotent requests can only be used with the same " +
			"parameters they were first used with."}.response(400)
	}
	return r.execute(true, func() response {
		return response{status: first.Status, body: first.Body, note: first.Note, replayed: true}
	})
}

// save adds the response under the key to the change that it reports.
func (r *request) save(c *change, a response) {
	if r.saves != nil {
		a = *r.saves
	}
	if r.key != "" {
		c.put("ik/"+r.key, stored{r.fingerprint[:], a.status, a.body, a.note, r.now.UnixMilli()})
	}
}

// inFlight are the keys of running calls.
type inFlight struct {
	mutex sync.Mutex
	keys  map[string]bool
}

func (f *inFlight) add(key string) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.keys[key] {
		return false
	}
	f.keys[key] = true
	return true
}

func (f *inFlight) remove(key string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	delete(f.keys, key)
}
