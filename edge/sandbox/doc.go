// Package sandbox is a payment service provider that moves no money. It speaks the part of Stripe's wire that a one-time
// hosted payment needs, so that demo and tests drive the real Stripe adapter, its page and its webhooks included.
//
// [Sandbox] is the provider: [Sandbox.Dial] connects to its API in memory, [Sandbox.Serve] is its hosted page, and a worker
// delivers its webhooks. [Store] is where it keeps its state, which survives a restart: what was due is then done late.
//
// It is faithful where an order's safety depends on it: idempotency keys with stored answers, validation before storing,
// the window of expires_at, signed webhooks at least once, payments that are confirmed later. It knows no parameter that
// the adapter does not send: an unknown one is refused by name, as at Stripe.
//
// Nobody can type a card number: the outcome of a payment is chosen from a list.
//
// # Keys
//
// Ids begin with their time, inverted, so that a scan meets the newest first.
//
//	cs/<session>            a session with its payment
//	or/<order>/<session>    the session's id; <order> is its client_reference_id
//	pi/<payment intent>     the session's id
//	ev/<event>              an event
//	ik/<idempotency key>    the stored answer
//	du/<ms>/<task>/<id>     what is to be done at an instant, milliseconds in 13 digits: expire or settle a session, send
//	                        an event
package sandbox
