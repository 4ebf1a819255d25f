package api

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// wireTime is the contract's timestamp: ISO 8601 in UTC with milliseconds.
const wireTime = "2006-01-02T15:04:05.000Z"

func timestamp(unixMilli int64) string { return time.UnixMilli(unixMilli).UTC().Format(wireTime) }

type tokenRequest struct {
	BuyerIdentity string `json:"buyerIdentity"`
	StoreID       string `json:"storeId"`
	ProductID     string `json:"productId"`
}

type shopperRequest struct {
	CheckoutSessionID string `json:"checkoutSessionId"`
}

type tokenResponse struct {
	Token     string `json:"token"`
	ExpiresAt string `json:"expiresAt"`
}

func (a *API) issueSessionToken(c *call, r *tokenRequest) (*tokenResponse, error) {
	issued, err := a.config.Auth.IssueCustomer(c.ctx, c.caller, auth.TokenRequest(*r))
	return &tokenResponse{issued.Token, timestamp(issued.ExpiresAt)}, err
}

func (a *API) issueShopperToken(c *call, r *shopperRequest) (*tokenResponse, error) {
	if r.CheckoutSessionID == "" {
		return nil, checkout.MissingSessionID
	}
	known, err := a.session(c.ctx, r.CheckoutSessionID)
	if err != nil {
		return nil, err
	}
	issued, err := a.config.Auth.IssueShopper(c.ctx, c.caller, known)
	return &tokenResponse{issued.Token, timestamp(issued.ExpiresAt)}, err
}

// session finds a checkout session as the rules see it, nil when there is none.
func (a *API) session(ctx context.Context, id string) (*checkout.Session, error) {
	session, err := a.config.Sessions.Session(ctx, id)
	if errors.Is(err, sessions.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &session.Session, nil
}

type sessionRequest struct {
	ProductID        string            `json:"productId"`
	Currency         string            `json:"currency"`
	PriceSnapshot    *priceSnapshot    `json:"priceSnapshot"`
	ExpiresInSeconds *int64            `json:"expiresInSeconds"`
	Metadata         map[string]string `json:"metadata"`
	ExternalID       string            `json:"orderMerchantExternalId"`
	BuyerEmail       string            `json:"buyerEmail"`
	BillingDetail    *billing.Input    `json:"billingDetail"`
	BillingAddress   *address          `json:"billingAddress"`
	SuccessURL       string            `json:"successUrl"`
	DarkMode         *bool             `json:"darkMode"`
	Language         string            `json:"language"`

	OriginOrderID         string   `json:"originOrderId"`
	WithTrial             *bool    `json:"withTrial"`
	IncludePaymentMethods []string `json:"includePaymentMethods"`
	ExcludePaymentMethods []string `json:"excludePaymentMethods"`
}

// address is an extension of the published API: what a receipt shows beside the billing detail.
type address struct {
	Name   string `json:"name"`
	Street string `json:"street"`
	City   string `json:"city"`
}

func (a *address) domain() sessions.Address {
	if a == nil {
		return sessions.Address{}
	}
	return sessions.Address(*a)
}

type priceSnapshot struct {
	Amount      string `json:"amount"`
	TaxCategory string `json:"taxCategory"`
	TaxIncluded bool   `json:"taxIncluded"`
}

type sessionResponse struct {
	SessionID   string `json:"sessionId"`
	CheckoutURL string `json:"checkoutUrl"`
	ExpiresAt   string `json:"expiresAt"`
}

func (a *API) createSession(c *call, r *sessionRequest) (*sessionResponse, error) {
	session, err := a.config.Sessions.Create(c.ctx, sessions.Seller{Environment: c.caller.Environment, MerchantID: c.caller.MerchantID, StoreID: c.caller.StoreID},
		&sessions.Request{
			ProductID: r.ProductID, Currency: r.Currency, PriceSnapshot: (*sessions.Snapshot)(r.PriceSnapshot),
			ExpiresInSeconds: r.ExpiresInSeconds, Metadata: r.Metadata, ExternalID: r.ExternalID, BuyerEmail: r.BuyerEmail,
			Billing: r.BillingDetail, Address: r.BillingAddress.domain(), SuccessURL: r.SuccessURL, DarkMode: r.DarkMode, Language: r.Language,
			OriginOrderID: r.OriginOrderID, WithTrial: r.WithTrial,
			IncludePaymentMethods: r.IncludePaymentMethods, ExcludePaymentMethods: r.ExcludePaymentMethods,
		})
	if err != nil {
		return nil, err
	}
	return &sessionResponse{session.ID, session.PageURL, timestamp(session.ExpiresAt)}, nil
}

type orderRequest struct {
	CheckoutSessionID string         `json:"checkoutSessionId"`
	BillingDetail     *billing.Input `json:"billingDetail"`
	BillingAddress    *address       `json:"billingAddress"`
	BuyerEmail        string         `json:"buyerEmail"`
	BuyerIP           string         `json:"buyerIp"`
	SuccessURL        string         `json:"successUrl"`
	Consents          *[]string      `json:"consents"` // not published: versions of the store's texts

	// ExpectedTotal is not published: what the buyer has been shown. It is left out where it is empty, so that a request means what it meant
	// to the versions before it; see [API.once].
	ExpectedTotal string `json:"expectedTotal,omitempty"`
}

type orderResponse struct {
	CheckoutURL string `json:"checkoutUrl"`
}

// concurrent: package orders makes one order of a session, and one URL of a request, by compare-and-set.
func (*orderRequest) concurrent() {}

func (a *API) createOrder(c *call, r *orderRequest) (*orderResponse, error) {
	var spend *orders.SpentToken
	if c.caller.Role == auth.Shopper {
		spend = &orders.SpentToken{Environment: c.caller.Environment, ID: c.caller.Token.ID, ExpiresAt: c.caller.Token.ExpiresAt}
	}
	consents, err := a.consents(c, r.Consents)
	if err != nil {
		return nil, err
	}
	url, err := a.config.Orders.Create(c.ctx, &orders.Request{Address: r.BillingAddress.domain(), Total: r.ExpectedTotal, Request: checkout.Request{
		Caller: c.caller.Checkout(), SessionID: r.CheckoutSessionID, Billing: r.BillingDetail,
		BuyerEmail: email.Clip(r.BuyerEmail), BuyerIP: r.BuyerIP, SuccessURL: r.SuccessURL,
		IPCountry: a.country(c, r.BuyerIP), Rates: a.config.Rates, Consents: consents,
	}}, a.client(c), spend)
	return &orderResponse{url}, err
}

// consents returns what the store of the caller asks for, with what the request states. Without a store Place refuses the request.
func (a *API) consents(c *call, agreed *[]string) (checkout.Consents, error) {
	store, err := a.config.Catalog.Store(c.ctx, c.caller.StoreID)
	if errors.Is(err, catalog.ErrNotFound) {
		return checkout.Consents{}, nil
	}
	if err != nil {
		return checkout.Consents{}, err
	}
	consents := checkout.Consents{Asked: store.Consents, Stated: agreed != nil}
	if consents.Stated {
		consents.Agreed = *agreed
	}
	return consents, nil
}
