package limit

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// mostAway is how many callers keep a place while they are away. Beyond it a caller is told the time, and has no place.
	mostAway = 10_000
	// lateness is how long a place is kept for a caller who does not come back in time.
	lateness = 20 * time.Second
)

// caller is to whom a call counts: a store and one of its clients.
type caller []string

// lane limits the rate and the concurrency of one kind of call. Calls that wait are served in a fair order. A call that is refused
// keeps its place in that order: its caller is away, and takes the place again when it repeats the call.
type lane struct {
	slots   int // calls that may be made at once
	waiting int // calls that may wait
	bucket  *rate.Limiter
	charged *rate.Limiter // loses a token for each call, too, even one that it does not have; nil for none

	mutex sync.Mutex
	busy  int               // slots that are taken
	queue fairQueue         // of the callers who are here and of those who are away
	away  map[string]*place // those who are away, by key
	swept time.Time         // when forget was last at work
	next  *time.Timer       // fires when the bucket has a token for the first who is here; nil while it is not needed
}

// newLane returns a lane for so many calls a second, and so many at once after a pause. A perSecond of 0 is no limit.
func newLane(perSecond, burst float64, slots, waiting int) *lane {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &lane{slots: slots, waiting: waiting, bucket: rate.NewLimiter(limit, max(1, int(burst))), away: make(map[string]*place)}
}

// enter takes a slot, waiting until latest at most; leave gives it back. A call that cannot get one in time is refused as soon as
// that is known. The key identifies the call when it is repeated; "" keeps no place, and neither does a call that cannot wait.
func (l *lane) enter(c caller, key string, latest time.Time) *psp.CallError {
	p, answer := l.join(c, key, latest)
	select {
	case callErr := <-answer:
		return callErr
	default:
	}
	timeout := time.NewTimer(time.Until(latest))
	defer timeout.Stop()
	select {
	case <-timeout.C:
		l.withdraw(p)
	case callErr := <-answer:
		return callErr
	}
	return <-answer
}

// join takes the call's place in the queue, or a new one. If its turn comes too late, it is refused. If too many wait, the last of
// the caller with the most is.
func (l *lane) join(c caller, key string, latest time.Time) (*place, <-chan *psp.CallError) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	now := time.Now()
	l.forget(now)
	if !latest.After(now) {
		key = ""
	}
	p := l.place(c, key)
	answer := make(chan *psp.CallError, 1)
	p.answer = answer
	l.queue.count(p.caller, 1)
	l.serve()
	switch {
	case p.answer == nil:
	case l.wait(l.queue.turn(p, p.caller)) > latest.Sub(now):
		l.refuse(p, "queue_full_here")
	case l.queue.here > l.waiting:
		l.refuse(l.queue.last(), "queue_full_here")
	}
	return p, answer
}

// place returns the place that was kept for a key, or a new one.
func (l *lane) place(c caller, key string) *place {
	if p, kept := l.away[key]; kept {
		delete(l.away, key)
		return p
	}
	p := &place{caller: c, key: key}
	l.queue.push(p, c)
	return p
}

// refuse refuses a call that waits, and keeps its place. Its RetryAfter is when its turn comes.
func (l *lane) refuse(p *place, code string) {
	wait := l.wait(l.queue.turn(p, p.caller))
	l.queue.count(p.caller, -1)
	p.tell(heldBack(code, wait))
	if _, taken := l.away[p.key]; taken || p.key == "" || len(l.away) >= mostAway {
		l.queue.remove(func(other *place) bool { return other == p })
		return
	}
	l.away[p.key] = p
	p.until = time.Now().Add(wait + lateness)
}

// forget removes the places of callers who have not come back, once a second.
func (l *lane) forget(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	gone := func(p *place) bool { return p.answer == nil && now.After(p.until) }
	l.queue.remove(gone)
	maps.DeleteFunc(l.away, func(_ string, p *place) bool { return gone(p) })
}

