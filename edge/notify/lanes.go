package notify

import "sync"

const (
	// laneWidth is how many deliveries are sent to one endpoint at a time, and allLanes to all of them. 64 dead endpoints fill
	// all lanes.
	laneWidth = 8
	allLanes  = 512

	// readAhead is how many due deliveries of an endpoint are queued. The store is read again when a queue is used up, not after
	// each delivery: that would read the entries of all that were sent recently, because Badger deletes them later.
	readAhead = 64
)

// lanes are the deliveries that are queued and those that are being sent, by endpoint. The queues hold names only: a delivery is
// read when its turn comes, and one that is no longer due is not sent.
type lanes struct {
	mutex sync.Mutex
	lanes map[string]*lane    // by endpoint
	turns []string            // the endpoints with a queue; the first one is next
	busy  map[string]struct{} // the deliveries that are being sent
	all   sync.WaitGroup      // of what is being sent
}

// lane is the part of one endpoint.
type lane struct {
	width  int // deliveries that are being sent
	queue  []DueDelivery
	more   bool // the store may have more that is due
	inTurn bool // the endpoint is in turns
}

func newLanes() *lanes {
	return &lanes{lanes: make(map[string]*lane), busy: make(map[string]struct{})}
}

// add queues a delivery that has become due.
func (l *lanes) add(d DueDelivery) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.put(d)
}

// refill queues what a store has as due. What was queued and is not in it may be younger, and stays.
func (l *lanes) refill(due []DueDelivery) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var before []DueDelivery
	for _, lane := range l.lanes {
		before = append(before, lane.queue...)
		lane.queue, lane.more = nil, false
	}
	listed := make(map[string]bool, len(due))
	for _, d := range due {
		listed[d.ID] = true
		l.put(d)
	}
	for _, d := range before {
		if !listed[d.ID] {
			l.put(d)
		}
	}
}

func (l *lanes) put(d DueDelivery) {
	one := l.lanes[d.EndpointID]
	if one == nil {
		one = new(lane)
		l.lanes[d.EndpointID] = one
	}
	if len(one.queue) < readAhead {
		one.queue = append(one.queue, d)
	}
	one.more = len(one.queue) == readAhead
	if !one.inTurn {
		l.turns, one.inTurn = append(l.turns, d.EndpointID), true
	}
}

// next takes the deliveries for which there is room out of the queues, one of each endpoint in turn; the caller sends them.
// exhausted reports whether a queue was used up of which the store may have more.
func (l *lanes) next() (started []DueDelivery, exhausted bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for full := 0; full < len(l.turns) && len(l.busy) < allLanes; {
		endpoint := l.turns[0]
		one := l.lanes[endpoint]
		l.turns = l.turns[1:]
		if one.width == laneWidth && len(one.queue) > 0 {
			l.turns = append(l.turns, endpoint)
			full++
			continue
		}
		full = 0
		if d, ok := l.enter(one); ok {
			started = append(started, d)
		}
		if one.inTurn = len(one.queue) > 0; one.inTurn {
			l.turns = append(l.turns, endpoint)
			continue
		}
		exhausted = exhausted || one.more
		l.tidy(endpoint)
	}
	return started, exhausted
}

// enter takes the first delivery out of a queue. ok is false if there is none, or it is being sent already.
func (l *lanes) enter(one *lane) (d DueDelivery, ok bool) {
	if len(one.queue) == 0 {
		return d, false
	}
	d, one.queue = one.queue[0], one.queue[1:]
	if _, busy := l.busy[d.ID]; busy {
		return d, false
	}
	l.busy[d.ID] = struct{}{}
	one.width++
	l.all.Add(1)
	return d, true
}

// leave makes room for another delivery.
func (l *lanes) leave(d DueDelivery) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.busy, d.ID)
	l.lanes[d.EndpointID].width--
	l.tidy(d.EndpointID)
}

// tidy forgets an endpoint to which nothing is to be sent.
func (l *lanes) tidy(endpoint string) {
	if one := l.lanes[endpoint]; one.width == 0 && !one.inTurn {
		delete(l.lanes, endpoint)
	}
}
