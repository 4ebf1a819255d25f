// Package dashboard serves the operator's pages: what was ordered, and what waits for a person.
//
//	GET  /dashboard                               303 to the overview of an environment
//	GET  /dashboard/<environment>                 the overview
//	GET  /dashboard/<environment>/<section>       a list; ?store= limits it to one store
//	GET  /dashboard/<environment>/<section>/<id>  one record
//	POST /dashboard/<environment>/<section>       an action: the field "do" names it, "id" the record
//	POST /dashboard/login, /dashboard/logout
//
// The pages are plain HTML without scripts. [Handler] routes; sections lists the sections, and a section is a method that reads
// its records through a service or a reader and returns what its template shows.
//
// Access: with a token ([Config.Token]) a visitor logs in with it and gets a cookie. Without one every visitor has access, and the
// server must decide who reaches the pages: crepe dev serves its own host names only. See login.go and origin.go.
//
// The operator sees the records of all merchants. A page shows one environment: every read names it.
package dashboard

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// Path is the path of the dashboard. All of its pages are below it.
const Path = "/dashboard"

// Serves reports whether a path is the dashboard's.
func Serves(path []byte) bool {
	rest, ok := strings.CutPrefix(string(path), Path)
	return ok && (rest == "" || rest[0] == '/')
}

// OrderReader reads orders.
type OrderReader interface {
	orders.Reader
	orders.ReviewStore

	// Order reads an order of one environment, or returns [orders.ErrNotFound].
	Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error)

	// OrderOf reads the order of a payment, likewise.
	OrderOf(ctx context.Context, env checkout.Environment, paymentID string) (*orders.Order, error)
}

// Sessions reads checkout sessions.
type Sessions interface {
	sessions.Reader

	// Session reads a session of any environment, or returns [sessions.ErrNotFound].
	Session(ctx context.Context, id string) (*sessions.Session, error)
}

// Documents reads receipts and credit notes.
type Documents interface {
	// DocumentOf returns the document of a payment or refund of an order, or [invoices.ErrNotFound].
	DocumentOf(ctx context.Context, env checkout.Environment, orderID, eventID string) (*invoices.Document, error)
}

// Reviews is the part of [orders.Service] that marks what a person has handled.
type Reviews interface {
	HandleQuarantined(ctx context.Context, env checkout.Environment, provider, eventID string) error
	HandleRefund(ctx context.Context, env checkout.Environment, orderID string) error
}

// Config configures a [Handler].
type Config struct {
	Orders   OrderReader
	Sessions Sessions
	Catalog  Catalog
	Reviews  Reviews
	Refunds  Refunds

	Deliveries DeliveryReader
	Webhooks   Webhooks
	Documents  Documents
	VATChecks  VATChecks

	Token     string        // the operator's; "" if everyone who reaches the pages has access
	PublicURL string        // of the server; with https the cookie is sent over TLS only
	GeoIP     geoip.Locator // finds the address of a client, whose logins are limited

	Home checkout.Environment // of the first page
	Now  func() time.Time
	Rand io.Reader // for the ids of logins; crypto/rand in production
	Log  *slog.Logger
}

// Handler serves the pages. It is safe for concurrent use.
type Handler struct {
	config   Config
	logins   *logins
	attempts *throttle.Throttle
}

// New returns a handler.
func New(c Config) *Handler {
	return &Handler{config: c, logins: newLogins(c.Rand), attempts: throttle.New(loginRate, allLoginsRate)}
}

// callTimeout is how long the services may work for one request.
const callTimeout = 15 * time.Second

