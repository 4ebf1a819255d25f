package api

import (
	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/graph"
)

const layerGraphQL layer = "graphql"

type graphRequest struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

type graphResponse struct {
	Data   json.RawMessage `json:"data"`
	Errors []graph.Error   `json:"errors,omitempty"`
}

// graphql answers a query: with 200 where it was executed, whatever its errors, and with 400 where it was not. An X-Idempotency-Key
// is ignored: a stored answer would show records as they were.
func (a *API) graphql(c *call) {
	ctx := c.http
	if err := checkTransport(ctx); err != nil {
		a.fail(ctx, layerGateway, err)
		return
	}
	caller, err := a.merchantOrCustomer(c)
	if err != nil {
		a.fail(ctx, layerGateway, err)
		return
	}
	c.caller = caller
	if err := a.admit(c); err != nil {
		a.fail(ctx, layerGateway, err)
		return
	}
	var request graphRequest
	if err := decode(ctx.PostBody(), &request); err != nil {
		a.fail(ctx, layerGateway, err)
		return
	}
	answer, err := a.config.Graph.Answer(c.ctx, &c.caller, &graph.Request{Query: request.Query, Operation: request.OperationName, Variables: request.Variables})
	if err != nil {
		a.fail(ctx, layerGraphQL, err)
		return
	}
	body, err := json.Marshal(graphResponse{answer.Data, answer.Errors})
	if err != nil {
		a.fail(ctx, layerGraphQL, err)
		return
	}
	status := fasthttp.StatusOK
	if answer.Refused {
		status = fasthttp.StatusBadRequest
	}
	writeJSON(ctx, status, body)
}

// merchantOrCustomer prefers the session token if the request has both credentials.
func (a *API) merchantOrCustomer(c *call) (auth.Caller, error) {
	if len(c.http.Request.Header.Peek("Authorization")) > 0 {
		return a.customer(c)
	}
	return a.merchant(c)
}
