// Package page serves the hosted checkout: the billing form of a checkout session, the status page of its order, and their
// assets.
//
//	GET  /store/<slug>/checkout/<session>           the form, or why the session cannot be used
//	POST /store/<slug>/checkout/<session>           the form, submitted without JavaScript: its total, and once the buyer has
//	                                                confirmed that, 303 to the payment provider
//	GET  /store/<slug>/checkout/<session>/complete  the order's status
//	GET  /store/<slug>/product/<product>            a permanent link: opens a session and redirects to its form
//	GET  /orders/<token>/receipt                    a receipt or credit note; with .json as JSON
//	GET  /assets/<name with hash>                   scripts, style sheet and WebAssembly core
//	GET  /theme/<colours and hash>                  a store's colours, corrected for contrast
//	GET  /rules/<store>/<version>/<digest>.wasm     a store's own rules, if they run in the page
//
// The locale of a page is the buyer's choice, else the session's, the browser's, the store's, or English. ?language=de stores
// the choice in a cookie. Package locale holds the messages.
//
// The pages work without JavaScript; package web adds a script. A session id is a capability: its holder may order from the
// session as an anonymous buyer, as a plain POST does. A token in the URL's fragment does not reach the server, so without
// JavaScript its holder also orders as an anonymous buyer.
//
// [Handler] serves all of it. A store's colours become a [palette] with enough contrast, and a style sheet of their own.
// requirements_test.go lists what a buyer can expect of the page; web/README.md describes it.
package page

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
	"github.com/crepe-checkout/crepe/web"
)

// Sessions is the part of [sessions.Service] that the page uses.
type Sessions interface {
	// Session returns a checkout session, or [sessions.ErrNotFound].
	Session(ctx context.Context, id string) (*sessions.Session, error)
}

// Orders is the part of [orders.Service] that the page uses.
type Orders interface {
	// Order returns the order of a session, or [orders.ErrNotFound] while there is none.
	Order(ctx context.Context, session *sessions.Session) (*orders.Order, error)
	// Create creates the order for a client at an address and returns the URL where the buyer pays. A refusal is a
	// problem.List or a *problem.Problem. After any other error nothing has been charged, and the request may be repeated.
	Create(ctx context.Context, r *orders.Request, client string, spend *orders.SpentToken) (string, error)
	// Quote returns what the order would charge, or the refusals of Create. o is nil while there is no order.
	Quote(ctx context.Context, r *orders.Request, session *sessions.Session, o *orders.Order) (*checkout.Quote, error)
	// Preview returns what an order would charge whose e-mail address and consents may still be missing.
	Preview(ctx context.Context, session *checkout.Session, r *checkout.Request) (*checkout.Quote, error)
}

// Links is the part of [sessions.Service] that follows permanent links. A refusal is a *problem.Problem.
type Links interface {
	OpenLink(ctx context.Context, store *catalog.Store, l *sessions.Link) (*sessions.Session, error)
	CheckLink(ctx context.Context, store *catalog.Store, l *sessions.Link) error
}

// Stores is the part of the catalog that the page uses.
type Stores interface {
	// StoreBySlug returns a store, or [catalog.ErrNotFound].
	StoreBySlug(ctx context.Context, slug string) (*catalog.Store, error)
	// Store returns a store by its id, or [catalog.ErrNotFound].
	Store(ctx context.Context, id string) (*catalog.Store, error)
}

// Config is what a [Handler] needs. The zero GeoIP, Throttle, Rates and Rules are valid.
type Config struct {
	Sessions  Sessions
	Links     Links
	Orders    Orders
	Stores    Stores
	Documents Documents
	GeoIP     geoip.Locator      // finds the buyer's country, which is evidence only
	Throttle  *throttle.Throttle // limits orders and links; nil for no limit
	Rates     *table.Table       // the operator's own tax rates, nil for none
	Rules     Rules              // the stores' own rules, nil for none
	Now       func() time.Time
	Log       *slog.Logger

	// PayOrigins are the origins of the payment providers' pages, "https://checkout.stripe.com". The page sends a buyer only
	// there and to its own origin, which the sandbox shares.
	PayOrigins []string
	// MailIn are the environments whose receipts are sent by e-mail.
	MailIn []checkout.Environment
	// Providers are the payment providers' names, as shown to the buyer.
	Providers map[checkout.Environment]string
}

// Handler serves the hosted checkout. It is safe for concurrent use.
type Handler struct {
	config  Config
	policy  string // the Content-Security-Policy of every page
	metered metered
}

// New returns a handler.
func New(c Config) *Handler {
	p := policy{pay: c.PayOrigins}
	return &Handler{config: c, policy: p.String()}
}

