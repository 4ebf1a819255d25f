package orders

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// reviewEvery is how often the log repeats that something waits for a person.
const reviewEvery = time.Hour

// ReviewStore keeps what a person has to review: events in quarantine, and orders with a refund due. Lists hold the handled
// entries as well. after is "" for the first page, then [psp.Page.Next] of the page before; limit is at least 1.
type ReviewStore interface {
	// Quarantined lists the events in quarantine of one environment, sorted by provider and event id.
	Quarantined(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[Quarantined], error)

	// HandleQuarantined sets HandledAt of an event in quarantine, in Unix milliseconds. The first time counts, a second call
	// changes nothing. [ErrNotFound] when there is no such event.
	HandleQuarantined(ctx context.Context, env checkout.Environment, provider, eventID string, at int64) error

	// RefundDue lists the orders of one environment whose state is [RefundDue], sorted by id.
	RefundDue(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[Order], error)

	// OpenTickets lists the tickets of one environment that are open ([TicketStatus.Open]), each with its order, sorted by id.
	OpenTickets(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[OpenTicket], error)

	// Unhandled counts the entries of both lists that nobody has handled.
	Unhandled(ctx context.Context, env checkout.Environment) (Unhandled, error)
}

// Quarantined is a genuine event that matches no order.
type Quarantined struct {
	psp.Event
	Environment   checkout.Environment
	Provider      string
	Why           string // for operators; "" for an event of an older version
	QuarantinedAt int64  // Unix milliseconds; 0 for an event of an older version
	HandledAt     int64  // Unix milliseconds; 0 while it waits for a person
}

// OpenTicket is a ticket that is open.
type OpenTicket struct {
	Order    *Order
	TicketID string
}

// Unhandled counts what waits for a person.
type Unhandled struct{ Quarantined, RefundDue int }

// Any reports whether an entry waits for a person.
func (u Unhandled) Any() bool { return u != (Unhandled{}) }

// HandleQuarantined marks an event in quarantine as handled. [ErrNotFound] when there is none.
func (s *Service) HandleQuarantined(ctx context.Context, env checkout.Environment, provider, eventID string) error {
	return s.config.Store.HandleQuarantined(ctx, env, provider, eventID, s.nowMilli())
}

// HandleRefund marks the refund of an order as handled; the order stays [RefundDue]. Another payment that arrives later is due
// again. [ErrNotFound] when no order with that id has a refund due.
func (s *Service) HandleRefund(ctx context.Context, env checkout.Environment, id string) error {
	for {
		o, err := s.config.Store.Order(ctx, env, id)
		switch {
		case err != nil:
			return err
		case o.State != RefundDue:
			return ErrNotFound
		case o.RefundHandledAt != 0:
			return nil
		}
		o.RefundHandledAt = s.nowMilli()
		if err := s.config.Store.Commit(ctx, Change{Order: o}); !errors.Is(err, ErrStale) {
			return err
		}
	}
}

// reportHourly logs an error at once and then hourly while anything waits for a person.
func (s *Service) reportHourly(ctx context.Context) {
	for ctx.Err() == nil {
		s.report(ctx)
		select {
		case <-time.After(reviewEvery):
		case <-ctx.Done():
		}
	}
}

func (s *Service) report(ctx context.Context) {
	for _, env := range slices.Sorted(maps.Keys(s.config.Providers)) {
		waiting, err := s.config.Store.Unhandled(ctx, env)
		switch {
		case err != nil:
			s.config.Log.Error("cannot count the quarantine and the due refunds", "environment", env, "error", err)
		case waiting.Any():
			s.config.Log.Error("payments wait for a person: see crepe orders quarantine and crepe orders refund-due",
				"environment", env, "quarantined", waiting.Quarantined, "refund-due", waiting.RefundDue)
		}
	}
}
