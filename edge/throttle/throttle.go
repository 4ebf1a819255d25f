// Package throttle limits the rate of requests without a merchant's credential, by a token bucket for each client address and
// one for each store. A [Throttle] refuses a request above the limit with a [*Refusal], which is [problem.Unavailable] and
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
}

// New returns a throttle with limits in requests a second for each client address and for each store; 0 is no limit.
func New(perClient, perStore float64) *Throttle {
	return &Throttle{clients: buckets{limit: rate.Limit(perClient)}, stores: buckets{limit: rate.Limit(perStore)}}
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
			return &Refusal{"the client's rate", after}
		}
	}
	if after := t.stores.take(store, now); after > 0 {
		return &Refusal{"the store's rate", after}
	}
	return nil
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
	bucket := b.bucket(key)
	if bucket.AllowN(now, 1) {
		return 0
	}
	return time.Duration((1 - bucket.TokensAt(now)) / float64(b.limit) * float64(time.Second))
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
