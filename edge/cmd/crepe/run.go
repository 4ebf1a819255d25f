package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/api"
)

// rotationCheck is how often the signing keys are looked at.
const rotationCheck = time.Hour

// host answers on the listener at once, opens the databases, and serves until ctx ends; then it closes everything. prepare, if
// not nil, runs beside the server once that takes requests; when it fails, so does host. A ctx that ends while the databases
// are being opened takes effect when they are open.
func host(ctx context.Context, c Config, listener net.Listener, log *slog.Logger, prepare func(context.Context, *server) error) error {
	f := openFront(listener, api.Starting, log)
	s, err := newServer(c, log)
	if err != nil {
		return errors.Join(err, f.close())
	}
	s.openAdmin()
	f.answer(s.handle)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	prepared := make(chan error, 1)
	go func() {
		var err error
		if prepare != nil {
			err = prepare(ctx, s)
		}
		if ctx.Err() != nil {
			err = nil // it failed because the server ends
		}
		prepared <- err
		if err != nil {
			fail(err)
		}
	}()
	err = s.serveOn(ctx, f)
	return errors.Join(<-prepared, err, s.close())
}

// serveOn serves until ctx ends or the database stops writing, and then lets the requests under way finish.
func (s *server) serveOn(ctx context.Context, f *front) error {
	sweeping, stopSweeping := context.WithCancel(context.Background())
	var sweeper sync.WaitGroup
	sweeper.Go(func() { s.orders.Run(sweeping) })
	defer sweeper.Wait()
	defer stopSweeping()
	rotation := time.NewTicker(rotationCheck)
	defer rotation.Stop()
	for {
		select {
		case err := <-f.failed:
			return err
		case <-rotation.C:
			if err := s.auth.Rotate(ctx); err != nil {
				s.log.Error("the signing keys were not rotated", "error", err)
			}
		case <-s.db.Stopped():
			close(s.draining)
			return errors.Join(s.db.Err(), f.close())
		case <-ctx.Done():
			close(s.draining)
			s.waitForBalancer(f)
			return f.close()
		}
	}
}

// waitForBalancer goes on serving for the drain delay: a load balancer sees that /readyz is 503 and sends no more requests
// before the listener closes.
func (s *server) waitForBalancer(f *front) {
	select {
	case <-time.After(s.DrainDelay):
	case <-s.db.Stopped():
	case err := <-f.failed:
		f.failed <- err
	}
}

// The reasons of /readyz. Anyone may read them.
var (
	errDraining = errors.New("draining")
	errStopped  = errors.New("the database has stopped writing")
	errDiskFull = errors.New("the disk is full")
)

// ready says why the server takes no new orders; nil if it takes them.
func (s *server) ready() error {
	select {
	case <-s.draining:
		return errDraining
	case <-s.db.Stopped():
		return errStopped
	default:
	}
	if s.db.Full() {
		return errDiskFull
	}
	return nil
}
