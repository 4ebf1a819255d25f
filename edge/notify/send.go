package notify

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"
)

const (
	// laneWidth is how many deliveries are sent to one endpoint at a time, and allLanes to all of them. 64 dead endpoints fill
	// all lanes.
	laneWidth = 8
	allLanes  = 512

	// holdAfter is how long a delivery is not sent again whose outcome could not be recorded.
	holdAfter = time.Minute
)

// lanes are the deliveries that are being sent, by endpoint.
type lanes struct {
	mutex  sync.Mutex
	busy   map[string]string // the endpoint by delivery
	widths map[string]int    // by endpoint
	all    *sync.WaitGroup
	turn   int
}

func newLanes() lanes {
	return lanes{busy: make(map[string]string), widths: make(map[string]int), all: new(sync.WaitGroup)}
}

// enter takes a place in the endpoint's lane, unless the delivery is in it already or there is no room.
func (l *lanes) enter(d DueDelivery) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if _, busy := l.busy[d.ID]; busy || l.widths[d.EndpointID] >= laneWidth || len(l.busy) >= allLanes {
		return false
	}
	l.busy[d.ID] = d.EndpointID
	l.widths[d.EndpointID]++
	l.all.Add(1)
	return true
}

func (l *lanes) leave(d DueDelivery) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.busy, d.ID)
	if l.widths[d.EndpointID]--; l.widths[d.EndpointID] == 0 {
		delete(l.widths, d.EndpointID)
	}
	l.all.Done()
}

func (l *lanes) wait() { l.all.Wait() }

// send starts to send what is due, as far as there is room. When all lanes are full, another endpoint comes first at each turn.
func (s *Service) send(ctx context.Context) {
	due, err := s.Store.DueDeliveries(ctx, s.Now().UnixMilli(), laneWidth)
	if err != nil {
		s.logError("", "deliveries cannot be read", "error", err)
	}
	s.lanes.turn++
	for i := range due {
		d := due[(i+s.lanes.turn)%len(due)]
		if !s.lanes.enter(d) {
			continue
		}
		go func() {
			defer signal(s.due)
			defer s.lanes.leave(d)
			s.attempt(ctx, d)
		}()
	}
}

// attempt sends a delivery once and records the outcome. A shutdown does not interrupt it.
func (s *Service) attempt(ctx context.Context, due DueDelivery) {
	err := s.try(context.WithoutCancel(ctx), due)
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrStale): // removed, or resent meanwhile
		return
	}
	s.logError("", "a delivery's outcome is not recorded: it is sent again", "environment", due.Environment, "delivery", due.ID, "error", err)
	select {
	case <-time.After(holdAfter):
	case <-ctx.Done():
	}
}

func (s *Service) try(ctx context.Context, due DueDelivery) error {
	d, err := s.Store.Delivery(ctx, due.Environment, due.ID)
	if err != nil {
		return err
	}
	now := s.Now()
	if d.State != Pending || d.DueAt > now.UnixMilli() {
		return nil // an attempt that has just ended
	}
	endpoints, err := s.Store.Endpoints(ctx, d.Environment, d.StoreID)
	if err != nil {
		return err
	}
	endpoint := endpoints.find(d.EndpointID)
	if endpoint == nil {
		d.abandon("the endpoint was removed", now.UnixMilli())
		return s.Store.CommitNotify(ctx, Change{Deliveries: []*Delivery{d}})
	}
	if d.stale(now.UnixMilli()) {
		if err := s.sign(ctx, d, now); err != nil {
			return err
		}
	}
	d.tried(s.post(endpoint.URL, d), s.Now().UnixMilli())
	s.report(d, endpoint)
	return s.Store.CommitNotify(ctx, Change{Deliveries: []*Delivery{d}})
}

// report logs the outcome of a try. That an endpoint goes on failing is an error once an hour. The URL is not logged: it may hold a
// secret.
func (s *Service) report(d *Delivery, e *Endpoint) {
	last := d.Tries[len(d.Tries)-1]
	host := ""
	if u, err := url.Parse(e.URL); err == nil {
		host = u.Host
	}
	args := []any{"environment", d.Environment, "store", d.StoreID, "endpoint", d.EndpointID, "host", host, "delivery", d.ID, "event", d.EventType,
		"status", last.Status, "error", last.Error}
	if d.State == Failed {
		s.logError(d.EndpointID, "a webhook endpoint does not take its deliveries: see crepe webhook deliveries", args...)
		return
	}
	s.Log.Debug("webhook sent", args...)
}
