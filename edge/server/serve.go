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
	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/metrics"
)

// rotationCheck is the interval at which the age of the signing keys is checked.
const rotationCheck = time.Hour

// Run opens the port, opens the databases and serves until ctx ends; then it drains and closes everything. The port answers
// 503 until the databases are open; on an inherited socket connections wait for that, for backlogPatience at most. If ctx ends while they
// are being opened, Run returns when they are open.
func Run(ctx context.Context, c Config, log *slog.Logger) error {
	if c.Dev != nil && c.Dev.Fresh {
		if err := removeRun(c.Data, c.EncryptionKey, log); err != nil {
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
	h := newHTTP(listener, api.Starting, log)
	h.patience = settleTimeout
	patience := time.Duration(0)
	if c.Inherited != nil {
		patience = backlogPatience
	}
	defer time.AfterFunc(patience, h.start).Stop()
	s, err := newServer(c, log)
	if err != nil {
		return errors.Join(err, h.shutdown())
	}
	if err := s.claimConfiguration(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // the server is stopped
		}
		return errors.Join(err, h.shutdown(), s.close())
	}
	if err := s.openMetrics(); err != nil {
		return errors.Join(err, h.shutdown(), s.close())
	}
	s.openAdmin()
	h.setHandler(s.handle)
	h.start()
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
	switch {
	case unavailable(err): // a moment is no reason to stop
		return nil
	case err == nil && len(first) == 0:
		s.NoMerchant()
	}
	return err
}

// serve serves until ctx ends or the database stops writing, and then drains.
func (s *server) serve(ctx context.Context, h *httpServer) error {
	if l, ok := h.listener.(*connections); ok {
		l.declare(s.metrics)
	}
	working, stopWorking := context.WithCancel(context.Background())
	var workers sync.WaitGroup
	workers.Go(func() { s.catchUp(working) })
	workers.Go(func() { s.makeBackups(working) })
	if s.certificate != nil {
		workers.Go(func() { s.certificate.Watch(working, s.log) })
	}
	for task, run := range s.tasks() {
		workers.Go(func() { lease.Run(working, s.db, task, s.name, s.log, s.holding(task, run)) })
	}
	defer workers.Wait()
	defer stopWorking()
	conflict := make(chan error, 1)
	workers.Go(func() { conflict <- s.keepConfiguration(working) })
	for {
		select {
		case err := <-h.failed:
			return err
		case <-s.db.Stopped():
			close(s.draining)
			return errors.Join(withRepair(s.db.Err(), s.Data, ownDatabase), h.shutdown())
		case err := <-conflict:
			close(s.draining)
			return errors.Join(err, h.shutdown())
		case <-ctx.Done():
			close(s.draining)
			h.closing.Store(true)
			s.waitForBalancer(h)
			h.settle()
			return h.shutdown()
		}
	}
}

// holding returns a task that is counted while it runs.
func (s *server) holding(task string, run func(context.Context)) func(context.Context) {
	var held atomic.Bool
	s.metrics.Gauge("crepe_lease_held", "1 while this server does a background job, else 0.", []string{"task"}, func(emit metrics.Emit) {
		emit(map[bool]float64{true: 1}[held.Load()], task)
	})
	return func(ctx context.Context) {
		held.Store(true)
		defer held.Store(false)
		run(ctx)
	}
}

// tasks are the background jobs, of which one server of a database runs each.
func (s *server) tasks() map[string]func(context.Context) {
	return map[string]func(context.Context){"orders": s.orders.Run, "webhooks": s.notify.Run, "mails": s.invoices.Run, "vies": s.vies.Run,
		"signing-keys": s.rotateHourly}
}

func (s *server) rotateHourly(ctx context.Context) {
	ticker := time.NewTicker(rotationCheck)
	defer ticker.Stop()
	for {
		if err := s.auth.Rotate(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("the signing keys were not rotated", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
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
	// settleTimeout is how long a drain waits for clients to close their connections: the next response on each asks them to. A client
	// whose request and our closing of an idle connection cross would have to send it again.
	settleTimeout = time.Second
	// backlogPatience is how long connections wait on an inherited socket for a start; then they get 503.
	backlogPatience = 15 * time.Second
)

// httpServer is an HTTP server on its listener. Its handler can be replaced while it serves.
type httpServer struct {
	listener net.Listener
	http     *fasthttp.Server
	handler  atomic.Pointer[fasthttp.RequestHandler]
	closing  atomic.Bool   // every response closes its connection
	start    func()        // starts to accept; further calls do nothing
	patience time.Duration // of settle
	failed   chan error    // what Serve returned
}

// startHTTP starts to serve a listener.
func startHTTP(listener net.Listener, handler fasthttp.RequestHandler, log *slog.Logger) *httpServer {
	h := newHTTP(listener, handler, log)
	h.start()
	return h
}

// newHTTP returns a server that has not started.
func newHTTP(listener net.Listener, handler fasthttp.RequestHandler, log *slog.Logger) *httpServer {
	h := &httpServer{listener: listener, failed: make(chan error, 1)}
	h.setHandler(handler)
	h.http = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			(*h.handler.Load())(ctx)
			if h.closing.Load() {
				ctx.SetConnectionClose()
			}
		},
		ErrorHandler: api.MalformedRequest, Name: "crepe", NoDefaultServerHeader: true,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		StreamRequestBody: true, MaxRequestBodySize: bodyAhead, DisablePreParseMultipartForm: true,
		ReadBufferSize: maxHeader, CloseOnShutdown: true, Logger: connectionLog{log}, SecureErrorLogMessage: true,
	}
	h.start = sync.OnceFunc(func() { go func() { h.failed <- h.http.Serve(http1.Listen(listener)) }() })
	return h
}

// settle waits until no connection is open, for h.patience at most.
func (h *httpServer) settle() {
	for end := time.Now().Add(h.patience); h.http.GetOpenConnectionsCount() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
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
