package orders

import (
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
)

// Gateway is a payment service provider's hosted checkout. An adapter translates and classifies; it never retries, waits
// or remembers: retrying, fencing and rate limiting are done once, above it.
//
// Every method that goes to the network makes exactly one try and comes back by its deadline. A nil *Fault means success.
type Gateway interface {
	// Name is the provider's, as stored with every reference to one of its objects: "stripe".
	Name() string

	// Account identifies the account that the calls go to. Checkouts of one account do not exist at another.
	Account() Account

	// Amounts are what can be charged in a currency, and whether the currency can be charged at all. An account may have
	// narrower limits; the provider's refusal then says so, see [Fault.Refuses].
	Amounts(money.Currency) (Amounts, bool)

	// Render makes the exact bytes of the request that creates a payable checkout. It is pure and deterministic, and its
	// error means that the provider would refuse, so nothing is to be written down and nothing sent. It accepts every order
	// that [checkout.Place] makes of a session whose price [Amounts] allowed and whose total is one of Amounts.
	Render(Payable) (Wire, error)

	// Create sends the rendered bytes under an idempotency key. Only bytes that are durably stored may be sent, and under
	// one key always the same.
	Create(deadline time.Time, w Wire, key string) (Remote, *Fault)

	// Retrieve reads a checkout by the provider's reference. One that the account does not have is [RemoteMissing].
	Retrieve(deadline time.Time, ref string) (Remote, *Fault)

	// Expire ends an open checkout, so that it cannot be paid any more. Its answer is what became of it: Expired, or
	// Complete when a buyer was faster, or [RemoteMissing].
	Expire(deadline time.Time, ref string) (Remote, *Fault)

	// Event verifies a webhook's signature over its raw body at an instant and reads it. An error means that the message
	// is not the provider's, or not one that can be read: nothing may change because of it.
	Event(signature string, body []byte, now time.Time) (Event, error)

	// Checkouts lists the checkouts that were created within a span of time, the newest first, a page at a time: after is ""
	// for the first page and then what the page before said. One without an OrderID is not ours.
	Checkouts(deadline time.Time, created Span, after string) (Page[Remote], *Fault)

	// Undelivered lists the events that nobody has accepted, the newest first and as far back as the provider knows, a
	// page at a time as Checkouts does.
	Undelivered(deadline time.Time, after string) (Page[Event], *Fault)
}

// Account is an account at a provider.
type Account struct {
	ID   string // never "", and the same at each start
	Play bool   // it moves no real money: a sandbox, or a provider's test mode
}

// Span is a stretch of time, both ends included. A zero Until is no end.
type Span struct{ Since, Until time.Time }

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Next  string // what the next page comes after; "" for the last page
}

// Payable is an order as the provider needs to know it.
type Payable struct {
	Deployment string // see [Config]; "" for none
	OrderID    string
	Attempt    int // from 1; a new one gets a new idempotency key
	Order      *checkout.Order
	SuccessTo  string    // where the buyer returns to after paying, a URI
	CancelTo   string    // where the buyer goes back to without paying
	Language   string    // BCP 47, "" for the provider's choice
	ExpiresAt  time.Time // whole seconds, UTC
}

// Wire is a rendered request without its secret: what an attempt stores before anything is sent.
type Wire struct {
	Path string
	Body []byte
}

// Remote is a checkout as the provider reports it.
type Remote struct {
	Ref        string // the provider's id, "cs_test_…"
	URL        string // where the buyer pays; empty unless Open
	Status     RemoteStatus
	Paid       bool         // the payment has succeeded; a Complete that is not Paid is still being processed
	Total      money.Amount // what the provider charges
	OrderID    string
	Attempt    int
	SessionID  string // our checkout session, "" in what is not ours
	Deployment string // that asked for it; "" in what is not ours, and in checkouts of older versions
	Live       bool   // real money
	PaymentID  string // the provider's id of the payment, empty until there is one
}

// RemoteStatus is where a checkout stands at the provider.
type RemoteStatus uint8

const (
	RemoteUnknown RemoteStatus = iota
	RemoteOpen
	RemoteComplete
	RemoteExpired
	// RemoteMissing: the account has no such checkout, so that it cannot be paid there.
	RemoteMissing
)

// EventKind is the type of a webhook. The Remote decides what it reports: an EventSucceeded whose Remote is not Paid is no
// payment.
type EventKind uint8

const (
	// EventIgnored is anything that concerns no checkout of ours; it is acknowledged and forgotten.
	EventIgnored EventKind = iota
	// EventCompleted: the buyer is through; Remote.Paid tells whether the money is there already.
	EventCompleted
	// EventSucceeded: a delayed payment has arrived.
	EventSucceeded
	// EventFailed: a delayed payment will not arrive.
	EventFailed
	// EventExpired: the checkout ended unpaid.
	EventExpired
	// EventDeclined: one try to pay was refused; the checkout stays open. Its Remote has no Ref: a refused try is known by
	// OrderID and Attempt.
	EventDeclined
)

// Event is one verified webhook.
type Event struct {
	ID      string // the provider's, for deduplication
	Kind    EventKind
	Created time.Time
	Remote  Remote
	Method  string // "card", "" unknown
	Last4   string // of the card, "" unknown
	Reason  string // why a payment was declined, in the provider's words
}

// Fault is a failed call, classified. The text is for the log.
type Fault struct {
	Class      FaultClass
	Held       bool          // the call was never made, because of our own limits
	Status     int           // HTTP status, 0 when there was no answer
	Code       string        // the provider's error code
	Refuses    Refusal       // what of the order is refused, if its caller can mend that
	RequestID  string        // the provider's, for its support
	RetryAfter time.Duration // 0: not said
	Err        error         // transport error, nil when there was an answer
}

// FaultClass says what a failure proves about the effect of the call.
type FaultClass uint8

const (
	// Unknown: the call may have had its effect (a timeout after sending, a reset, a 502). It is the zero value: what is
	// not understood is never taken for a failure.
	Unknown FaultClass = iota
	// NotExecuted: this try certainly had no effect (refused before a byte was sent, 401, 403, 429). It says nothing of
	// earlier tries under the same key.
	NotExecuted
	// InProgress: another call under the same key is running, or the provider asks for the same call again.
	InProgress
	// Definitive: the provider has refused these bytes for good.
	Definitive
	// Stuck: the provider has stored a failure under this key; the same call cannot succeed any more.
	Stuck
	// KeyTaken: the provider has seen the key with other bytes. Another call that this database does not know has been made
	// under it, which a restored backup explains, and may have had its effect.
	KeyTaken
)

// String names the class in kebab-case, for logs and metrics.
func (c FaultClass) String() string {
	return [...]string{"unknown", "not-executed", "in-progress", "definitive", "stuck", "key-taken"}[c]
}

// Error names the class and what was seen, without any of the buyer's data.
func (f *Fault) Error() string {
	text := "psp: " + f.Class.String()
	if f.Code != "" {
		text += " " + f.Code
	}
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}
