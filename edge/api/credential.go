package api

import (
	"bytes"
	"errors"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/auth"
)

// single are the headers that decide who a caller is or what a call does: each may stand once.
var single = []string{"Authorization", "X-Environment", "X-Merchant-Id", "X-Timestamp", "X-Signature", "X-Store-Slug",
	"X-Idempotency-Key"}

// checkTransport refuses ambiguous or unsupported headers, before the credential is checked.
func checkTransport(ctx *fasthttp.RequestCtx) error {
	h := &ctx.Request.Header
	for _, name := range single {
		if len(h.PeekAll(name)) > 1 {
			return repeatedHeader
		}
	}
	if coding := string(h.Peek("Content-Encoding")); coding != "" && !strings.EqualFold(coding, "identity") {
		return encoded
	}
	// Whether a body without a type is JSON is seen when it is read.
	contentType, _, _ := bytes.Cut(h.ContentType(), []byte(";"))
	if len(contentType) > 0 && !strings.EqualFold(string(bytes.TrimSpace(contentType)), "application/json") {
		return notJSON
	}
	return nil
}

// merchant requires the signature of an API key. A wrong one costs a check with each live key of the merchant, so the number of
// wrong ones is limited for each client address.
func (a *API) merchant(c *call) (auth.Caller, error) {
	client := a.client(c)
	if err := a.config.Throttle.AdmitCredential(client, a.config.Now()); err != nil {
		return auth.Caller{}, err
	}
	caller, err := a.signed(c)
	if refused, ok := errors.AsType[*problem.Problem](err); ok && refused.Kind == problem.Unauthenticated && !errors.Is(err, auth.ErrNoCredential) {
		a.config.Throttle.CredentialFailed(client, a.config.Now())
	}
	return caller, err
}

func (a *API) signed(c *call) (auth.Caller, error) {
	h := &c.http.Request.Header
	return a.config.Auth.APIKey(c.ctx, auth.Signed{
		MerchantID: string(h.Peek("X-Merchant-Id")),
		Timestamp:  string(h.Peek("X-Timestamp")),
		Signature:  string(h.Peek("X-Signature")),
		Path:       string(c.http.RequestURI()),
		Body:       c.http.PostBody(),
	})
}

// visitor requires a store's slug.
func (a *API) visitor(c *call) (auth.Caller, error) {
	h := &c.http.Request.Header
	if len(h.Peek("X-Store-Slug")) == 0 {
		return auth.Caller{}, auth.ErrNoCredential
	}
	return a.config.Auth.Storefront(c.ctx, string(h.Peek("X-Store-Slug")), string(h.Peek("X-Environment")))
}

// merchantOrVisitor prefers the signature if the request has both credentials.
func (a *API) merchantOrVisitor(c *call) (auth.Caller, error) {
	h := &c.http.Request.Header
	if len(h.Peek("X-Store-Slug")) > 0 && len(h.Peek("X-Signature")) == 0 {
		return a.visitor(c)
	}
	return a.merchant(c)
}

// buyer requires a session token that has had no order.
func (a *API) buyer(c *call) (auth.Caller, error) {
	caller, err := a.payer(c)
	if err == nil && caller.Spent {
		err = auth.ErrSpent
	}
	return caller, err
}

// payer requires a session token. It accepts one that has had its order, because the answer may have been lost.
func (a *API) payer(c *call) (auth.Caller, error) {
	h := &c.http.Request.Header
	return a.config.Auth.Session(c.ctx, string(h.Peek("Authorization")), string(h.Peek("X-Environment")))
}

// customer wants a session token of a buyer whom the merchant has named.
func (a *API) customer(c *call) (auth.Caller, error) {
	caller, err := a.payer(c)
	if err == nil && caller.Role != auth.Customer {
		err = auth.ErrNotCustomer
	}
	return caller, err
}
