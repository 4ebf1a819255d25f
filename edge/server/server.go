// Package server wires the edge server of the Crêpe checkout and runs it: [Run] takes a [Config] and serves until its context
// ends. [OpenAdmin] and [Repair] are for the commands of an operator.
//
// A start opens the port, which answers 503 from then on, then the databases, each of them checked as a whole, the providers
// and the handlers. Orders wait until the provider's checkouts have been compared with the database. The end is the reverse:
// /readyz answers 503 first, then the port closes, then the databases.
package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/backup"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/dashboard"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/graph"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// sandboxTrip is the number of consecutive faults after which the sandbox counts as down. Buyers request faults there, and
// those of one buyer must not stop the next.
const sandboxTrip = 1000

// sandboxKey is the API key of the sandbox provider. Only this process can reach its API.
const sandboxKey = "sk_test_sandbox"

// sandboxName is the sandbox provider's name, in stored attempts and in the path of its webhooks.
const sandboxName = "sandbox"

// sandboxPath is the path of the pages of an environment's sandbox.
var sandboxPath = map[checkout.Environment]string{checkout.Test: "/sandbox", checkout.Prod: "/sandbox/prod"}

var environments = []checkout.Environment{checkout.Test, checkout.Prod}

// server holds everything that serves requests: databases, services and handlers.
type server struct {
	Config
	name      string // of this process, for leases
	log       *slog.Logger
	db        record.Store
	sandboxDB *durable.DB // nil where the sandbox is not allowed
	auth      *auth.Service
	sessions  *sessions.Service
	shops     *catalog.Service
	orders    *orders.Service
	rules     *plugins.Runner
	notify    *notify.Service
	invoices  *invoices.Service
	vies      *vies.Service
	api       *api.API
	page      *page.Handler
	dashboard *dashboard.Handler                    // nil without one
	providers map[checkout.Environment]psp.Provider // none for an environment in which nothing can be ordered
	sandboxes map[checkout.Environment]*sandbox.Sandbox
	demo      *demo.Demo                         // nil without Dev
	extra     map[string]fasthttp.RequestHandler // the demo merchant's pages by path
	admin     *httpServer                        // on the operator's socket; nil without one
	backups   *backup.Service                    // nil with PostgreSQL
	metrics   *metrics.Set
	measures  *measures
	figures   *httpServer               // on --metrics-listen; nil without it
	prove     func(nonce string) string // which deployment this is, see [prover]
	draining  chan struct{}
	extended  atomic.Pointer[time.Time] // when the lease of the configuration was last asked for and extended
}

// processName tells an operator where a process runs, and distinguishes it from every other one.
func processName() string {
	host, _ := os.Hostname() // "" where there is none
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text())
}

