package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/http1"
)

// Limits of a connection. A request is small and comes at once; a response may take as long as a provider may.
const (
	maxBody      = 64 << 10
	bodyAhead    = 1 << 10 // of a body, before its request is handled
	maxHeader    = 8 << 10
	readTimeout  = 5 * time.Second
	writeTimeout = 15 * time.Second
	idleTimeout  = 30 * time.Second
	drainTimeout = 20 * time.Second
)

// front is the HTTP server on its listener. It serves from the start of the process: until the database is open it answers
// [api.Starting], then what answer was given.
type front struct {
	listener net.Listener
	http     *fasthttp.Server
	handler  atomic.Pointer[fasthttp.RequestHandler]
	failed   chan error // what Serve returned
}

// openFront begins to serve a listener with a handler.
func openFront(listener net.Listener, handler fasthttp.RequestHandler, log *slog.Logger) *front {
	f := &front{listener: listener, failed: make(chan error, 1)}
	f.answer(handler)
	f.http = &fasthttp.Server{
		Handler:      func(ctx *fasthttp.RequestCtx) { (*f.handler.Load())(ctx) },
		ErrorHandler: api.MalformedRequest, Name: "crepe", NoDefaultServerHeader: true,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		StreamRequestBody: true, MaxRequestBodySize: bodyAhead, DisablePreParseMultipartForm: true,
		ReadBufferSize: maxHeader, CloseOnShutdown: true, Logger: quiet{log}, SecureErrorLogMessage: true,
	}
	go func() { f.failed <- f.http.Serve(http1.Listen(listener)) }()
	return f
}

// answer replaces the handler of all requests that come from now on.
func (f *front) answer(handler fasthttp.RequestHandler) { f.handler.Store(&handler) }

// close closes the listener and lets the requests under way finish.
func (f *front) close() error {
	patience, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := f.listener.Close() // first and by itself: a server that has not begun to serve cannot be shut down
	if shut := f.http.ShutdownWithContext(patience); !errors.Is(shut, net.ErrClosed) {
		err = errors.Join(err, shut)
	}
	return err
}

// quiet takes fasthttp's complaints about broken connections: they are the other side's, and worth a debug line that does not
// say whose connection it was.
type quiet struct{ *slog.Logger }

func (q quiet) Printf(_ string, args ...any) {
	for _, arg := range args {
		err, ok := arg.(error)
		if !ok {
			continue
		}
		if network, ok := errors.AsType[*net.OpError](err); ok {
			err = network.Err // without the addresses
		}
		q.Debug("a connection was given up", "error", err)
	}
}
