package api

import (
	"errors"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/web"
)

// The headers that pages of other origins may send, and how long a browser may cache a preflight: two hours, in seconds, Chromium's
// maximum. The headers of a merchant's signature are absent, because its key does not belong in a browser.
const (
	pageHeaders = "Authorization, Content-Type, X-Environment, X-Idempotency-Key, X-Store-Slug"
	pageMaxAge  = "7200"
)

// share lets the page that sent the request read the answer (Fetch standard, "CORS protocol"), if its origin is listed by
// the store that the answer is about.
//
// Where no store is known, one that any store lists will do: a browser sends no credential with a preflight, and what
// answers a refused credential is the same for everybody. A page could not tell a 401 that is hidden from it from a lost
// connection, and would send a request again that can never succeed.
//
// Cookies are never involved, so nothing here opens what a page could not get with the credential in any other way; an
// origin that is not listed is not refused, it only learns nothing.
func (a *API) share(c *call) {
	h := &c.http.Response.Header
	h.Set(fasthttp.HeaderVary, fasthttp.HeaderOrigin)
	origin := string(c.http.Request.Header.Peek(fasthttp.HeaderOrigin))
	if !a.isListed(c, origin) {
		return
	}
	h.Set(fasthttp.HeaderAccessControlAllowOrigin, origin)
	if !c.http.IsOptions() {
		h.Set(fasthttp.HeaderAccessControlExposeHeaders, fasthttp.HeaderRetryAfter+", "+requestid.Header)
		return
	}
	h.Set(fasthttp.HeaderAccessControlAllowMethods, fasthttp.MethodPost)
	h.Set(fasthttp.HeaderAccessControlAllowHeaders, pageHeaders)
	h.Set(fasthttp.HeaderAccessControlMaxAge, pageMaxAge)
}

// isListed reports whether the store of the request lists an origin. It is false when the lookup fails.
func (a *API) isListed(c *call, origin string) bool {
	if !catalog.ValidOrigin(origin) {
		return false
	}
	if c.caller.Role == "" {
		found, err := a.config.Origins.OriginListed(c.ctx, origin)
		if err != nil {
			a.config.Log.ErrorContext(c.ctx, "an origin cannot be looked up", "error", err)
		}
		return found
	}
	store, err := a.config.Catalog.Store(c.ctx, c.caller.StoreID)
	if err != nil {
		if !errors.Is(err, catalog.ErrNotFound) { // a merchant's signature speaks for no store
			a.config.Log.ErrorContext(c.ctx, "an origin cannot be looked up", "error", err)
		}
		return false
	}
	return slices.Contains(store.Origins, origin)
}

// client serves the client script for pages of other origins, to every origin.
func client(c *call) {
	asset := web.Named("client.js")
	content, encoding := asset.Encoded(string(c.http.Request.Header.Peek(fasthttp.HeaderAcceptEncoding)))
	h := &c.http.Response.Header
	if encoding != "" {
		h.Set(fasthttp.HeaderContentEncoding, encoding)
	}
	h.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
	h.Set(fasthttp.HeaderCacheControl, "public, max-age=3600")
	h.Set(fasthttp.HeaderAccessControlAllowOrigin, "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.http.SetContentType(asset.ContentType)
	c.http.Response.SetBodyRaw(content)
}
