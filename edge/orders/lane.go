package orders

import (
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// longestRetry bounds what a call that was refused is told to wait.
const longestRetry = time.Minute

// lane lets one kind of work through to a provider, at a rate and so many calls at once. What waits is served in turn.
type lane struct {
	places  int // calls that may be made at once
	waiting int // calls that may wait
	bucket  *rate.Limiter

	mutex sync.Mutex
	made  int         // calls that are being made
	queue line        // calls that wait
	next  *time.Timer // fires when the bucket has a token for the first of them; nil while it is not needed
	retry time.Time   // when there will be room for everything that was refused so far
}

func newLane(perSecond float64, places, waiting int) *lane {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &lane{places: places, waiting: waiting, bucket: rate.NewLimiter(limit, max(1, int(perSecond)))}
}

// enter takes a turn at once or waits for one, until latest at most; leave ends the turn. A call that cannot get one in time
// is refused as soon as that is known.
func (l *lane) enter(latest time.Time, party []string) *psp.CallError {
	w := &waiter{party: party, latest: latest, answer: make(chan *psp.CallError, 1)}
	l.join(w)
	select {
	case fault := <-w.answer:
		return fault
	default:
	}
	patience := time.NewTimer(time.Until(latest))
	defer patience.Stop()
	select {
	case <-patience.C:
		l.withdraw(w)
	case fault := <-w.answer:
		return fault
	}
	return <-w.answer
}

// join lets a call wait. Where more wait than can be served in time, the last of the longest line is refused.
func (l *lane) join(w *waiter) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.queue.push(w, w.party)
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
	if l.queue.remove(w, w.party) {
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
	l.made--
	l.serve()
}

// serve gives turns to those who wait, as long as there are places and tokens.
func (l *lane) serve() {
	for l.queue.length > 0 && l.made < l.places {
		if !l.bucket.Allow() {
			l.serveIn(l.wait(1))
			return
		}
		l.made++
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

// refuse says when to come again. Each call that is refused gets a time of its own, so that they do not come back together.
func (l *lane) refuse(code string) *psp.CallError {
	now := time.Now()
	l.retry = latest(l.retry, now.Add(l.wait(l.queue.length+1)))
	fault := heldBack(code, min(l.retry.Sub(now), longestRetry))
	if l.bucket.Limit() != rate.Inf && fault.RetryAfter < longestRetry {
		l.retry = l.retry.Add(time.Duration(float64(time.Second) / float64(l.bucket.Limit())))
	}
	return fault
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// waiter is a call that waits.
type waiter struct {
	party  []string
	latest time.Time           // when it must be served, or not at all
	answer chan *psp.CallError // gets one element: nil for a turn
}

// line is a queue that is fair on each of its levels: it serves its parts in turn, and the parts of a part. A line without
// parts serves first who came first.
type line struct {
	name    string
	length  int // of everything in it
	parts   []*line
	waiters []*waiter
}

// push adds a waiter at the end of the line that its party names.
func (l *line) push(w *waiter, party []string) {
	l.length++
	if len(party) == 0 {
		l.waiters = append(l.waiters, w)
		return
	}
	i := l.part(party[0])
	if i < 0 {
		i = len(l.parts)
		l.parts = append(l.parts, &line{name: party[0]})
	}
	l.parts[i].push(w, party[1:])
}

// part finds a part by its name, -1 if there is none.
func (l *line) part(name string) int {
	return slices.IndexFunc(l.parts, func(p *line) bool { return p.name == name })
}

// pop takes out the waiter whose turn it is.
func (l *line) pop() *waiter {
	l.length--
	if len(l.parts) == 0 {
		w := l.waiters[0]
		l.waiters = l.waiters[1:]
		return w
	}
	first := l.parts[0]
	l.parts = l.parts[1:]
	w := first.pop()
	if first.length > 0 {
		l.parts = append(l.parts, first)
	}
	return w
}

// last is the last waiter of the longest line.
func (l *line) last() *waiter {
	if len(l.parts) == 0 {
		return l.waiters[len(l.waiters)-1]
	}
	longest := l.parts[0]
	for _, p := range l.parts {
		if p.length >= longest.length {
			longest = p
		}
	}
	return longest.last()
}

// remove takes a waiter out, and reports whether it was there.
func (l *line) remove(w *waiter, party []string) (found bool) {
	if len(party) == 0 {
		i := slices.Index(l.waiters, w)
		if found = i >= 0; found {
			l.waiters = slices.Delete(l.waiters, i, i+1)
		}
	} else if i := l.part(party[0]); i >= 0 {
		found = l.parts[i].remove(w, party[1:])
		if l.parts[i].length == 0 {
			l.parts = slices.Delete(l.parts, i, i+1)
		}
	}
	if found {
		l.length--
	}
	return found
}
