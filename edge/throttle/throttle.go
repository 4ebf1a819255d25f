// Package throttle bounds how many requests without a merchant's credential are served: a token bucket for each client
// address and one for each store. A [Throttle] refuses what is too much with [problem.Unavailable], which the contract's
// clients send again, and tells when ([Refusal.RetryAfter]).
//
// Caveat: the buckets are this process's, in memory, and a bounded number of them. One that has to make room for others is
// full again when its client comes back.
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

// burst is how long a bucket that is full lasts at twice its rate.
const burst = 10 * time.Second

// maxBuckets is how many buckets of a kind are kept in each of two generations: a few megabytes.
const maxBuckets = 10_000

// Throttle is safe for concurrent use.
type Throttle struct {
	mutex   sync.Mutex
	clients buckets
	stores  buckets
}

// New makes a throttle of so many requests a second for each client address and for each store; 0 is no limit.
func New(perClient, perStore float64) *Throttle {
	return &Throttle{clients: buckets{limit: rate.Limit(perClient)}, stores: buckets{limit: rate.Limit(perStore)}}
}

// Refusal is the error for a request above the limit. It unwraps to the problem that its caller may see.
type Refusal struct {
	whose string
	after time.Duration
}

var tooMany = problem.New(problem.Unavailable, "too-many-requests", "", "Too many requests, please retry")

func (r *Refusal) Error() string { return tooMany.Message + ": " + r.whose }

// Unwrap is the problem.
func (r *Refusal) Unwrap() error { return tooMany }

// RetryAfter is how long it takes until there is room for one request more.
func (r *Refusal) RetryAfter() time.Duration { return r.after }

// soonest is the shortest Retry-After: the first delay of the contract's retry rule.
const soonest = 5 * time.Second

// RetryAfter is the value of that header beside a refusal that is [problem.Unavailable], in seconds: what the refusal says, if
// it has a RetryAfter, or else the contract's first step.
func RetryAfter(err error) string {
	wait := soonest
	var refusal interface{ RetryAfter() time.Duration }
	if errors.As(err, &refusal) {
		wait = max(wait, refusal.RetryAfter())
	}
	return strconv.Itoa(int(math.Ceil(wait.Seconds())))
}

// Admit counts a request to a store and a client's address, or refuses it. A request whose client's address is unknown ("")
// counts to the store only. A nil Throttle refuses nothing.
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

// buckets are the buckets of one kind, in two generations. When the young one is full it becomes the old one, and the old one,
// of those who have not come since, is forgotten.
type buckets struct {
	limit      rate.Limit
	young, old map[string]*rate.Limiter
}

// take takes a token, or says how long it takes until there is one.
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
