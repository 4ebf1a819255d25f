package page

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// splitLink parses /store/<slug>/product/<product>.
func splitLink(path string) (slug, product string, ok bool) {
	path, isStore := strings.CutPrefix(path, "/store/")
	slug, product, isProduct := strings.Cut(path, "/product/")
	return slug, product, isStore && isProduct && slug != "" && product != "" && !strings.Contains(slug+product, "/")
}

// link answers a permanent link: a GET opens a session and redirects to its page. HEAD, and a browser that only fetches ahead, open
// none.
func (h *Handler) link(ctx *fasthttp.RequestCtx, slug, product string) {
	if !ctx.IsGet() && !ctx.IsHead() {
		ctx.Response.Header.Set("Allow", "GET, HEAD")
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
		return
	}
	if isPrefetch(ctx) {
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable) // the browser asks again when the buyer follows the link
		return
	}
	background, cancel := context.WithTimeout(requestid.Detached(ctx), callTimeout)
	defer cancel()
	store, err := h.config.Stores.StoreBySlug(background, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
		return
	}
	if err != nil {
		h.fail(ctx, err)
		return
	}
	l := h.readLink(ctx, product)
	v := &visit{RequestCtx: ctx, ctx: background, store: store, texts: language(ctx, "", store.Checkout.Language),
		session: &sessions.Session{Session: checkout.Session{Environment: l.Environment()}}}
	v.allow(h.config.PayOrigins)
	if err := h.follow(v, l); err != nil {
		h.linkFailed(v, err)
	}
}

// follow opens the session of a link and redirects to its page. For HEAD it only checks the link.
func (h *Handler) follow(v *visit, l *sessions.Link) error {
	client := h.config.GeoIP.Client(v.RemoteIP(), v.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor))
	if err := h.config.Throttle.Admit(v.store.ID, client, h.config.Now()); err != nil {
		return err
	}
	if v.IsHead() {
		return h.config.Links.CheckLink(v.ctx, v.store, l)
	}
	session, err := h.config.Links.OpenLink(v.ctx, v.store, l)
	if err != nil {
		return err
	}
	v.session = session
	v.redirect(v.url())
	return nil
}

// isPrefetch reports whether a browser fetches a page that its user may never open.
func isPrefetch(ctx *fasthttp.RequestCtx) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if strings.Contains(string(ctx.Request.Header.Peek(name)), "prefetch") {
			return true
		}
	}
	return false
}

// readLink reads the parameters of a link. It copies them, because fasthttp reuses its buffers after the request.
func (h *Handler) readLink(ctx *fasthttp.RequestCtx, product string) *sessions.Link {
	value := func(name string) string { return string(ctx.QueryArgs().Peek(name)) }
	return &sessions.Link{ProductID: product, Currency: value("currency"), BuyerEmail: value("email"), Country: value("country"),
		IsBusiness: value("is_business"), SuccessURL: value("success_url"), Test: value("test"), Near: h.likelyCountry(ctx)}
}

// linkFailed shows why a link does not lead to a form. In the test environment the page names the mistake, which is the merchant's.
func (h *Handler) linkFailed(v *visit, err error) {
	list := problem.Of(err)
	switch {
	case len(list) == 0:
		h.fail(v.RequestCtx, err)
	case list[0].Kind == problem.Unavailable:
		v.Response.Header.Set(fasthttp.HeaderRetryAfter, throttle.RetryAfter(err))
		h.show(v.RequestCtx, fasthttp.StatusServiceUnavailable, "message", &message{frame: v.frame(v.Text("failed")), Body: v.Text("failed.text")})
	case list[0].Kind == problem.NotFound || list[0] == catalog.ErrProductID:
		page := notFound(v.RequestCtx)
		page.Frames = v.frames()
		h.show(v.RequestCtx, fasthttp.StatusNotFound, "message", page)
	default:
		page := v.broken()
		if page.Test {
			page.Detail = list[0].Message
		}
		h.show(v.RequestCtx, fasthttp.StatusBadRequest, "message", page)
	}
}

// restart returns the permanent link that opens another session like this one, or "" if there is none. A session that the merchant
// opened has none: the merchant may know the buyer by it, or have set its price.
func (h *Handler) restart(v *visit) string {
	if !v.session.Public {
		return ""
	}
	l := &sessions.Link{ProductID: v.session.Product.ID, Currency: string(v.session.Terms.Price.Currency), SuccessURL: v.session.SuccessURL}
	if v.session.Environment == checkout.Test {
		l.Test = "true"
	}
	if h.config.Links.CheckLink(v.ctx, v.store, l) != nil {
		return ""
	}
	query := url.Values{"currency": {l.Currency}}
	if l.SuccessURL != "" {
		query.Set("success_url", l.SuccessURL)
	}
	if l.Test != "" {
		query.Set("test", l.Test)
	}
	return "/store/" + v.store.Slug + "/product/" + l.ProductID + "?" + query.Encode()
}
