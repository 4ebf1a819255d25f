package sandbox

import "github.com/goccy/go-json"

// nullable is a string that is null in JSON when it is empty.
type nullable string

// MarshalJSON writes null for the empty string.
func (m nullable) MarshalJSON() ([]byte, error) {
	if m == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(m))
}

// session is Stripe's checkout.session, with the fields that the adapter or a test reads.
type session struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	AdaptivePricing   enabled           `json:"adaptive_pricing"`
	AmountSubtotal    int64             `json:"amount_subtotal"`
	AmountTotal       int64             `json:"amount_total"`
	CancelURL         nullable          `json:"cancel_url"`
	ClientReferenceID nullable          `json:"client_reference_id"`
	Created           int64             `json:"created"`
	Currency          string            `json:"currency"`
	CustomerEmail     nullable          `json:"customer_email"`
	ExpiresAt         int64             `json:"expires_at"`
	Livemode          bool              `json:"livemode"`
	Locale            nullable          `json:"locale"`
	Metadata          map[string]string `json:"metadata"`
	Mode              string            `json:"mode"`
	PaymentIntent     nullable          `json:"payment_intent"` // null until the first try to pay
	PaymentMethods    []string          `json:"payment_method_types"`
	PaymentStatus     string            `json:"payment_status"`
	Status            string            `json:"status"`
	SuccessURL        string            `json:"success_url"`
	UIMode            string            `json:"ui_mode"`
	URL               nullable          `json:"url"` // null unless open
}

type enabled struct {
	Enabled bool `json:"enabled"`
}

const (
	open     = "open"
	complete = "complete"
	expired  = "expired"
	paid     = "paid"
	unpaid   = "unpaid"
)

// line is one line item; Amount is the total of its quantity.
type line struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Quantity    int64  `json:"quantity"`
	Amount      int64  `json:"amount"`
}

// intent is Stripe's payment_intent.
type intent struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountReceived int64             `json:"amount_received"`
	Created        int64             `json:"created"`
	Currency       string            `json:"currency"`
	LastError      *paymentError     `json:"last_payment_error"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	Status         string            `json:"status"`
}

const (
	requiresMethod = "requires_payment_method"
	requiresAction = "requires_action"
	processing     = "processing"
	succeeded      = "succeeded"
)

// paymentError is why the last try to pay failed.
type paymentError struct {
	Type        string `json:"type"`
	Code        string `json:"code"`
	DeclineCode string `json:"decline_code,omitempty"`
	Message     string `json:"message"`
	Method      method `json:"payment_method"`
}

type method struct {
	Object string `json:"object"`
	Type   string `json:"type"`
	Card   *card  `json:"card,omitempty"`
}

type card struct {
	Brand string `json:"brand"`
	Last4 string `json:"last4"`
}

// refund is Stripe's refund.
type refund struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason,omitempty"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        nullable          `json:"reason"`
	Status        string            `json:"status"`
}

// charge is Stripe's charge, the successful part of a payment intent.
type charge struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountRefunded int64             `json:"amount_refunded"`
	Currency       string            `json:"currency"`
	Livemode       bool              `json:"livemode"`
	Metadata       map[string]string `json:"metadata"`
	PaymentIntent  string            `json:"payment_intent"`
	Refunded       bool              `json:"refunded"` // in full
}

// dispute is Stripe's dispute.
type dispute struct {
	ID            string `json:"id"`
	Object        string `json:"object"`
	Amount        int64  `json:"amount"`
	Charge        string `json:"charge"`
	Created       int64  `json:"created"`
	Currency      string `json:"currency"`
	Livemode      bool   `json:"livemode"`
	PaymentIntent string `json:"payment_intent"`
	Reason        string `json:"reason"`
	Status        string `json:"status"`
}

// event is Stripe's event, with a copy of its object at the time.
type event struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	APIVersion string `json:"api_version"`
	Created    int64  `json:"created"`
	Data       struct {
		Object json.RawMessage `json:"object"`
	} `json:"data"`
	Livemode        bool   `json:"livemode"`
	PendingWebhooks int    `json:"pending_webhooks"`
	Type            string `json:"type"`
}

// list is a page of objects.
type list struct {
	Object  string            `json:"object"`
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
	URL     string            `json:"url"`
}
