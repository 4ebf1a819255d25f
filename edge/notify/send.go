package notify

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// holdAfter is how long a delivery is not sent again whose outcome could not be recorded.
const holdAfter = time.Minute

// read looks for what is due, and starts to send it.
func (s *Service) read(ctx context.Context) {
	due, err := s.Store.DueDeliveries(ctx, s.Now().UnixMilli(), readAhead)
	if err != nil {
		s.logError("", "deliveries cannot be read", "error", err)
	} else {
		s.lanes.refill(due)
	}
	s.start(ctx)
}

// start sends what is queued, as far as there is room. Who calls it is [Service.Run] or keeps that from ending.
func (s *Service) start(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	started, exhausted := s.lanes.next()
	for _, d := range started {
		go func() {
			defer s.lanes.all.Done()
			s.attempt(ctx, d)
			s.lanes.leave(d)
			s.start(ctx)
		}()
	}
	if exhausted {
		signal(s.due)
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
	s.tries.Inc(string(d.Environment), last.outcome())
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
