package server

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/geoip"
)

// connections is a listener that keeps the number of open connections within limits, 0 for none: of all, and of one client
// address. Whatever is too much is answered with a 503 and closed.
type connections struct {
	net.Listener
	all, perClient int
	client         func(net.IP) string // "" for an address without a limit of its own, as a trusted proxy has

	mutex sync.Mutex
	open  int
	by    map[string]int
}

// tooManyConnections is the whole answer to a connection too many.
const tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 5\r\n" +
	"Connection: close\r\nContent-Length: 109\r\n\r\n" +
	`{"data":null,"errors":[{"message":"Too many connections, please retry","layer":"gateway","code":"too-busy"}]}`

// limitConnections keeps a listener within the limits of c.
func (c *Config) limitConnections(listener net.Listener) net.Listener {
	l := geoip.Locator{Trusted: c.TrustedProxies}
	return &connections{Listener: listener, all: c.Connections, perClient: c.ClientConnections, by: make(map[string]int),
		client: func(ip net.IP) string { return l.Client(ip, nil) }}
}

// Accept waits for the next connection that is within the limits.
func (l *connections) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := ""
		if addr, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
			client = l.client(addr.IP)
		}
		if l.enter(client) {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { l.leave(client) })}, nil
		}
		conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		io.WriteString(conn, tooManyConnections)
		conn.Close()
	}
}

func (l *connections) enter(client string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.all > 0 && l.open >= l.all || client != "" && l.perClient > 0 && l.by[client] >= l.perClient {
		return false
	}
	l.open++
	if client != "" {
		l.by[client]++
	}
	return true
}

func (l *connections) leave(client string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.open--
	if l.by[client]--; l.by[client] <= 0 {
		delete(l.by, client)
	}
}

type connection struct {
	net.Conn
	leave func()
}

// Close implements [net.Conn].
func (c *connection) Close() error {
	c.leave()
	return c.Conn.Close()
}

// readBody reads a request's body as it comes, so that a connection takes no more memory than what it has sent. fasthttp by
// itself takes what the Content-Length announces.
func readBody(ctx *fasthttp.RequestCtx) error {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(stream, maxBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxBody {
		io.CopyN(io.Discard, stream, maxBody) // a client that is still sending would not read the answer
		return fasthttp.ErrBodyTooLarge
	}
	ctx.Request.SetBodyRaw(body)
	return nil
}