func (l *lane) withdraw(p *place) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if p.answer != nil {
		l.refuse(p, "no_turn_here")
	}
}

func (l *lane) leave() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.busy--
	l.serve()
}

// serve gives slots to the callers who are here, as long as there are slots and tokens.
func (l *lane) serve() {
	for l.queue.here > 0 && l.busy < l.slots {
		if !l.bucket.Allow() {
			l.serveIn(l.wait(1))
			return
		}
		if l.charged != nil {
			l.charged.Reserve()
		}
		l.busy++
		l.queue.pop().tell(nil)
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

// place is a call's place in the queue.
type place struct {
	caller caller
	key    string
	answer chan<- *psp.CallError // gets one element, nil for a slot; nil while the caller is away
	until  time.Time             // how long the place is kept for a caller who is away
}

// tell answers the caller, who is not here any more then.
func (p *place) tell(callErr *psp.CallError) {
	p.answer <- callErr
	p.answer = nil
}

// fairQueue is a queue of queues: it serves its parts in rotation, and so does each part. A queue without parts is first in,
// first out. Who is away is passed over, and is next when he comes back.
type fairQueue struct {
	name   string
	length int // places of all parts together
	here   int // those of them whose caller is here
	parts  []*fairQueue
	places []*place
}

// push adds a place, whose caller is away, to the part that the caller names.
func (q *fairQueue) push(p *place, c caller) {
	q.length++
	if len(c) == 0 {
		q.places = append(q.places, p)
		return
	}
	i := q.part(c[0])
	if i < 0 {
		i = len(q.parts)
		q.parts = append(q.parts, &fairQueue{name: c[0]})
	}
	q.parts[i].push(p, c[1:])
}

// part finds a part by its name, -1 if there is none.
func (q *fairQueue) part(name string) int {
	return slices.IndexFunc(q.parts, func(p *fairQueue) bool { return p.name == name })
}

// count adds n to the callers who are here.
func (q *fairQueue) count(c caller, n int) {
	q.here += n
	if len(c) > 0 {
		q.parts[q.part(c[0])].count(c[1:], n)
	}
}

// pop removes the place of the caller who is next of those who are here.
func (q *fairQueue) pop() *place {
	q.length--
	q.here--
	if len(q.parts) == 0 {
		i := slices.IndexFunc(q.places, func(p *place) bool { return p.answer != nil })
		p := q.places[i]
		q.places = slices.Delete(q.places, i, i+1)
		return p
	}
	i := slices.IndexFunc(q.parts, func(p *fairQueue) bool { return p.here > 0 })
	next := q.parts[i]
	q.parts = slices.Delete(q.parts, i, i+1)
	p := next.pop()
	if next.length > 0 {
		q.parts = append(q.parts, next)
	}
	return p
}

// turn is how many calls are served up to that of a place, if all callers come back in time.
func (q *fairQueue) turn(p *place, c caller) int {
	if len(c) == 0 {
		return slices.Index(q.places, p) + 1
	}
	own := q.part(c[0])
	round := q.parts[own].turn(p, c[1:])
	turn := round
	for i, other := range q.parts {
		switch {
		case i < own:
			turn += min(round, other.length)
		case i > own:
			turn += min(round-1, other.length)
		}
	}
	return turn
}

// last returns the last place whose caller is here, of the part with the most of them.
func (q *fairQueue) last() *place {
	if len(q.parts) == 0 {
		for _, p := range slices.Backward(q.places) {
			if p.answer != nil {
				return p
			}
		}
	}
	longest := q.parts[0]
	for _, p := range q.parts {
		if p.here >= longest.here {
			longest = p
		}
	}
	return longest.last()
}

// remove removes places whose callers are away.
func (q *fairQueue) remove(gone func(*place) bool) {
	q.places = slices.DeleteFunc(q.places, gone)
	q.length = len(q.places)
	q.parts = slices.DeleteFunc(q.parts, func(part *fairQueue) bool {
		part.remove(gone)
		q.length += part.length
		return part.length == 0
	})
}
