package sandbox

import (
	"crypto/rand"
	"hash/maphash"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// Config configures a sandbox. Store, Key and PublicURL have no default.
type Config struct {
	Store         Store
	Key           string            // the API key that callers must send, "sk_test_sandbox"
	PublicURL     string            // where package page is served, without a trailing slash: "http://127.0.0.1:8787/sandbox"
	WebhookURL    string            // where events are posted to; "" sends none
	WebhookSecret string            // signs the events
	WebhookDial   fasthttp.DialFunc // reaches WebhookURL; nil for TCP
	Live          bool              // mark all objects as live. No money moves in either mode.

	Record bool // keep the request bodies under each idempotency key for Bodies; for tests, because memory grows without bound

	Delay time.Duration    // until a delayed payment is decided; 0 for ten seconds
	Now   func() time.Time // nil for time.Now
	Log   *slog.Logger     // nil discards
}

// Sandbox is a running provider. It is safe for concurrent use.
type Sandbox struct {
	fault.Injector // picks the fault of each call and webhook

	config   Config
	path     string // of PublicURL
	listener *fasthttputil.InmemoryListener
	server   *fasthttp.Server
	client   *fasthttp.Client
	journal  journal
	inFlight inFlight
	received received
	locks    [64]sync.Mutex
	seed     maphash.Seed
	wake     chan struct{}
	stop     chan struct{}
	running  sync.WaitGroup
	once     sync.Once
}

// New starts a sandbox. Close stops it.
func New(c Config) *Sandbox {
	if c.Delay == 0 {
		c.Delay = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sandbox{
		config:   c,
		listener: fasthttputil.NewInmemoryListener(),
		client:   newWebhookClient(c.WebhookDial),
		inFlight: inFlight{keys: make(map[string]bool)},
		received: received{bodies: make(map[string][]string)},
		seed:     maphash.MakeSeed(),
		wake:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
	}
	if u, err := url.Parse(c.PublicURL); err == nil {
		s.path = strings.TrimSuffix(u.Path, "/")
	}
	s.server = &fasthttp.Server{
		Handler:               s.ServeAPI,
		NoDefaultServerHeader: true,
		MaxRequestBodySize:    1 << 20,
		IdleTimeout:           30 * time.Second,
		CloseOnShutdown:       true,
		Logger:                slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	s.running.Go(func() { s.server.Serve(s.listener) })
	s.running.Go(s.work)
	return s
}

// Path is the path of Config.PublicURL, where package page is to be mounted.
func (s *Sandbox) Path() string { return s.path }

// Dial connects to the API. It ignores the address.
func (s *Sandbox) Dial(string) (net.Conn, error) { return s.listener.Dial() }

// Close stops the sandbox after its running calls and deliveries, which takes some seconds at most. Tasks that are due later stay
// in the store.
func (s *Sandbox) Close() error {
	s.once.Do(func() {
		close(s.stop)
		s.listener.Close()  // Shutdown does not close it if Serve has not started
		s.server.Shutdown() // its only error: the listener is closed
		s.running.Wait()
	})
	return nil
}

// lock serialises the changes of a session.
func (s *Sandbox) lock(id string) (unlock func()) {
	m := &s.locks[maphash.String(s.seed, id)%uint64(len(s.locks))]
	m.Lock()
	return m.Unlock
}

// apply persists a change and wakes the worker if it contains a task that is due soon.
func (s *Sandbox) apply(c change) error {
	if err := s.config.Store.Apply(c); err != nil {
		s.config.Log.Error("the sandbox cannot write to its store", "error", err)
		return err
	}
	soon := dueKey(s.config.Now().Add(maxSleep).UnixMilli(), "", "")
	for _, w := range c {
		if w.Value != nil && strings.HasPrefix(w.Key, "du/") && w.Key < soon {
			select {
			case s.wake <- struct{}{}:
			default: // the worker is awake
			}
		}
	}
	return nil
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// maxTime is the first time in Unix milliseconds that eight digits of base 62 cannot hold, in the year 8888.
const maxTime = 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62

// newID returns prefix, the inverted time, and 142 random bits: a session's id is the capability to pay it.
func (s *Sandbox) newID(prefix string) string {
	var id [32]byte
	rand.Read(id[8:])
	for i := range id[8:] {
		id[8+i] = base62[id[8+i]%62]
	}
	for i, left := 7, maxTime-s.config.Now().UnixMilli(); i >= 0; i, left = i-1, left/62 {
		id[i] = base62[left%62]
	}
	return prefix + string(id[:])
}
