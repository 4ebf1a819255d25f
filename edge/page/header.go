package page

import (
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/web"
)

// policy is what the Content-Security-Policy of a page depends on. Each field is a list of origins.
type policy struct {
	pay    []string // of the payment providers: Chromium applies form-action to redirects too
	images []string // of the store's logos and the product's images
	frames []string // of the pages that may show this one in a frame; nil for none
}

// String returns the header. Only this server's scripts run.
func (p *policy) String() string {
	frames := "'none'"
	if len(p.frames) > 0 {
		frames = strings.Join(p.frames, " ")
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"style-src 'self'",
		"connect-src 'self'",
		strings.TrimSpace("img-src 'self' data: " + strings.Join(p.images, " ")),
		strings.TrimSpace("form-action 'self' " + strings.Join(p.pay, " ")),
		"base-uri 'none'",
		"frame-ancestors " + frames,
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

// headers are those of every page, besides its policy. Pages hold a buyer's data and must not be cached; [Handler.submit] makes the exception.
var headers = map[string]string{
	"X-Frame-Options":              "DENY",
	"Cache-Control":                "no-store",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Robots-Tag":                 "noindex",
}

// setHeaders sets the headers of every page.
func (h *Handler) setHeaders(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Content-Security-Policy", h.policy)
	for name, value := range headers {
		ctx.Response.Header.Set(name, value)
	}
}

// allow adapts the headers to the store: its images, and the origins that may frame its checkout. X-Frame-Options cannot name an
// origin, so it is absent where one is listed; browsers that know frame-ancestors ignore it anyway.
func (v *visit) allow(pay []string) {
	p := policy{pay: pay, images: logoOrigins(v.store), frames: v.store.Frames}
	for _, image := range v.session.Images {
		p.images = addOrigin(p.images, image.URL)
	}
	v.Response.Header.Set("Content-Security-Policy", p.String())
	if len(p.frames) > 0 {
		v.Response.Header.Del("X-Frame-Options")
	}
}

// logoOrigins returns the origins of a store's logos on other hosts.
func logoOrigins(store *catalog.Store) []string {
	l := logoOf(store)
	return addOrigin(addOrigin(nil, l.Light), l.Dark)
}

// addOrigin adds the origin of an image on another host, unless it is there.
func addOrigin(origins []string, address string) []string {
	if origin := imageOrigin(address); origin != "" && !slices.Contains(origins, origin) {
		origins = append(origins, origin)
	}
	return origins
}

// imageOrigin returns the origin of an https URL, or "" if that is not a valid one. url.Parse accepts hosts such as
// "a;sandbox", which would end the policy's directive; [catalog.ValidOrigin] does not.
func imageOrigin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	origin := "https://" + strings.ToLower(strings.TrimSuffix(u.Host, ":443"))
	if !catalog.ValidOrigin(origin) {
		return ""
	}
	return origin
}

// serveAsset serves a file of package web. Its name contains a hash of its content, so it is immutable to caches. The 404 for a
// file of another build must not be cached.
func serveAsset(ctx *fasthttp.RequestCtx, path string) {
	h := &ctx.Response.Header
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	asset, found := web.Open(path)
	switch {
	case !found:
		h.Set("Cache-Control", "no-store")
		ctx.SetStatusCode(fasthttp.StatusNotFound)
		return
	case !ctx.IsGet() && !ctx.IsHead():
		h.Set("Allow", "GET, HEAD")
		ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
		return
	}
	content, encoding := asset.Encoded(string(ctx.Request.Header.Peek(fasthttp.HeaderAcceptEncoding)))
	if encoding != "" {
		h.Set(fasthttp.HeaderContentEncoding, encoding)
	}
	h.Set(fasthttp.HeaderVary, fasthttp.HeaderAcceptEncoding)
	h.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	ctx.SetContentType(asset.ContentType)
	ctx.Response.SetBodyRaw(content)
}
