package page

import (
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
)

// ratesPrefix is where the operator's own tax rates lie for the script: /rates/<version>/<seller>/<country or state>, in
// the text that the module reads. The version is in the path, so that a browser keeps a file for good.
const ratesPrefix = "/rates/"

// ratesURL is where the files for this session's seller lie; empty where the operator has no rates of its own.
func (v *visit) ratesURL() string {
	if v.rates.Version() == "" {
		return ""
	}
	return ratesPrefix + v.rates.Version() + "/" + string(v.session.Terms.Seller.Country) + "/"
}

// serveRates answers with the rows about one place; none is an empty file.
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
	portion := h.config.Rates.Portion(seller, buyer, state)
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(portion.Text())
}
