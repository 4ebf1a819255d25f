// Package server wires the edge server of the Crêpe checkout and runs it: [Run] takes a [Config] and serves until its context
// ends. [OpenAdmin] and [Repair] are for the commands of an operator.
//
// A start opens the port, which answers 503 from then on, then the databases, each of them checked as a whole, the providers
// and the handlers. Orders wait until the provider's checkouts have been compared with the database. The end is the reverse:
// /readyz answers 503 first, then the port closes, then the databases.
package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	sandboxpage "github.com/crepe-checkout/crepe/edge/sandbox/page"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

const (
	// sandboxTrip is how many faults in a row it takes until the sandbox counts as down. They are asked for there, one
	// buyer's by one address, and must not stop the next buyer.
	sandboxTrip = 1000
)

// sandboxKey opens the sandbox provider to the adapter in the same process; nobody else can reach its API.
const sandboxKey = "sk_test_sandbox"

// sandboxName is the sandbox provider's, in stored attempts and in the path of its webhooks.
const sandboxName = "sandbox"

// sandboxPath is where the pages of an environment's sandbox lie.
var sandboxPath = map[checkout.Environment]string{checkout.Test: "/sandbox", checkout.Prod: "/sandbox/prod"}

// sandboxTools are the sandbox's own pages that tell or change more than a buyer may.
var sandboxTools = []string{"/log", "/trigger", "/faults"}

// server is the wired program: everything from the listener to the disk.
type server struct {
	Config
	log       *slog.Logger
	db        record.Store
	sandboxDB *durable.DB // nil where the sandbox is not allowed
	auth      *auth.Service
	orders    *orders.Service
	api       *api.API
	page      *page.Handler
	sandboxes map[checkout.Environment]*sandbox.Sandbox
	demo      *demo.Demo                         // nil without Dev
	extra     map[string]fasthttp.RequestHandler // the demo merchant's pages by path
	admin     *front                             // on the operator's socket; nil without one
	draining  chan struct{}
}

