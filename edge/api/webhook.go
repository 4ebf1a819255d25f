package api

import (
	"errors"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

var badSignature = problem.New(problem.Invalid, "webhook-unverified", "", "Webhook cannot be verified")

var errRepeatedMember = errors.New("the signed body is not one JSON object with each member once")

// webhook handles a provider's events. It answers 200 once an event is durable; after any other status the provider sends it again.
func (a *API) webhook(env checkout.Environment, provider psp.Provider) func(*call) {
	return func(c *call) {
		header := func(name string) string { return onlyHeader(c.http, name) }
		event, err := provider.Webhook(header, c.http.PostBody(), a.config.Now())
		if err == nil && !ops.Valid(c.http.PostBody()) {
			err = errRepeatedMember // other parsers could read it differently
		}
		if err != nil {
			a.config.Log.WarnContext(c.ctx, "webhook refused", "provider", provider.Name(), "environment", env, "error", err)
			a.fail(c.http, layerGateway, badSignature)
			return
		}
		if err := a.config.Orders.Apply(c.ctx, env, event); err != nil {
			a.fail(c.http, layerOrder, err)
			return
		}
		writeJSON(c.http, fasthttp.StatusOK, []byte(`{"data":{"received":true}}`))
	}
}

// onlyHeader is the value of a header that occurs once, else "".
func onlyHeader(ctx *fasthttp.RequestCtx, name string) string {
	if all := ctx.Request.Header.PeekAll(name); len(all) == 1 {
		return string(all[0])
	}
	return ""
}
