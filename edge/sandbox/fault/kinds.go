package fault

import "time"

// Kind is a row of the table of faults.
type Kind struct {
	Name    string
	Call    *CallFault   // nil where it is no fault of calls
	Webhook WebhookFault // "" where it is no fault of webhooks

	usual   time.Duration // the wait where the Spec has none
	longest time.Duration // the longest wait; 0 for a kind that takes none
}

// CallFault is what happens to a call of the API. The zero value changes nothing.
type CallFault struct {
	Skip      bool      // do not execute the call
	Response  Response  // sent in place of the call's own response
	Store     bool      // store Response under the idempotency key, whether or not the call is executed
	Transport Transport // what happens to the response on the connection; nil for nothing
	Delay     bool      // wait before executing the call; its key is in use meanwhile
	PayFirst  bool      // before responding, pay the session and deliver the webhook of the payment

	executing bool // applies where a call is executed, so never to a replay
}

// Response is what a fault sends in place of a call's own response.
type Response string

// The responses. With Own and CallFault.Skip there is none.
const (
	Own         Response = ""
	RateLimited Response = "429" // with Retry-After where the fault has a wait
	KeyInUse    Response = "409"
	BadRequest  Response = "400"
	ServerError Response = "500"
	BadGateway  Response = "502" // HTML of a proxy
)

// WebhookFault is what happens to the delivery of an event.
type WebhookFault string

// The faults of webhooks.
const (
	Deliver        WebhookFault = "deliver" // no fault
	DeliverTwice   WebhookFault = "twice"   // again after it was accepted
	DeliverLate    WebhookFault = "late"    // after the wait
	DeliverReverse WebhookFault = "reverse" // after the session's next event was accepted, or after the wait
	Drop           WebhookFault = "drop"    // never; the event counts as delivered
)

var none = Kind{Name: "none", Call: &CallFault{}, Webhook: Deliver}

var kinds = []Kind{
	none,

	// The call is not executed and nothing is stored under its key: the same call can succeed later.
	{Name: "timeout", Call: &CallFault{Skip: true, Transport: hang}},
	{Name: "reset", Call: &CallFault{Skip: true, Transport: reset}},
	{Name: "429", Call: &CallFault{Skip: true, Response: RateLimited}, longest: time.Hour},
	{Name: "409", Call: &CallFault{Skip: true, Response: KeyInUse}},
	{Name: "502", Call: &CallFault{Skip: true, Response: BadGateway}},
	{Name: "400", Call: &CallFault{Skip: true, Response: BadRequest, executing: true}},

	// The call is executed and its own response stored under its key, but the caller does not get it.
	{Name: "lost_response", Call: &CallFault{Transport: hang}},
	{Name: "reset_side_effect", Call: &CallFault{Transport: reset}},
	{Name: "truncated", Call: &CallFault{Transport: truncate}},
	{Name: "malformed", Call: &CallFault{Transport: halve}},
	{Name: "huge", Call: &CallFault{Transport: inflate}},
	{Name: "502_side_effect", Call: &CallFault{Response: BadGateway}},

	// A failure is stored under the key, without and with the side effect.
	{Name: "500_saved", Call: &CallFault{Skip: true, Response: ServerError, Store: true, executing: true}},
	{Name: "500_side_effect", Call: &CallFault{Response: ServerError, Store: true, executing: true}},

	// The response is right, but late.
	{Name: "slow", Call: &CallFault{Delay: true}, usual: 2 * time.Second, longest: time.Minute},
	{Name: "first", Call: &CallFault{PayFirst: true, executing: true}},

	{Name: "twice", Webhook: DeliverTwice},
	{Name: "late", Webhook: DeliverLate, usual: 10 * time.Second, longest: 24 * time.Hour},
	{Name: "out_of_order", Webhook: DeliverReverse, usual: 30 * time.Second, longest: 24 * time.Hour},
	{Name: "lost", Webhook: Drop},
}

// All returns the names of the table, without durations.
func All() []Spec {
	var names []Spec
	for _, k := range kinds {
		names = append(names, Spec(k.Name))
	}
	return names
}
