package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

// TestOneHolder: of three servers one works at a time, and the next one takes over when it ends.
func TestOneHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store Memory
		var working, most atomic.Int32
		var all sync.WaitGroup
		stop := make([]context.CancelFunc, 3)
		began := make(chan int, 10)
		for i, holder := range []string{"a", "b", "c"} {
			ctx, cancel := context.WithCancel(t.Context())
			stop[i] = cancel
			all.Go(func() {
				Run(ctx, &store, "sweep", holder, quiet, func(ctx context.Context) {
					began <- i
					most.Store(max(most.Load(), working.Add(1)))
					<-ctx.Done()
					working.Add(-1)
				})
			})
		}
		for range stop {
			time.Sleep(time.Minute)
			if working.Load() != 1 {
				t.Fatalf("%d servers work", working.Load())
			}
			stop[<-began]()
		}
		all.Wait()
		if most.Load() != 1 {
			t.Errorf("%d servers worked at once", most.Load())
		}
	})
}

// failing is a store that is gone for some time: it refuses, or it does not answer.
type failing struct {
	Memory
	gone, silent atomic.Bool
}

func (f *failing) Hold(ctx context.Context, task, holder string, d time.Duration) (bool, error) {
	if f.silent.Load() {
		<-ctx.Done()
		return false, ctx.Err()
	}
	if f.gone.Load() {
		return false, errors.New("gone")
	}
	return f.Memory.Hold(ctx, task, holder, d)
}

// TestLostStore: a holder stops before its lease ends when it cannot extend it, and goes on when the store is back.
func TestLostStore(t *testing.T) {
	for name, lose := range map[string]func(*failing, bool){
		"refuses":         func(f *failing, lost bool) { f.gone.Store(lost) },
		"does not answer": func(f *failing, lost bool) { f.silent.Store(lost) },
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { loseStore(t, lose) }) })
	}
}

func loseStore(t *testing.T, lose func(*failing, bool)) {
	var store failing
	ctx, cancel := context.WithCancel(t.Context())
	var working atomic.Bool
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		Run(ctx, &store, "sweep", "a", quiet, func(ctx context.Context) {
			working.Store(true)
			<-ctx.Done()
			working.Store(false)
		})
	}()
	time.Sleep(time.Minute)
	lose(&store, true)
	time.Sleep(Duration - Every)
	synctest.Wait()
	if working.Load() {
		t.Error("works when its lease is about to end")
	}
	lose(&store, false)
	time.Sleep(Duration)
	synctest.Wait()
	if !working.Load() {
		t.Error("does not work although the store is back")
	}
	cancel()
	<-finished
	if held, _ := store.Memory.Hold(t.Context(), "sweep", "b", time.Second); !held {
		t.Error("a lease outlives its holder")
	}
}
