package page

import (
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/web"
)

// contentPolicy returns the Content-Security-Policy of a page. Only this server's scripts run. form-action names the payment
// providers, because Chromium also applies it to redirects. images are the origins of the store's logos and of the product's images.
func contentPolicy(payOrigins, images []string) string {
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self' 'wasm-unsafe-eval'",
		"style-src 'self'",
		"connect-src 'self'",
		strings.TrimSpace("img-src 'self' data: " + strings.Join(images, " ")),
		strings.TrimSpace("form-action 'self' " + strings.Join(payOrigins, " ")),
		"base-uri 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; ")
}

// setHeaders sets the headers of every page. Pages hold a buyer's data and must not be cached.
func (h *Handler) setHeaders(ctx *fasthttp.RequestCtx) {
	set := ctx.Response.Header.Set
	set("Content-Security-Policy", h.policy)
	set("Cache-Control", "no-store")
	set("Cross-Origin-Opener-Policy", "same-origin")
	set("Cross-Origin-Resource-Policy", "same-origin")
	set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	set("Referrer-Policy", "no-referrer")
	set("X-Content-Type-Options", "nosniff")
	set("X-Robots-Tag", "noindex")
}

// allowImages adds the origins of the store's logos and of the product's images to the policy.
func (v *visit) allowImages(payOrigins []string) {
	images := logoOrigins(v.store)
	for _, image := range v.session.Images {
		images = addOrigin(images, image.URL)
	}
	if len(images) > 0 {
		v.Response.Header.Set("Content-Security-Policy", contentPolicy(payOrigins, images))
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
