package record

import (
	"fmt"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const orderVersion = 4

// order holds the product and the terms once for all attempts: the session's do not change.
type order struct {
	header
	ID              string               `json:"id"`
	SessionID       string               `json:"sessionId"`
	MerchantID      string               `json:"merchantId"`
	StoreID         string               `json:"storeId"`
	Environment     checkout.Environment `json:"environment"`
	Version         uint64               `json:"version"` // the compare-and-set number, not the record's version
	State           orders.State         `json:"state"`
	Product         product              `json:"product"`
	Terms           terms                `json:"terms"`
	Attempts        []attempt            `json:"attempts"`
	Payments        []payment            `json:"payments,omitempty"`
	Tickets         []ticket             `json:"tickets,omitempty"` // from version 2, as the next three
	Refunds         []refund             `json:"refunds,omitempty"`
	Disputes        []dispute            `json:"disputes,omitempty"`
	RefundsCheckAt  int64                `json:"refundsCheckAt,omitempty"`
	CreatedAt       int64                `json:"createdAt"`
	UpdatedAt       int64                `json:"updatedAt"`
	RefundHandledAt int64                `json:"refundHandledAt,omitempty"`
	KeepUnpaid      int64                `json:"keepUnpaid,omitempty"` // from version 4
}

type attempt struct {
	N           int                 `json:"n"`
	State       orders.AttemptState `json:"state"`
	Placed      placed              `json:"placed"`
	Address     *address            `json:"address,omitempty"` // from version 3
	Digest      string              `json:"digest"`
	Provider    string              `json:"provider"`
	Account     account             `json:"account"` // version 0 may lack it
	Key         string              `json:"key"`
	Request     *request            `json:"request,omitempty"`
	Wire        *wire               `json:"wire,omitempty"` // version 0: the request
	SentAt      int64               `json:"sentAt"`
	ExpiresAt   int64               `json:"expiresAt"`
	EverUnknown bool                `json:"everUnknown,omitempty"`
	KeyTaken    bool                `json:"keyTaken,omitempty"`
	Tries       int                 `json:"tries,omitempty"`
	Ref         string              `json:"ref,omitempty"`
	URL         string              `json:"url,omitempty"`
	LastFault   string              `json:"lastFault,omitempty"`
}

// placed is the priced order of one attempt.
type placed struct {
	Product       *product `json:"product,omitempty"` // version 0, which repeats the order's
	Terms         *terms   `json:"terms,omitempty"`   // version 0, which repeats the order's
	Quote         quote    `json:"quote"`
	Billing       detail   `json:"billing"`
	BuyerEmail    string   `json:"buyerEmail"`
	BuyerIdentity string   `json:"buyerIdentity,omitempty"`
	BuyerIP       string   `json:"buyerIp,omitempty"`
	SuccessURL    string   `json:"successUrl,omitempty"`
	PlacedAt      int64    `json:"placedAt"`

	Consents []consent `json:"consents,omitempty"` // since version 3
}

// consent is what a buyer has agreed to, with the text of then.
type consent struct {
	Version string `json:"version"`
	Text    string `json:"text"`
	At      int64  `json:"at"`
}

func consentsOf(list []checkout.Consent) []consent {
	return mapped(list, func(c checkout.Consent) consent { return consent(c) })
}

func consentsFrom(list []consent) []checkout.Consent {
	return mapped(list, func(c consent) checkout.Consent { return checkout.Consent(c) })
}

type account struct {
	ID       string `json:"id,omitempty"`
	TestMode bool   `json:"play,omitempty"`
}

// request is the exact request to the provider. A body in UTF-8 is stored as text.
type request struct {
	Path string `json:"path"`
	Text string `json:"text,omitempty"`
	Body []byte `json:"body,omitempty"` // one that is not UTF-8, in base64
}

type wire struct {
	Path string `json:"path"`
	Body []byte `json:"body"`
}

type payment struct {
	ID       string               `json:"id"`
	Attempt  int                  `json:"attempt"`
	Status   orders.PaymentStatus `json:"status"`
	Provider string               `json:"provider"`
	Ref      string               `json:"ref,omitempty"`
	Method   string               `json:"method,omitempty"`
	Last4    string               `json:"last4,omitempty"`
	Reason   string               `json:"reason,omitempty"`
	At       int64                `json:"at"`
}

func encodeOrder(o *orders.Order) ([]byte, error) {
	first := &o.Attempts[0].Placed
	return encode(&order{
		header: header{orderVersion}, ID: o.ID, SessionID: o.SessionID, MerchantID: o.MerchantID, StoreID: o.StoreID,
		Environment: o.Environment, Version: o.Version, State: o.State, Product: product(first.Product), Terms: termsOf(&first.Terms),
		Attempts: mapped(o.Attempts, attemptOf), Payments: mapped(o.Payments, func(p orders.Payment) payment { return payment(p) }),
		Tickets: mapped(o.Tickets, ticketOf), Refunds: mapped(o.Refunds, refundOf), Disputes: mapped(o.Disputes, disputeOf),
		RefundsCheckAt: o.RefundsCheckAt, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt, RefundHandledAt: o.RefundHandledAt,
		KeepUnpaid: o.KeepUnpaid,
	})
}

func decodeOrder(text []byte) (*orders.Order, error) {
	var r order
	if err := decode(text, &r, orderVersion); err != nil {
		return nil, err
	}
	if len(r.Attempts) == 0 {
		return nil, fmt.Errorf("%w: an order without an attempt", ErrDamaged)
	}
	return &orders.Order{
		ID: r.ID, SessionID: r.SessionID, MerchantID: r.MerchantID, StoreID: r.StoreID, Environment: r.Environment,
		Version: r.Version, State: r.State, Attempts: mapped(r.Attempts, r.attempt),
		Payments: mapped(r.Payments, func(p payment) orders.Payment { return orders.Payment(p) }),
		Tickets:  mapped(r.Tickets, ticket.domain), Refunds: mapped(r.Refunds, refund.domain), Disputes: mapped(r.Disputes, dispute.domain),
		RefundsCheckAt: r.RefundsCheckAt,
		CreatedAt:      r.CreatedAt, UpdatedAt: r.UpdatedAt, RefundHandledAt: r.RefundHandledAt, KeepUnpaid: r.KeepUnpaid,
	}, nil
}

func attemptOf(a orders.Attempt) attempt {
	p := &a.Placed
	return attempt{
		N: a.N, State: a.State, Address: addressOf(a.Address), Digest: a.Digest, Provider: a.Provider, Account: account(a.Account), Key: a.Key, Request: requestOf(a.Request), SentAt: a.SentAt,
		ExpiresAt: a.ExpiresAt, EverUnknown: a.EverUnknown, KeyTaken: a.KeyTaken, Tries: a.Tries, Ref: a.Ref, URL: a.URL, LastFault: a.LastError,
		Placed: placed{Quote: quoteOf(&p.Quote), Billing: detailOf(&p.Billing), BuyerEmail: p.BuyerEmail,
			BuyerIdentity: p.BuyerIdentity, BuyerIP: p.BuyerIP, SuccessURL: p.SuccessURL, PlacedAt: p.PlacedAt,
			Consents: consentsOf(p.Consents)},
	}
}

// attempt converts an attempt and adds the members that the order holds for all attempts.
func (r *order) attempt(a attempt) orders.Attempt {
	p := &a.Placed
	if p.Product == nil {
		p.Product, p.Terms = &r.Product, &r.Terms
	}
	return orders.Attempt{
		N: a.N, State: a.State, Address: a.Address.domain(), Digest: a.Digest, Provider: a.Provider, Account: psp.Account(a.Account), Key: a.Key, Request: a.wire(), SentAt: a.SentAt,
		ExpiresAt: a.ExpiresAt, EverUnknown: a.EverUnknown, KeyTaken: a.KeyTaken, Tries: a.Tries, Ref: a.Ref, URL: a.URL, LastError: a.LastFault,
		Placed: checkout.Order{SessionID: r.SessionID, Environment: r.Environment, StoreID: r.StoreID,
			Product: checkout.Product(*p.Product), Terms: p.Terms.domain(), Quote: p.Quote.domain(), Billing: p.Billing.checked(),
			BuyerEmail: p.BuyerEmail, BuyerIdentity: p.BuyerIdentity, BuyerIP: p.BuyerIP, SuccessURL: p.SuccessURL, PlacedAt: p.PlacedAt,
			Consents: consentsFrom(p.Consents)},
	}
}

func requestOf(w psp.RenderedRequest) *request {
	switch {
	case w.Path == "" && w.Body == nil:
		return nil
	case utf8.Valid(w.Body):
		return &request{Path: w.Path, Text: string(w.Body)}
	}
	return &request{Path: w.Path, Body: w.Body}
}

func (a *attempt) wire() psp.RenderedRequest {
	if a.Wire != nil {
		return psp.RenderedRequest(*a.Wire)
	}
	return a.Request.rendered()
}

func (r *request) rendered() psp.RenderedRequest {
	switch {
	case r == nil:
		return psp.RenderedRequest{}
	case r.Body != nil:
		return psp.RenderedRequest{Path: r.Path, Body: r.Body}
	}
	return psp.RenderedRequest{Path: r.Path, Body: []byte(r.Text)}
}
