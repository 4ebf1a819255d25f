package api

import (
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/quoteview"
)

// quoteRequest asks what an order would cost. It is our own: the published contract has no such call.
type quoteRequest struct {
	CheckoutSessionID string         `json:"checkoutSessionId"`
	BillingDetail     *billing.Input `json:"billingDetail"`
	BuyerEmail        string         `json:"buyerEmail"` // for the store's rules; may be missing, or unfinished
	BuyerIP           string         `json:"buyerIp"`
	Explain           bool           `json:"explain"` // with every rule that decided
}

// quote computes what create-order would freeze, and writes nothing. A session token is renewed by it, as by every call,
// so that a buyer who types for long keeps it.
func (a *API) quote(c *call, r *quoteRequest) (*quoteview.Quote, error) {
	known, err := a.session(c.ctx, r.CheckoutSessionID)
	if err != nil {
		return nil, err
	}
	quote, err := a.config.Orders.Preview(c.ctx, known, &checkout.Request{
		Caller: c.caller.Checkout(), SessionID: r.CheckoutSessionID, Billing: r.BillingDetail, BuyerEmail: r.BuyerEmail,
		BuyerIP: r.BuyerIP, IPCountry: a.country(c, r.BuyerIP), Rates: a.config.Rates,
	})
	if err != nil {
		return nil, err
	}
	return quoteview.New(quote, r.Explain), nil
}

// country is where a buyer is, by the address that the request gives or else by its own. Anybody can have a shopper's token
// and give any address with it: what a trusted proxy says of the connection comes first then. A customer's token was made for
// one buyer by the merchant, whose own server may be the client, so that only the request can tell the buyer's address.
func (a *API) country(c *call, buyerIP string) country.Code {
	peer, forwarded := c.http.RemoteIP(), c.http.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor)
	if c.caller.Role != auth.Customer && a.config.GeoIP.Proxied(peer, forwarded) {
		buyerIP = ""
	}
	return a.config.GeoIP.Country(buyerIP, peer, forwarded)
}

// client is the address whose rate limit a request counts towards.
func (a *API) client(c *call) string {
	return a.config.GeoIP.Client(c.http.RemoteIP(), c.http.Request.Header.PeekAll(fasthttp.HeaderXForwardedFor))
}

// buyerOrVisitor prefers a session token to a store's slug.
func (a *API) buyerOrVisitor(c *call) (auth.Caller, error) {
	if len(c.http.Request.Header.Peek("Authorization")) == 0 && len(c.http.Request.Header.Peek("X-Store-Slug")) > 0 {
		return a.visitor(c)
	}
	return a.buyer(c)
}
