package notify

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Config configures a [Service]. Every field is needed.
type Config struct {
	Store Store
	Log   *slog.Logger
}

const (
	// lookEvery is how often the service looks for work that nobody has announced.
	lookEvery = time.Second
	// factBatch is how many facts are read at once.
	factBatch = 100
)

// Service turns facts into what merchants are told. One service runs on a store. It is safe for concurrent use.
type Service struct {
	Config
	added chan struct{}
}

// New returns a service; it starts nothing.
func New(c Config) *Service { return &Service{Config: c, added: make(chan struct{}, 1)} }

// FactAdded tells the service that the outbox has a new fact. It does not block.
func (s *Service) FactAdded() {
	select {
	case s.added <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (s *Service) Run(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := s.dispatch(ctx); err != nil {
			s.Log.Error("the outbox waits", "error", err)
		}
		select {
		case <-s.added:
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// dispatch handles the facts of the outbox, one after the other, until it is empty or one cannot be handled.
func (s *Service) dispatch(ctx context.Context) error {
	for {
		facts, err := s.Store.Facts(ctx, factBatch)
		if err != nil || len(facts) == 0 {
			return err
		}
		for i := range facts {
			if ctx.Err() != nil {
				return nil
			}
			if err := s.handle(ctx, &facts[i]); err != nil && !errors.Is(err, ErrStale) {
				return err
			}
		}
	}
}

// handle writes all that follows from a fact and takes the fact out of the outbox, in one commit.
func (s *Service) handle(ctx context.Context, f *QueuedFact) error {
	change := Change{Fact: f}
	if err := s.Store.CommitNotify(ctx, change); err != nil {
		return err
	}
	s.Log.Info("fact", "kind", f.Kind, "environment", f.Environment, "order", f.OrderID, "event", f.EventID)
	return nil
}
