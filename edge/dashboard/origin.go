package dashboard

import (
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// sameOrigin reports whether a POST comes from a page of this server. Every browser sends Origin with a POST; Sec-Fetch-Site is
// sent over TLS and to the loopback only. A request with neither is no browser's form and is refused.
//
// The origin may be that of publicURL or of the Host field. A page of another site can set neither.
func sameOrigin(ctx *fasthttp.RequestCtx, publicURL string) bool {
	site := string(ctx.Request.Header.Peek("Sec-Fetch-Site"))
	origin := string(ctx.Request.Header.Peek(fasthttp.HeaderOrigin))
	if site == "" && origin == "" || site != "" && site != "same-origin" {
		return false
	}
	if origin == "" || origin == publicURL {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, string(ctx.Host()))
}

// policy is the Content-Security-Policy of every page: no scripts, and forms to this server only.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// setHeaders sets the headers of every page. The pages hold personal data and must not be cached. With the Referrer-Policy
// no-referrer, browsers would send the Origin "null" with a form. Pages are not compressed: the length of a compressed page that
// holds a search's text would tell about the form's token (BREACH).
func (h *Handler) setHeaders(ctx *fasthttp.RequestCtx) {
	set := ctx.Response.Header.Set
	set("Content-Security-Policy", policy)
	set("Cache-Control", "no-store")
	set("Cross-Origin-Opener-Policy", "same-origin")
	set("Cross-Origin-Resource-Policy", "same-origin")
	set("Referrer-Policy", "same-origin")
	set("X-Content-Type-Options", "nosniff")
	set("X-Robots-Tag", "noindex")
}
