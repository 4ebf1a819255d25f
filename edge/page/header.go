package page

import (
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/web"
)

// contentPolicy lets a page run the script that this server delivers and nothing else. Sending the form must be allowed
// to end at the payment provider: Chromium holds a redirect to the list too. Pictures come from here and from images, the
// origins of a merchant's logo.
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

// protect sets the headers of every page. A page holds one buyer's data: nobody may keep it.
func (h *Handler) protect(ctx *fasthttp.RequestCtx) {
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

// admitLogo lets a page show a merchant's logo, wherever it lies.
func (v *visit) admitLogo(payOrigins []string) {
	var images []string
	l := logoOf(v.store)
	for _, address := range []string{l.Light, l.Dark} {
		if origin := imageOrigin(address); origin != "" && !slices.Contains(images, origin) {
			images = append(images, origin)
		}
	}
	if len(images) > 0 {
		v.Response.Header.Set("Content-Security-Policy", contentPolicy(payOrigins, images))
	}
}

// imageOrigin is the origin of an https URL, "" where it has none. It is one as browsers write it, so nothing in it ends the
// directive that it is put into: "https://a;sandbox" is a host for a URL parser.
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

// serveAsset answers with a file of package web. Its name changes with its content, so it may be kept for ever; a name of
// another build is not found, and that must not be kept.
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
