package api

import (
	"github.com/crepe-checkout/crepe/core/checkout"
)

type renewRequest struct {
	CheckoutSessionID string `json:"checkoutSessionId"`
}

type renewResponse struct {
	ExpiresAt  string `json:"expiresAt"`
	BuyerEmail string `json:"buyerEmail,omitempty"` // the order's whatever is typed: the token knows the buyer by it
}

// renewSession extends a session while its buyer is still on the page. It is not part of the published contract. The session is extended
// within the bounds of [sessions.Service.Extend], and the token lives on, as by every call.
func (a *API) renewSession(c *call, r *renewRequest) (*renewResponse, error) {
	known, err := a.session(c.ctx, r.CheckoutSessionID)
	if err != nil {
		return nil, err
	}
	buyer := c.caller.Checkout()
	if refused := checkout.Admit(known, &checkout.Request{Caller: buyer, SessionID: r.CheckoutSessionID}, a.config.Now().UnixMilli()); refused != nil {
		return nil, refused
	}
	until, err := a.config.Sessions.Extend(c.ctx, known.ID)
	return &renewResponse{timestamp(until), buyer.Email()}, err
}
