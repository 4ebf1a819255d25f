package api

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/graph"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// Config is what an [API] is built from. Every field but GeoIP is needed.
type Config struct {
	Auth     *auth.Service
	Sessions *sessions.Service
	Catalog  catalog.Records
	Shops    *catalog.Service // makes and changes stores and products
	Origins  catalog.Origins  // whose pages may call us
	Orders   *orders.Service
	Notify   *notify.Service // webhooks to merchants
	Graph    *graph.Service
	// Idempotency answers repeated writes.
	Idempotency *idempotency.Guard
	Providers   map[checkout.Environment]psp.Provider
	GeoIP       geoip.Locator      // finds a buyer's country, which is evidence only
	Throttle    *throttle.Throttle // of what comes without a merchant's credential

	Rates *table.Table // the operator's own tax rates, nil for none
	// Prove makes the proof with which /healthz answers a nonce: whoever has the database can compare it. nil for none.
	Prove func(nonce string) string

	Ready func() error // why no new orders are taken, nil if they are; anyone may read the text
	Now   func() time.Time
	Log   *slog.Logger
}

// API serves the published contract. It is safe for concurrent use.
type API struct {
	config Config
	routes map[string]route
}

// route is one path. Paths are matched byte for byte on the request line, because a merchant signs the path as sent. A GET route also
// accepts HEAD, and ignores a query.
type route struct {
	method string
	handle func(*call)
	cors   cors
}

func (r *route) allows(method []byte) bool {
	return string(method) == r.method || r.method == "GET" && string(method) == "HEAD"
}

// cors says which pages of other origins may call a path.
type cors bool

const (
	never  cors = false // none: the path is for servers, and for our own pages
	listed cors = true  // those of an origin that a store lists, see [API.share]
)

// New returns the API with its routes.
func New(c Config) *API {
	a := &API{config: c}
	a.routes = map[string]route{
		"/v1/actions/auth/issue-session-token":   {"POST", serve(a, layerUser, a.merchant, a.issueSessionToken), never},
		"/v1/actions/auth/issue-shopper-token":   {"POST", serve(a, layerUser, a.visitor, a.issueShopperToken), listed},
		"/v1/actions/store/add-webhook":          {"POST", serve(a, layerStore, a.merchant, a.addWebhook), never},
		"/v1/actions/store/update-webhook":       {"POST", serve(a, layerStore, a.merchant, a.updateWebhook), never},
		"/v1/actions/store/remove-webhook":       {"POST", serve(a, layerStore, a.merchant, a.removeWebhook), never},
		"/v1/actions/checkout/create-session":    {"POST", serve(a, layerOrder, a.merchantOrVisitor, a.createSession), listed},
		"/v1/actions/checkout/renew-session":     {"POST", serve(a, layerOrder, a.buyerOrVisitor, a.renewSession), listed},
		"/v1/actions/checkout/quote":             {"POST", serve(a, layerOrder, a.buyerOrVisitor, a.quote), listed},
		"/v1/actions/onetime-order/create-order": {"POST", serve(a, layerOrder, a.payer, a.createOrder), listed},
		"/v1/actions/onetime-order/cancel-order": {"POST", serve(a, layerOrder, a.customer, a.cancelOrder), listed},

		"/v1/actions/refund-ticket/create-ticket":   {"POST", serve(a, layerTicket, a.merchantOrCustomer, a.createTicket), listed},
		"/v1/actions/refund-ticket/resubmit-ticket": {"POST", serve(a, layerTicket, a.merchantOrCustomer, a.resubmitTicket), listed},

		"/v1/actions/store/create-store":              {"POST", serve(a, layerStore, a.merchant, a.createStore), never},
		"/v1/actions/store/update-store":              {"POST", serve(a, layerStore, a.merchant, a.updateStore), never},
		"/v1/actions/store/delete-store":              {"POST", serve(a, layerStore, a.merchant, a.deleteStore), never},
		"/v1/actions/onetime-product/create-product":  {"POST", serve(a, layerProduct, a.merchant, a.createProduct), never},
		"/v1/actions/onetime-product/update-product":  {"POST", serve(a, layerProduct, a.merchant, a.updateProduct), never},
		"/v1/actions/onetime-product/publish-product": {"POST", serve(a, layerProduct, a.merchant, a.publishProduct), never},
		"/v1/actions/onetime-product/update-status":   {"POST", serve(a, layerProduct, a.merchant, a.setProductStatus), never},

		"/v1/graphql": {"POST", a.graphql, listed},

		"/v1/client.js": {"GET", client, never},
		"/healthz":      {"GET", a.health, never},
		"/readyz":       {"GET", a.ready, never},
	}
	for _, path := range unsupported {
		a.routes[path] = route{"POST", a.refuseUnsupported, never}
	}
	for env, gateway := range c.Providers {
		a.routes[WebhookPath(gateway.Name(), env)] = route{"POST", a.webhook(env, gateway), never}
	}
	return a
}

// WebhookPath is the path for a provider's events of an environment.
func WebhookPath(provider string, env checkout.Environment) string {
	return "/v1/webhooks/" + provider + "/" + string(env)
}

// Serves reports whether a path, as fasthttp normalises it, is the API's, known or not, rather than a page's.
func Serves(path []byte) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(string(path), "/"), "/")
	return strings.EqualFold(first, "v1") || string(path) == "/healthz" || string(path) == "/readyz"
}