// Handle serves one request for a path for which [Serves] is true.
func (h *Handler) Handle(ctx *fasthttp.RequestCtx) {
	h.setHeaders(ctx)
	if !ctx.IsGet() && !ctx.IsHead() && !ctx.IsPost() {
		ctx.Response.Header.Set("Allow", "GET, HEAD, POST")
		h.refuse(ctx, fasthttp.StatusMethodNotAllowed, "This page does not take the method", "Use GET or POST.")
		return
	}
	if ctx.IsPost() && !sameOrigin(ctx, h.config.PublicURL) {
		h.refuse(ctx, fasthttp.StatusForbidden, "Refused", "The request came from a page of another site.")
		return
	}
	path := strings.TrimSuffix(string(ctx.Path()), "/")
	if h.config.Token != "" && path == loginPath {
		h.login(ctx)
		return
	}
	login, ok := h.loggedIn(ctx)
	switch {
	case !ok:
		h.askToLogin(ctx)
	case ctx.IsPost() && !login.knows(string(ctx.PostArgs().Peek("token"))):
		h.refuse(ctx, fasthttp.StatusForbidden, "This form is out of date", "Go back, reload the page and send the form again.")
	case h.config.Token != "" && path == logoutPath && ctx.IsPost():
		h.logout(ctx)
	case path == Path:
		redirect(ctx, Path+"/"+string(h.config.Home))
	default:
		h.serve(ctx, login, path)
	}
}

// errNotFound is the error of a section for a record or a page that does not exist.
var errNotFound = errors.New("dashboard: not found")

// serve serves a page of a section, or performs an action.
func (h *Handler) serve(ctx *fasthttp.RequestCtx, login *login, path string) {
	background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
	defer cancel()
	v, err := h.visit(background, ctx, login, path)
	if err == nil {
		err = h.answer(v)
	}
	refused, ok := errors.AsType[*problem.Problem](err)
	switch {
	case err == nil:
	case errors.Is(err, errNotFound), errors.Is(err, orders.ErrNotFound), ok && refused.Kind == problem.NotFound:
		h.refuse(ctx, fasthttp.StatusNotFound, "Not found", "There is no such page, or no such record in this environment.")
	case errors.Is(err, orders.ErrTooSparse):
		h.refuse(ctx, fasthttp.StatusBadRequest, "That search takes too long", "Search without a status, or for the id of the order.")
	case ok && statuses[refused.Kind] != 0:
		h.refuse(ctx, statuses[refused.Kind], "That cannot be done", refused.Message)
	default:
		h.config.Log.ErrorContext(ctx, "a page of the dashboard failed", "section", sectionName(path), "error", err) // an id of a session is a capability
		h.refuse(ctx, fasthttp.StatusInternalServerError, "Something went wrong", "The log of the server says why.")
	}
}

// statuses maps the kind of a problem to an HTTP status.
var statuses = map[problem.Kind]int{
	problem.Invalid:     fasthttp.StatusBadRequest,
	problem.Conflict:    fasthttp.StatusConflict,
	problem.Unavailable: fasthttp.StatusServiceUnavailable,
}

// sectionName is the name of the section in a path.
func sectionName(path string) string {
	parts := strings.SplitN(strings.TrimPrefix(path, Path+"/"), "/", 3)
	return parts[min(1, len(parts)-1)]
}

// answer calls the section of a visit.
func (h *Handler) answer(v *visit) error {
	if v.IsPost() {
		if v.section.act == nil || v.id != "" {
			return errNotFound
		}
		p, err := v.section.act(h, v, string(v.PostArgs().Peek("do")), string(v.PostArgs().Peek("id")))
		return h.show(v, p, err)
	}
	show := v.section.list
	if v.id != "" {
		show = v.section.one
	}
	if show == nil {
		return errNotFound
	}
	p, err := show(h, v)
	return h.show(v, p, err)
}

// show answers with the page of a section, unless its error is not nil.
func (h *Handler) show(v *visit, p page, err error) error {
	if err != nil || p.to != "" {
		if err == nil {
			redirect(v.RequestCtx, p.to)
		}
		return err
	}
	frame, err := h.frame(v, p)
	if err == nil {
		h.render(v.RequestCtx, cmp.Or(p.status, fasthttp.StatusOK), p.template, frame)
	}
	return err
}

// redirect answers 303: the browser loads the path with GET.
func redirect(ctx *fasthttp.RequestCtx, path string) {
	ctx.Response.Header.Set(fasthttp.HeaderLocation, path)
	ctx.SetStatusCode(fasthttp.StatusSeeOther)
}
