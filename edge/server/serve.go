package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/http1"
)

// rotationCheck is the interval at which the age of the signing keys is checked.
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
	return run(ctx, c, listener, log)
}

// run is Run on an open port.
func run(ctx context.Context, c Config, listener net.Listener, log *slog.Logger) error {
	h := startHTTP(listener, api.Starting, log)
	s, err := newServer(c, log)
	if err != nil {
		return errors.Join(err, h.shutdown())
	}
	s.openAdmin()
	h.setHandler(s.handle)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	announced := make(chan error, 1)
	go func() {
		err := s.announce(ctx, listener.Addr())
		if ctx.Err() != nil {
			err = nil // it failed because the server stops
		}
		announced <- err
		if err != nil {
			fail(err)
		}
	}()
	err = s.serve(ctx, h)
	return errors.Join(<-announced, err, s.close())
}

// announce tells the operator that the server takes requests.
func (s *server) announce(ctx context.Context, address net.Addr) error {
	if s.demo != nil {
		return s.demo.Introduce(ctx, s.Dev.Out)
	}
	s.log.Info("serving", "url", s.PublicURL, "address", address.String())
	if s.NoMerchant == nil {
		return nil
	}
	first, err := s.db.Merchants(ctx, "", 1)
	if err == nil && len(first) == 0 {
		s.NoMerchant()
	}
	return err
}

// serve serves until ctx ends or the database stops writing, and then drains.
func (s *server) serve(ctx context.Context, h *httpServer) error {
	working, stopWorking := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { s.orders.Run(working) })
	workers.Go(func() { s.notify.Run(working) })
	workers.Go(func() { s.invoices.Run(working) })
	defer workers.Wait()
	defer stopWorking()
	rotation := time.NewTicker(rotationCheck)
	defer rotation.Stop()
	for {
		select {
		case err := <-h.failed:
			return err
		case <-rotation.C:
			if err := s.auth.Rotate(ctx); err != nil {
				s.log.Error("the signing keys were not rotated", "error", err)
			}
		case <-s.db.Stopped():
			close(s.draining)
			return errors.Join(s.db.Err(), h.shutdown())
		case <-ctx.Done():
			close(s.draining)
			s.waitForBalancer(h)
			return h.shutdown()
		}
	}
}

// waitForBalancer serves for the drain delay: a load balancer sees that /readyz is 503 and sends no more requests before the
// listener closes.
func (s *server) waitForBalancer(h *httpServer) {
	select {
	case <-time.After(s.DrainDelay):
	case <-s.db.Stopped():
	case err := <-h.failed:
		h.failed <- err
	}
}

// The reasons of /readyz. Anyone may read them.
var (
	errDraining = errors.New("draining")
	errStopped  = errors.New("the database has stopped writing")
	errDiskFull = errors.New("the disk is full")
)

// ready returns why the server takes no new orders; nil if it takes them.
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

// Limits of a connection. A request is small and is sent at once; a response may take as long as a call to the provider.
const (
	maxHeader    = 8 << 10 // bytes
	readTimeout  = 5 * time.Second
	writeTimeout = 15 * time.Second
	idleTimeout  = 30 * time.Second
	drainTimeout = 20 * time.Second
)

// httpServer is an HTTP server on its listener. Its handler can be replaced while it serves.
type httpServer struct {
	listener net.Listener
	http     *fasthttp.Server
	handler  atomic.Pointer[fasthttp.RequestHandler]
	failed   chan error // what Serve returned
}

// startHTTP starts to serve a listener.
func startHTTP(listener net.Listener, handler fasthttp.RequestHandler, log *slog.Logger) *httpServer {
	h := &httpServer{listener: listener, failed: make(chan error, 1)}
	h.setHandler(handler)
	h.http = &fasthttp.Server{
		Handler:      func(ctx *fasthttp.RequestCtx) { (*h.handler.Load())(ctx) },
		ErrorHandler: api.MalformedRequest, Name: "crepe", NoDefaultServerHeader: true,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		StreamRequestBody: true, MaxRequestBodySize: bodyAhead, DisablePreParseMultipartForm: true,
		ReadBufferSize: maxHeader, CloseOnShutdown: true, Logger: connectionLog{log}, SecureErrorLogMessage: true,
	}
	go func() { h.failed <- h.http.Serve(http1.Listen(listener)) }()
	return h
}

// setHandler replaces the handler of all later requests.
func (h *httpServer) setHandler(handler fasthttp.RequestHandler) { h.handler.Store(&handler) }

// shutdown closes the listener and waits until the requests under way are answered, for drainTimeout at most.
func (h *httpServer) shutdown() error {
	patience, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := h.listener.Close() // first and by itself: a server that has not begun to serve cannot be shut down
	if shut := h.http.ShutdownWithContext(patience); !errors.Is(shut, net.ErrClosed) {
		err = errors.Join(err, shut)
	}
	return err
}

// connectionLog logs fasthttp's errors on connections at debug level, without the addresses: they are caused by the other side.
type connectionLog struct{ *slog.Logger }

func (l connectionLog) Printf(_ string, args ...any) {
	for _, arg := range args {
		err, ok := arg.(error)
		if !ok {
			continue
		}
		if network, ok := errors.AsType[*net.OpError](err); ok {
			err = network.Err // without the addresses
		}
		l.Debug("connection closed after an error", "error", err)
	}
}