// Route returns the path of a request if it is one of the API's, else "".
func (a *API) Route(ctx *fasthttp.RequestCtx) string {
	path, _, _ := strings.Cut(string(ctx.RequestURI()), "?")
	if _, ok := a.routes[path]; !ok {
		return ""
	}
	return path
}

// callTimeout is how long the services may work for one request, in which the server writes its answer.
const callTimeout = 15 * time.Second

// call is one request under way.
type call struct {
	ctx    context.Context      // for the services: a deadline, and nothing of the request
	http   *fasthttp.RequestCtx // valid until the handler returns, so it is not handed on
	caller auth.Caller          // the zero Caller before a credential has been accepted
	name   string               // of the request under its X-Idempotency-Key, "" without one; see [idempotency.Key.Request]
}

// Handle answers one request.
func (a *API) Handle(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.Response.Header.Set("X-Content-Type-Options", "nosniff")
	background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
	defer cancel()
	c := &call{ctx: background, http: ctx}
	path, query, _ := strings.Cut(string(ctx.RequestURI()), "?")
	r, ok := a.routes[path]
	switch {
	case !ok:
		a.fail(ctx, layerGateway, unknownPath)
	case r.cors == listed && ctx.IsOptions():
		ctx.SetStatusCode(fasthttp.StatusNoContent)
	case !r.allows(ctx.Method()):
		ctx.Response.Header.Set("Allow", strings.Replace(r.method, "GET", "GET, HEAD", 1))
		a.fail(ctx, layerGateway, wrongMethod)
	case r.method == "POST" && query != "":
		a.fail(ctx, layerGateway, hasQuery)
	default:
		r.handle(c)
	}
	if r.cors == listed {
		a.share(c)
	}
}

// serve returns the handler of an action: it checks the credential and the limits, decodes the body, runs act and encodes the answer.
func serve[Req, Resp any](a *API, l layer, credential func(*call) (auth.Caller, error),
	act func(*call, *Req) (*Resp, error)) func(*call) {
	return func(c *call) {
		ctx := c.http
		if err := checkTransport(ctx); err != nil {
			a.fail(ctx, layerGateway, err)
			return
		}
		caller, err := credential(c)
		if err != nil {
			a.fail(ctx, layerGateway, err)
			return
		}
		c.caller = caller
		if err := a.admit(c); err != nil {
			a.fail(ctx, layerGateway, err)
			return
		}
		var request Req
		read := decode
		if _, ok := any(&request).(nested); ok {
			read = decodeNested
		}
		if err := read(ctx.PostBody(), &request); err != nil {
			a.fail(ctx, layerGateway, err)
			return
		}
		body, err := a.once(c, &request, func() ([]byte, error) {
			response, err := act(c, &request)
			if err != nil {
				return nil, err
			}
			answer := envelope{Data: response}
			if w, ok := any(response).(interface{ warnings() []notice }); ok {
				answer.Warnings = w.warnings()
			}
			return json.Marshal(answer)
		})
		if err != nil {
			a.fail(ctx, l, err)
			return
		}
		writeJSON(ctx, fasthttp.StatusOK, body)
	}
}

// admit counts a request without a merchant's credential and refuses it over the rate limits.
func (a *API) admit(c *call) error {
	if c.caller.Role == auth.Merchant {
		return nil
	}
	return a.config.Throttle.Admit(c.caller.StoreID, a.client(c), a.config.Now())
}

// once runs act, under the request's X-Idempotency-Key if it has one. Requests are compared as decoded: white space, the order of members
// and unknown members do not count.
func (a *API) once(c *call, request any, act func() ([]byte, error)) ([]byte, error) {
	key := c.http.Request.Header.Peek("X-Idempotency-Key")
	if key == nil {
		return act()
	}
	meaning, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	k := a.key(c, string(key))
	c.name = k.Request(meaning)
	_, k.Concurrent = request.(concurrent)
	return a.config.Idempotency.Do(c.ctx, k, meaning, act)
}

// concurrent is a request that several servers may execute at the same time; see [idempotency.Key].
type concurrent interface{ concurrent() }

// key scopes an idempotency key to its caller. All visitors of a store have the same credential, so their address is part of the scope.
func (a *API) key(c *call, value string) idempotency.Key {
	caller := &c.caller
	credential := []string{string(caller.Role), caller.MerchantID, caller.StoreID, caller.Identity, caller.SessionID}
	if caller.Role == auth.Visitor {
		credential = append(credential, a.client(c))
	}
	return idempotency.Key{Environment: caller.Environment, Credential: credential, Path: string(c.http.Path()), Value: value}
}

const alive = "ok\n"

var errStarting = errors.New("starting")

// health answers that the process runs. To a nonce it answers with a proof of which deployment it is.
func (a *API) health(c *call) {
	c.http.SetBodyString(alive)
	if nonce := c.http.QueryArgs().Peek("nonce"); len(nonce) > 0 && len(nonce) <= maxNonce && a.config.Prove != nil {
		c.http.Response.Header.Set("Crepe-Proof", a.config.Prove(string(nonce)))
	}
}

// maxNonce is the longest nonce of a request for a proof, in bytes.
const maxNonce = 64

func (a *API) ready(c *call) {
	if err := a.config.Ready(); err != nil {
		notReady(c.http, err)
		return
	}
	c.http.SetBodyString("ready\n")
}

func notReady(ctx *fasthttp.RequestCtx, why error) {
	ctx.Response.Header.Set("Retry-After", throttle.RetryAfter(why))
	ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
	ctx.SetBodyString("not ready: " + why.Error() + "\n")
}
