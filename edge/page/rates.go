package page

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
)

// ratesPrefix is the path of the operator's own tax rates, /rates/<version>/<seller>/<country or state>, in the text format
// that the WebAssembly module reads. The version in the path makes the files immutable to caches.
const ratesPrefix = "/rates/"

// ratesURL returns the prefix of the files for the session's seller, or "" if the operator has no rates of its own.
func (v *visit) ratesURL() string {
	if v.rates.Version() == "" {
		return ""
	}
	return ratesPrefix + v.rates.Version() + "/" + string(v.session.Terms.Seller.Country) + "/"
}

// serveRates serves the rows of one territory, which may be none.
func (h *Handler) serveRates(ctx *fasthttp.RequestCtx, path string) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(path, ratesPrefix), "/")
	sellerCode, territory, _ := strings.Cut(rest, "/")
	code, state, _ := strings.Cut(territory, "-")
	seller, known := country.Parse(sellerCode)
	buyer, ok := country.Parse(code)
	if !known || !ok || version == "" || version != h.config.Rates.Version() || !ctx.IsGet() && !ctx.IsHead() {
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
		return
	}
	subset := h.config.Rates.Subset(seller, buyer, state)
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(subset.Text())
}
