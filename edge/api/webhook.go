package api

import (
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

var badSignature = &problem.Problem{Kind: problem.Invalid, Code: "webhook-unverified", Message: "Webhook cannot be verified"}

// webhook takes what a provider reports. 200 means that it is durable here; anything else makes the provider come again.
func (a *API) webhook(env checkout.Environment, gateway orders.Gateway) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		event, err := gateway.Event(string(ctx.Request.Header.Peek("Stripe-Signature")), ctx.PostBody(), a.Now())
		if err != nil {
			a.Log.Warn("webhook refused", "provider", gateway.Name(), "environment", env, "error", err)
			a.fail(ctx, layerGateway, badSignature)
			return
		}
		if err := a.Orders.Apply(ctx, env, event); err != nil {
			a.fail(ctx, layerOrder, err)
			return
		}
		writeJSON(ctx, fasthttp.StatusOK, []byte(`{"data":{"received":true}}`))
	}
}
