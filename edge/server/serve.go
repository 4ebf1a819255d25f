package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/api"
)

// rotationCheck is the interval at which the signing keys are checked for their rotation.
const rotationCheck = time.Hour

// Run opens the port, opens the databases and serves until ctx ends; then it drains and closes everything. The port answers
// 503 until the databases are open. If ctx ends while they are being opened, Run returns when they are open.
func Run(ctx context.Context, c Config, log *slog.Logger) error {
	if c.Dev != nil && c.Dev.Fresh {
		if err := removeRun(c.Data, log); err != nil {
			return err
		}
	}
	listener, err := c.listen()
	if err != nil && c.Dev != nil {
		return fmt.Errorf("%w; --listen 127.0.0.1:0 takes any free port", err)
	}
	if err != nil {
		return err
	}
	return host(ctx, c, listener, log)
}

// host runs a server on an open port.
func host(ctx context.Context, c Config, listener net.Listener, log *slog.Logger) error {
	f := openFront(listener, api.Starting, log)
	s, err := newServer(c, log)
	if err != nil {
		return errors.Join(err, f.close())
	}
	s.openAdmin()
	f.answer(s.handle)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	announced := make(chan error, 1)
	go func() {
		err := s.announce(ctx, listener.Addr())
		if ctx.Err() != nil {
			err = nil // it failed because the server ends
		}
		announced <- err
		if err != nil {
			fail(err)
		}
	}()
	err = s.serveOn(ctx, f)
	return errors.Join(<-announced, err, s.close())
}

// announce tells that the server takes requests.
func (s *server) announce(ctx context.Context, address net.Addr) error {
	if s.demo != nil {
		return s.demo.Introduce(ctx, s.Dev.Out)
	}
	s.log.Info("serving", "url", s.PublicURL, "address", address.String())
	return nil
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