// Handle answers a request. An unknown path gets the page for invalid links, with status 404.
func (h *Handler) Handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	if strings.HasPrefix(path, web.Prefix) {
		serveAsset(ctx, path)
		return
	}
	h.setHeaders(ctx)
	switch {
	case strings.HasPrefix(path, ratesPrefix):
		h.serveRates(ctx, path)
		return
	case strings.HasPrefix(path, themePrefix):
		h.serveTheme(ctx, path)
		return
	case strings.HasPrefix(path, rulesPrefix):
		background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
		defer cancel()
		h.serveRules(background, ctx, path)
		return
	}
	if slug, product, ok := splitLink(path); ok {
		h.link(ctx, slug, product)
		return
	}
	if token, asJSON, ok := splitDocument(path); ok {
		if allowed(ctx, "receipt") {
			h.document(ctx, token, asJSON)
		}
		return
	}
	slug, id, rest, ok := split(path)
	if !ok {
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
		return
	}
	if !allowed(ctx, rest) {
		return
	}
	background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
	defer cancel()
	v, err := h.visit(background, ctx, slug, id)
	switch {
	case errors.Is(err, orders.ErrNotFound):
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
	case err != nil:
		h.fail(ctx, err)
	case v.setLanguage():
	case rest != "":
		v.allow(h.config.PayOrigins)
		h.status(v)
	default:
		v.allow(h.config.PayOrigins)
		h.checkout(v)
	}
}

// Route returns the pattern of a page's path, "" for a path that no page has.
func Route(path string) string {
	for _, prefix := range []string{web.Prefix, ratesPrefix, themePrefix, rulesPrefix} {
		if strings.HasPrefix(path, prefix) {
			return prefix
		}
	}
	if _, _, ok := splitLink(path); ok {
		return "/store/<slug>/product/<product>"
	}
	if _, _, ok := splitDocument(path); ok {
		return "/orders/<token>/receipt"
	}
	switch _, _, rest, ok := split(path); {
	case !ok:
		return ""
	case rest != "":
		return "/store/<slug>/checkout/<session>/complete"
	default:
		return "/store/<slug>/checkout/<session>"
	}
}

// split parses /store/<slug>/checkout/<session> and /store/<slug>/checkout/<session>/complete; rest is "" or "complete".
func split(path string) (slug, id, rest string, ok bool) {
	path, isStore := strings.CutPrefix(path, "/store/")
	slug, path, isCheckout := strings.Cut(path, "/checkout/")
	id, rest, more := strings.Cut(path, "/")
	ok = isStore && isCheckout && slug != "" && id != "" && !strings.Contains(slug, "/") && more == (rest == "complete")
	return slug, id, rest, ok
}

// allowed reports whether the page has the request's method. If not, it has answered with 405.
func allowed(ctx *fasthttp.RequestCtx, rest string) bool {
	if ctx.IsGet() || ctx.IsHead() || ctx.IsPost() && rest == "" {
		return true
	}
	methods := "GET, HEAD"
	if rest == "" {
		methods += ", POST"
	}
	ctx.Response.Header.Set("Allow", methods)
	ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
	return false
}

// callTimeout is how long the services may work for one request, in which the server writes its answer.
const callTimeout = 15 * time.Second

// visit is a request for the page of one session, with the records that it is rendered from.
type visit struct {
	*fasthttp.RequestCtx
	ctx     context.Context // for the services; the pooled RequestCtx is not handed on
	store   *catalog.Store
	session *sessions.Session
	order   *orders.Order // nil while there is none
	rates   *table.Table  // the operator's own; nil for none
	now     int64         // Unix milliseconds
	texts
}

// visit reads the records of a page. A session of another store is [sessions.ErrNotFound].
func (h *Handler) visit(ctx context.Context, request *fasthttp.RequestCtx, slug, id string) (*visit, error) {
	store, err := h.config.Stores.StoreBySlug(ctx, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, sessions.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	session, err := h.config.Sessions.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	if session.StoreID != store.ID {
		return nil, sessions.ErrNotFound
	}
	order, err := h.config.Orders.Order(ctx, session)
	if err != nil && !errors.Is(err, orders.ErrNotFound) {
		return nil, err
	}
	speaks := language(request, session.Language, store.Checkout.Language)
	return &visit{request, ctx, store, session, order, h.config.Rates, h.config.Now().UnixMilli(), speaks}, nil
}

// open reports whether the session still accepts an order.
func (v *visit) open() bool { return !v.session.Closed && v.now < v.session.ExpiresAt }

// paidOrProcessing reports whether the order is paid, or its payment is being processed.
func (v *visit) paidOrProcessing() bool {
	return v.order != nil && (v.order.State.Settled() || v.order.State == orders.Processing)
}

// url returns the path of the session's page, in a frame with the language of this one.
func (v *visit) url() string {
	path := "/store/" + v.store.Slug + "/checkout/" + v.session.ID
	if v.framed() && v.QueryArgs().Has(languageCookie) {
		path += "?" + languageCookie + "=" + v.Tag
	}
	return path
}

// redirect answers 303: the browser loads url with GET.
func (v *visit) redirect(url string) {
	v.Response.Header.Set(fasthttp.HeaderLocation, url)
	v.SetStatusCode(fasthttp.StatusSeeOther)
}

// fail answers 500 and logs err, or 503 if the same request can succeed later. The path is not logged, because its session id is a
// capability.
func (h *Handler) fail(ctx *fasthttp.RequestCtx, err error) {
	status := fasthttp.StatusInternalServerError
	if list := problem.Of(err); len(list) > 0 && list[0].Kind == problem.Unavailable {
		status = fasthttp.StatusServiceUnavailable
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, throttle.RetryAfter(err))
	} else {
		h.config.Log.ErrorContext(ctx, "page failed", "error", err)
	}
	t := language(ctx, "", "")
	h.show(ctx, status, "message", &message{
		frame: frame{texts: t, Title: t.Text("failed")}, Body: t.Text("failed.text"),
	})
}
