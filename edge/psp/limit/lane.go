package limit

import (
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// longestRetry bounds the RetryAfter of a call that was refused.
const longestRetry = time.Minute

// caller is to whom a call counts: a store and one of its clients.
type caller []string

// lane limits the rate and the concurrency of one kind of call. Calls that wait are served in a fair order.
type lane struct {
	slots   int // calls that may be made at once
	waiting int // calls that may wait
	bucket  *rate.Limiter

	mutex sync.Mutex
	busy  int         // slots that are taken
	queue fairQueue   // calls that wait
	next  *time.Timer // fires when the bucket has a token for the first of them; nil while it is not needed
	retry time.Time   // when there will be room for everything that was refused so far
}

func newLane(perSecond float64, slots, waiting int) *lane {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &lane{slots: slots, waiting: waiting, bucket: rate.NewLimiter(limit, max(1, int(perSecond)))}
}

// enter takes a slot, waiting until latest at most; leave gives it back. A call that cannot get one in time is refused as soon as
// that is known.
func (l *lane) enter(latest time.Time, c caller) *psp.CallError {
	w := &waiter{caller: c, latest: latest, answer: make(chan *psp.CallError, 1)}
	l.join(w)
	select {
	case callErr := <-w.answer:
		return callErr
	default:
	}
	timeout := time.NewTimer(time.Until(latest))
	defer timeout.Stop()
	select {
	case <-timeout.C:
		l.withdraw(w)
	case callErr := <-w.answer:
		return callErr
	}
	return <-w.answer
}

// join adds a call to the queue. If more wait than can be served in time, the last call of the caller with the most is refused.
func (l *lane) join(w *waiter) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.queue.push(w, w.caller)
	l.serve()
	if l.queue.length == 0 {
		return
	}
	if last := l.queue.last(); l.queue.length > l.waiting || l.wait(l.queue.length) > time.Until(last.latest) {
		l.drop(last, "queue_full_here")
	}
}

// drop refuses a call that waits, if it still does.
func (l *lane) drop(w *waiter, code string) {
	if l.queue.remove(w, w.caller) {
		w.answer <- l.refuse(code)
	}
}

func (l *lane) withdraw(w *waiter) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.drop(w, "no_turn_here")
}

func (l *lane) leave() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.busy--
	l.serve()
}

// serve gives slots to the calls that wait, as long as there are slots and tokens.
func (l *lane) serve() {
	for l.queue.length > 0 && l.busy < l.slots {
		if !l.bucket.Allow() {
			l.serveIn(l.wait(1))
			return
		}
		l.busy++
		l.queue.pop().answer <- nil
	}
}

func (l *lane) serveIn(d time.Duration) {
	if l.next != nil {
		return
	}
	l.next = time.AfterFunc(d, func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.next = nil
		l.serve()
	})
}

// wait is how long it takes until the bucket has n tokens more than it has handed out.
func (l *lane) wait(n int) time.Duration {
	if l.bucket.Limit() == rate.Inf {
		return 0
	}
	missing := float64(n) - l.bucket.Tokens()
	return time.Duration(math.Ceil(max(0, missing) / float64(l.bucket.Limit()) * float64(time.Second)))
}

// refuse returns the error of a call for which there is no room. Each refused call gets a RetryAfter of its own, so that they do
// not come back together.
func (l *lane) refuse(code string) *psp.CallError {
	now := time.Now()
	l.retry = latest(l.retry, now.Add(l.wait(l.queue.length+1)))
	callErr := heldBack(code, min(l.retry.Sub(now), longestRetry))
	if l.bucket.Limit() != rate.Inf && callErr.RetryAfter < longestRetry {
		l.retry = l.retry.Add(time.Duration(float64(time.Second) / float64(l.bucket.Limit())))
	}
	return callErr
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// waiter is a call that waits.
type waiter struct {
	caller caller
	latest time.Time           // the call is refused if it has no slot by then
	answer chan *psp.CallError // gets one element: nil for a slot
}

// fairQueue is a queue of queues: it serves its parts in rotation, and so does each part. A queue without parts is first in,
// first out.
type fairQueue struct {
	name    string
	length  int // of all parts together
	parts   []*fairQueue
	waiters []*waiter
}

// push adds a waiter to the part that its caller names.
func (q *fairQueue) push(w *waiter, c caller) {
	q.length++
	if len(c) == 0 {
		q.waiters = append(q.waiters, w)
		return
	}
	i := q.part(c[0])
	if i < 0 {
		i = len(q.parts)
		q.parts = append(q.parts, &fairQueue{name: c[0]})
	}
	q.parts[i].push(w, c[1:])
}

// part finds a part by its name, -1 if there is none.
func (q *fairQueue) part(name string) int {
	return slices.IndexFunc(q.parts, func(p *fairQueue) bool { return p.name == name })
}

// pop removes the waiter that is next.
func (q *fairQueue) pop() *waiter {
	q.length--
	if len(q.parts) == 0 {
		w := q.waiters[0]
		q.waiters = q.waiters[1:]
		return w
	}
	first := q.parts[0]
	q.parts = q.parts[1:]
	w := first.pop()
	if first.length > 0 {
		q.parts = append(q.parts, first)
	}
	return w
}

// last returns the last waiter of the longest part.
func (q *fairQueue) last() *waiter {
	if len(q.parts) == 0 {
		return q.waiters[len(q.waiters)-1]
	}
	longest := q.parts[0]
	for _, p := range q.parts {
		if p.length >= longest.length {
			longest = p
		}
	}
	return longest.last()
}

// remove removes a waiter, and reports whether it was there.
func (q *fairQueue) remove(w *waiter, c caller) (found bool) {
	if len(c) == 0 {
		i := slices.Index(q.waiters, w)
		if found = i >= 0; found {
			q.waiters = slices.Delete(q.waiters, i, i+1)
		}
	} else if i := q.part(c[0]); i >= 0 {
		found = q.parts[i].remove(w, c[1:])
		if q.parts[i].length == 0 {
			q.parts = slices.Delete(q.parts, i, i+1)
		}
	}
	if found {
		q.length--
	}
	return found
}
