package sandbox

import (
	"crypto/rand"
	"hash/maphash"
	"io"
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

// Config says where a sandbox stands. Store, Key and PublicURL have no default.
type Config struct {
	Store         Store
	Key           string            // API key that its caller must show, "sk_test_sandbox"
	PublicURL     string            // where buyers reach the pages of package page, without a trailing slash: "http://127.0.0.1:8787/sandbox"
	WebhookURL    string            // where events are posted to; "" for nowhere
	WebhookSecret string            // signs them
	WebhookDial   fasthttp.DialFunc // reaches WebhookURL; nil for TCP
	Live          bool              // mark everything as real money. It moves none all the same.

	Record bool // keep what comes under each idempotency key, for Bodies. It grows without end.

	Delay time.Duration    // until a payment that is confirmed later is; 0 for ten seconds
	Now   func() time.Time // nil for time.Now
	Rand  io.Reader        // of ids; safe for concurrent use; nil for crypto/rand
	Log   *slog.Logger     // what the operator should know; nil for nowhere
}

// Sandbox is a running provider. It is safe for concurrent use.
type Sandbox struct {
	fault.Injector // picks what goes wrong

	config   Config
	path     string // of PublicURL
	listener *fasthttputil.InmemoryListener
	server   *fasthttp.Server
	client   *fasthttp.Client
	journal  journal
	claims   claims
	received received
	locks    [64]sync.Mutex
	seed     maphash.Seed
	wake     chan struct{}
	stop     chan struct{}
	running  sync.WaitGroup
	once     sync.Once
}

// New starts a sandbox; Close ends it.
func New(c Config) *Sandbox {
	if c.Delay == 0 {
		c.Delay = 10 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Sandbox{
		config:   c,
		listener: fasthttputil.NewInmemoryListener(),
		client:   newWebhookClient(c.WebhookDial),
		claims:   claims{keys: make(map[string]bool)},
		received: received{bodies: make(map[string][]string)},
		seed:     maphash.MakeSeed(),
		wake:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
	}
	if u, err := url.Parse(c.PublicURL); err == nil {
		s.path = strings.TrimSuffix(u.Path, "/")
	}
	s.server = &fasthttp.Server{
		Handler:               s.serveAPI,
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

// Dial connects to the API. The address is not looked at.
func (s *Sandbox) Dial(string) (net.Conn, error) { return s.listener.Dial() }

// Close finishes what is under way, a delivery for some seconds at most. What is due later stays in the store.
func (s *Sandbox) Close() error {
	s.once.Do(func() {
		close(s.stop)
		s.listener.Close()  // by itself: a server that has not begun to serve cannot be shut down
		s.server.Shutdown() // its only error is that the listener is closed
		s.running.Wait()
	})
	return nil
}

// lock keeps two changes of one session apart.
func (s *Sandbox) lock(id string) (unlock func()) {
	m := &s.locks[maphash.String(s.seed, id)%uint64(len(s.locks))]
	m.Lock()
	return m.Unlock
}

// apply writes a change and wakes the worker if it left something to do soon.
func (s *Sandbox) apply(c change) error {
	if err := s.config.Store.Apply(c); err != nil {
		s.config.Log.Error("the sandbox cannot write", "error", err)
		return err
	}
	soon := dueKey(s.config.Now().Add(restless).UnixMilli(), "", "")
	for _, w := range c {
		if w.Value != nil && strings.HasPrefix(w.Key, "du/") && w.Key < soon {
			select {
			case s.wake <- struct{}{}:
			default: // it is awake
			}
		}
	}
	return nil
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// endOfTime is the first instant, in milliseconds, that eight digits of base 62 cannot count: in the year 8888.
const endOfTime = 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62

// newID is prefix, the time until the end of time, and 142 bits that nobody can guess: a session's id lets its holder pay.
func (s *Sandbox) newID(prefix string) string {
	var id [32]byte
	if _, err := io.ReadFull(s.config.Rand, id[8:]); err != nil {
		panic("sandbox: no randomness: " + err.Error())
	}
	for i := range id[8:] {
		id[8+i] = base62[id[8+i]%62]
	}
	for i, left := 7, endOfTime-s.config.Now().UnixMilli(); i >= 0; i, left = i-1, left/62 {
		id[i] = base62[left%62]
	}
	return prefix + string(id[:])
}
