package server

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/metrics"
)

// connections is a listener that limits the number of open connections, in total and for each client address; 0 is no limit.
// A connection above a limit is closed, without TLS after a 503.
type connections struct {
	net.Listener
	all, perClient int
	client         func(net.IP) string // "" for an address that has no limit, such as a trusted proxy
	refusal        string              // sent on a connection above a limit

	refused atomic.Int64 // connections above a limit

	mutex sync.Mutex
	open  int
	by    map[string]int
}

// tooManyConnections is the response to a connection above a limit.
const tooManyConnections = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json; charset=utf-8\r\nRetry-After: 5\r\n" +
	"Connection: close\r\nContent-Length: 109\r\n\r\n" +
	`{"data":null,"errors":[{"message":"Too many connections, please retry","layer":"gateway","code":"too-busy"}]}`

// limitConnections applies the limits of c to a listener.
func (c *Config) limitConnections(listener net.Listener) net.Listener {
	l := geoip.Locator{Trusted: c.TrustedProxies}
	limited := &connections{Listener: listener, all: c.Connections, perClient: c.ClientConnections, by: make(map[string]int),
		client: func(ip net.IP) string { return l.Client(ip, nil) }}
	if c.certificate == nil {
		limited.refusal = tooManyConnections
	}
	return limited
}

// declare declares the metrics of the listener.
func (l *connections) declare(m *metrics.Set) {
	m.Gauge("crepe_http_connections", "Open connections.", nil, metrics.Value(func() float64 {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		return float64(l.open)
	}))
	m.CounterOf("crepe_http_connections_refused_total", "Connections above a limit of connections.", nil,
		metrics.Value(func() float64 { return float64(l.refused.Load()) }))
}

// Accept implements [net.Listener]. It returns the next connection within the limits.
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
		l.refused.Add(1)
		conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		io.WriteString(conn, l.refusal)
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
