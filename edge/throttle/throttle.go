// Package throttle limits the rate of requests without a merchant's credential, by a token bucket for each client address and
// one for each store, and that of wrong credentials of merchants by one for each client address. A [Throttle] refuses a request above the limit with a [*Refusal], which is [problem.Unavailable] and
// says when to retry.
//
// Caveat: the buckets are in memory, of this process only, and their number is bounded. A bucket that was evicted is full when
// its client sends again.
package throttle

import (
	"errors"
	"math"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/metrics"
)

// burst is how long a full bucket lasts at twice its rate.
const burst = 10 * time.Second

// maxBuckets is the number of buckets of a kind in each of two generations. All of them take a few megabytes.
const maxBuckets = 10_000

// Throttle is safe for concurrent use.
type Throttle struct {
	mutex   sync.Mutex
	clients buckets
	stores  buckets
	failed  buckets // credentials by client address
	refused *metrics.Counter
}

// New returns a throttle with limits in requests a second for each client address and for each store; 0 is no limit.
func New(perClient, perStore float64) *Throttle {
	return &Throttle{clients: buckets{limit: rate.Limit(perClient)}, stores: buckets{limit: rate.Limit(perStore)}, failed: buckets{limit: rate.Limit(perClient)}}
}

// Measure declares the throttle's metrics. It is called before the first request.
func (t *Throttle) Measure(m *metrics.Set) {
	t.refused = m.Counter("crepe_rate_limit_refusals_total", "Requests that a rate limit refused, by the limit: client, store or credential.", "limit")
	for _, limit := range []string{"client", "store", "credential"} {
		t.refused.Expect(limit)
	}
}

// Refusal is the error for a request above a limit. It unwraps to the problem for the caller.
type Refusal struct {
	whose string
	after time.Duration
}

var tooMany = problem.New(problem.Unavailable, "too-many-requests", "", "Too many requests, please retry")

func (r *Refusal) Error() string { return tooMany.Message + ": " + r.whose }

// Unwrap returns the problem.
func (r *Refusal) Unwrap() error { return tooMany }

// RetryAfter returns how long it takes until another request is within the limit.
func (r *Refusal) RetryAfter() time.Duration { return r.after }

// soonest is the shortest Retry-After: the first delay of the contract's retry rule.
const soonest = 5 * time.Second

// RetryAfter returns the value of the Retry-After header for an error that is [problem.Unavailable], in seconds: what the error's
// RetryAfter method returns, if it has one, and at least the first delay of the contract's retry rule.
func RetryAfter(err error) string {
	wait := soonest
	var refusal interface{ RetryAfter() time.Duration }
	if errors.As(err, &refusal) {
		wait = max(wait, refusal.RetryAfter())
	}
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

// Admit counts a request against the limits of its client address and its store. The error of a request above one is a
// [*Refusal]. A request whose client address is unknown ("") counts against the store only. A nil Throttle refuses nothing.
func (t *Throttle) Admit(store, client string, now time.Time) error {
	if t == nil {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if client != "" {
		if after := t.clients.take(client, now); after > 0 {
			t.refused.Inc("client")
			return &Refusal{"the client's rate", after}
		}
	}
	if after := t.stores.take(store, now); after > 0 {
		t.refused.Inc("store")
		return &Refusal{"the store's rate", after}
	}
	return nil
}

// AdmitCredential refuses the credential of a client address of which more were wrong than its limit allows, before the credential
// is verified. The error is a [*Refusal]. An unknown address ("") and a nil Throttle are refused nothing.
func (t *Throttle) AdmitCredential(client string, now time.Time) error {
	if t == nil || client == "" {
		return nil
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if after := t.failed.wait(client, now); after > 0 {
		t.refused.Inc("credential")
		return &Refusal{"the client's wrong credentials", after}
	}
	return nil
}

// CredentialFailed counts a wrong credential of a client address.
func (t *Throttle) CredentialFailed(client string, now time.Time) {
	if t == nil || client == "" {
		return
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.failed.take(client, now)
}

// buckets are the buckets of one kind, in two generations. When the young generation is full it replaces the old one, whose
// buckets have not been used since.
type buckets struct {
	limit      rate.Limit
	young, old map[string]*rate.Limiter
}

// take takes a token and returns 0, or returns how long it takes until there is one.
func (b *buckets) take(key string, now time.Time) time.Duration {
	if b.limit == 0 {
		return 0
	}
	if b.bucket(key).AllowN(now, 1) {
		return 0
	}
	return b.wait(key, now)
}

// wait returns how long it takes until there is a token; 0 if there is one.
func (b *buckets) wait(key string, now time.Time) time.Duration {
	if b.limit == 0 {
		return 0
	}
	missing := 1 - b.bucket(key).TokensAt(now)
	return time.Duration(max(0, missing) / float64(b.limit) * float64(time.Second))
}

func (b *buckets) bucket(key string) *rate.Limiter {
	bucket, ok := b.young[key]
	if ok {
		return bucket
	}
	if bucket, ok = b.old[key]; !ok {
		bucket = rate.NewLimiter(b.limit, max(1, int(float64(b.limit)*burst.Seconds())))
	}
	if b.young == nil || len(b.young) >= maxBuckets {
		b.young, b.old = make(map[string]*rate.Limiter), b.young
	}
	b.young[key] = bucket
	return bucket
}
