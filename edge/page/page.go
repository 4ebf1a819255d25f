// Package page serves the hosted checkout to buyers: the billing form of a checkout session, the status of its order, and
// the assets of both.
//
//	GET  /store/<slug>/checkout/<session>           the form, or what has become of the session
//	POST /store/<slug>/checkout/<session>           the form sent without JavaScript: 303 to the payment provider
//	GET  /store/<slug>/checkout/<session>/complete  the order's status
//	GET  /assets/<name with hash>                   scripts, style sheet and WebAssembly core
//	GET  /theme/<colours and hash>                  a merchant's colours, corrected until they can be read
//
// A page speaks the language that its buyer has chosen, else the session's, the browser's, the store's, or English; with
// ?language=de it keeps the choice in a cookie. Package locale holds what is said.
//
// Everything works without JavaScript; the script of package web makes it quicker to use. A session id is a capability:
// whoever has it may order from the session as an anonymous buyer, and that is what a plain POST does. A token in the
// URL's fragment never reaches the server, so with JavaScript off its bearer too orders as an anonymous buyer.
//
// A merchant's colours become a [palette], corrected until everything can be read, and a style sheet of their own. What a
// buyer can expect of all this is listed in requirements_test.go.
package page

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/throttle"
	"github.com/crepe-checkout/crepe/web"
)

// Orders is what the page needs of [orders.Service].
type Orders interface {
	// Session reads a checkout session; [orders.ErrNotFound] when there is none.
	Session(ctx context.Context, id string) (*orders.Session, error)
	// Order reads the order of a session; [orders.ErrNotFound] while there is none.
	Order(ctx context.Context, session *orders.Session) (*orders.Order, error)
	// Create places an order for a client at an address and returns the URL where the buyer pays. Refusals are a problem.List or a *problem.Problem;
	// after any other error nothing has been charged and the same request may be sent again.
	Create(ctx context.Context, r *checkout.Request, client string, spend *orders.SpentToken) (string, error)
}

// Stores is what the page needs of the catalogue.
type Stores interface {
	// StoreBySlug reads a store; [catalog.ErrNotFound] when there is none.
	StoreBySlug(ctx context.Context, slug string) (*catalog.Store, error)
}

// Config is what a [Handler] is made of.
type Config struct {
	Orders   Orders
	Stores   Stores
	GeoIP    geoip.Locator      // finds the buyer's country, which is evidence only
	Throttle *throttle.Throttle // of orders
	Rates    *tax.Table         // the operator's own tax rates, nil for none
	Now      func() time.Time
	Log      *slog.Logger

	// PayOrigins are the origins of the payment providers' pages, "https://checkout.stripe.com": the only places besides
	// this one where a buyer can be sent. The sandbox is part of this server and needs no entry.
	PayOrigins []string
	// Providers are the names by which a buyer may know the payment providers.
	Providers map[checkout.Environment]string
}

// Handler serves the hosted checkout. It is safe for concurrent use.
type Handler struct {
	config Config
	policy string // the Content-Security-Policy of every page
}

// New makes a handler.
func New(c Config) *Handler { return &Handler{config: c, policy: contentPolicy(c.PayOrigins, nil)} }

// Handle answers a request. A path that is neither a page nor an asset gets the page for links that lead nowhere.
func (h *Handler) Handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	if strings.HasPrefix(path, web.Prefix) {
		serveAsset(ctx, path)
		return
	}
	h.protect(ctx)
	switch {
	case strings.HasPrefix(path, ratesPrefix):
		h.serveRates(ctx, path)
		return
	case strings.HasPrefix(path, themePrefix):
		h.serveTheme(ctx, path)
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
	v, err := h.visit(ctx, slug, id)
	switch {
	case errors.Is(err, orders.ErrNotFound):
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
	case err != nil:
		h.fail(ctx, err)
	case v.switched():
	case rest != "":
		v.admitLogo(h.config.PayOrigins)
		h.status(v)
	default:
		v.admitLogo(h.config.PayOrigins)
		h.checkout(v)
	}
}

// split takes a path apart: /store/<slug>/checkout/<session>, and either nothing or "complete" behind it.
func split(path string) (slug, id, rest string, ok bool) {
	path, isStore := strings.CutPrefix(path, "/store/")
	slug, path, isCheckout := strings.Cut(path, "/checkout/")
	id, rest, more := strings.Cut(path, "/")
	ok = isStore && isCheckout && slug != "" && id != "" && !strings.Contains(slug, "/") && more == (rest == "complete")
	return slug, id, rest, ok
}

// allowed answers methods that a page does not have.
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

// visit is a request for the page of one session, with what was read for it.
type visit struct {
	*fasthttp.RequestCtx
	store   *catalog.Store
	session *orders.Session
	order   *orders.Order // nil while there is none
	rates   *tax.Table    // the operator's own
	now     int64         // Unix milliseconds
	texts
}

// visit reads what a page shows. A session of another store is none.
func (h *Handler) visit(ctx *fasthttp.RequestCtx, slug, id string) (*visit, error) {
	store, err := h.config.Stores.StoreBySlug(ctx, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, orders.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	session, err := h.config.Orders.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	if session.StoreID != store.ID {
		return nil, orders.ErrNotFound
	}
	order, err := h.config.Orders.Order(ctx, session)
	if err != nil && !errors.Is(err, orders.ErrNotFound) {
		return nil, err
	}
	speaks := language(ctx, session.Language, store.Checkout.Language)
	return &visit{ctx, store, session, order, h.config.Rates, h.config.Now().UnixMilli(), speaks}, nil
}

// open reports whether the session can still be ordered from.
func (v *visit) open() bool { return !v.session.Closed && v.now < v.session.ExpiresAt }

// through reports whether the buyer has paid, or the money is on its way.
func (v *visit) through() bool {
	return v.order != nil && (v.order.State.Settled() || v.order.State == orders.Processing)
}

// url is the path of this session's page.
func (v *visit) url() string { return "/store/" + v.store.Slug + "/checkout/" + v.session.ID }

// see sends the browser to another place with a GET.
func (v *visit) see(url string) {
	v.Response.Header.Set(fasthttp.HeaderLocation, url)
	v.SetStatusCode(fasthttp.StatusSeeOther)
}

// fail answers a defect or a broken part. Its text goes to the log, and the path does not: who has it may order.
func (h *Handler) fail(ctx *fasthttp.RequestCtx, err error) {
	h.config.Log.Error("page failed", "error", err)
	t := language(ctx, "", "")
	h.show(ctx, fasthttp.StatusInternalServerError, "message", &message{
		frame: frame{texts: t, Title: t.Text("failed")}, Says: t.Text("failed.text"),
	})
}