// newServer opens the database and wires the parts; the public URL must be known by now. It serves nothing yet.
func newServer(c Config, log *slog.Logger) (*server, error) {
	s := &server{Config: c, log: log, draining: make(chan struct{}), sandboxes: make(map[checkout.Environment]*sandbox.Sandbox)}
	if err := s.openDatabases(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.claim(context.Background()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.wire(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *server) wire() error {
	providers, limited := make(map[checkout.Environment]psp.Provider), make(map[checkout.Environment]orders.Provider)
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		provider, limits, err := s.provider(env)
		if err != nil {
			return err
		}
		if provider != nil {
			providers[env], limited[env] = provider, orders.Limited(limit.New(provider, limits))
		}
	}
	locator, err := s.locator()
	if err != nil {
		return err
	}
	rates, err := ReadRates(s.Rates)
	if err != nil {
		return err
	}
	limits := throttle.New(s.ClientRate, s.StoreRate)
	s.auth = auth.New(auth.Config{Deployment: s.PublicURL, Catalog: s.db, Keys: s.db, Tokens: s.db, Now: time.Now, Rand: rand.Reader})
	if err := s.auth.Rotate(context.Background()); err != nil && !unavailable(err) {
		return err // on a full disk the old keys suffice to read
	}
	deployment, err := s.db.Deployment(context.Background(), rand.Text())
	if err != nil {
		return err
	}
	s.orders = orders.New(orders.Config{Store: s.db, Providers: limited, Now: time.Now, Rand: rand.Reader, Log: s.log,
		Deployment: deployment, CatchUp: true})
	s.api = api.New(api.Config{Auth: s.auth, Catalog: s.db, Origins: s.db, Orders: s.orders, Providers: providers,
		Idempotency: idempotency.NewGuard(s.db, time.Now, s.log), GeoIP: locator, Throttle: limits, Rates: rates,
		PublicURL: s.PublicURL, Ready: s.ready, Now: time.Now, Rand: rand.Reader, Log: s.log})
	s.page = page.New(page.Config{Orders: s.orders, Stores: s.db, GeoIP: locator, Throttle: limits, Rates: rates, Now: time.Now, Log: s.log,
		PayOrigins: []string{stripe.PayOrigin}, Providers: s.providerNames()})
	if s.Dev != nil {
		s.demo = demo.New(demo.Config{Store: s.db, Data: s.Data, PublicURL: s.PublicURL, LocalURL: s.local, Origins: s.Dev.Origins,
			Look: s.Dev.Look, Log: s.log})
		s.extra = s.demo.Pages()
	}
	return nil
}

// providerNames are the names of the payment providers as buyers know them.
func (s *server) providerNames() map[checkout.Environment]string {
	names := map[checkout.Environment]string{checkout.Test: "Crêpe Sandbox", checkout.Prod: "Crêpe Sandbox"}
	for env := range s.Stripe {
		names[env] = stripe.DisplayName
	}
	return names
}

// provider is the environment's payment provider and its limits: the Stripe account, or the sandbox where that may stand in, or
// nil.
func (s *server) provider(env checkout.Environment) (psp.Provider, limit.Limits, error) {
	if account, ok := s.Stripe[env]; ok {
		return stripe.New(stripe.Config{Key: account.Key, WebhookSecret: account.WebhookSecret}), limit.Limits{Rate: stripe.Rate}, nil
	}
	if !s.Sandbox[env] {
		s.log.Warn("no payment provider: orders cannot be created", "environment", env)
		return nil, limit.Limits{}, nil
	}
	secret := "whsec_" + rand.Text()
	provider := sandbox.New(sandbox.Config{
		Store: sandbox.NewStore(s.sandboxDB, env), Key: sandboxKey, Live: env == checkout.Prod, PublicURL: s.PublicURL + sandboxPath[env],
		WebhookURL: s.local + api.WebhookPath(sandboxName, env), WebhookSecret: secret, Log: s.log,
	})
	s.sandboxes[env] = provider
	account, err := provider.Account()
	if err != nil {
		return nil, limit.Limits{}, err
	}
	adapter := stripe.New(stripe.Config{Name: sandboxName, Account: account, Key: sandboxKey, WebhookSecret: secret, BaseURL: "http://sandbox", Dial: provider.Dial})
	return adapter, limit.Limits{Trip: sandboxTrip}, nil
}

// sandbox serves the sandbox provider's own pages.
func (s *server) sandbox(ctx *fasthttp.RequestCtx) {
	tool := slices.Contains(sandboxTools, string(ctx.Path()[bytes.LastIndexByte(ctx.Path(), '/'):]))
	if tool && s.Dev == nil {
		s.page.Handle(ctx)
		return
	}
	env := checkout.Test
	if bytes.HasPrefix(ctx.Path(), []byte(sandboxPath[checkout.Prod]+"/")) {
		env = checkout.Prod
	}
	if tool && ctx.IsPost() {
		named, ok := namedEnvironment(ctx.PostBody(), env)
		if !ok {
			api.Refuse(ctx, fasthttp.StatusBadRequest, "environment-invalid", "Invalid environment: expected test or prod")
			return
		}
		if named != env {
			ctx.URI().SetPath(sandboxPath[named] + string(ctx.Path()[bytes.LastIndexByte(ctx.Path(), '/'):]))
			env = named
		}
	}
	if provider := s.sandboxes[env]; provider != nil {
		sandboxpage.Handler(provider)(ctx)
		return
	}
	s.page.Handle(ctx)
}

// namedEnvironment is the environment that the body of a call of the sandbox's tools names, or else that of its path.
func namedEnvironment(body []byte, path checkout.Environment) (checkout.Environment, bool) {
	var in struct{ Environment any }
	if json.Unmarshal(body, &in) != nil || in.Environment == nil {
		return path, true // what is no JSON the sandbox refuses
	}
	name, _ := in.Environment.(string)
	return checkout.ParseEnvironment(name)
}

// handle is the entry point of every request.
func (s *server) handle(ctx *fasthttp.RequestCtx) {
	defer s.recovered(ctx)
	originForm(ctx)
	if strings.HasPrefix(s.PublicURL, "https://") {
		ctx.Response.Header.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if err := readBody(ctx); err != nil {
		quiet{s.log}.Printf("", err)
		ctx.SetConnectionClose() // the end of the body is unknown
		api.MalformedRequest(ctx, err)
		return
	}
	if s.Dev != nil && !s.ownHost(ctx) {
		s.refuseHost(ctx)
		return
	}
	path := ctx.Path()
	if handler, ok := s.extra[string(path)]; ok {
		handler(ctx)
		return
	}
	switch {
	case api.Serves(path):
		s.api.Handle(ctx)
	case bytes.HasPrefix(path, []byte("/sandbox/")):
		s.sandbox(ctx)
	default:
		s.page.Handle(ctx)
	}
}

// recovered, deferred by a handler, answers for it if it panics.
func (s *server) recovered(ctx *fasthttp.RequestCtx) {
	if reason := recover(); reason != nil {
		s.log.Error("panic", "at", firstOf(ctx.Path()), "reason", cause(reason), "stack", string(debug.Stack()))
		ctx.Response.Reset()
		api.InternalError(ctx)
	}
}

// originForm rewrites a target in absolute form, "http://host/path", which names the host in place of the Host field
// (RFC 9112 §3.2.2).
func originForm(ctx *fasthttp.RequestCtx) {
	uri := ctx.URI()
	_, target, absolute := bytes.Cut(ctx.RequestURI(), []byte("://"))
	if !absolute || ctx.RequestURI()[0] == '/' {
		return
	}
	start := bytes.IndexAny(target, "/?")
	if start < 0 {
		start = len(target)
	}
	target = target[start:]
	if len(target) == 0 || target[0] != '/' {
		target = append([]byte("/"), target...)
	}
	ctx.Request.Header.SetHostBytes(uri.Host())
	ctx.Request.Header.SetRequestURIBytes(bytes.Clone(target))
}

// cause describes a panic without a buyer's data: the runtime's own error text, or else the type of the value.
func cause(reason any) string {
	if err, ok := reason.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", reason)
}

// firstOf is the first part of a path, for the log: the holder of a page's whole path can order.
func firstOf(path []byte) string {
	first, _, _ := bytes.Cut(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	return "/" + string(first)
}

// close stops what runs beside the requests and closes the databases, in this order.
func (s *server) close() error {
	var errs []error
	if s.admin != nil {
		errs = append(errs, s.admin.close())
	}
	for _, provider := range s.sandboxes {
		errs = append(errs, provider.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.sandboxDB != nil {
		errs = append(errs, s.sandboxDB.Close())
	}
	return errors.Join(errs...)
}
