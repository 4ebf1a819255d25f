package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// adminSocket is the name of the socket of a running server in its data directory. The commands for operators use it; without a
// server they open the database themselves.
const adminSocket = "admin.sock"

// maxSocketPath is how long the path of a socket may be on every system; Linux allows 107 bytes, macOS 103.
const maxSocketPath = 103

// adminTimeout is how long an operation may take.
const adminTimeout = 30 * time.Second

// openAdmin serves the operator's operations on the socket. The caller holds the lock of the database, so a socket that is
// there is one of a server that crashed. A failure is logged: orders can be taken without a socket.
func (s *server) openAdmin() {
	listener, err := listenAdmin(s.Data)
	if err != nil {
		s.log.Error("crepe orders and crepe keys do not reach this server", "error", err)
		return
	}
	handler := admin.New(admin.Config{Orders: s.orders, Auth: s.auth, Log: s.log}).Handle
	s.admin = openFront(listener, func(ctx *fasthttp.RequestCtx) {
		defer s.recovered(ctx)
		if err := readBody(ctx); err != nil {
			ctx.SetConnectionClose()
			api.MalformedRequest(ctx, err)
			return
		}
		handler(ctx)
	}, s.log)
}

// listenAdmin makes the socket in a data directory, which only the user of this process can open.
func listenAdmin(data string) (net.Listener, error) {
	path, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// socketPath is the path of the socket, from the working directory if that is shorter.
func socketPath(data string) (string, error) {
	path := filepath.Join(data, adminSocket)
	if wd, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(wd, path); err == nil && len(relative) < len(path) {
			path = relative
		}
	}
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("the path of the socket %s has %d bytes and may have %d: choose a shorter --data", path, len(path), maxSocketPath)
	}
	return path, nil
}

// operator performs the operations on a data directory.
type operator struct {
	send  func(*fasthttp.Request, *fasthttp.Response) error
	close func() error
}

// openOperator finds the server that runs on a data directory, or opens the database itself.
func openOperator(data string, log *slog.Logger) (*operator, error) {
	if server := dialAdmin(data); server != nil {
		return server, nil
	}
	if _, err := os.Stat(filepath.Join(data, ownDatabase)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database of crepe in %s; --data DIR names the data directory of the server", data)
	}
	db, err := openStore(data, badgerstore.Options{Log: log})
	if errors.Is(err, durable.ErrInUse) {
		return nil, fmt.Errorf("a crepe that runs on %s does not answer on its socket %s: it is starting or ending, or its log says why: %w",
			data, adminSocket, err)
	}
	if err != nil {
		return nil, err
	}
	handle := admin.New(admin.Config{
		Orders: orders.New(orders.Config{Store: db, Now: time.Now, Rand: rand.Reader, Log: log}),
		Auth:   auth.New(auth.Config{Catalog: db, Keys: db, Tokens: db, Now: time.Now, Rand: rand.Reader}),
		Log:    slog.New(slog.DiscardHandler), // the command prints what it has done
	}).Handle
	send := func(request *fasthttp.Request, response *fasthttp.Response) error {
		var ctx fasthttp.RequestCtx
		ctx.Init(request, nil, nil)
		handle(&ctx)
		ctx.Response.CopyTo(response)
		return nil
	}
	return &operator{send, db.Close}, nil
}

// dialAdmin connects to the server that runs on a data directory; nil when none answers.
func dialAdmin(data string) *operator {
	path, err := socketPath(data)
	if err != nil {
		return nil
	}
	connection, err := net.Dial("unix", path)
	if err != nil {
		return nil
	}
	connection.Close()
	client := &fasthttp.HostClient{Addr: adminSocket, Dial: func(string) (net.Conn, error) { return net.Dial("unix", path) },
		ReadTimeout: adminTimeout, WriteTimeout: adminTimeout}
	return &operator{client.Do, func() error { client.CloseIdleConnections(); return nil }}
}