// newServer opens the databases and wires the services. c.PublicURL must be set. It serves nothing yet.
func newServer(c Config, log *slog.Logger) (*server, error) {
	s := &server{Config: c, name: processName(), log: log, draining: make(chan struct{}), sandboxes: make(map[checkout.Environment]*sandbox.Sandbox),
		providers: make(map[checkout.Environment]psp.Provider)}
	if !c.unmeasured {
		s.metrics = metrics.New()
	}
	s.measures = newMeasures(s.metrics)
	if err := s.openDatabases(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.claim(context.Background()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.wire(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.declareGauges()
	return s, nil
}

func (s *server) wire() error {
	if err := s.checkStripeTestURL(); err != nil {
		return err
	}
	providers, limited := s.providers, make(map[checkout.Environment]orders.Provider)
	for _, env := range environments {
		provider, limits, err := s.provider(env)
		if err != nil {
			return err
		}
		if provider != nil {
			limits.Metrics, limits.Answer = s.metrics.With("environment", string(env)), s.orderTry/4 // an answer fits into a try
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
	exchange, err := openExchangeRates(s.ExchangeRates, s.log)
	if err != nil {
		return err
	}
	limits := throttle.New(s.ClientRate, s.StoreRate)
	limits.Measure(s.metrics)
	s.auth = auth.New(auth.Config{Deployment: s.PublicURL, Catalog: s.db, Keys: s.db, Tokens: s.db, Now: time.Now, Rand: rand.Reader})
	if err := s.auth.Rotate(context.Background()); err != nil && !unavailable(err) {
		return err // on a full disk the old keys suffice to read
	}
	deployment, err := s.db.Deployment(context.Background(), rand.Text())
	if err != nil {
		return err
	}
	s.prove = prover(deployment)
	if s.backups, err = newBackups(context.Background(), s.db, false, s.log); err != nil {
		return err
	}
	s.sessions = sessions.New(sessions.Config{Store: s.db, Catalog: s.db, Providers: providers, PublicURL: s.PublicURL, Now: time.Now, Rand: rand.Reader})
	mailer, mailIn := s.mail()
	documents := invoices.Config{Store: s.db, Orders: s.db, Catalog: s.db, VATChecks: s.db, PublicURL: s.PublicURL, Now: time.Now, Rand: rand.Reader,
		Mailer: mailer, MailIn: mailIn, KeepMails: s.KeepDeliveries, Log: s.log}
	if exchange != nil {
		documents.Rates = exchange.Rates
	}
	s.invoices = invoices.New(documents)
	if err := s.checkVIES(); err != nil {
		return err
	}
	s.vies = vies.New(vies.Config{Store: s.db, Orders: s.db, Catalog: s.db, URL: cmp.Or(s.VIESURL, vies.DefaultURL), Environments: s.viesIn(), Now: time.Now, Log: s.log})
	s.notify = notify.New(notify.Config{Store: s.db, Orders: s.db, Catalog: s.db, Invoices: s.invoices, VIES: s.vies, Reach: s.reach(), Keep: s.KeepDeliveries, Now: time.Now, Rand: rand.Reader,
		Metrics: s.metrics, Log: s.log})
	restored, err := readRestored(s.Data)
	if err != nil {
		return err
	}
	s.rules = plugins.NewRunner(plugins.RunnerConfig{Store: s.db, Metrics: s.metrics, Log: s.log})
	s.orders = orders.New(orders.Config{Store: s.db, Rules: s.rules, Restored: restored, Providers: limited, Now: time.Now, Rand: rand.Reader, Log: s.log,
		Deployment: deployment, CatchUp: true, FactAdded: s.notify.FactAdded, TryTimeout: s.orderTry, Budget: s.orderBudget, KeepUnpaid: s.KeepUnpaid, RefundWindow: s.RefundWindow, Metrics: s.metrics})
	s.shops = catalog.New(catalog.Config{Records: s.db, Unchargeable: sessions.Unchargeable(providers), Now: time.Now, Rand: rand.Reader})
	s.api = api.New(api.Config{Auth: s.auth, Catalog: s.db, Shops: s.shops, Origins: s.db, Sessions: s.sessions, Orders: s.orders, Notify: s.notify, Providers: providers,
		Graph:       graph.New(graph.Config{Records: s.db, ProdEnabled: providers[checkout.Prod] != nil, Now: time.Now, Log: s.log}),
		Idempotency: idempotency.NewGuard(s.db, time.Now, s.log), GeoIP: locator, Throttle: limits, Rates: rates,
		Ready: s.ready, Prove: s.prove, Now: time.Now, Log: s.log})
	s.page = page.New(page.Config{Sessions: s.sessions, Links: s.sessions, Orders: s.orders, Stores: s.db, Documents: s.invoices, GeoIP: locator, Throttle: limits, Rates: rates, Rules: s.db, Now: time.Now, Log: s.log,
		PayOrigins: s.payOrigins(), MailIn: mailIn, Providers: s.providerNames()})
	s.openDashboard(locator)
	if s.Dev != nil {
		s.demo = demo.New(demo.Config{Store: s.db, Data: s.Data, PublicURL: s.PublicURL, LocalURL: s.local, Origins: s.Dev.Origins, Frames: s.Dev.Frames,
			Look: s.Dev.Look, Log: s.log})
		s.extra = s.demo.Pages()
	}
	return nil
}

// reach says which webhook endpoints may be sent to.
func (s *server) reach() notify.Reach {
	if s.PrivateWebhooks || s.Dev != nil {
		return notify.Private
	}
	return notify.Public
}

// providerNames returns the names of the payment providers as buyers know them.
func (s *server) providerNames() map[checkout.Environment]string {
	names := map[checkout.Environment]string{checkout.Test: "Crêpe Sandbox", checkout.Prod: "Crêpe Sandbox"}
	for env := range s.Stripe {
		if env == checkout.Prod || s.StripeTestURL == "" {
			names[env] = stripe.DisplayName
		}
	}
	return names
}

// payOrigins are the origins of the providers' payment pages.
func (s *server) payOrigins() []string {
	origins := []string{stripe.PayOrigin}
	if s.StripeTestURL != "" {
		origins = append(origins, s.StripeTestURL)
	}
	return origins
}

// provider returns the environment's payment provider and its limits: the Stripe account, or the sandbox if the environment may
// use it, or nil.
func (s *server) provider(env checkout.Environment) (psp.Provider, limit.Limits, error) {
	if account, ok := s.Stripe[env]; ok {
		config, limits := stripe.Config{Key: account.Key, WebhookSecret: account.WebhookSecret}, limit.Limits{Rate: stripe.Rate}
		if env == checkout.Test && s.StripeTestURL != "" {
			config.BaseURL, limits = s.StripeTestURL, limit.Limits{Trip: sandboxTrip}
		}
		return stripe.New(config), limits, nil
	}
	if !s.Sandbox[env] {
		s.log.Warn("no payment provider: orders cannot be created", "environment", env)
		return nil, limit.Limits{}, nil
	}
	secret := "whsec_" + rand.Text()
	provider := sandbox.New(sandbox.Config{
		Store: sandbox.NewStore(s.sandboxDB, env), Key: sandboxKey, Live: env == checkout.Prod, PublicURL: s.PublicURL + sandboxPath[env],
		WebhookURL: s.local + api.WebhookPath(sandboxName, env), WebhookDial: s.ownDial(), WebhookSecret: secret, Log: s.log,
	})
	s.sandboxes[env] = provider
	account, err := provider.Account()
	if err != nil {
		return nil, limit.Limits{}, err
	}
	adapter := stripe.New(stripe.Config{Name: sandboxName, Account: account, Key: sandboxKey, WebhookSecret: secret, BaseURL: "http://sandbox", Dial: provider.Dial})
	return adapter, limit.Limits{Trip: sandboxTrip}, nil
}

// ownDial connects to this server as its own client; nil for TCP.
func (s *server) ownDial() fasthttp.DialFunc {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.Dial
}

// close stops the background work and then closes the databases.
func (s *server) close() error {
	var errs []error
	for _, h := range []*httpServer{s.figures, s.admin} {
		if h != nil {
			errs = append(errs, h.shutdown())
		}
	}
	for _, provider := range s.sandboxes {
		errs = append(errs, provider.Close())
	}
	if s.backups != nil {
		s.backups.Close()
	}
	if s.rules != nil {
		errs = append(errs, s.rules.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.sandboxDB != nil {
		errs = append(errs, s.sandboxDB.Close())
	}
	return errors.Join(errs...)
}
