package pgtest

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Break says when a [Proxy] breaks a connection.
type Break int

const (
	BeforeCommit    Break = iota // the server never gets the COMMIT
	DuringCommit                 // the server gets the COMMIT a little later
	AfterCommit                  // the server has committed, and its answer is lost
	DownAfterCommit              // and nothing is passed on any more, until Up
)

// Late is how long a [DuringCommit] is late.
const Late = 50 * time.Millisecond

// Proxy passes connections on to a server and breaks some of them at a COMMIT.
type Proxy struct {
	cluster  *Cluster
	listener net.Listener
	only     atomic.Value // the text of Only
	breaks   chan Break   // of the COMMITs to come
	broken   atomic.Int64
	down     atomic.Bool
	mu       sync.Mutex
	stalled  chan struct{}     // closed when the network is healed; nil while nothing is stalled
	open     map[net.Conn]bool // connections of clients
}

// Proxy starts a proxy of the server, until the end of the test.
func (c *Cluster) Proxy(t testing.TB) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{cluster: c, listener: listener, breaks: make(chan Break, 100), open: map[net.Conn]bool{}}
	p.Only("")
	t.Cleanup(func() { listener.Close() })
	go p.serve()
	return p
}

// Through changes a URL of the server into one of the proxy.
func (p *Proxy) Through(url string) string {
	return strings.Replace(url, fmt.Sprintf(":%d/", p.cluster.Port), fmt.Sprintf(":%d/", p.listener.Addr().(*net.TCPAddr).Port), 1)
}

// Only restricts the breaks to transactions in which a client sends a text, such as an id; "" is any transaction.
func (p *Proxy) Only(text string) { p.only.Store([]byte(text)) }

// Break breaks the connection of the next COMMIT for which no Break is set, at most 100 of them.
func (p *Proxy) Break(b Break) { p.breaks <- b }

// Broken is how many connections were broken at a COMMIT.
func (p *Proxy) Broken() int { return int(p.broken.Load()) }

// Down breaks all connections and refuses new ones, until Up.
func (p *Proxy) Down() {
	p.down.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
}

// Up passes connections on again.
func (p *Proxy) Up() { p.down.Store(false) }

// Stall passes nothing on in either direction, as a network that loses all packets: connections stay open, and new ones get no answer. What
// was sent meanwhile arrives when heal is called, or at the end of the test.
func (p *Proxy) Stall(t testing.TB) (heal func()) {
	stalled := make(chan struct{})
	p.mu.Lock()
	p.stalled = stalled
	p.mu.Unlock()
	heal = sync.OnceFunc(func() {
		p.mu.Lock()
		p.stalled = nil
		p.mu.Unlock()
		close(stalled)
	})
	t.Cleanup(heal)
	return heal
}

// awaitNetwork returns when nothing is stalled.
func (p *Proxy) awaitNetwork() {
	p.mu.Lock()
	stalled := p.stalled
	p.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.down.Load() {
			client.Close()
			continue
		}
		p.track(client, true)
		go p.connect(client)
	}
}

// connect connects a client with the server.
func (p *Proxy) connect(client net.Conn) {
	defer p.track(client, false)
	defer client.Close()
	p.awaitNetwork()
	server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.cluster.Port))
	if err != nil {
		return
	}
	defer server.Close()
	p.pass(client, server)
}

func (p *Proxy) track(client net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.open[client] = true
	} else {
		delete(p.open, client)
	}
}

// idle is ReadyForQuery outside of a transaction, with which an answer ends.
var idle = []byte("Z\x00\x00\x00\x05I")

// pass passes on what a client sends until one of the two ends the connection.
func (p *Proxy) pass(client, server net.Conn) {
	var silent, mentioned atomic.Bool // the next answer is lost; the transaction has the text of Only
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		defer client.Close()
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			p.awaitNetwork()
			if err != nil || silent.Load() {
				return
			}
			if bytes.HasSuffix(buffer[:n], idle) {
				mentioned.Store(false)
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		p.awaitNetwork()
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], p.only.Load().([]byte)) {
			mentioned.Store(true)
		}
		if mentioned.Load() && bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
			select {
			case b := <-p.breaks:
				p.broken.Add(1)
				silent.Store(true)
				p.commit(b, client, server, buffer[:n])
				if b != BeforeCommit {
					<-answered
				}
				return
			default:
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// commit passes a COMMIT on as its Break says.
func (p *Proxy) commit(b Break, client, server net.Conn, message []byte) {
	switch b {
	case DuringCommit:
		client.Close()
		time.Sleep(Late)
		server.Write(message)
	case AfterCommit:
		server.Write(message)
	case DownAfterCommit:
		server.Write(message)
		p.Down()
	}
}
