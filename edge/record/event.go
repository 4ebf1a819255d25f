package record

import (
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const quarantinedVersion = 1

// quarantined is a provider's event that matches no order.
type quarantined struct {
	header
	ID            string               `json:"id"`
	Kind          eventKind            `json:"kind"`
	Created       time.Time            `json:"created"`
	Remote        remote               `json:"remote"`
	Method        string               `json:"method,omitempty"`
	Last4         string               `json:"last4,omitempty"`
	Reason        string               `json:"reason,omitempty"`
	Environment   checkout.Environment `json:"environment,omitempty"` // version 0 may lack it and the next four
	Provider      string               `json:"provider,omitempty"`
	Why           string               `json:"why,omitempty"`
	QuarantinedAt int64                `json:"quarantinedAt,omitempty"`
	HandledAt     int64                `json:"handledAt,omitempty"`
}

// remote is a checkout as the provider reports it.
type remote struct {
	Ref        string       `json:"ref,omitempty"`
	URL        string       `json:"url,omitempty"`
	Status     remoteStatus `json:"status"`
	Paid       bool         `json:"paid,omitempty"`
	Total      total        `json:"total"`
	OrderID    string       `json:"orderId,omitempty"`
	Attempt    int          `json:"attempt,omitempty"`
	SessionID  string       `json:"sessionId,omitempty"`
	Deployment string       `json:"deployment,omitempty"`
	Live       bool         `json:"live,omitempty"`
	PaymentID  string       `json:"paymentId,omitempty"`
}

// total is an amount that may be absent.
type total struct {
	Minor    int64          `json:"minor,omitempty"`
	Currency money.Currency `json:"currency,omitempty"`
}

// The names of the domain's enumerations, in the order of its constants.
var (
	eventKinds     = []string{"ignored", "completed", "succeeded", "failed", "expired", "declined"}
	remoteStatuses = []string{"unknown", "open", "complete", "expired"}
)

type eventKind string

func (k *eventKind) UnmarshalJSON(text []byte) error {
	return unmarshalListed(text, (*string)(k), eventKinds)
}

type remoteStatus string

func (s *remoteStatus) UnmarshalJSON(text []byte) error {
	return unmarshalListed(text, (*string)(s), remoteStatuses)
}

func unmarshalListed(text []byte, into *string, names []string) error {
	return unmarshal(text, into, func(n int) string { return at(names, n) }, func(name string) bool { return slices.Contains(names, name) })
}

// at returns the n-th name, "" if there is none.
func at(names []string, n int) string {
	if n < 0 || n >= len(names) {
		return ""
	}
	return names[n]
}

func encodeQuarantined(q *orders.Quarantined) ([]byte, error) {
	r := &q.Checkout
	return encode(&quarantined{header{quarantinedVersion}, q.ID, eventKind(at(eventKinds, int(q.Kind))), q.Created,
		remote{r.Ref, r.URL, remoteStatus(at(remoteStatuses, int(r.Status))), r.Paid, total(r.Total), r.OrderID, r.Attempt, r.SessionID, r.Deployment, r.Live, r.PaymentID},
		q.Method, q.Last4, q.Reason, q.Environment, q.Provider, q.Why, q.QuarantinedAt, q.HandledAt})
}

func decodeQuarantined(text []byte) (*orders.Quarantined, error) {
	var r quarantined
	if err := decode(text, &r, quarantinedVersion); err != nil {
		return nil, err
	}
	m := &r.Remote
	return &orders.Quarantined{
		Event: psp.Event{ID: r.ID, Kind: psp.EventKind(max(0, slices.Index(eventKinds, string(r.Kind)))), Created: r.Created,
			Checkout: psp.Checkout{Ref: m.Ref, URL: m.URL, Status: psp.CheckoutStatus(max(0, slices.Index(remoteStatuses, string(m.Status)))),
				Paid: m.Paid, Total: money.Amount(m.Total), OrderID: m.OrderID, Attempt: m.Attempt, SessionID: m.SessionID, Deployment: m.Deployment, Live: m.Live, PaymentID: m.PaymentID},
			Method: r.Method, Last4: r.Last4, Reason: r.Reason},
		Environment: r.Environment, Provider: r.Provider, Why: r.Why, QuarantinedAt: r.QuarantinedAt, HandledAt: r.HandledAt,
	}, nil
}
