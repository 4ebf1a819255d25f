// Package lease lets one of several servers on one database do a task: the others wait until its lease ends. [Run] does that, [Store] is
// the port to the database, and [Memory] a store for one process.
//
// A lease saves work and makes no promise. A server that was suspended learns late that its lease has ended, and two of them then do the
// same task for a moment. What keeps their writes apart is that every record is written by compare-and-set on its version: it is the
// fence of that record. What is sent twice carries the same idempotency key or event id.
package lease

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Store keeps leases. It is safe for concurrent use.
type Store interface {
	// Hold gives a task to a holder for a time from now on, or gives it more time, and reports whether the holder has it. It has not
	// while the lease of another holder lasts. The store's clock decides.
	Hold(ctx context.Context, task, holder string, time time.Duration) (bool, error)

	// Lease returns the lease of a task, the zero Lease if none lasts.
	Lease(ctx context.Context, task string) (Lease, error)

	// Release ends a lease early. It changes nothing if the holder has none.
	Release(ctx context.Context, task, holder string) error
}

// Lease is who has a task, and until when by the store's clock.
type Lease struct {
	Holder string
	Until  time.Time
}

// Times of a lease. A holder that dies is replaced after at most Duration and Every.
const (
	Duration = 15 * time.Second
	Every    = 3 * time.Second // between two calls of Hold
)

// Run calls work whenever the holder has the lease of a task, until ctx ends. The context of work ends with ctx, or when the lease was
// not extended in time. work must return soon after its context has ended. If it returns before, it is called again later.
func Run(ctx context.Context, s Store, task, holder string, log *slog.Logger, work func(context.Context)) {
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		asked := time.Now()
		held, err := hold(ctx, s, task, holder)
		if err != nil && ctx.Err() == nil {
			log.Warn("a lease cannot be taken", "task", task, "error", err)
		}
		if held {
			log.Debug("has the lease", "task", task)
			during(ctx, s, task, holder, log, asked, work)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// during calls work, and extends the lease as long as work runs. since is when the lease was asked for. The context of work ends at
// least Every before the lease does, also when the store does not answer.
func during(ctx context.Context, s Store, task, holder string, log *slog.Logger, since time.Time, work func(context.Context)) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	end := time.AfterFunc(time.Until(since.Add(Duration-Every)), stop)
	defer end.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(working)
	}()
	defer func() {
		stop()
		<-done
		releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), Every)
		defer cancel()
		if err := s.Release(releasing, task, holder); err != nil {
			log.Warn("a lease cannot be released; it ends by itself", "task", task, "error", err)
		}
	}()
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	var failed error
	for {
		select {
		case <-ticker.C:
		case <-done:
			return
		case <-working.Done():
			if ctx.Err() == nil {
				log.Warn("has lost the lease", "task", task, "error", failed)
			}
			return
		}
		asked := time.Now()
		held, err := hold(working, s, task, holder)
		switch failed = err; {
		case held:
			end.Reset(time.Until(asked.Add(Duration - Every)))
		case err == nil:
			log.Warn("has lost the lease", "task", task)
			return
		}
	}
}

// hold asks for the lease. A store that does not answer is asked again.
func hold(ctx context.Context, s Store, task, holder string) (bool, error) {
	asking, cancel := context.WithTimeout(ctx, Every)
	defer cancel()
	return s.Hold(asking, task, holder, Duration)
}

// Memory is a Store for the tasks of one process. The zero value holds none.
type Memory struct {
	mu     sync.Mutex
	leases map[string]Lease
}

// Hold implements [Store].
func (m *Memory) Hold(_ context.Context, task, holder string, duration time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if l := m.leases[task]; l.Holder != holder && now.Before(l.Until) {
		return false, nil
	}
	if m.leases == nil {
		m.leases = make(map[string]Lease)
	}
	m.leases[task] = Lease{holder, now.Add(duration)}
	return true, nil
}

// Lease implements [Store].
func (m *Memory) Lease(_ context.Context, task string) (Lease, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.leases[task]; time.Now().Before(l.Until) {
		return l, nil
	}
	return Lease{}, nil
}

// Release implements [Store].
func (m *Memory) Release(_ context.Context, task, holder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leases[task].Holder == holder {
		delete(m.leases, task)
	}
	return nil
}
