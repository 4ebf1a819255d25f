package vies

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Config configures a [Service]. Every field but Timeout is needed.
type Config struct {
	Store        Store
	Orders       Orders
	Catalog      Catalog
	URL          string                 // of VIES, see [DefaultURL]
	Environments []checkout.Environment // whose orders are checked; none if VIES is not asked
	Timeout      time.Duration          // of one question; 0 for 30 s: some member states need 15
	Now          func() time.Time
	Log          *slog.Logger
}

// Orders reads what a check is about.
type Orders interface {
	Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error)
}

// Catalog reads who sells.
type Catalog interface {
	Store(ctx context.Context, id string) (*catalog.Store, error)
}

const (
	// lookEvery is how often the service looks for checks that are due.
	lookEvery = time.Second
	batch     = 20

	// pause is how long nothing is asked when VIES as a whole is down.
	pause = time.Minute
)

// Service makes checks and asks VIES about them. It is safe for concurrent use, but only Run may ask. If several run on a store, a number
// may be asked about twice; one of the answers is stored.
type Service struct {
	config  Config
	client  *http.Client
	resumes time.Time // before it nothing is asked
}

// New returns a service; it asks nothing before Run.
func New(c Config) *Service {
	c.Timeout = cmp.Or(c.Timeout, timeout)
	return &Service{config: c, client: newClient(c.Timeout)}
}

// CheckOf returns the check that follows from a fact, and writes nothing; nil if none does.
func (s *Service) CheckOf(ctx context.Context, f *orders.Fact) (*Check, error) {
	if f.Kind != orders.OrderCompleted || !slices.Contains(s.config.Environments, f.Environment) {
		return nil, nil
	}
	order, err := s.config.Orders.Order(ctx, f.Environment, f.OrderID)
	if err != nil {
		return nil, err
	}
	seller, err := s.config.Catalog.Store(ctx, f.StoreID)
	if err != nil {
		return nil, err
	}
	return newCheck(order, seller, s.config.Now().UnixMilli()), nil
}

// Of returns the check of an order; nil if there is none.
func (s *Service) Of(ctx context.Context, o *orders.Order) (*Check, error) {
	c, err := s.config.Store.VATCheck(ctx, o.Environment, o.StoreID, o.ID)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return c, err
}

// Run asks about the checks that are due until ctx ends. Without an environment it returns at once, and what is due waits.
func (s *Service) Run(ctx context.Context) {
	if len(s.config.Environments) == 0 {
		return
	}
	defer s.client.CloseIdleConnections()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		s.AskDue(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// AskDue asks about the checks that are due, one after the other. When VIES as a whole is down, the others wait.
func (s *Service) AskDue(ctx context.Context) {
	if s.config.Now().Before(s.resumes) {
		return
	}
	due, err := s.config.Store.DueVATChecks(ctx, s.config.Now().UnixMilli(), batch)
	if err != nil {
		s.config.Log.Error("VAT checks that are due cannot be read", "error", err)
		return
	}
	for i := range due {
		if ctx.Err() != nil || s.config.Now().Before(s.resumes) {
			return
		}
		s.try(ctx, &due[i])
	}
}

// try asks about a check once and records the outcome. If that cannot be recorded, VIES is asked again.
func (s *Service) try(ctx context.Context, c *Check) {
	if !slices.Contains(s.config.Environments, c.Environment) {
		s.postpone(ctx, c)
		return
	}
	answer, fault := s.ask(ctx, c)
	if ctx.Err() != nil && fault != nil {
		return // the server stops
	}
	now := s.config.Now()
	if fault != nil {
		c.unanswered(fault, now.UnixMilli())
		if fault.kind == viesDown {
			s.resumes = now.Add(pause)
		}
	} else {
		c.answered(answer, now.UnixMilli())
	}
	s.report(c)
	s.write(ctx, c)
}

// postpone lets a check wait for a day that was made when its environment was checked.
func (s *Service) postpone(ctx context.Context, c *Check) {
	c.DueAt = s.config.Now().Add(24 * time.Hour).UnixMilli()
	s.write(ctx, c)
}

func (s *Service) write(ctx context.Context, c *Check) {
	if err := s.config.Store.WriteVATCheck(ctx, c); err != nil && !errors.Is(err, ErrStale) { // stale: another server has asked, too
		s.config.Log.Error("a VAT check cannot be written: VIES is asked again", "order", c.OrderID, "error", err)
		s.resumes = s.config.Now().Add(pause)
	}
}

// report logs an outcome, without the number.
func (s *Service) report(c *Check) {
	log := s.config.Log.With("environment", c.Environment, "store", c.StoreID, "order", c.OrderID, "tries", c.Tries)
	switch c.State {
	case Invalid:
		log.Warn("VIES does not know a buyer's VAT number: see crepe orders vat-checks")
	case Failed:
		log.Warn("VIES has not answered about a buyer's VAT number: given up, see crepe orders vat-checks", "reason", c.LastError)
	case Pending:
		log.Info("VIES has not answered about a buyer's VAT number: it is asked again", "reason", c.LastError)
	default:
		log.Debug("VIES has confirmed a buyer's VAT number")
	}
}
