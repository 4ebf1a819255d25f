// Package psp is the port to payment service providers: what the service needs of a provider's hosted checkout.
//
// A provider implements [Provider], which is [Checkouts], [Reconciler], [Refunds] and [Webhooks] together. The types that it reads and
// returns are here too: [CheckoutParams] becomes a [RenderedRequest]; [Checkout] and [Event] are what the provider reports; a
// failed call is a [CallError], whose [ErrorClass] says what the failure proves.
//
// A provider translates and classifies. It never retries, waits or keeps state: retries are made by package orders, rate limits
// by package limit. A method that uses the network sends one request and returns by its deadline, and a nil *CallError
// means success. Every method must be safe for concurrent use.
package psp

import (
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
)

// Provider is a payment service provider's account.
type Provider interface {
	Checkouts
	Reconciler
	Refunds
	Webhooks
}

// Checkouts creates the provider's checkouts, reads them and ends them.
type Checkouts interface {
	// Name is the provider's name, as stored with every reference to one of its objects and used in the path of its webhooks:
	// "stripe".
	Name() string

	// Account identifies the account that the calls go to. Checkouts of one account do not exist at another.
	Account() Account

	// Amounts returns what can be charged in a currency, and false if the currency cannot be charged. An account may have
	// narrower limits; the provider's refusal then says so, see [CallError.Refuses].
	Amounts(money.Currency) (Amounts, bool)

	// Render makes the exact bytes of the request that creates a checkout. It is pure and deterministic. An error means that
	// the provider would refuse, so that nothing is stored or sent. Render accepts every order that [checkout.Place] makes
	// of a session whose price [Amounts] allows and whose total is one of Amounts, with any valid discount. The buyer sees the discount, and
	// is charged the total.
	Render(CheckoutParams) (RenderedRequest, error)

	// Create sends a rendered request under an idempotency key. The caller has stored the request durably, and always sends
	// the same bytes under one key.
	Create(deadline time.Time, r RenderedRequest, key string) (Created, *CallError)

	// Retrieve reads a checkout by the provider's reference. One that the account does not have is [CheckoutMissing].
	Retrieve(deadline time.Time, ref string) (Checkout, *CallError)

	// Expire ends an open checkout, so that it cannot be paid any more. It returns the checkout's state afterwards:
	// [CheckoutExpired], or [CheckoutComplete] if the buyer was faster, or [CheckoutMissing].
	Expire(deadline time.Time, ref string) (Checkout, *CallError)
}

// Reconciler lists what the provider has on record, the newest first, a page at a time. after is "" for the first page, and
// then [Page.Next] of the page before.
type Reconciler interface {
	// ListCheckouts lists the checkouts that were created within a span of time. One without an OrderID is not ours.
	ListCheckouts(deadline time.Time, created Span, after string) (Page[Checkout], *CallError)

	// UndeliveredEvents lists the events that no webhook endpoint has accepted, as far back as the provider keeps them.
	UndeliveredEvents(deadline time.Time, after string) (Page[Event], *CallError)
}

// Webhooks reads what the provider sends.
type Webhooks interface {
	// Webhook verifies and reads a webhook. header returns the value of a request header that occurs exactly once, and ""
	// for any other; body is the raw body; now is the time to check the message's age against. An error means that the
	// message is not the provider's, or that it cannot be read: nothing may change because of it.
	Webhook(header func(name string) string, body []byte, now time.Time) (Event, error)
}

// Account is an account at a provider.
type Account struct {
	ID       string // never "", and the same at each start
	TestMode bool   // it moves no real money: a sandbox, or a provider's test mode
}

// Span is a range of time, both ends included. A zero Until means no end.
type Span struct{ Since, Until time.Time }

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // the parameter after of the next page; "" for the last page
}

// CheckoutParams is an order as the provider needs to know it.
type CheckoutParams struct {
	Deployment string // which deployment asks, see [Checkout]; "" for none
	OrderID    string
	Attempt    int // from 1; each attempt has its own idempotency key
	Order      *checkout.Order
	SuccessTo  string    // where the buyer returns to after paying, a URI
	CancelTo   string    // where the buyer goes back to without paying
	Images     []string  // https URLs of images of the product
	Language   string    // BCP 47, "" for the provider's choice
	ExpiresAt  time.Time // whole seconds, UTC
}

// RenderedRequest is a request without its credentials, as an attempt stores it before it is sent.
type RenderedRequest struct {
	Path string
	Body []byte
}

// Checkout is a checkout as the provider reports it.
type Checkout struct {
	Ref        string // the provider's id, "cs_test_…"
	URL        string // where the buyer pays; empty unless open
	Status     CheckoutStatus
	Paid       bool         // the payment has succeeded; a complete checkout that is not Paid is still being processed
	Total      money.Amount // what the provider charges
	OrderID    string
	Attempt    int
	SessionID  string // our checkout session, "" in what is not ours
	Deployment string // that created it; "" in what is not ours, and in checkouts of older versions
	Live       bool   // real money
	PaymentID  string // the provider's id of the payment, empty until there is one
}

// Created is the answer to the creation of a checkout.
type Created struct {
	Checkout
	Replayed bool // it is what the provider answered to an earlier call under the key; the checkout may have ended since
}

// CheckoutStatus is where a checkout stands at the provider.
type CheckoutStatus uint8

const (
	CheckoutUnknown CheckoutStatus = iota
	CheckoutOpen
	CheckoutComplete
	CheckoutExpired
	// CheckoutMissing: the account has no such checkout, so that it cannot be paid there.
	CheckoutMissing
)

// Event is one verified webhook, or one of [Reconciler.UndeliveredEvents].
type Event struct {
	ID       string // the provider's, for deduplication
	Kind     EventKind
	Created  time.Time
	Checkout Checkout
	Refund   Refund  // of EventRefund; EventRefunded has its PaymentID and Amount
	Dispute  Dispute // of EventDispute
	Live     bool    // real money; of EventRefund, EventRefunded and EventDispute
	Method   string  // "card", "" unknown
	Last4    string  // of the card, "" unknown
	Reason   string  // why a payment was declined, in the provider's words
}

// EventKind is the type of an event. Its Checkout decides what it reports: an EventSucceeded whose Checkout is not Paid is no
// payment.
type EventKind uint8

const (
	// EventIgnored is anything that concerns no checkout of ours. It is acknowledged and not stored.
	EventIgnored EventKind = iota
	// EventCompleted: the buyer has finished; Checkout.Paid tells whether the money has arrived already.
	EventCompleted
	// EventSucceeded: a delayed payment has arrived.
	EventSucceeded
	// EventFailed: a delayed payment will not arrive.
	EventFailed
	// EventExpired: the checkout ended unpaid.
	EventExpired
	// EventDeclined: one try to pay was refused; the checkout stays open. Its Checkout has no Ref: it is identified by OrderID
	// and Attempt.
	EventDeclined
	// EventRefund: a refund was made, or has changed.
	EventRefund
	// EventRefunded: a payment was refunded. Refund has the payment and the sum of its refunds, and no Ref.
	EventRefunded
	// EventDispute: a payment is disputed, or a dispute has ended.
	EventDispute
)
